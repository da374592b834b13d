/**
 * Bytes a second of reliable flows between two nodes over eth-dix: ours, clear and encrypted, over 1, 10 and 100 flows, beside
 * one flow of the prototype, and TCP (iperf3) on the same kind of cable. On a plain veth pair, and on one with a relay between
 * that delays each way by 25 ms.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Running } from '../../support/command.ts';
import { BadCable, type CableEnd, perfectLink } from '../../support/bad-cable.ts';
import { Namespace } from '../../support/namespaces.ts';
import { TestNode } from '../../support/node.ts';
import { joinNamespaces, PeerNode } from '../../support/peer.ts';
import { compilerMissing, PeerProgram, tallyOf } from '../../support/peer-program.ts';
import { until } from '../../support/until.ts';
import { type Bench, figure, leftOut, reasonOf } from '../bench.ts';
import { benchProgram } from '../lab.ts';
import { limited, onPrototypes } from '../prototypes.ts';
import { placements } from '../measure.ts';
import type { Subject } from '../table.ts';

const messageBytes = 1400;
/** Messages of which a rate can be told. */
const messagesMin = 100;
const name = 'sink';
const encryption = 'kex=X25519\ncipher=aes-256-gcm\nkdf=sha256\n';
const protections = [
  ['clear', undefined],
  ['encrypted', encryption],
] as const;
type Cable = 'veth' | '50 ms';

function subjectOf(kind: Cable, count: number, how: string): Subject {
  const flows = count === 1 ? '1 flow' : `${count} flows`;
  const targets = { prototype: 3 };
  return { what: `${kind}, ${flows}, ${how}: reliable payload`, unit: 'Mbit/s', better: 'more', targets };
}

/** A cable of `eth0` to `eth0`, until the stack is disposed of. */
async function lay(stack: AsyncDisposableStack, kind: Cable, a: CableEnd, b: CableEnd): Promise<void> {
  if (kind === 'veth') return joinNamespaces({ pid: a.pid, dev: 'eth0' }, { pid: b.pid, dev: 'eth0' });
  const cable = stack.use(await BadCable.lay(a, b));
  await cable.become({ ...perfectLink, delay: 25 });
}

/** Mbit/s of our flows, by their number. */
async function ours(
  kind: Cable,
  conf: string | undefined,
  counts: readonly number[],
  seconds: number,
): Promise<Map<number, number>> {
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
  const [sinkFile = '', ...sinkWords] = benchProgram('sink', file);
  const sink = b.spawn(sinkFile, sinkWords);
  stack.defer(async () => void (await sink.kill()));
  await b.logged(`Process added: ${sink.pid} (sink).`);
  await b.manage(`bind process ${sink.pid} name ${name}`);
  await b.manage(`name register ${name} layer lan`);
  const rates = new Map<number, number>();
  for (const count of counts) {
    const before = readFileSync(file, 'utf8').length;
    const [source = '', ...words] = benchProgram('reliable-source', name, messageBytes, seconds, count);
    const { status, stderr } = await a.run('timeout', ['-k', '2', String(seconds + 60), source, ...words]);
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

/** Two prototypes on a cable, of which one serves: its end points crash under reliable load (end-to-end.md 9.5). */
class Prototypes implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly #program: PeerProgram;
  output = '';

  private constructor(prefix: string) {
    this.#program = this.#stack.use(new PeerProgram(prefix));
  }

  static async make(prefix: string, kind: Cable, conf: string | undefined): Promise<Prototypes> {
    const pair = new Prototypes(prefix);
    try {
      await pair.#start(prefix, kind, conf);
      return pair;
    } catch (error) {
      await pair[Symbol.asyncDispose]();
      throw error;
    }
  }

  #client: PeerNode | undefined;

  async #start(prefix: string, kind: Cable, conf: string | undefined): Promise<void> {
    const security = mkdtempSync(join(tmpdir(), 'o7s-bench-'));
    this.#stack.defer(() => rmSync(security, { recursive: true, force: true }));
    for (const side of ['client', 'server']) {
      mkdirSync(join(security, side, name), { recursive: true });
      if (conf !== undefined) writeFileSync(join(security, side, name, 'enc.conf'), conf);
    }
    const a = this.#stack.use(await PeerNode.start(prefix, undefined, security));
    const b = this.#stack.use(await PeerNode.start(prefix, undefined, security));
    await lay(this.#stack, kind, a, b);
    for (const node of [a, b]) {
      await node.bootstrap('eth-dix', 'dev', 'eth0');
      // A name that is made by hand would look for enc.conf in a place that nobody knows (end-to-end.md 4.6).
      await node.run(['irm', 'bind', 'program', 'oecho', 'name', name]);
    }
    await b.serve(name, [this.#program.path, 'serve', 'sink'], 'eth-dix', (text) => (this.output += text));
    this.#client = a;
  }

  /** Mbit/s of one flow; where it stands still, of what came until then. More flows at once it does not survive. */
  async measure(seconds: number): Promise<number> {
    const words = [
      this.#program.path,
      'ask',
      name,
      'data',
      'source',
      '0',
      String(messageBytes),
      String(seconds),
    ];
    const asked = await this.#client?.run(limited(seconds + 5, placements['all processors'], words));
    if (this.output === '' && asked?.code !== 124)
      throw new Error(`its client ended with ${asked?.code}: ${asked?.output.trim()}`);
    // Of a flow that stands still, the server tells what came until then, after 20 s.
    await until('its tally', () => this.output.includes('\n'), 30_000);
    const { messages, bytes, wrong, ms } = tallyOf(this.output);
    if (wrong > 0 || messages < messagesMin)
      throw new Error(`only ${messages} messages came, ${wrong} wrong`);
    return (bytes * 8) / ms / 1000;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
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
async function tcp(kind: Cable, counts: readonly number[], seconds: number): Promise<Map<number, number>> {
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
    // A client that finds no server yet ends, too, and well.
    const measured = async (): Promise<number | undefined> => {
      const output = await ends[0].run('timeout', ...limited).catch(() => '{}');
      const { end } = JSON.parse(output) as { end?: { sum_received?: { bits_per_second: number } } };
      return end?.sum_received?.bits_per_second;
    };
    rates.set(count, (await until('iperf3', measured, 45_000)) / 1e6);
  }
  return rates;
}

export const reliable: Bench = {
  about: 'bytes a second of reliable flows, clear and encrypted, beside TCP',
  async *measure(round) {
    const { quick, prefix } = round;
    const [seconds, kinds, counts] = quick
      ? ([2, ['veth'], [1, 10]] as const)
      : ([3, ['veth', '50 ms'], [1, 10, 100]] as const);
    const missing = prefix === undefined ? undefined : compilerMissing(prefix);
    for (const kind of kinds) {
      for (const [how, conf] of protections) {
        try {
          for (const [count, rate] of await ours(kind, conf, counts, seconds))
            yield figure(subjectOf(kind, count, how), 'ours', rate);
        } catch (error) {
          yield leftOut(subjectOf(kind, 1, how), 'ours', reasonOf(error));
        }
        if (prefix === undefined) continue;
        const subject = subjectOf(kind, 1, how);
        if (missing !== undefined) {
          yield leftOut(subject, 'prototype', missing);
          continue;
        }
        const measure = (pair: Prototypes): Promise<number> => pair.measure(seconds);
        yield* onPrototypes(() => Prototypes.make(prefix, kind, conf), [{ subject, measure }], round);
      }
      try {
        for (const [count, rate] of await tcp(kind, counts, seconds))
          yield figure(subjectOf(kind, count, 'clear'), 'TCP', rate);
      } catch (error) {
        yield leftOut(subjectOf(kind, 1, 'clear'), 'TCP', reasonOf(error));
      }
    }
  },
};
