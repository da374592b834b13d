/** Flows with FRCT between two nodes with all their daemons: over a good cable, and over bad ones. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  bestEffortQos,
  dataQos,
  type Flow,
  type FlowCounts,
  type IrmCounters,
  qosByName,
  type QosName,
  type QosSpec,
  rawQos,
  type Session,
} from '../../runtime/lib/index.ts';
import { flowReceiveBytesMax, readAheadBytesMax } from '../../runtime/lib/limits.ts';
import type { LinkTraits } from '../sim/frct/lossy-link.ts';
import { openSession, sessionsEnded } from '../support/application.ts';
import type { BadCable } from '../support/bad-cable.ts';
import { perfectLink } from '../support/bad-cable.ts';
import { namespacesMissing } from '../support/namespaces.ts';
import type { TestNode } from '../support/node.ts';
import { startTwoNodes } from '../support/two-nodes.ts';
import { until } from '../support/until.ts';

const missing = namespacesMissing();
beforeEach(({ skip }) => skip(missing !== undefined, missing));

const code = (name: string): unknown => expect.objectContaining({ name: 'O7sError', code: name });
const maxPacketBytes = 1496;
const pciBytes = 12;

interface Net {
  readonly a: Session;
  readonly b: Session;
  readonly nodes: { readonly a: TestNode; readonly b: TestNode };
  readonly cable: BadCable | undefined;
}

/** Two nodes in one eth-dix layer; `enc.conf` of the name svc at the server, if there is any. */
async function start(isBad = false, conf?: string): Promise<Net> {
  const { a, b, cable } = await startTwoNodes(isBad, (client, server) => {
    if (conf === undefined) return;
    client.writeSecurity('client/svc/enc.conf', conf);
    server.writeSecurity('server/svc/enc.conf', conf);
  });
  const [atA, atB] = [await sessionOf(a), await sessionOf(b)];
  await b.manage(`bind process ${atB.pid} name svc`);
  await b.manage('name register svc layer lan');
  return { a: atA, b: atB, nodes: { a, b }, cable };
}

async function sessionOf(node: TestNode): Promise<Session> {
  const session = await openSession(node);
  onTestFinished(async () => {
    session[Symbol.dispose]();
    await sessionsEnded(node);
  });
  return session;
}

/** Both ends of a flow from `a` to `b`. */
async function open({ a, b }: Net, qos: QosSpec): Promise<{ client: Flow; served: Flow }> {
  const [client, served] = await Promise.all([
    a.allocFlow('svc', { qos, timeout: 10_000 }),
    b.acceptFlow({ timeout: 10_000 }),
  ]);
  return { client, served };
}

/** The same over a cable that is bad once the flow is there. */
async function openOverBad(
  traits: LinkTraits,
  qos: QosSpec,
  conf?: string,
): Promise<{ client: Flow; served: Flow; cable: BadCable }> {
  const net = await start(true, conf);
  const { cable } = net;
  if (cable === undefined) throw new Error('there was to be a bad cable');
  const ends = await open(net, qos);
  await cable.become(traits);
  return { ...ends, cable };
}

/** Frames that the devices of a node had no room for. */
function lostByDevices(counters: IrmCounters | undefined): number {
  const all = counters?.ipcps.map(
    ({ counters: { sendFailed = 0, droppedQueueFull = 0 } }) => sendFailed + droppedQueueFull,
  );
  return (all ?? []).reduce((sum, each) => sum + each, 0);
}

const pattern = Buffer.from(
  Array.from({ length: 200 }, (_, index) => createHash('sha512').update(String(index)).digest('hex')).join(
    '',
  ),
);

/** The message with a number: of a length and content of its own. */
function messageOf(index: number, bytesMax: number): Buffer {
  const bytes = 4 + ((index * 7919) % (bytesMax - 3));
  const message = Buffer.from(pattern.subarray(index % 8192, (index % 8192) + bytes));
  message.writeUInt32BE(index, 0);
  return message;
}

/** Sends messages of so many bytes in all, and demands that all come, whole and in order. */
async function transfer(from: Flow, to: Flow, bytesInAll: number): Promise<void> {
  let count = 0;
  const writing = (async () => {
    for (let bytes = 0; bytes < bytesInAll; count += 1) {
      const message = messageOf(count, from.maxMessageBytes);
      if (!from.tryWrite(message)) await from.write(message, { timeout: 60_000 });
      bytes += message.length;
    }
    await from.finish({ timeout: 60_000 });
  })();
  let index = 0;
  for await (const message of to) {
    if (!message.equals(messageOf(index, from.maxMessageBytes)))
      throw new Error(`message ${index} is another`);
    index += 1;
  }
  await writing;
  expect(index).toBe(count);
}

describe('over a good cable', () => {
  test('every QoS, both ways', async () => {
    const net = await start();
    for (const name of Object.keys(qosByName) as QosName[]) {
      const qos = qosByName[name];
      const { client, served } = await open(net, qos);
      expect(served.qos).toEqual(qos);
      const overhead = qos.inOrder === 0 ? 0 : pciBytes;
      expect([client, served].map((flow) => flow.maxMessageBytes)).toEqual(
        Array(2).fill(maxPacketBytes - overhead),
      );
      for (let index = 0; index < 100; index += 1) {
        await client.write(messageOf(index, client.maxMessageBytes));
        const message = await served.read({ timeout: 5000 });
        expect(message.equals(messageOf(index, client.maxMessageBytes))).toBe(true);
        await served.write(message);
        expect((await client.read({ timeout: 5000 })).equals(message)).toBe(true);
      }
      await client.write(Buffer.from('last'));
      await client.close();
      expect(String(await served.read({ timeout: 5000 }))).toBe('last');
      await expect(served.read({ timeout: 5000 })).rejects.toEqual(code('EFLOWDOWN'));
      await served.close();
    }
  });

  test.each([
    ['encrypted', 'cipher=aes-256-gcm\n', 1, 28],
    ['with a CRC', undefined, 0, 4],
    ['both', 'cipher=chacha20-poly1305\n', 0, 32],
  ] as const)('data %s', async (_how, conf, ber, overhead) => {
    const net = await start(false, conf);
    const { client, served } = await open(net, { ...dataQos, ber });
    expect(client.maxMessageBytes).toBe(maxPacketBytes - overhead - pciBytes);
    await Promise.all([transfer(client, served, 2e6), transfer(served, client, 2e6)]);
    for (const { drops } of [client, served]) {
      expect(drops).toEqual({ badCrc: 0, notOpened: 0, unread: 0, unwanted: 0, unacknowledged: 0 });
    }
  });

  test('an ordered flow with a cipher that proves nothing is refused', async () => {
    const { a, b } = await start(false, 'cipher=aes-256-ctr\n');
    await expect(a.allocFlow('svc', { qos: dataQos, timeout: 5000 })).rejects.toEqual(code('ECRYPT'));
    const [client] = await Promise.all([a.allocFlow('svc'), b.acceptFlow()]);
    expect(client.maxMessageBytes).toBe(maxPacketBytes - 16);
  });

  test('a slow reader stalls its own writer and nobody else', async () => {
    const net = await start();
    const slow = await open(net, dataQos);
    const other = await open(net, dataQos);
    const message = Buffer.alloc(slow.client.maxMessageBytes);
    let written = 0;
    await until('the writer to stand', () => {
      while (slow.client.tryWrite(message)) written += 1;
      return (slow.client.frct?.closedMs ?? 0) > 300;
    });
    await transfer(other.client, other.served, 1e6);
    // Then it reads, and nothing was lost.
    let read = 0;
    for (; read < written; read += 1) await slow.served.read({ timeout: 5000 });
    await slow.client.write(message, { timeout: 5000 });
    await slow.served.read({ timeout: 5000 });
    expect(slow.client.frct?.counters.retransmissions).toBeLessThan(written / 10);
  });

  test('on a raw flow a full queue drops, which both nodes count for that flow', async () => {
    const net = await start();
    const { client, served } = await open(net, rawQos);
    const other = await open(net, dataQos);
    const message = Buffer.alloc(client.maxMessageBytes);
    // Far more than the reader's node and process keep.
    const count = 20_000;
    for (let index = 0; index < count; index += 1) {
      message.writeUInt32BE(index);
      if (!client.tryWrite(message)) await client.write(message, { timeout: 20_000 });
      if (index % 50 === 49) await delay(1);
    }
    await transfer(other.client, other.served, 1e5);
    const [atA, atB] = await Promise.all(
      [net.nodes.a, net.nodes.b].map((node) => node.managed((irmd) => irmd.counters())),
    );
    const flowOf = (counters: typeof atA, qos: 'raw' | 'data'): FlowCounts | undefined =>
      counters?.flows.find(({ ends }) => ends.some(({ frct }) => (frct === null) === (qos === 'raw')));
    const [sent, received] = [flowOf(atA, 'raw')?.port, flowOf(atB, 'raw')?.port];
    expect(sent).toMatchObject({ packetsSent: count, bytesSent: count * message.length });
    const dropped = received?.droppedSlowReader ?? 0;
    expect(dropped).toBeGreaterThan(count / 4);
    expect(flowOf(atB, 'data')?.port?.droppedSlowReader).toBe(0);
    // What neither the cable's queues nor the reader's lost waits, and that is bounded.
    const waiting = received?.packetsReceived ?? 0;
    const lostBefore = count - waiting - dropped;
    expect(lostBefore).toBeGreaterThanOrEqual(0);
    expect(lostBefore).toBeLessThanOrEqual(lostByDevices(atA) + lostByDevices(atB));
    expect(waiting * message.length).toBeLessThan(flowReceiveBytesMax + readAheadBytesMax + 4e6);
    let last = -1;
    for (let read = 0; read < waiting; read += 1) {
      const index = (await served.read({ timeout: 5000 })).readUInt32BE();
      expect(index).toBeGreaterThan(last);
      last = index;
    }
    // The reader learns how much it has lost before anything that comes later.
    await client.write(message);
    await served.read({ timeout: 5000 });
    expect(served.drops.unread).toBe(dropped);
  });

  test('a client that is killed ends the flow for its server', async () => {
    const net = await start();
    const { client, served } = await open(net, dataQos);
    await client.write(Buffer.from('x'));
    await served.read({ timeout: 5000 });
    client.abort();
    await expect(served.read({ timeout: 5000 })).rejects.toEqual(code('EFLOWDOWN'));
    expect(served.released).toBe(true);
  });
});

const bad: LinkTraits = { ...perfectLink, loss: 0.01, duplication: 0.005, jitter: 3 };

/** A long run is asked for by hand (docs/testing.md). */
const megabytes = Number(process.env.O7S_TRANSFER_MB ?? 10);

describe('over a cable that loses 1 % of the frames, and reorders', () => {
  test(`${megabytes} MB come whole and in order`, { timeout: 120_000 + megabytes * 3000 }, async () => {
    const { client, served, cable } = await openOverBad(bad, dataQos);
    await transfer(client, served, megabytes * 1e6);
    const [there] = await cable.end();
    expect(there.lost).toBeGreaterThan(megabytes * 5);
    expect(client.frct?.counters.retransmissions).toBeGreaterThanOrEqual(megabytes * 5);
    // Memory of the sender is bounded by the window, that of the receiver is read empty.
    expect([client.frct?.outstanding, served.waiting]).toEqual([0, 0]);
  });

  test('10 MB both ways at once, encrypted and with a CRC', async () => {
    const { client, served } = await openOverBad(bad, { ...dataQos, ber: 0 }, 'kex=X25519\n');
    await Promise.all([transfer(client, served, 10e6), transfer(served, client, 10e6)]);
    for (const { drops } of [client, served]) {
      expect(drops).toEqual({ badCrc: 0, notOpened: 0, unread: 0, unwanted: 0, unacknowledged: 0 });
    }
  });

  test('two byte streams of 5 MB, piped in and out', async () => {
    const { client, served } = await openOverBad(bad, dataQos);
    const [there, back] = [0, 1].map((from) => Buffer.alloc(5e6, pattern.subarray(from)));
    if (there === undefined || back === undefined) throw new Error('two directions');
    const [atClient, atServer] = [client.stream(), served.stream()];
    const [backAtClient, thereAtServer] = await Promise.all([
      buffer(atClient),
      buffer(atServer),
      pipeline(Readable.from([there]), atClient),
      pipeline(Readable.from([back]), atServer),
    ]);
    expect([thereAtServer.equals(there), backAtClient.equals(back)]).toEqual([true, true]);
    await until('both ends to be closed', () => client.released && served.released);
    expect([client.drops.unacknowledged, served.drops.unacknowledged]).toEqual([0, 0]);
  });

  test('what best effort delivers comes in order, the rest is skipped', async () => {
    const { client, served } = await openOverBad(bad, bestEffortQos);
    const count = 5000;
    const writing = (async () => {
      for (let index = 0; index < count; index += 1) {
        await client.write(messageOf(index, 1000));
        // Faster than the relay is, queues would overflow.
        if (index % 20 === 19) await delay(1);
      }
      await client.finish({ timeout: 20_000 });
    })();
    let read = 0;
    let last = -1;
    for await (const message of served) {
      const index = message.readUInt32BE(0);
      expect(index).toBeGreaterThan(last);
      last = index;
      read += 1;
    }
    await writing;
    expect(read).toBeGreaterThan(count / 2);
    expect(read).toBeLessThan(count);
    expect(served.frct?.counters.skipped).toBe(count - read);
  });

  test('flows that are closed at both ends at once do not wait for each other', async () => {
    const { client, served } = await openOverBad({ ...bad, loss: 0.2 }, dataQos);
    await transfer(client, served, 1e5);
    await served.write(Buffer.from('unread'));
    const startedAt = performance.now();
    await Promise.all([client.close(), served.close()]);
    expect(client.drops.unacknowledged).toBe(0);
    // Far from the 120 s after which an end gives up.
    expect(performance.now() - startedAt).toBeLessThan(60_000);
  });
});
