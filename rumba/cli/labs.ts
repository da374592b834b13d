/** Which testbed and which labs a command is about. */
import { findLabs, findTestbed } from '../testbeds/known.ts';
import type { Lab, Testbed } from '../testbeds/testbed.ts';

/** The testbed that is asked for, by option or else by O7S_TESTBED; undefined where the choice is free. */
export function askedTestbed(option?: string): Testbed | undefined {
  const name = option ?? process.env['O7S_TESTBED'];
  return name ? findTestbed(name) : undefined;
}

/** The labs of this user. A testbed that cannot be asked is told of in one line. */
export async function labsOfUser(): Promise<Lab[]> {
  return await findLabs(askedTestbed(), ({ message }) => {
    process.stderr.write(`o7s-testbed: without the labs of docker: ${message}\n`);
  });
}

/** The lab of this name that stays; undefined where there is none, or more than one, on the testbeds that can be asked. */
export async function findLab(name: string, testbed: Testbed | undefined): Promise<Lab | undefined> {
  const [lab, ...others] = (await findLabs(testbed, () => {})).filter((each) => each.name === name);
  // One without a record is still being made, by a command that owns it.
  return others.length === 0 && (await lab?.record()) !== undefined ? lab : undefined;
}
