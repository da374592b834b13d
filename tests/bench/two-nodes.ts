/**
 * Two nodes over each link layer, ours and, where `O7S_PEER_PREFIX` names one, the prototype, in turn and in one run,
 * with the kernel's own ping on the same cable beside them:
 *
 *     node tests/bench/two-nodes.ts [RUNS [TYPE...]]
 *
 * Prints a table of medians and writes `bench-results/two-nodes.json`. Needs root, as the prototype's nodes do.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { joinNamespaces, PeerNode, peerPrefix } from '../support/peer.ts';
import { averageOf, collect, median, short } from './measure.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [runsWord = '3', ...chosen] = process.argv.slice(2);
const runs = Number(runsWord);
const types = chosen.length > 0 ? chosen : ['eth-dix', 'eth-llc', 'udp4', 'udp6'];
const pings = 10_000;
const seconds = 2;
const sizes = [64, 1400] as const;
const attemptsMax = 5;
const placements = { 'one processor': '0', 'all processors': `0-${availableParallelism() - 1}` } as const;

/** Figures by name, a list of runs each. */
type Figures = Record<string, number[]>;

interface Side {
  /** Allocations, ms each. */
  allocate(type: string): Promise<number[]>;
  /** Round trip of a flooding ping, us. */
  ping(type: string): Promise<number>;
  /** Packets a second that arrive. */
  flood(type: string, size: number): Promise<number>;
}

/** Our two nodes, in a lab of the netns testbed. */
async function ours(processors: string): Promise<Side & { kernelPing(): Promise<number> } & AsyncDisposable> {
  const lab = `bench-${process.pid}`;
  const cli = [process.execPath, `${root}bin/o7s-testbed.js`];
  const pinned = ['taskset', '-c', processors];
  const topology = `${root}tests/bench/two-nodes.topology.ts`;
  await collect([...pinned, ...cli, 'up', topology, '--testbed', 'netns', '--lab', lab]);
  const on = (node: string, command: readonly string[]): Promise<string> =>
    collect([...pinned, ...cli, 'exec', '--lab', lab, node, '--', ...command]);
  const program = (name: string, ...words: string[]): string[] => [
    process.execPath,
    `${root}tests/bench/${name}.ts`,
    ...words,
  ];
  const counted = (type: string): Promise<string> => on('b', ['cat', `/run/o7s-testbed/sink.${type}`]);
  return {
    allocate: async (type) =>
      JSON.parse(await on('a', program('allocate', `ping.${type}`, '50'))) as number[],
    ping: async (type) =>
      averageOf(await on('a', ['oping', '-n', `ping.${type}`, '-c', String(pings), '-f', '-Q'])),
    async flood(type, size) {
      const before = await counted(type);
      await on('a', program('source', `sink.${type}`, String(size), String(seconds)));
      for (;;) {
        const line = (await counted(type)).slice(before.length);
        if (line === '') continue;
        const { packets, ms } = JSON.parse(line) as { packets: number; ms: number };
        return (packets / ms) * 1000;
      }
    },
    kernelPing: async () => averageOf(await on('a', ['ping', '-q', '-f', '-c', String(pings), '10.9.0.2'])),
    [Symbol.asyncDispose]: async () => void (await collect([...cli, 'down', '--lab', lab])),
  };
}

const layerOptions: Readonly<Record<string, readonly [a: string[], b: string[]]>> = {
  'eth-dix': [
    ['dev', 'e1'],
    ['dev', 'e1'],
  ],
  'eth-llc': [
    ['dev', 'e1'],
    ['dev', 'e1'],
  ],
  udp4: [
    ['ip', '10.9.0.1'],
    ['ip', '10.9.0.2'],
  ],
  udp6: [
    ['ip', 'fd09::1'],
    ['ip', 'fd09::2'],
  ],
};

/** A fresh pair of the prototype's nodes for each figure: it does not survive its own lost replies. */
async function onFreshPair<T>(
  prefix: string,
  processors: string,
  type: string,
  use: (a: PeerNode, b: PeerNode) => Promise<T | undefined>,
): Promise<T> {
  const names = ['ping', 'sink'];
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    await using a = await PeerNode.start(prefix, processors);
    await using b = await PeerNode.start(prefix, processors);
    joinNamespaces({ pid: a.pid, dev: 'e1' }, { pid: b.pid, dev: 'e1' });
    for (const [index, node] of [a, b].entries()) {
      await node.run(['ip', 'address', 'add', `10.9.0.${index + 1}/24`, 'dev', 'e1']);
      await node.run(['ip', 'address', 'add', `fd09::${index + 1}/64`, 'dev', 'e1', 'nodad']);
      await node.bootstrap(type, ...(layerOptions[type]?.[index] ?? []));
      for (const name of names) await node.addHost(type === 'udp6' ? 'fd09::2' : '10.9.0.2', name);
    }
    for (const name of names) await a.run(['irm', 'name', 'create', name]);
    const figure = await use(a, b);
    if (figure !== undefined) return figure;
  }
  throw new Error(`the prototype failed ${attemptsMax} times`);
}

/** Two nodes of the prototype. */
function theirs(prefix: string, processors: string): Side {
  const limited = (command: readonly string[]): string[] => [
    'timeout',
    '-k',
    '2',
    String(seconds + 10),
    'taskset',
    '-c',
    processors,
    ...command,
  ];
  return {
    allocate: (type) =>
      onFreshPair(prefix, processors, type, async (a, b) => {
        await b.serve('ping', ['oping', '-l', '-Q'], type);
        // A ping without packets is an allocation and a release.
        const startedAt = performance.now();
        const { code } = await a.run(limited(['oping', '-n', 'ping', '-c', '0']));
        return code === 0 ? [performance.now() - startedAt] : undefined;
      }),
    ping: (type) =>
      onFreshPair(prefix, processors, type, async (a, b) => {
        await b.serve('ping', ['oping', '-l', '-Q'], type);
        const flags = ['-c', String(pings), '-f', '-Q'];
        const { code, output } = await a.run(limited(['oping', '-n', 'ping', ...flags]));
        return code === 0 ? averageOf(output) : undefined;
      }),
    flood: (type, size) =>
      onFreshPair(prefix, processors, type, async (a, b) => {
        const sink = await b.serve('sink', ['ocbr', '-l', '-i', '1'], type);
        let report = '';
        sink.stdout?.setEncoding('utf8').on('data', (text: string) => (report += text));
        const flags = ['-d', String(seconds), '-s', String(size), '-f'];
        await a.run(limited(['ocbr', '-n', 'sink', ...flags]));
        // What is printed to a pipe comes when the server ends.
        await b.run(['pkill', '-x', 'ocbr']);
        await Promise.race([new Promise((resolve) => sink.once('close', resolve)), delay(5000)]);
        const rates = [...report.matchAll(/=>\s+([\d.]+) pps/g)].map(([, rate]) => Number(rate));
        return rates.length > 0 ? Math.max(...rates) : undefined;
      }),
  };
}

async function measure(side: Side, figures: Figures, where: string): Promise<void> {
  const add = (what: string, value: number): void => void (figures[`${what}, ${where}`] ??= []).push(value);
  for (const type of types) {
    add(`${type}: allocation [ms]`, median(await side.allocate(type)));
    add(`${type}: round trip [us]`, await side.ping(type));
    for (const size of sizes) add(`${type}: ${size} bytes [packets/s]`, await side.flood(type, size));
  }
}

const results: { ours: Figures; prototype: Figures; kernel: Figures } = {
  ours: {},
  prototype: {},
  kernel: {},
};
for (let run = 0; run < runs; run += 1) {
  for (const [where, processors] of Object.entries(placements)) {
    {
      await using side = await ours(processors);
      await measure(side, results.ours, where);
      (results.kernel[`ping, ${where}`] ??= []).push(await side.kernelPing());
    }
    if (peerPrefix !== undefined) await measure(theirs(peerPrefix, processors), results.prototype, where);
  }
}

if (peerPrefix === undefined) console.log('O7S_PEER_PREFIX is not set: nothing to compare with\n');
const table = Object.entries(results.ours).map(([what, values]) => {
  const own = median(values);
  const other = median(results.prototype[what] ?? []);
  return { what, ours: short(own), prototype: short(other), ratio: short(own / other) };
});
console.table(table);
for (const [what, values] of Object.entries(results.kernel)) {
  console.log(`the kernel's own ${what}: ${short(median(values))} us`);
}
mkdirSync(`${root}bench-results`, { recursive: true });
const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
writeFileSync(
  `${root}bench-results/two-nodes.json`,
  `${JSON.stringify({ commit, runs, table, results }, null, 2)}\n`,
);
