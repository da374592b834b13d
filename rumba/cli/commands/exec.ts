/** `o7s-testbed exec`: a command on a node, as if it were run here, or on many. */
import type { CommandModule } from 'yargs';
import { TestbedError } from '../../errors.ts';
import type { Lab, LabNode } from '../../testbeds/testbed.ts';
import { forwardSignals, interruptible } from '../interrupt.ts';
import { chooseLab } from '../lab-name.ts';
import { labsOfUser } from '../labs.ts';
import { formatOption, labOption } from '../options.ts';
import { prefixed } from '../prefixed.ts';
import { counted } from '../table.ts';

interface ExecArguments {
  node: string | undefined;
  lab: string | undefined;
  all: boolean;
  format: 'table' | 'json';
  '--'?: string[];
}

/** Nodes at a time. */
const nodesAtOnce = 32;

/** A shell for whoever has a terminal. */
const shell = ['sh', '-c', 'exec "$(command -v bash || command -v sh)"'];

export const exec: CommandModule<object, ExecArguments> = {
  command: 'exec [node]',
  describe: 'Run a command on a node, or on many: exec NODE CMD...',
  builder: (yargs) =>
    yargs
      .positional('node', { type: 'string', describe: 'Name of the node; a,b for several' })
      .option('lab', labOption)
      .option('all', { type: 'boolean', default: false, describe: 'On all nodes' })
      .option('format', { ...formatOption, describe: 'Form of the output of several nodes' })
      .example('$0 exec a oping -n ping.b -c 3', 'ends with the code of the command')
      .example('$0 exec a', 'a shell on node a')
      .example('$0 exec a,b irm ipcp list', 'on two nodes at once, their names before each line')
      .example('$0 exec --all -f json irm name list', 'output and code of each node, for programs')
      .example('$0 exec a -- ls', 'two hyphens before the command do no harm'),
  handler: async ({ node, lab, all, format, '--': command = [] }) => {
    if (all === (node !== undefined)) {
      throw new TestbedError(
        'EUSAGE',
        all ? 'a node is named, and --all given' : 'there is no node to run it on',
        {
          hint: 'write: o7s-testbed exec NODE CMD..., or --all in place of NODE',
        },
      );
    }
    const names = node?.split(',') ?? [];
    const isOne = names.length === 1 && format === 'table';
    const words = command.length === 0 && isOne && process.stdin.isTTY ? shell : command;
    if (words.length === 0) {
      throw new TestbedError(
        'EUSAGE',
        `there is no command to run on ${all ? 'the nodes' : `node ${node}`}`,
        {
          hint: `write it last: o7s-testbed exec ${node ?? '--all'} CMD...`,
        },
      );
    }
    const chosen = chooseLab(await labsOfUser(), lab);
    if (isOne) process.exitCode = await onOne(chosen.node(names[0] ?? ''), words);
    else process.exitCode = await onMany(nodesOf(chosen, names), words, format);
  },
};

function nodesOf(lab: Lab, names: readonly string[]): readonly LabNode[] {
  return names.length === 0 ? lab.nodes() : [...new Set(names)].map((name) => lab.node(name));
}

async function onOne(node: LabNode, command: readonly string[]): Promise<number> {
  // The command may be ended as soon as it runs: whoever does that must not end this process alone.
  let kill = (_signal: NodeJS.Signals): void => {};
  using _forwarding = forwardSignals((signal) => kill(signal));
  const attached = node.attach(command);
  kill = (signal) => attached.kill(signal);
  return await attached.ended;
}

/** Gives the code of the first node, in the order of their names, on which the command failed. */
async function onMany(
  nodes: readonly LabNode[],
  command: readonly string[],
  format: 'table' | 'json',
): Promise<number> {
  using interrupt = interruptible((exitCode) => process.exit(exitCode));
  const width = Math.max(0, ...nodes.map(({ name }) => name.length));
  const results = new Map<string, { code: number; stdout: string; stderr: string }>();
  const waiting = [...nodes];
  const work = async (): Promise<void> => {
    for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) {
      results.set(node.name, await onOneOfMany(node, command, { format, width, signal: interrupt.signal }));
    }
  };
  await Promise.all(Array.from({ length: Math.min(nodesAtOnce, nodes.length) }, work));
  if (format === 'json') {
    const list = nodes.map(({ name }) => ({ node: name, ...results.get(name) }));
    process.stdout.write(`${JSON.stringify(list)}\n`);
  }
  const failed = nodes.filter(({ name }) => results.get(name)?.code !== 0);
  const [first] = failed;
  if (first === undefined) return 0;
  const list = failed.slice(0, 10).map(({ name }) => `${name} (${results.get(name)?.code})`);
  const rest = failed.length > list.length ? `, ${failed.length - list.length} more` : '';
  process.stderr.write(
    `o7s-testbed: failed on ${failed.length} of ${counted(nodes.length, 'node')}: ${list.join(', ')}${rest}\n`,
  );
  return results.get(first.name)?.code ?? 1;
}

async function onOneOfMany(
  node: LabNode,
  command: readonly string[],
  { format, width, signal }: { format: 'table' | 'json'; width: number; signal: AbortSignal },
): Promise<{ code: number; stdout: string; stderr: string }> {
  if (format === 'json') return await node.run(command, signal);
  const opened = await node.open(command);
  const stop = (): void => opened.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  opened.stdin.end();
  const prefix = `${node.name.padEnd(width)} | `;
  await Promise.all([
    prefixed(opened.stdout, prefix, process.stdout),
    prefixed(opened.stderr, prefix, process.stderr),
  ]);
  const code = await opened.ended;
  signal.throwIfAborted();
  return { code, stdout: '', stderr: '' };
}
