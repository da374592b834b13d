import { NetnsTestbed } from '../../rumba/testbeds/netns/testbed.ts';
import { impairmentCompliance } from '../compliance/impairments.ts';

impairmentCompliance(new NetnsTestbed(), 'netem');
