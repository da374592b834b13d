import { NetnsTestbed } from '../../rumba/testbeds/netns/testbed.ts';
import { testbedCompliance } from '../compliance/testbed.ts';
import { traceLab } from './traces.ts';

testbedCompliance({
  testbed: new NetnsTestbed(),
  trace: async (lab) => {
    const left = traceLab(lab);
    return async () => left();
  },
});
