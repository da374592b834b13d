/**
 * `up` of a line of nodes under one unicast layer, until that has converged, and `down`, on both testbeds and beside what
 * neither could be faster than: as many bare containers of the same image, started in parallel, and the same line of bare
 * hosts by Mininet. The rounds of all are interleaved, so that whatever else the machine does meets each alike:
 *
 *     node tests/bench/up.ts [--nodes 50] [--rounds 3] [--testbed docker,netns]
 *
 * Prints a table and writes bench-results/up.json. Root only; a peer that is not installed is left out, and a line says so.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { median } from './measure.ts';

const run = promisify(execFile);
const path = (relative: string): string => fileURLToPath(new URL(`../../${relative}`, import.meta.url));
const program = path('bin/o7s-testbed.js');
const topology = path('topologies/line-of-n.ts');
const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '50' },
    rounds: { type: 'string', default: '3' },
    testbed: { type: 'string', default: 'docker,netns' },
  },
});
const nodes = Number(values.nodes);
const rounds = Number(values.rounds);
const testbeds = values.testbed.split(',');
const lab = `bench-${process.pid}`;
const image = `o7s-testbed/node:${(JSON.parse(await readFile(path('package.json'), 'utf8')) as { version: string }).version}`;

interface Sample {
  readonly upMs: number;
  readonly downMs: number;
  /** Milliseconds from the first step of a phase to its last; phases overlap. Layers over cables count as one. */
  readonly phases: Readonly<Record<string, number>>;
  /** Proportional set size of a node's processes, bytes. */
  readonly nodeBytes: number;
}

async function measure(testbed: string): Promise<Sample> {
  const before = await namespaces();
  const since = performance.now();
  const words = ['up', topology, '--set', `n=${nodes}`, '--lab', lab, '--testbed', testbed];
  const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  const upMs = performance.now() - since;
  if (code !== 0) throw new Error(told);
  const nodeBytes = (await memory(before)) / nodes;
  const downSince = performance.now();
  await run(process.execPath, [program, 'down', '--lab', lab]);
  return { upMs, downMs: performance.now() - downSince, phases: phasesOf(told), nodeBytes };
}

function phasesOf(told: string): Record<string, number> {
  const longest: Record<string, number> = {};
  for (const [, name = '', , time = '', unit] of told.matchAll(/^(\S.*?) (\d+)\/\2 +([\d.]+) (ms|s)$/gm)) {
    const phase = /^layer n\d/.test(name) ? 'cable layers' : name;
    longest[phase] = Math.max(longest[phase] ?? 0, Number(time) * (unit === 's' ? 1000 : 1));
  }
  return longest;
}

/** PID namespaces with their processes. */
async function namespaces(): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const own = await readlink(`/proc/${pid}/ns/pid`).catch(() => undefined);
    if (own !== undefined) found.set(own, [...(found.get(own) ?? []), pid]);
  }
  return found;
}

/** What the daemons and servers of nodes take that were made since. */
async function memory(before: ReadonlyMap<string, unknown>): Promise<number> {
  let bytes = 0;
  for (const [own, pids] of await namespaces()) {
    if (before.has(own)) continue;
    const names = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')));
    if (!names.some((name) => name.trim() === 'irmd')) continue;
    for (const pid of pids) {
      const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
      bytes += Number(/^Pss: +(\d+) kB$/m.exec(rollup)?.[1] ?? 0) * 1024;
    }
  }
  return bytes;
}

/** Bare containers. */
async function containers(): Promise<number> {
  const names = Array.from({ length: nodes }, (_, index) => `${lab}-${index}`);
  const since = performance.now();
  await Promise.all(
    names.map((name) =>
      run('docker', ['run', '-d', '--name', name, '--network', 'none', '--init', image, 'sleep', '1000']),
    ),
  );
  const ms = performance.now() - since;
  await run('docker', ['rm', '-f', ...names]);
  return ms;
}

const mininetLine = `
import sys, time
from mininet.net import Mininet
since = time.time()
net = Mininet(controller=None)
hosts = [net.addHost('h%d' % number) for number in range(int(sys.argv[1]))]
for one, other in zip(hosts, hosts[1:]): net.addLink(one, other)
net.build()
print((time.time() - since) * 1000)
net.stop()
`;

/** A line of bare hosts by Mininet, of Debian's package. */
async function mininet(): Promise<number> {
  return Number((await run('/usr/bin/python3', ['-c', mininetLine, String(nodes)])).stdout.split('\n')[0]);
}

const peers = { docker: ['bare containers', containers], netns: ['Mininet', mininet] } as const;
const samples = new Map<string, Sample[]>(testbeds.map((testbed) => [testbed, []]));
const peerMs = new Map<string, number[]>(testbeds.map((testbed) => [testbed, []]));
const left = new Set<string>();
for (let round = 1; round <= rounds; round++) {
  for (const testbed of testbeds) {
    const peer = testbed === 'docker' || testbed === 'netns' ? peers[testbed] : undefined;
    if (peer !== undefined && !left.has(testbed)) {
      const [name, start] = peer;
      await start().then(
        (ms) => peerMs.get(testbed)?.push(ms),
        (error: unknown) => {
          left.add(testbed);
          process.stdout.write(`without ${name}: ${String(error).split('\n').at(-1) || String(error)}\n`);
        },
      );
    }
    const sample = await measure(testbed);
    samples.get(testbed)?.push(sample);
    const phases = Object.entries(sample.phases).map(([phase, ms]) => `${phase} ${Math.round(ms)}`);
    const [upMs, downMs] = [sample.upMs, sample.downMs].map(Math.round);
    const peerTime = Math.round(peerMs.get(testbed)?.at(-1) ?? Number.NaN);
    process.stdout.write(
      `round ${round}, load ${loadavg()[0]?.toFixed(1)}: ${testbed} up ${upMs} ms (${phases.join(', ')}), down ${downMs} ms, peer ${peerTime} ms\n`,
    );
  }
}

const summary = testbeds.map((testbed) => {
  const own = samples.get(testbed) ?? [];
  const of = (value: (sample: Sample) => number): number => median(own.map(value));
  const [upMs, peer] = [of((each) => each.upMs), median(peerMs.get(testbed) ?? [])];
  const [downMs, nodeBytes] = [of((each) => each.downMs), of((each) => each.nodeBytes)];
  return { testbed, nodes, upMs, downMs, peerMs: peer, ratio: upMs / peer, nodeBytes, samples: own };
});
process.stdout.write('\nTESTBED  NODES  UP s   DOWN s  PEER s  UP/PEER  MB A NODE\n');
for (const each of summary) {
  const cells = [each.upMs, each.downMs, each.peerMs].map((ms) => (ms / 1000).toFixed(2));
  const [upS = '', downS = '', peerS = ''] = cells;
  process.stdout.write(
    `${each.testbed.padEnd(9)}${String(nodes).padEnd(7)}${upS.padEnd(7)}${downS.padEnd(8)}${peerS.padEnd(8)}${each.ratio.toFixed(2).padEnd(9)}${(each.nodeBytes / 1e6).toFixed(1)}\n`,
  );
}
await mkdir(path('bench-results'), { recursive: true });
await writeFile(path('bench-results/up.json'), `${JSON.stringify(summary, null, 2)}\n`);
