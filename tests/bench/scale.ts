/**
 * What an irmd costs that has much to look after: `scale.ts [NAMES (1000)] [PROCESSES (200)] [FLOWS (2000)]`. Allocations
 * of direct flows and of flows over a local layer, one after another, on an empty irmd and on a full one, its memory, and
 * the prototype's allocations where `O7S_PEER_PREFIX` names one (root). Takes python3 for processes that cost nothing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TestNode } from '../support/node.ts';
import { peerPrefix, PeerNode } from '../support/peer.ts';
import { compilerMissing, PeerProgram, tallyOf } from '../support/peer-program.ts';
import { until } from '../support/until.ts';
import { median, short } from './measure.ts';

const [names = 1000, processes = 200, flows = 2000] = process.argv.slice(2).map(Number);
const allocations = 300;
const peerAllocations = 100;
const patienceMs = 300_000;
const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const program = (name: string, ...words: string[]): [string, string[]] => [
  process.execPath,
  ['--conditions=@o7s/source', file(`./${name}.ts`), ...words],
];

await using node = await TestNode.start();
await node.manage('i b t local n l l ll');
const server = node.spawn(...program('hold', 'serve'));
await until('the server', () => server.stdout.includes('ready'), patienceMs);
await node.manage(`bind process ${server.pid} name direct`);
await node.manage('name register direct layer ll');

/** Median of allocations, ms. */
async function allocate(): Promise<number> {
  const { stdout } = await node.run(...program('allocate', 'direct', String(allocations)));
  return median(JSON.parse(stdout) as number[]);
}

/** Memory of irmd alone, and its share of what it has in common, MB. */
function memory(): number {
  const text = readFileSync(`/proc/${node.irmd.pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss: +(\d+)/m.exec(text)?.[1]) / 1024;
}

/** `irm name list`, ms from start to end, the median of a few. */
async function list(): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 7; round += 1) {
    const startedAt = performance.now();
    await node.manage('name list direct');
    times.push(performance.now() - startedAt);
  }
  return median(times);
}

await allocate();
const empty = { allocation: await allocate(), memory: memory(), list: await list() };

await node.managed(async (irmd) => {
  for (let index = 0; index < names; index += 1) await irmd.createName(`service-${index}`);
});
const idle = spawn('python3', [file('./announce.py'), node.applicationSocket, String(processes)], {
  stdio: ['ignore', 'pipe', 'inherit'],
  detached: true,
});
const [said] = (await once(idle.stdout, 'data')) as [Buffer];
if (!said.toString().startsWith('ready')) throw new Error(`announce.py said ${said.toString()}`);
const perHolder = 500;
for (let left = flows; left > 0; left -= perHolder) {
  const holder = node.spawn(...program('hold', 'ask', 'direct', String(Math.min(left, perHolder))));
  await until('the flows', () => holder.stdout.includes('ready'), patienceMs);
}
const full = { allocation: await allocate(), memory: memory(), list: await list() };
if (idle.pid !== undefined) process.kill(-idle.pid, 'SIGKILL');

let theirs = Number.NaN;
if (peerPrefix !== undefined && compilerMissing(peerPrefix) === undefined) {
  using peerProgram = new PeerProgram(peerPrefix);
  await using peer = await PeerNode.start(peerPrefix);
  await peer.bootstrap('local');
  await peer.serve('ping', ['oping', '-l', '-Q'], 'local');
  const asked = [peerProgram.path, 'ask', 'ping', 'raw', 'allocate', String(peerAllocations)];
  const { code, output } = await peer.run(asked);
  if (code === 0) theirs = tallyOf(output).ms / peerAllocations;
}

console.table({
  [`empty`]: {
    'allocation [ms]': short(empty.allocation),
    'PSS [MB]': short(empty.memory),
    'irm name list [ms]': short(empty.list),
  },
  [`${names} names, ${processes} processes, ${flows} flows`]: {
    'allocation [ms]': short(full.allocation),
    'PSS [MB]': short(full.memory),
    'irm name list [ms]': short(full.list),
  },
});
console.log(
  JSON.stringify({
    empty,
    full,
    ratio: short(full.allocation / empty.allocation),
    allocationsPerSecond: { ours: short(1000 / full.allocation), prototype: short(1000 / theirs) },
  }),
);
