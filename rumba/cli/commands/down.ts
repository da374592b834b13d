/** `o7s-testbed down`: takes labs down. Needs no topology file. */
import { createInterface } from 'node:readline/promises';
import type { CommandModule } from 'yargs';
import { TestbedError } from '../../errors.ts';
import { findLabs } from '../../testbeds/known.ts';
import type { Lab } from '../../testbeds/testbed.ts';
import { chooseLab } from '../lab-name.ts';

interface DownArguments {
  lab: string | undefined;
  all: boolean | undefined;
  yes: boolean;
}

export const down: CommandModule<object, DownArguments> = {
  command: 'down',
  describe: 'Take a lab down',
  builder: (yargs) =>
    yargs
      .option('lab', { type: 'string', requiresArg: true, describe: 'Which lab; else the only one' })
      .option('all', { type: 'boolean', describe: 'All labs of this user' })
      .option('yes', { alias: 'y', type: 'boolean', default: false, describe: 'With --all: do not ask' })
      .conflicts('lab', 'all'),
  handler: async ({ lab, all, yes }) => {
    const labs = await findLabs();
    for (const each of await chosen(labs, { lab, all, yes })) {
      await each.destroy();
      process.stderr.write(`lab ${each.name} is down\n`);
    }
  },
};

async function chosen(labs: readonly Lab[], { lab, all, yes }: DownArguments): Promise<readonly Lab[]> {
  if (all === true) {
    if (labs.length === 0) process.stderr.write('no lab is running\n');
    else if (!yes && process.stdin.isTTY) await confirm(labs);
    return labs;
  }
  if (lab === undefined) return [chooseLab(labs, lab)];
  // Two that were started at the same moment bear one name until the younger has gone.
  const named = labs.filter((each) => each.name === lab);
  if (named.length === 0) process.stderr.write(`no lab named ${lab} is running\n`);
  return named;
}

async function confirm(labs: readonly Lab[]): Promise<void> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(`Take down ${labs.map((each) => each.name).join(', ')}? [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new TestbedError('EFAILED', 'nothing taken down');
  } finally {
    prompt.close();
  }
}
