/** Which testbed and which labs a command is about. */
import { findLabs, findTestbed } from '../testbeds/known.ts';
import { lockLab } from '../lock.ts';
import { whileThere } from '../orchestrate.ts';
import type { Lab, Testbed } from '../testbeds/testbed.ts';
import { chooseLab } from './lab-name.ts';

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

/** The right to change a lab, which other commands wait for; where this one has to wait it says for whom. */
export async function lockLabHere(name: string, signal: AbortSignal): Promise<AsyncDisposable> {
  return await lockLab(name, {
    signal,
    holder: `"o7s-testbed ${process.argv[2]}"`,
    onWait: (holder) => {
      process.stderr.write(`waiting for ${holder}, which is changing lab ${name}\n`);
    },
  });
}

/** Does something that changes a lab, the one of that name or else the only one, when no other command does. */
export async function withLabAlone(
  asked: string | undefined,
  signal: AbortSignal,
  work: (lab: Lab) => Promise<void>,
): Promise<Lab> {
  const { name } = chooseLab(await labsOfUser(), asked);
  await using _lock = await lockLabHere(name, signal);
  // As the command before left it.
  const lab = chooseLab(await findLabs(askedTestbed(), () => {}), name);
  await whileThere(lab, signal, () => work(lab));
  return lab;
}
