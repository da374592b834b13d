/** `o7s-testbed down`: takes labs down. Needs no topology file. */
import type { CommandModule } from 'yargs';
import type { Lab } from '../../testbeds/testbed.ts';
import { confirm } from '../confirm.ts';
import { chooseLab } from '../lab-name.ts';
import { labsOfUser } from '../labs.ts';

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
    const labs = await labsOfUser();
    for (const each of await chosen(labs, { lab, all, yes })) {
      await each.destroy();
      process.stderr.write(`lab ${each.name} is down\n`);
    }
  },
};

async function chosen(labs: readonly Lab[], { lab, all, yes }: DownArguments): Promise<readonly Lab[]> {
  if (all === true) {
    if (labs.length === 0) process.stderr.write('no lab is running\n');
    else if (!yes)
      await confirm(`Take down ${labs.map((each) => each.name).join(', ')}?`, 'nothing taken down');
    return labs;
  }
  if (lab === undefined) return [chooseLab(labs, lab)];
  // Two that were started at the same moment bear one name until the younger has gone.
  const named = labs.filter((each) => each.name === lab);
  if (named.length === 0) process.stderr.write(`no lab named ${lab} is running\n`);
  return named;
}
