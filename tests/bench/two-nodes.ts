/**
 * Two nodes over each link layer: ours; where `O7S_PEER_PREFIX` names one, the prototype; and what two plain programs
 * reach over UDP, and the kernel's ping, on the same cable. All in turn and in one run:
 *
 *     node tests/bench/two-nodes.ts [RUNS [TYPE...]]
 *
 * Prints tables with the median of each figure and its least and greatest, and writes `bench-results/two-nodes.json`.
 * Needs root, as the prototype's nodes do.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { joinNamespaces, PeerNode, peerPrefix } from '../support/peer.ts';
import { averageOf, median, Program, written } from './measure.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [runsWord = '3', ...chosen] = process.argv.slice(2);
const runs = Number(runsWord);
const types = chosen.length > 0 ? chosen : ['eth-dix', 'eth-llc', 'udp4', 'udp6'];
const pings = 10_000;
const seconds = 2;
const sizes = [64, 1400] as const;
const attemptsMax = 5;
const placements = { 'one processor': '0', 'all processors': `0-${availableParallelism() - 1}` } as const;
const sockets = ['batched', 'dgram'] as const;

/** Who was measured. */
type Source = 'ours' | 'operf' | 'prototype' | 'udp batched' | 'udp dgram' | 'kernel ping';
/** Figures by name and source, a list of runs each. */
const figures = new Map<string, Map<Source, number[]>>();
const notes = new Set<string>();

function add(what: string, source: Source, value: number | undefined): void {
  if (value === undefined || !Number.isFinite(value)) return;
  const row = figures.get(what) ?? new Map<Source, number[]>();
  figures.set(what, row.set(source, [...(row.get(source) ?? []), value]));
}

/** What a server of operf tells of a flow that has ended. */
interface Received {
  readonly packets: number;
  readonly elapsedMs: number;
}

interface Side {
  /** Allocations, ms each. */
  allocate(type: string): Promise<number[] | undefined>;
  /** Round trip of a flooding ping, us. */
  ping(type: string): Promise<number | undefined>;
  /** Packets a second that arrive. */
  flood(type: string, size: number): Promise<number | undefined>;
}

/** Our two nodes, in a lab of the netns testbed, and what else is measured on their cable. */
interface OwnSide extends Side, AsyncDisposable {
  /** As `flood`, by the tool. */
  operf(type: string, size: number): Promise<number>;
  kernelPing(): Promise<number | undefined>;
  udpPing(socket: string): Promise<number>;
  udpFlood(socket: string, size: number): Promise<number>;
}

const [ownIp, otherIp] = ['10.9.0.1', '10.9.0.2'];
let nextPort = 9000;

async function ours(processors: string): Promise<OwnSide> {
  const lab = `bench-${process.pid}`;
  const cli = [process.execPath, `${root}bin/o7s-testbed.js`];
  const pinned = ['taskset', '-c', processors];
  const topology = `${root}tests/bench/two-nodes.topology.ts`;
  await written([...pinned, ...cli, 'up', topology, '--testbed', 'netns', '--lab', lab]);
  const on = (node: string, command: readonly string[]): string[] => [
    ...pinned,
    ...cli,
    'exec',
    '--lab',
    lab,
    node,
    '--',
    ...command,
  ];
  const program = (name: string, ...words: readonly string[]): string[] => [
    process.execPath,
    `${root}tests/bench/${name}.ts`,
    ...words,
  ];
  const counted = (type: string): Promise<string> =>
    written(on('b', ['sh', '-c', `cat /run/o7s-testbed/sink.${type} || true`]));
  return {
    allocate: async (type) =>
      JSON.parse(await written(on('a', program('allocate', `ping.${type}`, '50')))) as number[],
    ping: async (type) =>
      averageOf(await written(on('a', ['oping', '-n', `ping.${type}`, '-c', String(pings), '-f', '-Q']))),
    async flood(type, size) {
      const before = await counted(type);
      await written(on('a', program('source', `sink.${type}`, String(size), String(seconds))));
      for (;;) {
        const line = (await counted(type)).slice(before.length);
        if (line === '') continue;
        const { packets, ms } = JSON.parse(line) as { packets: number; ms: number };
        return (packets / ms) * 1000;
      }
    },
    async operf(type, size) {
      const told = async (): Promise<Received[]> =>
        (await written(on('b', ['cat', `/run/o7s-testbed/perf.${type}.log`])))
          .split('\n')
          .filter((line) => line.includes('"received"'))
          .map((line) => JSON.parse(line) as Received);
      const before = (await told()).length;
      await written(on('a', ['operf', '-n', `perf.${type}`, '-s', `${size}`, '-d', `${seconds}s`, '-f']));
      for (;;) {
        const last = (await told())[before];
        if (last !== undefined) return (last.packets / last.elapsedMs) * 1000;
      }
    },
    async kernelPing() {
      const flags = ['-q', '-f', '-c', String(pings), otherIp];
      const { code, output } = await new Program(on('a', ['ping', ...flags])).ended;
      const average = averageOf(output);
      if (average === undefined) {
        const why = code === 127 ? 'the program ping is not installed here' : `ping ended with ${code}`;
        notes.add(`no figures of the kernel's ping: ${why}`);
      }
      return average;
    },
    async udpPing(socket) {
      const port = String((nextPort += 1));
      const server = new Program(on('b', program('bare-udp', socket, 'echo', otherIp, port)));
      await server.line('ready');
      const words = [socket, 'ping', otherIp, port, ownIp, String(pings)];
      const { us } = JSON.parse(await written(on('a', program('bare-udp', ...words)))) as { us: number };
      server.end();
      await server.ended;
      return us;
    },
    async udpFlood(socket, size) {
      const port = String((nextPort += 1));
      const server = new Program(on('b', program('bare-udp', socket, 'count', otherIp, port)));
      await server.line('ready');
      const words = [socket, 'flood', otherIp, port, ownIp, String(size), String(seconds)];
      await written(on('a', program('bare-udp', ...words)));
      const { output } = await server.ended;
      const { packets, ms } = JSON.parse(output.replace('ready\n', '')) as { packets: number; ms: number };
      return (packets / ms) * 1000;
    },
    [Symbol.asyncDispose]: async () => void (await new Program([...cli, 'down', '--lab', lab]).ended),
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
    ['ip', ownIp],
    ['ip', otherIp],
  ],
  udp6: [
    ['ip', 'fd09::1'],
    ['ip', 'fd09::2'],
  ],
};

/**
 * A fresh pair of the prototype's nodes for each figure: it does not survive its own lost replies. Where it fails again
 * and again, the figure is left out.
 */
async function onFreshPair<T>(
  prefix: string,
  processors: string,
  type: string,
  use: (a: PeerNode, b: PeerNode) => Promise<T | undefined>,
): Promise<T | undefined> {
  const names = ['ping', 'sink'];
  let reason = 'it gave no figure';
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    try {
      await using a = await PeerNode.start(prefix, processors);
      await using b = await PeerNode.start(prefix, processors);
      joinNamespaces({ pid: a.pid, dev: 'e1' }, { pid: b.pid, dev: 'e1' });
      for (const [index, node] of [a, b].entries()) {
        await node.run(['ip', 'address', 'add', `10.9.0.${index + 1}/24`, 'dev', 'e1']);
        await node.run(['ip', 'address', 'add', `fd09::${index + 1}/64`, 'dev', 'e1', 'nodad']);
        await node.bootstrap(type, ...(layerOptions[type]?.[index] ?? []));
        for (const name of names) await node.addHost(type === 'udp6' ? 'fd09::2' : otherIp, name);
      }
      for (const name of names) await a.run(['irm', 'name', 'create', name]);
      const figure = await use(a, b);
      if (figure !== undefined) return figure;
    } catch (error) {
      reason = (error as Error).message;
    }
  }
  notes.add(
    `the prototype failed ${attemptsMax} times in a row over ${type}, the figure is left out: ${reason}`,
  );
  return undefined;
}

/** Two nodes of the prototype. */
function theirs(prefix: string, processors: string): Side {
  // Its programs may ignore that they are told to end.
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
        const best = Math.max(0, ...rates);
        return best > 0 ? best : undefined;
      }),
  };
}

const what = {
  allocation: (type: string, where: string) => `${type}: allocation [ms], ${where}`,
  roundTrip: (type: string, where: string) => `${type}: round trip [us], ${where}`,
  flood: (type: string, size: number, where: string) => `${type}: ${size} bytes [packets/s], ${where}`,
};

async function measure(side: Side, source: Source, where: string): Promise<void> {
  for (const type of types) {
    const allocations = await side.allocate(type);
    add(what.allocation(type, where), source, allocations && median(allocations));
    add(what.roundTrip(type, where), source, await side.ping(type));
    for (const size of sizes) add(what.flood(type, size, where), source, await side.flood(type, size));
  }
}

async function measureCable(side: OwnSide, where: string): Promise<void> {
  add(what.roundTrip('cable', where), 'kernel ping', await side.kernelPing());
  for (const socket of sockets) {
    add(what.roundTrip('cable', where), `udp ${socket}`, await side.udpPing(socket));
    for (const size of sizes)
      add(what.flood('cable', size, where), `udp ${socket}`, await side.udpFlood(socket, size));
  }
}

for (let run = 0; run < runs; run += 1) {
  for (const [where, processors] of Object.entries(placements)) {
    {
      await using side = await ours(processors);
      await measureCable(side, where);
      await measure(side, 'ours', where);
      for (const type of types) {
        for (const size of sizes) add(what.flood(type, size, where), 'operf', await side.operf(type, size));
      }
    }
    if (peerPrefix !== undefined) await measure(theirs(peerPrefix, processors), 'prototype', where);
  }
}

if (peerPrefix === undefined) notes.add('O7S_PEER_PREFIX is not set: nothing to compare with');

const short = (value: number): number => Number(value.toPrecision(3));
/** Median, least and greatest. */
function spread(values: readonly number[] | undefined): string {
  if (values === undefined || values.length === 0) return '-';
  return `${short(median(values))} (${short(Math.min(...values))}..${short(Math.max(...values))})`;
}
function ratio(values: readonly number[] | undefined, others: readonly number[] | undefined): number | '-' {
  return values === undefined || others === undefined ? '-' : short(median(values) / median(others));
}

const rows = [...figures].toSorted(([a], [b]) => (a < b ? -1 : 1));
const cable = rows
  .filter(([name]) => name.startsWith('cable'))
  .map(([name, row]) => ({
    what: name,
    'udp batched': spread(row.get('udp batched')),
    'udp dgram': spread(row.get('udp dgram')),
    'kernel ping': spread(row.get('kernel ping')),
  }));
const layers = rows
  .filter(([name]) => !name.startsWith('cable'))
  .map(([name, row]) => {
    const floor = figures.get(name.replace(/^[^:]+/, 'cable'))?.get('udp batched');
    const [own, other] = [row.get('ours'), row.get('prototype')];
    const tool = row.get('operf');
    return {
      what: name,
      ours: spread(own),
      operf: spread(tool),
      prototype: spread(other),
      'operf/ours': ratio(tool, own),
      'ours/prototype': ratio(own, other),
      'ours/udp batched': ratio(own, floor),
    };
  });
console.log(`median (least..greatest) of ${runs} runs`);
console.table(cable);
console.table(layers);
for (const note of notes) console.log(note);

mkdirSync(`${root}bench-results`, { recursive: true });
const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
const results = Object.fromEntries(rows.map(([name, row]) => [name, Object.fromEntries(row)]));
writeFileSync(
  `${root}bench-results/two-nodes.json`,
  `${JSON.stringify({ commit, runs, cable, layers, notes: [...notes], results }, null, 2)}\n`,
);
