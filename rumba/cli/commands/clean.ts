/** `o7s-testbed clean`: removes what is left of labs that are no more. */
import type { CommandModule } from 'yargs';
import { confirm } from '../confirm.ts';
import { askedTestbed, labsOfUser } from '../labs.ts';
import { cleanTestbeds, findLabs } from '../../testbeds/known.ts';
import { formatOption, yesOption } from '../options.ts';
import { table } from '../table.ts';

interface CleanArguments {
  all: boolean;
  yes: boolean;
  format: 'table' | 'json';
}

export const clean: CommandModule<object, CleanArguments> = {
  command: 'clean',
  describe: 'Remove what is left of labs that are no more',
  builder: (yargs) =>
    yargs
      .option('all', { type: 'boolean', default: false, describe: 'Running labs of this user too' })
      .option('yes', { ...yesOption, describe: 'With --all: do not ask' })
      .option('format', formatOption)
      .example('$0 clean', 'what labs left whose "up" was killed; labs that run stay')
      .example('$0 clean --all -y', 'everything of this user'),
  handler: async ({ all, yes, format }) => {
    if (all && !yes) {
      const labs = await labsOfUser();
      if (labs.length > 0)
        await confirm(
          `Remove ${labs.map((lab) => lab.name).join(', ')} and what is left?`,
          'nothing removed',
        );
    }
    const removed = await cleanTestbeds(askedTestbed(), all, ({ message }) => {
      process.stderr.write(`o7s-testbed: without docker: ${message}\n`);
    });
    if (!all) await tellOfDamaged();
    if (format === 'json') process.stdout.write(`${JSON.stringify(removed)}\n`);
    else if (removed.length === 0) process.stderr.write('nothing is left over\n');
    else {
      const rows = removed.map(({ lab, testbed, what }) => [lab, testbed, what]);
      process.stdout.write(table(['LAB', 'TESTBED', 'REMOVED'], rows));
    }
  },
};

/** Somebody may be at work on what is left of a lab. */
async function tellOfDamaged(): Promise<void> {
  for (const lab of await findLabs(askedTestbed(), () => {})) {
    const [fault] = await lab.faults();
    if (fault === undefined) continue;
    process.stderr.write(
      `lab ${lab.name} stays: ${fault}; to remove it: o7s-testbed down --lab ${lab.name}\n`,
    );
  }
}
