/**
 * Bytes a second of reliable flows between two nodes over eth-dix: ours, clear and encrypted, over 1, 10 and 100 flows; where
 * `O7S_PEER_PREFIX` names one, the prototype; and TCP (iperf3) on the same kind of cable. On a plain veth pair, and on one
 * with a relay between that delays each way by 25 ms (CABLE: veth, '50 ms'):
 *
 *     node --conditions=@o7s/source tests/bench/reliable.ts [RUNS (3) [SECONDS (3) [CABLE...]]]
 *
 * Prints a table of medians in Mbit/s with the least and the greatest, and writes `bench-results/reliable.json`. Root only.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Running } from '../support/command.ts';
import { BadCable, type CableEnd, perfectLink } from '../support/bad-cable.ts';
import { Namespace } from '../support/namespaces.ts';
import { TestNode } from '../support/node.ts';
import { joinNamespaces, PeerNode, peerPrefix } from '../support/peer.ts';
import { PeerProgram, tallyOf } from '../support/peer-program.ts';
import { until } from '../support/until.ts';
import { median, short } from './measure.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [runsWord = '3', secondsWord = '3', ...chosen] = process.argv.slice(2);
const [runs, seconds] = [Number(runsWord), Number(secondsWord)];
const messageBytes = 1400;
const counts = [1, 10, 100];
const attemptsMax = 3;
/** Messages of which a rate can be told. */
const messagesMin = 100;
const name = 'sink';
const encryption = 'kex=X25519\ncipher=aes-256-gcm\nkdf=sha256\n';
const protections = [
  ['clear', undefined],
  ['encrypted', encryption],
] as const;
type Cable = 'veth' | '50 ms';
const cables = (chosen.length > 0 ? chosen : ['veth', '50 ms']) as Cable[];

const figures = new Map<string, Map<string, number[]>>();
const notes = new Set<string>();

function add(what: string, source: string, value: number): void {
  console.warn(`${what}, ${source}: ${short(value)} Mbit/s`);
  const row = figures.get(what) ?? new Map<string, number[]>();
  figures.set(what, row.set(source, [...(row.get(source) ?? []), value]));
}

/** A cable of `eth0` to `eth0`, until the stack is disposed of. */
async function lay(stack: AsyncDisposableStack, kind: Cable, a: CableEnd, b: CableEnd): Promise<void> {
  if (kind === 'veth') return joinNamespaces({ pid: a.pid, dev: 'eth0' }, { pid: b.pid, dev: 'eth0' });
  const cable = stack.use(await BadCable.lay(a, b));
  await cable.become({ ...perfectLink, delay: 25 });
}

/** Mbit/s of our flows, by their number. */
async function ours(kind: Cable, conf: string | undefined): Promise<Map<number, number>> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'o7s-bench-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const ends = [stack.use(await Namespace.make()), stack.use(await Namespace.make())] as const;
  await lay(stack, kind, ...ends);
  const [a, b] = [TestNode.empty(ends[0].launch), TestNode.empty(ends[1].launch)];
  for (const node of [a, b]) stack.use(node);
  if (conf !== undefined) {
    a.writeSecurity(`client/${name}/enc.conf`, conf);
    b.writeSecurity(`server/${name}/enc.conf`, conf);
  }
  for (const node of [a, b]) {
    await node.startIrmd();
    await node.manage('ipcp bootstrap type eth-dix name e0 layer lan dev eth0');
  }
  const file = join(folder, 'sink');
  writeFileSync(file, '');
  const sink = b.spawn(process.execPath, [`${root}tests/bench/sink.ts`, file]);
  stack.defer(async () => void (await sink.kill()));
  await b.logged(`Process added: ${sink.pid} (sink).`);
  await b.manage(`bind process ${sink.pid} name ${name}`);
  await b.manage(`name register ${name} layer lan`);
  const rates = new Map<number, number>();
  for (const count of counts) {
    const before = readFileSync(file, 'utf8').length;
    const words = [name, messageBytes, seconds, count].map(String);
    const { status, stderr } = await a.run(process.execPath, [
      `${root}tests/bench/reliable-source.ts`,
      ...words,
    ]);
    if (status !== 0) throw new Error(`the source ended with ${status}: ${stderr}`);
    const lines = await until('what arrived', () => {
      const all = readFileSync(file, 'utf8').slice(before).split('\n').slice(0, -1);
      return all.length === count && all;
    });
    const tallies = lines.map((line) => JSON.parse(line) as { bytes: number; ms: number });
    const bytes = tallies.reduce((sum, tally) => sum + tally.bytes, 0);
    rates.set(count, (bytes * 8) / Math.max(...tallies.map(({ ms }) => ms)) / 1000);
  }
  return rates;
}

/**
 * Mbit/s of one flow of the prototype. A fresh pair for each attempt: its end points crash under reliable load
 * (end-to-end.md 9.5), and more flows at once none of it survives.
 */
async function prototype(prefix: string, kind: Cable, conf: string | undefined): Promise<number | undefined> {
  let reason = 'it gave no figure';
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    try {
      await using stack = new AsyncDisposableStack();
      const { path } = stack.use(new PeerProgram(prefix));
      const security = mkdtempSync(join(tmpdir(), 'o7s-bench-'));
      stack.defer(() => rmSync(security, { recursive: true, force: true }));
      for (const side of ['client', 'server']) {
        mkdirSync(join(security, side, name), { recursive: true });
        if (conf !== undefined) writeFileSync(join(security, side, name, 'enc.conf'), conf);
      }
      const nodes = [
        stack.use(await PeerNode.start(prefix, undefined, security)),
        stack.use(await PeerNode.start(prefix, undefined, security)),
      ] as const;
      const [a, b] = nodes;
      await lay(stack, kind, a, b);
      for (const node of nodes) {
        await node.bootstrap('eth-dix', 'dev', 'eth0');
        // A name that is made by hand would look for enc.conf in a place that nobody knows (end-to-end.md 4.6).
        await node.run(['irm', 'bind', 'program', 'oecho', 'name', name]);
      }
      let output = '';
      await b.serve(name, [path, 'serve', 'sink'], 'eth-dix', (text) => (output += text));
      const words = [path, 'ask', name, 'data', 'source', '0', String(messageBytes), String(seconds)];
      const asked = await a.run(['timeout', '-k', '2', String(seconds + 5), ...words]);
      if (output === '' && asked.code !== 124)
        throw new Error(`its client ended with ${asked.code}: ${asked.output}`);
      // Of a flow that stands still, the server tells what came until then, after 20 s.
      await until('its tally', () => output.includes('\n'), 40_000);
      const { messages, bytes, wrong, ms } = tallyOf(output);
      if (wrong > 0 || messages < messagesMin)
        throw new Error(`only ${messages} messages came, ${wrong} wrong`);
      if (asked.code === 124)
        notes.add(`prototype, ${kind}: it stood still after ${messages} messages; its rate is until then`);
      return (bytes * 8) / ms / 1000;
    } catch (error) {
      reason = (error as Error).message.split('\n')[0] ?? reason;
    }
  }
  notes.add(`no figure of the prototype, ${kind}, ${conf === undefined ? 'clear' : 'encrypted'}: ${reason}`);
  return undefined;
}

/** Frames with checksums of their own and no longer than the cable's, as a relay can carry them. */
const plainFrames = `
import fcntl, socket, struct, array
for command in (0x17, 0x1f, 0x24, 0x2c):
    value = array.array('B', struct.pack('II', command, 0))
    request = struct.pack('16sP', b'eth0', value.buffer_info()[0])
    fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8946, request)
`;

/** Mbit/s of TCP connections, by their number. */
async function tcp(kind: Cable): Promise<Map<number, number>> {
  await using stack = new AsyncDisposableStack();
  const ends = [stack.use(await Namespace.make()), stack.use(await Namespace.make())] as const;
  await lay(stack, kind, ...ends);
  for (const [index, end] of ends.entries()) {
    await end.run('ip', 'address', 'add', `10.9.0.${index + 1}/24`, 'dev', 'eth0');
    if (kind !== 'veth') await end.run('python3', '-c', plainFrames);
  }
  const rates = new Map<number, number>();
  const server = new Running(...ends[1].launch('iperf3', ['-s']));
  stack.defer(async () => void (await server.kill()));
  for (const count of counts) {
    const words = ['-c', '10.9.0.2', '-t', String(seconds), '-P', String(count), '-J'];
    const limited = ['-k', '2', String(seconds + 20), 'iperf3', ...words];
    const output = await until(
      'iperf3',
      () => ends[0].run('timeout', ...limited).catch(() => undefined),
      90_000,
    );
    const { end } = JSON.parse(output) as { end: { sum_received: { bits_per_second: number } } };
    rates.set(count, end.sum_received.bits_per_second / 1e6);
  }
  return rates;
}

const row = (kind: Cable, count: number): string => `${kind}, ${count} flow${count === 1 ? '' : 's'}`;
for (let run = 0; run < runs; run += 1) {
  for (const kind of cables) {
    for (const [how, conf] of protections) {
      for (const [count, rate] of await ours(kind, conf)) add(row(kind, count), `ours, ${how}`, rate);
      if (peerPrefix === undefined) continue;
      const rate = await prototype(peerPrefix, kind, conf);
      if (rate !== undefined) add(row(kind, 1), `prototype, ${how}`, rate);
    }
    for (const [count, rate] of await tcp(kind)) add(row(kind, count), 'tcp', rate);
  }
}
if (peerPrefix === undefined) notes.add('O7S_PEER_PREFIX is not set: no figures of a prototype');

const sources = ['ours, clear', 'prototype, clear', 'ours, encrypted', 'prototype, encrypted', 'tcp'];
function spread(values: readonly number[] | undefined): string {
  if (values === undefined) return '-';
  return `${short(median(values))} (${short(Math.min(...values))}..${short(Math.max(...values))})`;
}
const table = Object.fromEntries(
  [...figures].map(([what, of]) => [
    what,
    Object.fromEntries(sources.map((source) => [source, spread(of.get(source))])),
  ]),
);
console.log(`Mbit/s of payload: median (least..greatest) of ${runs} runs of ${seconds} s`);
console.table(table);
for (const note of notes) console.log(note);
mkdirSync(`${root}bench-results`, { recursive: true });
const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
const results = Object.fromEntries([...figures].map(([what, of]) => [what, Object.fromEntries(of)]));
writeFileSync(
  `${root}bench-results/reliable.json`,
  `${JSON.stringify({ commit, runs, seconds, table, notes: [...notes], results }, null, 2)}\n`,
);
