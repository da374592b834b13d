/**
 * `up` of a line of nodes under one unicast layer, until that has converged, and `down`, on both testbeds and beside what
 * neither could be faster than: as many bare containers of the same image, started in parallel, and the same line of bare
 * hosts by Mininet. The memory of a node is that of all its processes when its lab has just come up.
 */
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Bench, figure, leftOut, reasonOf } from '../bench.ts';
import { labGone, labName, o7sTestbed } from '../lab.ts';
import { processesByNamespace, processorMs, pssMb, timed, written } from '../measure.ts';
import type { Subject } from '../table.ts';

const run = promisify(execFile);
const path = (relative: string): string => fileURLToPath(new URL(`../../../${relative}`, import.meta.url));
const topology = path('topologies/line-of-n.ts');
const { version } = JSON.parse(readFileSync(path('package.json'), 'utf8')) as { readonly version: string };
const image = `o7s-testbed/node:${version}`;
const sizesAll = [2, 10, 25, 50, 100];
/** Nodes of which the design says how long they may take. */
const targetNodes = 50;
const upLimitMs = 300_000;

type Testbed = 'netns' | 'docker';

interface Sample {
  readonly upMs: number;
  readonly downMs: number;
  /** Proportional set size of a node's processes, MB. */
  readonly nodeMb: number;
  /** Processor time of the command and of all processes of nodes until `up` ends, ms; none of an engine's. */
  readonly processorMs: number;
}

async function ours(testbed: Testbed, nodes: number): Promise<Sample> {
  const before = processesByNamespace('pid');
  const lab = labName();
  const words = ['up', topology, '--set', `n=${nodes}`, '--lab', lab, '--testbed', testbed];
  const [file = '', ...command] = [...o7sTestbed, ...words];
  const usedBefore = childrenMs();
  const since = performance.now();
  const child = spawn(file, command, {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: upLimitMs,
    killSignal: 'SIGTERM',
  });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  const upMs = performance.now() - since;
  if (code !== 0) throw new Error(`up ended with ${String(code)}: ${told.trim().split('\n').at(-1)}`);
  process.stderr.write(`    ${phasesOf(told)}\n`);
  const ofCommand = childrenMs() - usedBefore;
  const taken = takenSince(before);
  const downMs = await timed(() => written([...o7sTestbed, 'down', '--lab', lab]));
  labGone(lab);
  return { upMs, downMs, nodeMb: taken.mb / nodes, processorMs: taken.ms + ofCommand };
}

/** From the first step of a phase to its last; phases overlap. Layers over cables count as one. */
function phasesOf(told: string): string {
  const longest = new Map<string, number>();
  for (const [, name = '', , time = '', unit] of told.matchAll(/^(\S.*?) (\d+)\/\2 +([\d.]+) (ms|s)$/gm)) {
    const phase = /^layer n\d/.test(name) ? 'cable layers' : name;
    longest.set(phase, Math.max(longest.get(phase) ?? 0, Number(time) * (unit === 's' ? 1000 : 1)));
  }
  return [...longest].map(([phase, ms]) => `${phase} ${Math.round(ms)} ms`).join(', ');
}

/** Processor time of programs that this one has started and that have ended, ms. */
function childrenMs(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

/** What the processes of nodes take, and have used, that were made since. */
function takenSince(before: ReadonlyMap<string, unknown>): { readonly mb: number; readonly ms: number } {
  let [mb, ms] = [0, 0];
  for (const [namespace, pids] of processesByNamespace('pid')) {
    if (before.has(namespace)) continue;
    const isNode = pids.some((pid) => commOf(pid) === 'irmd');
    if (!isNode) continue;
    mb += pids.reduce((total, pid) => total + pssMb(pid), 0);
    ms += pids.reduce((total, pid) => total + processorMs(pid), 0);
  }
  return { mb, ms };
}

function commOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

/** Bare containers of the node image, ms. */
async function containers(nodes: number): Promise<number> {
  const names = Array.from({ length: nodes }, (_, index) => `o7s-bench-${process.pid}-${index}`);
  const flags = ['--network', 'none', '--init', image, 'sleep', '1000'];
  try {
    return await timed(() =>
      Promise.all(names.map((name) => run('docker', ['run', '-d', '--name', name, ...flags]))),
    );
  } finally {
    await run('docker', ['rm', '-f', ...names]).catch(() => {});
  }
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

/** A line of bare hosts by Mininet, of Debian's package, ms. */
async function mininet(nodes: number): Promise<number> {
  const { stdout } = await run('/usr/bin/python3', ['-c', mininetLine, String(nodes)], { timeout: 120_000 });
  return Number(stdout.split('\n')[0]);
}

const testbeds = [
  { testbed: 'netns', peer: 'Mininet', start: mininet, target: 6 },
  { testbed: 'docker', peer: 'bare containers', start: containers, target: 1.5 },
] as const;

/** Why a testbed cannot be used; undefined when it can. */
async function missing(testbed: Testbed): Promise<string | undefined> {
  if (testbed === 'netns') return undefined;
  return run('docker', ['version']).then(
    () => undefined,
    () => 'no Docker engine answers',
  );
}

export const up: Bench = {
  about: 'up and down of labs of 10, 25, 50 and 100 nodes on both testbeds, and memory a node',
  async *measure({ quick, number, labNodes }) {
    const sizes = labNodes ?? (quick && number > 0 ? [10, targetNodes] : sizesAll);
    for (const { testbed, peer, start, target } of testbeds) {
      const absent = await missing(testbed);
      for (const nodes of sizes) {
        const subject = (name: string, unit: string): Subject => ({
          what: `${testbed}, ${nodes} nodes: ${name}`,
          unit,
          better: 'less',
          growth: { of: `nodes, ${testbed}`, amount: nodes, cost: name },
        });
        const upSubject: Subject = {
          ...subject('up', 's'),
          ...(nodes === targetNodes && { targets: { [peer]: target } }),
        };
        if (absent !== undefined) {
          yield leftOut(upSubject, 'ours', absent);
          continue;
        }
        try {
          const { upMs, downMs, nodeMb, processorMs: used } = await ours(testbed, nodes);
          yield figure(upSubject, 'ours', upMs / 1000);
          yield figure(subject('down', 's'), 'ours', downMs / 1000);
          yield figure(subject('memory of a node (PSS)', 'MB'), 'ours', nodeMb);
          yield figure(subject('processor time of up for a node', 'ms'), 'ours', used / nodes);
        } catch (error) {
          yield leftOut(upSubject, 'ours', reasonOf(error));
        }
        try {
          yield figure(upSubject, peer, (await start(nodes)) / 1000);
        } catch (error) {
          yield leftOut(upSubject, peer, reasonOf(error));
        }
      }
    }
  },
};
