/** `o7s-testbed down`: takes labs down. Needs no topology file. */
import type { CommandModule } from 'yargs';
import { labUnlocked } from '../../lock.ts';
import type { Lab } from '../../testbeds/testbed.ts';
import { confirm } from '../confirm.ts';
import { chooseLab } from '../lab-name.ts';
import { labsOfUser } from '../labs.ts';
import { formatOption, labOption, yesOption } from '../options.ts';

interface DownArguments {
  lab: string | undefined;
  all: boolean | undefined;
  yes: boolean;
  format: 'table' | 'json';
}

/** How long a command that was changing the lab may take to give up, in milliseconds. */
const giveUpMs = 10_000;

export const down: CommandModule<object, DownArguments> = {
  command: 'down',
  describe: 'Take a lab down',
  builder: (yargs) =>
    yargs
      .option('lab', labOption)
      .option('all', { type: 'boolean', describe: 'All labs of this user' })
      .option('yes', { ...yesOption, describe: 'With --all: do not ask' })
      .option('format', formatOption)
      .conflicts('lab', 'all')
      .example('$0 down', 'the only lab; its topology file is not needed')
      .example('$0 down --lab line', 'one of several')
      .example('$0 down --all -y', 'all of this user, without a question'),
  handler: async (options) => {
    const labs = await chosen(await labsOfUser(), options);
    for (const lab of labs) {
      await lab.destroy();
      // Whoever was changing it finds that it is gone; what it made of it after that goes too.
      await labUnlocked(lab.name, giveUpMs);
      await lab.destroy();
      process.stderr.write(`lab ${lab.name} is down\n`);
    }
    if (options.format === 'json') {
      process.stdout.write(`${JSON.stringify(labs.map(({ name, testbed }) => ({ lab: name, testbed })))}\n`);
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
