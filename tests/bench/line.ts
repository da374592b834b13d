/**
 * Nodes in a line under one unicast layer, application to application, ours and, where `O7S_PEER_PREFIX` names one, the
 * prototype, in turn and in one run:
 *
 *     node tests/bench/line.ts [RUNS [NODES...]]
 *
 * Prints a table of medians and writes `bench-results/line.json`. Needs root.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MixedLayer, type MixedNode } from '../support/mixed-layer.ts';
import { peerPrefix } from '../support/peer.ts';
import { averageOf, median, short, written } from './measure.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [runsWord = '3', ...chosen] = process.argv.slice(2);
const runs = Number(runsWord);
const lengths = chosen.length > 0 ? chosen.map(Number) : [2, 3, 4];
const pings = 5000;
const seconds = 2;
const sizes = [64, 1400] as const;
const attemptsMax = 6;
const placements = { 'one processor': '0', 'all processors': `0-${availableParallelism() - 1}` } as const;
/** How long the prototype takes at most to calculate its routes, ms. */
const settleMs = 6000;

/** Round trip in us, and packets a second by size. */
interface Figures {
  readonly roundTrip: number;
  readonly rates: readonly number[];
}

async function ours(count: number, processors: string): Promise<Figures> {
  const lab = `bench-${process.pid}`;
  const pinned = ['taskset', '-c', processors, 'env', `BENCH_NODES=${count}`];
  const cli = [...pinned, process.execPath, `${root}bin/o7s-testbed.js`];
  await written([...cli, 'up', `${root}tests/bench/line.topology.ts`, '--testbed', 'netns', '--lab', lab]);
  try {
    const on = (node: number, ...command: string[]): Promise<string> =>
      written([...cli, 'exec', '--lab', lab, `n${node}`, '--', ...command]);
    const ping = await on(1, 'oping', '-n', 'ping', '-c', String(pings), '-f', '-Q');
    const roundTrip = averageOf(ping) ?? Number.NaN;
    const counted = (): Promise<string> =>
      on(count, 'sh', '-c', 'cat /run/o7s-testbed/sink 2>/dev/null || true');
    const rates: number[] = [];
    for (const size of sizes) {
      const before = await counted();
      const source = [`${root}tests/bench/source.ts`, 'sink', String(size), String(seconds)];
      await on(1, process.execPath, ...source);
      let line = '';
      while (line === '') line = (await counted()).slice(before.length);
      const { packets, ms } = JSON.parse(line) as { packets: number; ms: number };
      rates.push((packets / ms) * 1000);
    }
    return { roundTrip, rates };
  } finally {
    await written([...cli, 'down', '--lab', lab]);
  }
}

/** A figure from a fresh line of prototypes: they do not survive their own lost replies. */
async function onPrototypes(
  prefix: string,
  count: number,
  processors: string,
  serve: { readonly name: string; readonly command: readonly string[] },
  use: (first: MixedNode, last: MixedNode, output: () => string) => Promise<number>,
): Promise<number> {
  const names = Array.from({ length: count }, (_each, index) => `n${index + 1}`);
  const nodes = Object.fromEntries(names.map((name) => [name, 'peer' as const]));
  const cables = names.slice(1).map((name, index) => [names[index] ?? '', name] as const);
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    try {
      const options = 'ls_t_recalc 1';
      await using layer = await MixedLayer.make({ prefix, nodes, cables, options, processors });
      await delay(settleMs);
      const [first, last] = [layer.node('n1'), layer.node(names.at(-1) ?? '')];
      let output = '';
      await last.peer.serve(serve.name, serve.command, 'net', (text) => (output += text));
      await first.know(serve.name);
      await delay(settleMs);
      const figure = await use(first, last, () => output);
      if (figure > 0) return figure;
      console.warn('the prototype gave no figure');
    } catch (error) {
      console.warn(`the prototype failed: ${String(error)}`);
    }
  }
  return Number.NaN;
}

async function theirs(prefix: string, count: number, processors: string): Promise<Figures> {
  const limited = ['timeout', '-k', '2', String(seconds + 30), 'taskset', '-c', processors];
  const ping = { name: 'ping', command: ['oping', '-l', '-Q'] };
  const roundTrip = await onPrototypes(prefix, count, processors, ping, async (first) => {
    const words = ['oping', '-n', 'ping', '-c', String(pings), '-f', '-Q'];
    return averageOf((await first.peer.run([...limited, ...words])).output) ?? 0;
  });
  const sink = { name: 'sink', command: ['ocbr', '-l', '-i', '1'] };
  const rates: number[] = [];
  for (const size of sizes) {
    const rate = await onPrototypes(prefix, count, processors, sink, async (first, last, output) => {
      await first.peer.run([
        ...limited,
        'ocbr',
        '-n',
        'sink',
        '-d',
        String(seconds),
        '-s',
        String(size),
        '-f',
      ]);
      // What is printed to a pipe comes when the server ends.
      await last.peer.run(['pkill', '-x', 'ocbr']);
      await delay(1000);
      return Math.max(0, ...[...output().matchAll(/=>\s+([\d.]+) pps/g)].map(([, each]) => Number(each)));
    });
    rates.push(rate);
  }
  return { roundTrip, rates };
}

const results: Record<string, { ours: Figures[]; prototype: Figures[] }> = {};
for (let run = 0; run < runs; run += 1) {
  for (const count of lengths) {
    for (const [where, processors] of Object.entries(placements)) {
      const result = (results[`${count} nodes, ${where}`] ??= { ours: [], prototype: [] });
      result.ours.push(await ours(count, processors));
      if (peerPrefix !== undefined) result.prototype.push(await theirs(peerPrefix, count, processors));
    }
  }
}

if (peerPrefix === undefined) console.log('O7S_PEER_PREFIX is not set: nothing to compare with\n');
const of = (figures: readonly Figures[], pick: (figures: Figures) => number): number =>
  median(figures.map(pick));
const table = Object.entries(results).flatMap(([what, { ours: own, prototype: other }]) => {
  const row = (figure: string, pick: (figures: Figures) => number): object => {
    const [a, b] = [of(own, pick), of(other, pick)];
    return { what: `${what}: ${figure}`, ours: short(a), prototype: short(b), ratio: short(a / b) };
  };
  return [
    row('round trip [us]', ({ roundTrip }) => roundTrip),
    ...sizes.map((size, index) =>
      row(`${size} bytes [packets/s]`, ({ rates }) => rates[index] ?? Number.NaN),
    ),
  ];
});
console.table(table);
mkdirSync(`${root}bench-results`, { recursive: true });
const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
writeFileSync(
  `${root}bench-results/line.json`,
  `${JSON.stringify({ commit, runs, table, results }, null, 2)}\n`,
);
