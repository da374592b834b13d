/** `o7s-testbed doctor`: what this machine has of what labs need, and how to mend what is missing. */
import type { CommandModule } from 'yargs';
import type { Check } from '../../testbeds/check.ts';
import { checkAll } from '../../testbeds/known.ts';
import { formatOption } from '../options.ts';
import { table } from '../table.ts';

interface DoctorArguments {
  format: 'table' | 'json';
}

export const doctor: CommandModule<object, DoctorArguments> = {
  command: 'doctor',
  describe: 'Look at what this machine has of what labs need',
  builder: (yargs) =>
    yargs
      .option('format', formatOption)
      .example('$0 doctor', 'ends with code 3 where no lab can be made')
      .example(
        "$0 doctor -f json | jq -r '.checks[].mend // empty'",
        'the commands that mend what is missing',
      ),
  handler: async ({ format }) => {
    const { machine, testbeds } = await checkAll();
    const isSound = (checks: readonly Check[]): boolean => checks.every((check) => check.state !== 'fail');
    const usable = testbeds.filter(({ checks }) => isSound(checks)).map(({ testbed }) => testbed);
    const isFit = isSound(machine) && usable.length > 0;
    const all = [
      ...machine.map((check) => ({ testbed: 'all', ...check })),
      ...testbeds.flatMap(({ testbed, checks }) => checks.map((check) => ({ testbed, ...check }))),
    ];
    if (format === 'json') {
      process.stdout.write(`${JSON.stringify({ fit: isFit, usable, checks: all })}\n`);
    } else {
      const rows = all.flatMap(({ testbed, what, state, found, mend }) => [
        [state, testbed, what, found],
        ...(mend === undefined ? [] : [['', '', '', `to mend: ${mend}`]]),
      ]);
      process.stdout.write(table(['STATE', 'FOR', 'WHAT', 'FOUND'], rows));
    }
    if (!isFit) process.exitCode = 3;
    process.stderr.write(
      isFit ? `labs can be made on ${usable.join(' and ')}\n` : 'no lab can be made on this machine\n',
    );
  },
};
