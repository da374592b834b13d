import { describe, expect, onTestFinished, test } from 'vitest';
import { flowOver, flowPair as flows, maxPacketBytes } from '../../../tests/support/flow-pair.ts';
import { connectedPair } from '../../../tests/support/stream-pair.ts';
import { until } from '../../../tests/support/until.ts';
import { UnixStream } from '../os/unix-socket.ts';
import { type QosSpec, rawQos } from '../qos.ts';
import type { FlowEncryption } from '../rpc/api.ts';
import { DeadlineTimer, monotonicNow } from '../time/timer.ts';
import type { EndPoint } from './end-point.ts';
import type { Flow } from './flow.ts';
import { frameKind, FrameReader, FrameWriter, type OnFrame } from './framing.ts';

const code = (name: string): unknown => expect.objectContaining({ name: 'O7sError', code: name });
const text = async (message: Promise<Buffer>): Promise<string> => (await message).toString();

test('messages arrive whole and in order, both ways', async () => {
  const { a, b } = await flows();
  for (let index = 0; index < 100; index += 1) await a.write(Buffer.from(`m${index}`));
  await b.write(Buffer.alloc(maxPacketBytes, 7));
  for (let index = 0; index < 100; index += 1) expect(await text(b.read())).toBe(`m${index}`);
  expect(await a.read()).toEqual(Buffer.alloc(maxPacketBytes, 7));
  expect([a.counters, b.counters]).toEqual([
    { messagesSent: 100, messagesReceived: 1 },
    { messagesSent: 1, messagesReceived: 100 },
  ]);
});

test('an empty message is only a sign of life', async () => {
  const { a, b } = await flows();
  await a.write(Buffer.alloc(0));
  await a.write(Buffer.from('x'));
  expect(await text(b.read())).toBe('x');
});

test('what a reader got stays as it was', async () => {
  const { a, b } = await flows();
  const kept: Buffer[] = [];
  for (let index = 0; index < 200; index += 1) {
    await a.write(Buffer.alloc(1000, index));
    kept.push(await b.read());
  }
  for (const [index, message] of kept.entries()) expect(message.equals(Buffer.alloc(1000, index))).toBe(true);
});

test('too long a message is refused, and the flow goes on', async () => {
  const { a, b } = await flows();
  await expect(a.write(Buffer.alloc(maxPacketBytes + 1))).rejects.toEqual(code('EMSGSIZE'));
  await a.write(Buffer.from('x'));
  expect(await text(b.read())).toBe('x');
});

describe('reading', () => {
  test('waits no longer than it may', async () => {
    const { a, b } = await flows();
    await expect(b.read({ timeout: 10 })).rejects.toEqual(code('ETIMEDOUT'));
    await a.write(Buffer.from('after'));
    expect(await text(b.read({ timeout: 10_000 }))).toBe('after');
  });

  test('ends when its signal does, before and while it waits', async () => {
    const { a, b } = await flows();
    await expect(b.read({ signal: AbortSignal.abort() })).rejects.toEqual(code('ECANCELED'));
    const controller = new AbortController();
    const read = b.read({ signal: controller.signal });
    controller.abort();
    await expect(read).rejects.toEqual(code('ECANCELED'));
    await a.write(Buffer.from('after'));
    expect(await text(b.read())).toBe('after');
  });

  test('several readers share the messages', async () => {
    const { a, b } = await flows();
    const reads = [b.read(), b.read(), b.read()];
    for (const message of ['1', '2', '3']) await a.write(Buffer.from(message));
    expect((await Promise.all(reads)).map(String).toSorted()).toEqual(['1', '2', '3']);
  });

  test('tryRead never waits', async () => {
    const { a, b } = await flows();
    expect(b.tryRead()).toBeUndefined();
    await a.write(Buffer.from('x'));
    a.flush();
    expect(String(b.tryRead())).toBe('x');
    expect(b.tryRead()).toBeUndefined();
  });

  test('an iterator ends with the flow', async () => {
    const { a, b } = await flows();
    for (const message of ['1', '2']) await a.write(Buffer.from(message));
    await a.close();
    const seen: string[] = [];
    for await (const message of b) seen.push(message.toString());
    expect(seen).toEqual(['1', '2']);
  });
});

describe('the end', () => {
  test('what was sent before it is read, then the flow is down', async () => {
    const { a, b } = await flows();
    for (const message of ['1', '2']) await a.write(Buffer.from(message));
    await a.close();
    expect(await text(b.read())).toBe('1');
    expect(await text(b.read())).toBe('2');
    await expect(b.read()).rejects.toEqual(code('EFLOWDOWN'));
    await expect(b.write(Buffer.from('x'))).rejects.toEqual(code('EFLOWDOWN'));
    expect(() => b.tryRead()).toThrow(code('EFLOWDOWN') as Error);
    expect(b.up).toBe(false);
  });

  test('what was sent before it is read, even when a write noticed it first', async () => {
    const { a, b } = await flows();
    for (const message of ['1', '2']) await a.write(Buffer.from(message));
    await a.close();
    // Nothing was read yet when this write finds nobody there.
    await b.write(Buffer.from('x'));
    b.flush();
    expect(await text(b.read())).toBe('1');
    expect(await text(b.read())).toBe('2');
    await expect(b.read()).rejects.toEqual(code('EFLOWDOWN'));
  });

  test('wakes who waits', async () => {
    const { a, b, closed } = await flows();
    const read = b.read();
    await a[Symbol.asyncDispose]();
    await expect(read).rejects.toEqual(code('EFLOWDOWN'));
    const own = b.close();
    await own;
    await b.close();
    expect(closed).toEqual(['a', 'b']);
  });

  test('nothing goes after close', async () => {
    const { a } = await flows();
    const read = a.read();
    await a.close();
    await expect(read).rejects.toEqual(code('ENOTALLOC'));
    await expect(a.read()).rejects.toEqual(code('ENOTALLOC'));
    await expect(a.write(Buffer.from('x'))).rejects.toEqual(code('ENOTALLOC'));
  });

  test('close sends what waits', async () => {
    const { a, b } = await flows();
    const count = 10_000;
    const message = Buffer.alloc(1000);
    let written = 0;
    while (written < count && a.tryWrite(message)) written += 1;
    expect(written).toBeLessThan(count);
    const closing = a.close();
    let read = 0;
    for await (const one of b) read += one.length / 1000;
    await closing;
    expect(read).toBe(written);
  });
});

describe('back-pressure', () => {
  test('a slow reader loses nothing, and the writer waits', async () => {
    const { a, b } = await flows();
    const count = 20_000;
    const message = Buffer.alloc(500);
    let written = 0;
    const writer = (async () => {
      for (; written < count; written += 1) {
        message.writeUInt32BE(written, 0);
        await a.write(message);
      }
    })();
    // Nobody reads: the writer comes to a stand.
    let last = -1;
    await until('the writer to stand', () => {
      const stands = written === last;
      last = written;
      return stands && written > 0;
    });
    expect(written).toBeLessThan(count);
    for (let index = 0; index < count; index += 1) expect((await b.read()).readUInt32BE(0)).toBe(index);
    await writer;
  });

  test('a writer that waits can be stopped', async () => {
    const { a, b } = await flows();
    const message = Buffer.alloc(maxPacketBytes);
    let waiting = -1;
    await until('the flow to be full', () => {
      let written = 0;
      while (a.tryWrite(message)) written += 1;
      // The other end reads ahead: what it takes yet makes room again.
      const stands = written === 0 && b.waiting === waiting;
      waiting = b.waiting;
      return stands;
    });
    /** What becomes of a write that has to wait; the other end may still have read ahead. */
    const stopped = (write: () => Promise<void>): Promise<unknown> =>
      until('a write that waits', () =>
        write().then(
          () => undefined,
          (error: unknown) => error,
        ),
      );
    expect(await stopped(() => a.write(message, { timeout: 10 }))).toEqual(code('ETIMEDOUT'));
    const ended = await stopped(() => {
      const controller = new AbortController();
      const write = a.write(message, { signal: controller.signal });
      controller.abort();
      return write;
    });
    expect(ended).toEqual(code('ECANCELED'));
  });
});

test('a writer that finds the other end gone is told, and does not wait', async () => {
  const { a, b } = await flows();
  const message = Buffer.alloc(maxPacketBytes);
  await until('the flow to be full', () => {
    let written = 0;
    while (a.tryWrite(message)) written += 1;
    return written === 0;
  });
  await b[Symbol.asyncDispose]();
  await expect(a.write(message)).rejects.toEqual(code('EFLOWDOWN'));
});

describe('signs of life', () => {
  test('come at a quarter of the timeout, and keep the peer alive', async () => {
    const {
      ends: { a, b },
    } = await flows({ qos: { ...rawQos, timeout: 1000 } });
    const start = monotonicNow();
    expect(a.nextDeadline()).toBeLessThanOrEqual(start + 250);
    const before = b.nextDeadline();
    b.advance(before);
    expect(b.nextDeadline()).toBeGreaterThan(before);
  });

  test('a silent peer is told once, and what it says later is still read', async () => {
    const { a, b, ends } = await flows({ qos: { ...rawQos, timeout: 3_600_000 } });
    await a.write(Buffer.from('before'));
    await until('the message', () => b.waiting === 1);
    ends.b.advance(monotonicNow() + 3_600_000);
    expect(await text(b.read())).toBe('before');
    await expect(b.read()).rejects.toEqual(code('EFLOWPEER'));
    expect(b.up).toBe(false);
    // Writes still go out.
    await b.write(Buffer.from('anybody?'));
    expect(await text(a.read())).toBe('anybody?');
    await a.write(Buffer.from('late'));
    await until('the late message', () => b.waiting === 1);
    expect(await text(b.read())).toBe('late');
  });
});

describe('a protected flow', () => {
  const encryption: FlowEncryption = { cipher: 'aes-256-gcm', key: '0f'.repeat(32) };
  const crcQos = { ...rawQos, ber: 0 };
  const kinds = [
    ['encrypted', rawQos, encryption, 28],
    ['with a CRC', crcQos, undefined, 4],
    ['encrypted, with a CRC', crcQos, encryption, 32],
  ] as const;

  /** A flow whose other end the test plays: it sees the packets as the layer does. */
  async function tapped(
    qos: QosSpec,
    protect: FlowEncryption | undefined,
  ): Promise<{ flow: Flow; end: EndPoint; packets: Buffer[]; inject: (packet: Buffer) => void }> {
    const timer = new DeadlineTimer();
    const [own, other] = await connectedPair();
    const { flow, end } = flowOver(own, timer, { qos, encryption: protect });
    const packets: Buffer[] = [];
    const reader = new FrameReader(20_000, true);
    const onFrame: OnFrame = (_kind, { memory }, start, end) => packets.push(memory.subarray(start, end));
    const read = (from: UnixStream): void => void reader.fill(from, onFrame);
    const stream: UnixStream = new UnixStream(
      other,
      () => read(stream),
      () => {},
    );
    stream.watch(true, false);
    onTestFinished(async () => {
      await flow.close();
      stream[Symbol.dispose]();
      timer.close();
    });
    const writer = new FrameWriter(100_000);
    const inject = (packet: Buffer): void => {
      writer.push(frameKind.packet, packet);
      writer.flush(stream);
    };
    return { flow, end, packets, inject };
  }

  test.each(kinds)('carries messages of every length, %s', async (_name, qos, protect, overhead) => {
    const { a, b } = await flows({ qos, encryption: protect });
    expect(a.maxMessageBytes).toBe(maxPacketBytes - overhead);
    for (const length of [1, 2, 64, 1400, a.maxMessageBytes]) {
      await a.write(Buffer.alloc(length, length));
      expect(await b.read()).toEqual(Buffer.alloc(length, length));
      await b.write(new Uint8Array(length).fill(length));
      expect(await a.read()).toEqual(Buffer.alloc(length, length));
    }
    await expect(a.write(Buffer.alloc(a.maxMessageBytes + 1))).rejects.toEqual(code('EMSGSIZE'));
    expect([a.drops, b.drops]).toEqual([
      { badCrc: 0, notOpened: 0, unread: 0, unwanted: 0, unacknowledged: 0 },
      { badCrc: 0, notOpened: 0, unread: 0, unwanted: 0, unacknowledged: 0 },
    ]);
  });

  test.each(kinds)('many at once come whole and in order, %s', async (_name, qos, protect) => {
    const { a, b } = await flows({ qos, encryption: protect });
    const writing = (async () => {
      for (let index = 0; index < 3000; index += 1) await a.write(Buffer.alloc(500, index));
    })();
    for (let index = 0; index < 3000; index += 1) {
      expect((await b.read()).equals(Buffer.alloc(500, index))).toBe(true);
    }
    await writing;
  });

  test('a message is longer on its way, and not to be seen there', async () => {
    const { flow, packets } = await tapped(crcQos, encryption);
    await flow.write(Buffer.from('secret'));
    await until('the packet', () => packets.length === 1);
    expect(packets[0]).toHaveLength(6 + 32);
    expect(packets[0]?.includes('secret')).toBe(false);
  });

  test('a sign of life is empty and clear', async () => {
    const { flow, end, packets } = await tapped(crcQos, encryption);
    await flow.write(Buffer.alloc(0));
    end.advance(monotonicNow() + rawQos.timeout / 2);
    await until('both', () => packets.length === 2);
    expect(packets.map(({ length }) => length)).toEqual([0, 0]);
  });

  test('what does not fit the flow is dropped and counted, and the flow goes on', async () => {
    const { flow, inject, packets } = await tapped(rawQos, encryption);
    inject(Buffer.from('clear'));
    inject(Buffer.alloc(100, 1));
    await flow.write(Buffer.from('mine'));
    await until('the packet', () => packets.length === 1);
    const [own] = packets;
    if (own === undefined) throw new Error('no packet');
    const altered = Buffer.from(own);
    altered[20] = (altered[20] ?? 0) ^ 1;
    inject(altered);
    // One key serves both directions: what this end sealed it can open too.
    inject(own);
    expect(await text(flow.read())).toBe('mine');
    expect(flow.drops).toMatchObject({ badCrc: 0, notOpened: 3 });
    expect(flow.counters.messagesReceived).toBe(1);
  });

  test('so is what has no right CRC', async () => {
    const { flow, inject } = await tapped(crcQos, undefined);
    for (const packet of ['a', 'abcd', 'abcde']) inject(Buffer.from(packet));
    inject(Buffer.from('00000000414141414141f85417ab', 'hex'));
    expect(await flow.read()).toEqual(Buffer.from('00000000414141414141', 'hex'));
    expect(flow.drops).toMatchObject({ badCrc: 3, notOpened: 0 });
  });

  test('what cannot be opened is a sign of life all the same', async () => {
    const { flow, end, inject } = await tapped({ ...rawQos, timeout: 1000 }, encryption);
    const before = end.nextDeadline();
    end.advance(before);
    inject(Buffer.from('clear'));
    await until('the drop', () => flow.drops.notOpened === 1);
    end.advance(before + 600);
    expect(flow.up).toBe(true);
  });
});
