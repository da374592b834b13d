/** `o7s-testbed ls`: the labs of this user. */
import { relative } from 'node:path';
import type { CommandModule } from 'yargs';
import { labsOfUser } from '../labs.ts';
import { formatOption } from '../options.ts';
import { listCell, table } from '../table.ts';

interface LsArguments {
  format: 'table' | 'json';
}

export const ls: CommandModule<object, LsArguments> = {
  command: 'ls',
  describe: 'List the labs',
  builder: (yargs) =>
    yargs
      .option('format', formatOption)
      .example('$0 ls', 'with their state: running, starting or damaged')
      .example("$0 ls -f json | jq -r '.[].lab'", 'their names, for programs'),
  handler: async ({ format }) => {
    const labs = await Promise.all(
      (await labsOfUser()).map(async (lab) => {
        const record = await lab.record();
        const faults = await lab.faults();
        const state = faults.length > 0 ? 'damaged' : record === undefined ? 'starting' : 'running';
        return { ...record, lab: lab.name, testbed: lab.testbed, state, faults };
      }),
    );
    if (format === 'json') {
      process.stdout.write(`${JSON.stringify(labs)}\n`);
      return;
    }
    const rows = labs.map(({ lab, testbed, state, createdAt, file, topology }) => [
      lab,
      testbed,
      state,
      topology === undefined ? '-' : listCell(topology.nodes.map((node) => node.name)),
      createdAt ?? '-',
      file === undefined ? '-' : relative(process.cwd(), file),
    ]);
    process.stdout.write(table(['LAB', 'TESTBED', 'STATE', 'NODES', 'CREATED', 'FILE'], rows));
  },
};
