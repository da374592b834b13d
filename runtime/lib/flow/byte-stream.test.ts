import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { finished, pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { flowOver, flowPair, maxPacketBytes } from '../../../tests/support/flow-pair.ts';
import { packetOf } from '../../../tests/support/frct-end.ts';
import { connectedPair } from '../../../tests/support/stream-pair.ts';
import { until } from '../../../tests/support/until.ts';
import { frctLimits } from '../frct/limits.ts';
import { UnixStream } from '../os/unix-socket.ts';
import { bestEffortQos, dataQos, rawQos } from '../qos.ts';
import { DeadlineTimer } from '../time/timer.ts';
import type { FlowStream } from './byte-stream.ts';
import { flowFlag } from './flow-flags.ts';
import type { Flow } from './flow.ts';
import { frameKind, FrameWriter } from './framing.ts';

const code = (name: string): unknown => expect.objectContaining({ name: 'O7sError', code: name });

/** Bytes, and the same cut into chunks of all sizes. */
function bytesAndChunks(length: number): { bytes: Buffer; chunks: Buffer[] } {
  const bytes = randomBytes(length);
  const chunks: Buffer[] = [];
  for (let at = 0, step = 0; at < length; step += 1) {
    const size = [0, 1, 17, 1000, 9988, 9989, 40_000, 200_000][step % 8] ?? 1;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return { bytes, chunks };
}

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** A flow with a stream whose other end, of whatever make, the test plays. */
async function played(): Promise<{
  readonly flow: Flow;
  readonly stream: FlowStream;
  readonly tell: (kind: number, content: Buffer) => void;
  /** The layer releases the flow. */
  readonly release: () => void;
}> {
  const timer = new DeadlineTimer();
  const [own, other] = await connectedPair();
  const { flow } = flowOver(own, timer, { qos: { ...dataQos, timeout: 400 } });
  const end = new UnixStream(
    other,
    () => {},
    () => {},
  );
  onTestFinished(() => {
    end[Symbol.dispose]();
    timer.close();
  });
  const writer = new FrameWriter(100_000);
  const tell = (kind: number, content: Buffer): void => {
    writer.push(kind, content);
    writer.flush(end);
  };
  return { flow, stream: flow.stream(), tell, release: () => end[Symbol.dispose]() };
}

/** A packet of a prototype, which does not mark its packets. */
const prototypeData = (index: number, payload: string): Buffer =>
  packetOf({ flags: index === 0 ? 0x03 : 0x01, seqno: 100 + index, payload });

describe('bytes', () => {
  test('come whole, however they are cut, both ways at once; then both flows are closed', async () => {
    const { a, b, closed } = await flowPair({ qos: dataQos });
    const [there, back] = [bytesAndChunks(3_000_000), bytesAndChunks(3_000_000)];
    const [atA, atB] = [a.stream(), b.stream()];
    const [fromB, fromA] = await Promise.all([
      buffer(atA),
      buffer(atB),
      pipeline(Readable.from(there.chunks, { objectMode: false }), atA),
      pipeline(Readable.from(back.chunks, { objectMode: false }), atB),
    ]);
    expect(hashOf(fromA)).toBe(hashOf(there.bytes));
    expect(hashOf(fromB)).toBe(hashOf(back.bytes));
    await until('both flows to be closed', () => closed.length === 2);
    for (const { drops } of [a, b]) expect(drops).toMatchObject({ unacknowledged: 0, unwanted: 0 });
  });

  test('travel as messages without anything added', async () => {
    const { a, b } = await flowPair({ qos: dataQos });
    const stream = a.stream();
    const bytes = randomBytes(2 * maxPacketBytes);
    stream.write(bytes);
    const lengths: number[] = [];
    const got: Buffer[] = [];
    for (let left = bytes.length; left > 0;) {
      const message = await b.read();
      lengths.push(message.length);
      got.push(message);
      left -= message.length;
    }
    expect(lengths).toEqual([9988, 9988, 24]);
    expect(Buffer.concat(got).equals(bytes)).toBe(true);
    await b.write(Buffer.from('one '));
    await b.write(Buffer.from('two'));
    await b.finish();
    expect(String(await buffer(stream))).toBe('one two');
  });

  test('of many small writes share messages', async () => {
    const { a, b } = await flowPair({ qos: dataQos });
    const stream = a.stream();
    for (let count = 0; count < 1000; count += 1) stream.write('0123456789');
    stream.end();
    expect(await buffer(b.stream())).toHaveLength(10_000);
    expect(a.counters.messagesSent).toBeLessThan(5);
  });

  test('of many small messages share chunks', async () => {
    const { a, b } = await flowPair({ qos: dataQos });
    for (let count = 0; count < 1000; count += 1) await a.write(Buffer.from('0123456789'));
    await a.finish();
    let chunks = 0;
    let bytes = 0;
    for await (const chunk of b.stream()) {
      chunks += 1;
      bytes += (chunk as Buffer).length;
    }
    expect(bytes).toBe(10_000);
    expect(chunks).toBeLessThan(100);
  });

  test('wait for who does not read; other flows do not', async () => {
    const { a, b } = await flowPair({ qos: dataQos });
    const other = await flowPair({ qos: dataQos });
    const stream = a.stream();
    const chunk = Buffer.alloc(100_000, 'x');
    let written = 0;
    const all = 40_000_000;
    const writing = (async () => {
      for (; written < all; written += chunk.length) if (!stream.write(chunk)) await once(stream, 'drain');
      stream.end();
    })();
    await until('the writer to stand', () => (a.frct?.closedMs ?? 0) > 200);
    expect(written).toBeLessThan(frctLimits.receiveBytesMax + 3_000_000);
    expect(stream.writableLength).toBeLessThan(500_000);
    await other.a.write(Buffer.from('x'));
    expect(String(await other.b.read())).toBe('x');
    let read = 0;
    for await (const bytes of b.stream()) read += (bytes as Buffer).length;
    await writing;
    expect(read).toBe(all);
  });

  test('a message that was cut for more than the layer carries by now is cut again', async () => {
    const { flow, stream, tell } = await played();
    const message = Buffer.alloc(9988);
    // A window of 64 packets, then nothing goes until the peer says so.
    stream.write(Buffer.alloc(70 * message.length));
    await until('the writer to wait', () => flow.frct?.outstanding === frctLimits.windowInitial);
    tell(frameKind.limit, Buffer.from([0, 0, 0x05, 0xd8]));
    await until('the limit to be known', () => flow.maxMessageBytes === 1496 - 12);
    const own = 0x7fff_fff0 + frctLimits.windowInitial;
    tell(frameKind.packet, prototypeData(0, 'x'));
    tell(frameKind.packet, packetOf({ flags: 0x0c, window: (own + 200) & 0xff_ffff, ackno: own }));
    const rest = Math.ceil((6 * message.length) / 1484);
    await until('the rest to be sent', () => flow.frct?.counters.messagesSent === 64 + rest);
    stream.destroy();
  });
});

describe('the end', () => {
  test('of one direction leaves the other open', async () => {
    const { a, b } = await flowPair({ qos: dataQos });
    const [atA, atB] = [a.stream(), b.stream()];
    atA.end('question');
    expect(String(await buffer(atB))).toBe('question');
    expect(b.peerFinished).toBe(true);
    atB.end('answer');
    expect(String(await buffer(atA))).toBe('answer');
    await Promise.all([finished(atA), finished(atB)]);
  });

  test('comes when everything is acknowledged', async () => {
    const { flow, stream, tell } = await played();
    stream.end('x');
    await until('the message to be sent', () => flow.frct?.outstanding === 1);
    await nextTurn();
    expect(stream.writableFinished).toBe(false);
    tell(frameKind.packet, prototypeData(0, 'y'));
    tell(frameKind.packet, packetOf({ flags: 0x0c, window: 0xff00f0, ackno: 0x7fff_fff1 }));
    await once(stream, 'finish');
    expect(flow.frct?.outstanding).toBe(0);
  });

  test('of a stream that is destroyed fails the other', async () => {
    const { a, b, closed } = await flowPair({ qos: dataQos });
    const [atA, atB] = [a.stream(), b.stream()];
    atA.write('some, ');
    expect(String((await once(atB, 'data'))[0])).toBe('some, ');
    atA.destroy();
    await expect(finished(atB)).rejects.toEqual(code('EFLOWDOWN'));
    await until('both flows to be closed', () => closed.length === 2);
  });

  test('by a signal', async () => {
    const { a } = await flowPair({ qos: dataQos });
    const abort = new AbortController();
    const stream = a.stream({ signal: abort.signal });
    const over = expect(finished(stream)).rejects.toMatchObject({ name: 'AbortError' });
    stream.resume();
    abort.abort();
    await over;
    expect(a.released).toBe(true);
  });

  test('by the close of the flow, which sends what was written', async () => {
    const { a, b } = await flowPair({ qos: dataQos });
    const reading = buffer(b.stream());
    {
      await using flow = a;
      const stream = flow.stream();
      stream.resume();
      await pipeline(Readable.from(['all ', 'of it'], { objectMode: false }), stream);
    }
    expect(String(await reading)).toBe('all of it');
  });

  test.each(['silence', 'release'] as const)('of a prototype is told by its %s alone', async (how) => {
    const { flow, stream, tell, release } = await played();
    for (const [index, text] of ['by ', 'and ', 'by'].entries()) {
      tell(frameKind.packet, prototypeData(index, text));
    }
    const reading = buffer(stream);
    await until('all to be there', () => flow.counters.messagesReceived === 3);
    if (how === 'release') release();
    expect(String(await reading)).toBe('by and by');
  });

  test('of one of ours is not told by its silence', async () => {
    const { stream, tell } = await played();
    tell(frameKind.packet, packetOf({ flags: 0x83, seqno: 100, payload: 'x' }));
    await expect(buffer(stream)).rejects.toEqual(code('EFLOWPEER'));
  });
});

test('a device that goes down and comes up again is waited for', async () => {
  const { a, b } = await flowPair({ qos: dataQos });
  const [atA, atB] = [a.stream(), b.stream()];
  atA.write('before, ');
  expect(String((await once(atB, 'data'))[0])).toBe('before, ');
  // What a layer tells of its device, the other end of a direct flow may tell too.
  a.flags = flowFlag.default | flowFlag.down;
  await until('both to be down', () => !b.up && !a.up);
  atA.write('and ');
  atB.resume();
  await nextTurn();
  expect([atA.errored, atB.errored]).toEqual([null, null]);
  a.flags = flowFlag.default;
  atA.end('after');
  const [chunk] = (await once(atB, 'data')) as [Buffer];
  expect('and after'.startsWith(String(chunk))).toBe(true);
  await once(atB, 'end');
});

test('what is no reliable flow, or has a stream, has none', async () => {
  for (const qos of [rawQos, bestEffortQos]) {
    const { a } = await flowPair({ qos });
    expect(() => a.stream()).toThrow(code('ENOTSUP') as Error);
  }
  const { a } = await flowPair({ qos: dataQos });
  a.stream();
  expect(() => a.stream()).toThrow(code('EPERM') as Error);
});
