/** `o7s-testbed validate`: whether topology files are right, and what can be set in them. */
import type { CommandModule } from 'yargs';
import { TestbedError } from '../../errors.ts';
import type { Parameter } from '../../model/parameters.ts';
import type { Topology } from '../../model/topology.ts';
import { plan } from '../../plan/plan.ts';
import { loadTopology } from '../load-topology.ts';
import { formatOption, parseSet, setOption } from '../options.ts';
import { counted, table } from '../table.ts';

interface ValidateArguments {
  files: string[];
  set: string[];
  format: 'table' | 'json';
}

export const validate: CommandModule<object, ValidateArguments> = {
  command: 'validate [files..]',
  aliases: ['check'],
  describe: 'Check topology files without building anything, and list their parameters',
  builder: (yargs) =>
    yargs
      .positional('files', {
        type: 'string',
        array: true,
        default: ['topology.ts'],
        describe: 'Topology files',
      })
      .option('set', setOption)
      .option('format', formatOption)
      .example('$0 validate line.ts', 'ends with code 2 where something is wrong')
      .example('$0 validate line.ts --set n=50', 'with a parameter set'),
  handler: async ({ files, set, format }) => {
    const given = parseSet(set);
    const results = [];
    const failures: TestbedError[] = [];
    for (const file of files) {
      try {
        const { topology, parameters } = await loadTopology(file, { set: given });
        results.push({ file, valid: true, ...counts(topology), parameters });
        if (format === 'table') process.stdout.write(report(file, topology, parameters));
      } catch (error) {
        if (!(error instanceof TestbedError)) throw error;
        failures.push(error);
        results.push({ file, valid: false, error: error.message, hint: error.hint });
      }
    }
    if (format === 'json') process.stdout.write(`${JSON.stringify(results)}\n`);
    const [first, ...others] = failures;
    for (const { message, hint } of others) {
      process.stderr.write(`o7s-testbed: ${message}${hint === undefined ? '' : `; ${hint}`}\n`);
    }
    if (first !== undefined) throw first;
  },
};

function counts(topology: Topology): Record<'nodes' | 'links' | 'layers' | 'servers' | 'steps', number> {
  const { nodes, links, layers, servers } = topology;
  return {
    nodes: nodes.length,
    links: links.length,
    layers: layers.length,
    servers: servers.length,
    steps: plan(topology).steps.length,
  };
}

function report(file: string, topology: Topology, parameters: readonly Parameter[]): string {
  const { nodes, links, layers, servers, steps } = counts(topology);
  const parts = [
    counted(nodes, 'node'),
    counted(links, 'link'),
    counted(layers, 'layer'),
    counted(servers, 'server'),
    counted(steps, 'step'),
  ];
  return `${file} is valid: ${parts.join(', ')}\n${parameterTable(parameters)}`;
}

/** The parameters of a file, for `validate` and for the help of commands that take `--set`. */
function parameterTable(parameters: readonly Parameter[]): string {
  if (parameters.length === 0) return '';
  const rows = parameters.map((parameter) => [
    `  --set ${parameter.name}=${String(parameter.value)}`,
    allowed(parameter),
    parameter.describe ?? '',
  ]);
  return table(['  PARAMETER', 'VALUES', 'WHAT'], rows);
}

function allowed({
  default: value,
  min,
  max,
  choices,
  integer = Number.isInteger(value),
}: Parameter): string {
  if (choices !== undefined) return choices.join(', ');
  if (typeof value === 'boolean') return 'true, false';
  if (typeof value === 'string') return 'text';
  const kind = integer ? 'whole number' : 'number';
  if (min !== undefined && max !== undefined) return `${kind}, ${min} to ${max}`;
  if (min !== undefined) return `${kind}, from ${min}`;
  return max === undefined ? kind : `${kind}, to ${max}`;
}
