/** The testbeds there are. */
import { TestbedError } from '../errors.ts';
import { NetnsTestbed } from './netns/testbed.ts';
import type { Lab, Testbed } from './testbed.ts';

const testbeds: readonly Testbed[] = [new NetnsTestbed()];

/** A testbed by name; without a name, the first that there is. */
export function findTestbed(name?: string): Testbed {
  const found = testbeds.find((each) => name === undefined || each.name === name);
  if (found === undefined) {
    throw new TestbedError('EUSAGE', `there is no testbed ${JSON.stringify(name)}`, {
      hint: `use one of: ${testbeds.map((each) => each.name).join(', ')}`,
    });
  }
  return found;
}

/** The labs of this user on every testbed. */
export async function findLabs(): Promise<Lab[]> {
  return (await Promise.all(testbeds.map((each) => each.labs()))).flat();
}
