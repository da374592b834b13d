/**
 * Flows of every QoS between our library and that of the prototype, over eth-dix. Each test has a fresh prototype: a flow
 * under load can take its program, and with it its IPCP, down (end-to-end.md 9.5). For the same reason what it sends in
 * bulk is no more than its first window: after some hundred messages, to ours as to its own kind, it looks at no
 * acknowledgement any more.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Flow, O7sError, qosByName, type QosName, type Session } from '../../runtime/lib/index.ts';
import { openSession, sessionsEnded } from '../support/application.ts';
import { BadCable } from '../support/bad-cable.ts';
import { certificateFile } from '../support/certificates.ts';
import { Namespace, namespacesMissing } from '../support/namespaces.ts';
import { TestNode } from '../support/node.ts';
import { joinNamespaces, PeerNode, peerPrefix } from '../support/peer.ts';
import {
  compilerMissing,
  peerMessage,
  PeerProgram,
  type PeerTally,
  tallyOf,
} from '../support/peer-program.ts';
import { until } from '../support/until.ts';

const missing =
  peerPrefix === undefined
    ? 'O7S_PEER_PREFIX does not name an installed prototype'
    : process.getuid?.() === 0
      ? (namespacesMissing() ?? compilerMissing(peerPrefix))
      : 'the prototype runs as root only';
const prefix = peerPrefix ?? '';

const name = 'svc';
/** Messages that fit the initial window of a prototype. */
const windowMessages = 60;
const names = Object.keys(qosByName) as QosName[];

interface Net {
  readonly ours: TestNode;
  readonly session: Session;
  readonly peer: PeerNode;
  readonly program: string;
  readonly cable: BadCable | undefined;
}

interface Traits {
  /** enc.conf of the service at both nodes, of client and server. */
  readonly conf?: string | undefined;
  /** Whether client and server prove who they are. */
  readonly certified?: boolean | undefined;
  /** Whether the cable can be made bad. */
  readonly bad?: boolean;
}

/** Our node and one of the prototype on one cable. */
async function start({ conf, certified = false, bad = false }: Traits = {}): Promise<Net> {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const folder = mkdtempSync(join(tmpdir(), 'o7s-peer-security-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const namespace = stack.use(await Namespace.make());
  const ours = stack.use(TestNode.empty(namespace.launch));
  for (const trusted of ['cacert', 'untrusted']) mkdirSync(join(folder, trusted));
  for (const [side, certificate] of [
    ['client', 'client'],
    ['server', 'svc-ec'],
  ] as const) {
    const own = join(folder, side, name);
    mkdirSync(own, { recursive: true });
    if (conf !== undefined) {
      writeFileSync(join(own, 'enc.conf'), conf);
      ours.writeSecurity(`${side}/${name}/enc.conf`, conf);
    }
    if (!certified) continue;
    for (const [file, fixture] of [
      ['crt.pem', certificate],
      ['key.pem', `${certificate}.key`],
    ] as const) {
      cpSync(certificateFile(fixture), join(own, file));
      ours.laySecurity(`${side}/${name}/${file}`, fixture);
    }
  }
  if (certified) {
    cpSync(certificateFile('root'), join(folder, 'cacert', 'root.pem'));
    cpSync(certificateFile('intermediate'), join(folder, 'untrusted', 'intermediate.pem'));
    ours.laySecurity('cacert/root.pem', 'root');
    ours.laySecurity('untrusted/intermediate.pem', 'intermediate');
  }
  const peer = stack.use(await PeerNode.start(prefix, undefined, folder));
  let cable: BadCable | undefined;
  if (bad) cable = stack.use(await BadCable.lay(namespace, peer));
  else joinNamespaces({ pid: namespace.pid, dev: 'eth0' }, { pid: peer.pid, dev: 'eth0' });
  await ours.startIrmd();
  await ours.manage('ipcp bootstrap type eth-dix name e0 layer lan dev eth0');
  await peer.bootstrap('eth-dix', 'dev', 'eth0');
  const session = await openSession(ours);
  stack.defer(async () => {
    session[Symbol.dispose]();
    await sessionsEnded(ours);
  });
  return { ours, session, peer, program: stack.use(new PeerProgram(prefix)).path, cable };
}

interface Serving {
  /** What it printed of the flows that have ended. */
  readonly tallies: () => PeerTally[];
}

/** A server of the prototype. */
async function serve({ peer, program }: Net, ...words: string[]): Promise<Serving> {
  // A name that is made by hand would look for enc.conf in a place that nobody knows (end-to-end.md 4.6).
  await peer.run(['irm', 'bind', 'program', 'oecho', 'name', name]);
  const server = await peer.serve(name, [program, 'serve', ...words], 'eth-dix');
  let output = '';
  server.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  return {
    tallies: () =>
      output
        .split('\n')
        .filter((line) => line !== '')
        .map(tallyOf),
  };
}

/** A flow to it. It loses some of its replies (link-ipcps.md 9.1): then it is asked again. */
function ask({ session }: Net, qos: QosName): Promise<Flow> {
  return until(
    'a flow to the prototype',
    () => session.allocFlow(name, { qos: qosByName[qos], timeout: 8000 }).catch(() => undefined),
    60_000,
  );
}

/** Lets a client of the prototype ask for a flow to us; that flow, and what it prints in the end. */
async function beAsked(
  { ours, session, peer, program }: Net,
  qos: QosName,
  ...words: string[]
): Promise<{ flow: Flow; tally: Promise<PeerTally> }> {
  await ours.manage(`bind process ${session.pid} name ${name}`);
  await ours.manage(`name register ${name} layer lan`);
  await peer.run(['irm', 'bind', 'program', 'oecho', 'name', name]);
  const accepting = session.acceptFlow({ timeout: 60_000 });
  const asking = (async (): Promise<PeerTally> => {
    for (;;) {
      const { code, output } = await peer.run([program, 'ask', name, qos, ...words]);
      if (code === 0) return tallyOf(output);
      if (!output.includes('no flow')) throw new Error(`its client ended with ${code}: ${output}`);
    }
  })();
  asking.catch(() => {});
  return { flow: await accepting, tally: asking };
}

/** Writes messages that its sink checks. */
async function send(flow: Flow, count: number, bytes: number, paceEvery = count): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const message = peerMessage(index, bytes, index + 1 === count ? count : 0);
    await flow.write(message, { timeout: 30_000 });
    // Where nothing holds a sender back, it has to by itself.
    if (index % paceEvery === paceEvery - 1) await delay(5);
  }
}

/** Reads messages until the last one, and demands that they are what its source sends. */
async function receive(flow: Flow): Promise<number> {
  for (let index = 0; ; index += 1) {
    const message = await flow.read({ timeout: 20_000 });
    const all = message.readUInt32BE(4);
    if (!message.equals(peerMessage(index, message.length, all)))
      throw new Error(`message ${index} is another`);
    if (all !== 0) return index + 1;
  }
}

/** Sends back what comes, until the last message or the end of the flow. */
async function echo(flow: Flow, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await flow.write(await flow.read({ timeout: 20_000 }));
}

/** One message after the other, each sent back by its server. */
async function ping(flow: Flow, count: number, bytes: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const message = peerMessage(index, bytes, index + 1 === count ? count : 0);
    await flow.write(message);
    const answer = await flow.read({ timeout: 20_000 });
    if (!answer.equals(message)) throw new Error(`answer ${index} is another`);
    // Faster than this its client crashes, and its server now and then.
    await delay(50);
  }
}

const gcm = 'kex=X25519\ncipher=aes-256-gcm\nkdf=sha256\n';
const protections = [
  ['clear', {}, names],
  ['encrypted', { conf: gcm }, names],
  ['encrypted and authenticated', { conf: gcm, certified: true }, ['raw', 'data']],
] as const satisfies [string, Traits, readonly QosName[]][];

if (missing !== undefined) {
  test('flows with the prototype', ({ skip }) => skip(missing));
} else {
  describe.each(protections)('%s flows', (_how, traits, those) => {
    test.each(those)('%s, ours asks: 40 messages there and back', async (qos) => {
      const net = await start(traits);
      const server = await serve(net, 'echo');
      const flow = await ask(net, qos);
      expect(flow.maxMessageBytes).toBe(1496 - (qos === 'raw' ? 0 : 12) - ('conf' in traits ? 28 : 0));
      await ping(flow, 40, 1000);
      await until('its tally', () => server.tallies().length > 0);
      expect(server.tallies()[0]).toMatchObject({ messages: 40, bytes: 40_000, wrong: 0 });
      // What a prototype sends again on an encrypted flow nobody can open (end-to-end.md 5.5).
      expect(flow.drops).toMatchObject(qos === 'data' ? { badCrc: 0 } : { badCrc: 0, notOpened: 0 });
      if (qos !== 'raw') expect(flow.frct?.peerIsOurs).toBe(false);
    });

    test.each(those)('%s, it asks: 40 messages there and back', async (qos) => {
      const net = await start(traits);
      const { flow, tally } = await beAsked(net, qos, 'echo', '40', '1000');
      expect(flow.qos).toEqual(qosByName[qos]);
      await echo(flow, 40);
      expect(await tally).toMatchObject({ messages: 40, bytes: 40_000, wrong: 0 });
    });

    test.each(those)('%s, 2000 messages to it', async (qos) => {
      const net = await start(traits);
      const server = await serve(net, 'sink');
      const flow = await ask(net, qos);
      // Its socket holds about 90 frames, and only `data` minds.
      await send(flow, 2000, 1000, qos === 'data' ? 2000 : 20);
      await flow.drain({ timeout: 30_000 });
      await until('its tally', () => server.tallies().length > 0);
      expect(server.tallies()[0]).toMatchObject({ messages: 2000, bytes: 2_000_000, wrong: 0 });
    });

    test.each(those)('%s, a window of messages from it, and it closes without waiting', async (qos) => {
      const net = await start(traits);
      const { flow, tally } = await beAsked(net, qos, 'source', String(windowMessages), '1000');
      expect(await receive(flow)).toBe(windowMessages);
      const { messages, deallocMs } = await tally;
      expect(messages).toBe(windowMessages);
      expect(deallocMs).toBeLessThan(5000);
    });
  });

  test('20 MB to it, whole and in order', async () => {
    const net = await start();
    const server = await serve(net, 'sink');
    const flow = await ask(net, 'data');
    await send(flow, 14_500, 1400);
    await flow.drain({ timeout: 60_000 });
    await until('its tally', () => server.tallies().length > 0);
    expect(server.tallies()[0]).toMatchObject({ messages: 14_500, wrong: 0 });
  });

  const bad = { loss: 0.01, duplication: 0, delay: 0, jitter: 2 };

  /** A long run is asked for by hand (docs/testing.md). */
  const megabytes = Number(process.env.O7S_TRANSFER_MB ?? 10);
  const patience = 120_000 + megabytes * 5000;

  test(
    `${megabytes} MB to it over a cable that loses 1 %, whole and in order`,
    { timeout: patience },
    async () => {
      const net = await start({ bad: true });
      const server = await serve(net, 'sink');
      const flow = await ask(net, 'data');
      await net.cable?.become(bad);
      const messages = Math.ceil((megabytes * 1e6) / 1400);
      await send(flow, messages, 1400);
      await flow.drain({ timeout: 60_000 });
      await until('its tally', () => server.tallies().length > 0);
      expect(server.tallies()[0]).toMatchObject({ messages, wrong: 0 });
      const [there] = (await net.cable?.end()) ?? [];
      expect(there?.lost).toBeGreaterThan(20);
      expect(flow.frct?.counters.retransmissions).toBeGreaterThan(20);
    },
  );

  test.each([
    ['clear', {}],
    ['encrypted', { conf: gcm }],
  ])('%s, to it over a cable that loses 5 %%', async (_how, traits) => {
    const net = await start({ ...traits, bad: true });
    const server = await serve(net, 'sink');
    const flow = await ask(net, 'data');
    await net.cable?.become({ ...bad, loss: 0.05 });
    await send(flow, 500, 1000);
    await flow.drain({ timeout: 60_000 });
    await until('its tally', () => server.tallies().length > 0);
    expect(server.tallies()[0]).toMatchObject({ messages: 500, wrong: 0 });
  });

  test('from it over a cable that loses 5 %, one message at a time', async () => {
    const net = await start({ bad: true });
    const { flow, tally } = await beAsked(net, 'data', 'echo', '60', '1000');
    await net.cable?.become({ ...bad, loss: 0.05 });
    await echo(flow, 60);
    expect(await tally).toMatchObject({ messages: 60, wrong: 0 });
  });

  test('a client that reads the last message and closes leaves no prototype waiting, whatever is lost', async () => {
    const net = await start({ bad: true });
    const { flow, tally } = await beAsked(net, 'data', 'source', '20', '1000');
    expect(await receive(flow)).toBe(20);
    // What acknowledges the last message is lost, for a while.
    await net.cable?.become({ ...bad, loss: 1 });
    await flow.close({ timeout: 5000 });
    await net.cable?.become({ ...bad, loss: 0 });
    // Without an answer to its retransmissions it would wait for 120 s.
    const { deallocMs } = await tally;
    expect(deallocMs).toBeLessThan(30_000);
  });

  test('a byte stream of it ends when it is silent', async () => {
    const net = await start();
    // As long as that lasts; no more than its first window.
    await serve(net, 'source', '0.001', '1000');
    const qos = { ...qosByName.data, timeout: 4000 };
    const flow = await until(
      'a flow to the prototype',
      () => net.session.allocFlow(name, { qos, timeout: 8000 }).catch(() => undefined),
      60_000,
    );
    // It has a first message to be woken by.
    await flow.write(Buffer.from('x'));
    const bytes = await buffer(flow.stream());
    expect(bytes.length).toBeGreaterThan(0);
    expect(bytes.length % 1000).toBe(0);
    for (let index = 0; index < bytes.length / 1000; index += 1) {
      const message = bytes.subarray(index * 1000, (index + 1) * 1000);
      // The last one says how many there are, if it came to that.
      expect(message.equals(peerMessage(index, 1000, message.readUInt32BE(4)))).toBe(true);
    }
  });

  test('best effort in bulk from it: its window is kept open', async () => {
    const net = await start();
    await serve(net, 'source', '0.5', '1000');
    const flow = await ask(net, 'best');
    let last = -1;
    for (;;) {
      const message = await flow.read({ timeout: 3000 }).catch((error: unknown) => {
        if (error instanceof O7sError && error.code === 'ETIMEDOUT') return undefined;
        throw error;
      });
      if (message === undefined) break;
      expect(message.readUInt32BE(0)).toBeGreaterThan(last);
      last = message.readUInt32BE(0);
      if (message.readUInt32BE(4) !== 0) break;
    }
    expect(last).toBeGreaterThan(64);
  });
}
