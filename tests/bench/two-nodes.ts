/**
 * Two nodes over eth-dix, ours and, where `O7S_PEER_PREFIX` names one, the prototype, in turn and in one run:
 *
 *     node tests/bench/two-nodes.ts [RUNS]
 *
 * Prints a table of medians and writes `bench-results/two-nodes.json`. Needs root, as the prototype's nodes do.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { joinNamespaces, PeerNode, peerPrefix } from '../support/peer.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const runs = Number(process.argv[2] ?? 5);
const pings = 10_000;
const seconds = 2;
const sizes = [64, 1400] as const;
const attemptsMax = 5;
const placements = { 'one processor': '0', 'all processors': `0-${availableParallelism() - 1}` } as const;

/** One side of the comparison: figures by name, a list of runs each. */
type Figures = Record<string, number[]>;

interface Side extends AsyncDisposable {
  /** Allocations, ms each. */
  allocate(): Promise<number[]>;
  /** Round trip of a flooding ping, us. */
  ping(): Promise<number>;
  /** Packets a second that arrive. */
  flood(size: number): Promise<number>;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function collect(command: readonly string[]): Promise<string> {
  const [file = '', ...words] = command;
  const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve(output));
  });
}

/** The average of oping's closing line, in us. */
function averageOf(output: string): number {
  const [, average = '', unit = ''] =
    /rtt min\/avg\/max\/mdev = [^/]+\/([^/]+)\/.* (\S+)\n/.exec(output) ?? [];
  return Number(average) * (unit === 'ms' ? 1000 : 1);
}

/** Our two nodes, in a lab of the netns testbed. */
async function ours(processors: string): Promise<Side> {
  const lab = `bench-${process.pid}`;
  const cli = [process.execPath, `${root}bin/o7s-testbed.js`];
  const pinned = ['taskset', '-c', processors];
  const topology = `${root}tests/bench/two-nodes.topology.ts`;
  await collect([...pinned, ...cli, 'up', topology, '--testbed', 'netns', '--lab', lab]);
  const onA = (command: readonly string[]): Promise<string> =>
    collect([...pinned, ...cli, 'exec', '--lab', lab, 'a', '--', ...command]);
  const program = (name: string, ...words: string[]): string[] => [
    process.execPath,
    `${root}tests/bench/${name}.ts`,
    ...words,
  ];
  const lastCount = (): Promise<string> =>
    collect([...cli, 'exec', '--lab', lab, 'b', '--', 'tail', '-n', '1', '/run/o7s-testbed/node.log']);
  return {
    allocate: async () => JSON.parse(await onA(program('allocate', 'ping.b', '200'))) as number[],
    ping: async () => averageOf(await onA(['oping', '-n', 'ping.b', '-c', String(pings), '-f', '-Q'])),
    async flood(size) {
      const before = await lastCount();
      await onA(program('source', 'sink', String(size), String(seconds)));
      for (;;) {
        const line = await lastCount();
        if (line === before) continue;
        const { packets, ms } = JSON.parse(line) as { packets: number; ms: number };
        return (packets / ms) * 1000;
      }
    },
    [Symbol.asyncDispose]: async () => void (await collect([...cli, 'down', '--lab', lab])),
  };
}

/** A fresh pair of the prototype's nodes for each figure: it does not survive its own lost replies. */
async function onFreshPair<T>(
  prefix: string,
  processors: string,
  use: (a: PeerNode, b: PeerNode) => Promise<T | undefined>,
): Promise<T> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    await using a = await PeerNode.start(prefix, processors);
    await using b = await PeerNode.start(prefix, processors);
    joinNamespaces({ pid: a.pid, dev: 'e1' }, { pid: b.pid, dev: 'e1' });
    for (const node of [a, b]) await node.bootstrapDix('e1');
    for (const name of ['ping.b', 'sink']) await a.run(['irm', 'name', 'create', name]);
    const figure = await use(a, b);
    if (figure !== undefined) return figure;
  }
  throw new Error(`the prototype failed ${attemptsMax} times`);
}

/** Two nodes of the prototype. */
function theirs(prefix: string, processors: string): Side {
  const limited = (command: readonly string[]): string[] => [
    'timeout',
    String(seconds + 10),
    'taskset',
    '-c',
    processors,
    ...command,
  ];
  return {
    allocate: () =>
      onFreshPair(prefix, processors, async (a, b) => {
        await b.serve('ping.b', ['oping', '-l', '-Q']);
        // A ping without packets is an allocation and a release.
        const startedAt = performance.now();
        const { code } = await a.run(limited(['oping', '-n', 'ping.b', '-c', '0']));
        return code === 0 ? [performance.now() - startedAt] : undefined;
      }),
    ping: () =>
      onFreshPair(prefix, processors, async (a, b) => {
        await b.serve('ping.b', ['oping', '-l', '-Q']);
        const flags = ['-c', String(pings), '-f', '-Q'];
        const { code, output } = await a.run(limited(['oping', '-n', 'ping.b', ...flags]));
        return code === 0 ? averageOf(output) : undefined;
      }),
    flood: (size) =>
      onFreshPair(prefix, processors, async (a, b) => {
        const sink = await b.serve('sink', ['ocbr', '-l', '-i', '1']);
        let report = '';
        sink.stdout?.setEncoding('utf8').on('data', (text: string) => (report += text));
        const flags = ['-d', String(seconds), '-s', String(size), '-f'];
        await a.run(limited(['ocbr', '-n', 'sink', ...flags]));
        // What is printed to a pipe comes when the server ends.
        await b.run(['pkill', '-x', 'ocbr']);
        await new Promise((resolve) => sink.once('close', resolve));
        const rates = [...report.matchAll(/=>\s+([\d.]+) pps/g)].map(([, rate]) => Number(rate));
        return rates.length > 0 ? Math.max(...rates) : undefined;
      }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function measure(side: Side, figures: Figures, placement: string): Promise<void> {
  const add = (what: string, value: number): void =>
    void (figures[`${what}, ${placement}`] ??= []).push(value);
  add('allocation [ms]', median(await side.allocate()));
  add('round trip [us]', await side.ping());
  for (const size of sizes) add(`${size} bytes [packets/s]`, await side.flood(size));
}

const results: { ours: Figures; theirs: Figures } = { ours: {}, theirs: {} };
for (let run = 0; run < runs; run += 1) {
  for (const [placement, processors] of Object.entries(placements)) {
    {
      await using side = await ours(processors);
      await measure(side, results.ours, placement);
    }
    if (peerPrefix === undefined) continue;
    await using side = theirs(peerPrefix, processors);
    await measure(side, results.theirs, placement);
  }
}

if (peerPrefix === undefined) console.log('O7S_PEER_PREFIX is not set: nothing to compare with\n');
const table = Object.entries(results.ours).map(([what, values]) => {
  const own = median(values);
  const other = median(results.theirs[what] ?? []);
  return {
    what,
    ours: Number(own.toPrecision(4)),
    prototype: Number(other.toPrecision(4)),
    ratio: Number((own / other).toPrecision(3)),
  };
});
console.table(table);
mkdirSync(`${root}bench-results`, { recursive: true });
const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
writeFileSync(
  `${root}bench-results/two-nodes.json`,
  `${JSON.stringify({ commit, runs, table, results }, null, 2)}\n`,
);
