/** The testbeds there are, and which of them to use. */
import { TestbedError } from '../errors.ts';
import { DockerTestbed } from './docker/testbed.ts';
import { NetnsTestbed } from './netns/testbed.ts';
import type { Check } from './check.ts';
import { checkMachine } from './machine.ts';
import type { Lab, PrepareOptions, Removed, Testbed } from './testbed.ts';

/** The one to prefer first. */
const testbeds: readonly Testbed[] = [new DockerTestbed(), new NetnsTestbed()];

/** A testbed by name. Throws EUSAGE, listing those there are. */
export function findTestbed(name: string): Testbed {
  const found = testbeds.find((each) => each.name === name);
  if (found === undefined) {
    throw new TestbedError('EUSAGE', `there is no testbed ${JSON.stringify(name)}`, {
      hint: `use one of: ${testbeds.map((each) => each.name).join(', ')}`,
    });
  }
  return found;
}

/**
 * The testbed to make a lab on, ready to do so: `asked`, else the first that this machine has all for.
 * `onSkip` is told of one that it has not.
 */
export async function chooseTestbed(
  asked: Testbed | undefined,
  options: PrepareOptions & { onSkip: (skipped: Testbed, next: Testbed, reason: TestbedError) => void },
): Promise<Testbed> {
  if (asked !== undefined) {
    await asked.prepare(options);
    return asked;
  }
  for (const [index, each] of testbeds.entries()) {
    try {
      await each.prepare(options);
      return each;
    } catch (error) {
      options.signal.throwIfAborted();
      const next = testbeds[index + 1];
      if (!(error instanceof TestbedError) || error.code === 'EUSAGE' || next === undefined) throw error;
      options.onSkip(each, next, error);
    }
  }
  throw new Error('there is no testbed');
}

/** The labs of this user: on one testbed, else on every one. `onSkip` is told of one that cannot say. */
export async function findLabs(
  only: Testbed | undefined,
  onSkip: (reason: TestbedError) => void,
): Promise<Lab[]> {
  return await ofEach(only, onSkip, (testbed) => testbed.labs());
}

/** A lab again, with the nodes it has by now; undefined where it is gone, or its testbed cannot be asked for the moment. */
export async function findAgain({ name, testbed }: Lab): Promise<Lab | undefined> {
  const labs = await findTestbed(testbed)
    .labs()
    .catch(() => []);
  return labs.find((lab) => lab.name === name);
}

/** Removes what is left over on one testbed, else on every one; see `Testbed.clean`. */
export async function cleanTestbeds(
  only: Testbed | undefined,
  all: boolean,
  onSkip: (reason: TestbedError) => void,
): Promise<Removed[]> {
  return await ofEach(only, onSkip, (testbed) => testbed.clean(all));
}

/** Looks at this machine: at what all testbeds need, and at what each of them does. */
export async function checkAll(): Promise<{
  machine: Check[];
  testbeds: { testbed: string; checks: Check[] }[];
}> {
  const each = testbeds.map(async (testbed) => ({ testbed: testbed.name, checks: await testbed.check() }));
  return { machine: checkMachine(), testbeds: await Promise.all(each) };
}

async function ofEach<T>(
  only: Testbed | undefined,
  onSkip: (reason: TestbedError) => void,
  ask: (testbed: Testbed) => Promise<T[]>,
): Promise<T[]> {
  const asked = only === undefined ? testbeds : [only];
  const found = await Promise.all(
    asked.map(async (each) => {
      try {
        return await ask(each);
      } catch (error) {
        if (asked.length === 1 || !(error instanceof TestbedError) || error.code !== 'EENVIRONMENT')
          throw error;
        onSkip(error);
        return [];
      }
    }),
  );
  return found.flat();
}
