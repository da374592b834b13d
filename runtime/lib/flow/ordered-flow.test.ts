/** Flows with FRCT: both ends in this process, over a socket, and ends whose packets a test sees and makes. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { flowOver, flowPair, type FlowTraits, maxPacketBytes } from '../../../tests/support/flow-pair.ts';
import { FrctEnd, packetOf, textOf } from '../../../tests/support/frct-end.ts';
import { connectedPair } from '../../../tests/support/stream-pair.ts';
import { until } from '../../../tests/support/until.ts';
import { frctLimits } from '../frct/limits.ts';
import { UnixStream } from '../os/unix-socket.ts';
import { bestEffortQos, dataQos, rawQos, videoQos, voiceQos } from '../qos.ts';
import type { FlowEncryption } from '../rpc/api.ts';
import { appendCrc } from '../wire/crc.ts';
import { DeadlineTimer, monotonicNow } from '../time/timer.ts';
import { FlowSet } from './flow-set.ts';
import { flowFlag, frctFlag } from './flow-flags.ts';
import { frameKind, FrameReader, FrameWriter, lastWordHeaderBytes, type OnFrame } from './framing.ts';
import type { Flow } from './flow.ts';
import type { EndPoint } from './end-point.ts';

const code = (name: string): unknown => expect.objectContaining({ name: 'O7sError', code: name });
const encryption: FlowEncryption = { cipher: 'aes-256-gcm', key: '0f'.repeat(32) };
const pciBytes = 12;

interface Tapped {
  readonly flow: Flow;
  readonly end: EndPoint;
  /** Packets that the flow sent, signs of life too. */
  readonly packets: Buffer[];
  /** What it left for when it is gone. */
  readonly lastWords: Buffer[];
  readonly inject: (packet: Buffer) => void;
  /** Nothing reads what the flow sends any more, or it is read again. */
  readonly stall: (stalled: boolean) => void;
}

/** A flow whose other end the test plays: it sees the packets as the layer does. */
async function tapped(traits: FlowTraits = {}): Promise<Tapped> {
  const timer = new DeadlineTimer();
  const [own, other] = await connectedPair();
  const { flow, end } = flowOver(own, timer, { qos: dataQos, ...traits });
  const packets: Buffer[] = [];
  const lastWords: Buffer[] = [];
  const reader = new FrameReader(20_000, true);
  const onFrame: OnFrame = (kind, { memory }, start, at) => {
    if (kind === frameKind.packet) packets.push(memory.subarray(start, at));
    if (kind === frameKind.lastWord) lastWords.push(memory.subarray(start, at));
  };
  const read = (from: UnixStream): void => void reader.fill(from, onFrame);
  const stream: UnixStream = new UnixStream(
    other,
    () => read(stream),
    () => {},
  );
  stream.watch(true, false);
  onTestFinished(() => {
    stream[Symbol.dispose]();
    timer.close();
  });
  const writer = new FrameWriter(100_000);
  const inject = (packet: Buffer): void => {
    writer.push(frameKind.packet, packet);
    writer.flush(stream);
  };
  return { flow, end, packets, lastWords, inject, stall: (stalled) => stream.watch(!stalled, false) };
}

const texts = (packets: readonly Buffer[]): string[] => packets.map(textOf);

describe.each([
  ['data', dataQos],
  ['best effort', bestEffortQos],
  ['video', videoQos],
  ['voice', voiceQos],
  ['data with a CRC', { ...dataQos, ber: 0 }],
] as const)('%s', (_name, qos) => {
  test.each([
    ['clear', undefined],
    ['encrypted', encryption],
  ] as const)('messages arrive whole and in order, both ways, %s', async (_how, encrypted) => {
    const { a, b } = await flowPair({ qos, encryption: encrypted });
    const overhead = pciBytes + (encrypted === undefined ? 0 : 28) + (qos.ber === 0 ? 4 : 0);
    expect([a.maxMessageBytes, b.maxMessageBytes]).toEqual(Array(2).fill(maxPacketBytes - overhead));
    const count = 1000;
    const send = async (from: Flow): Promise<void> => {
      for (let index = 0; index < count; index += 1) await from.write(Buffer.alloc(1 + index, index));
    };
    const receive = async (at: Flow): Promise<void> => {
      for (let index = 0; index < count; index += 1) {
        expect((await at.read()).equals(Buffer.alloc(1 + index, index))).toBe(true);
      }
    };
    await Promise.all([send(a), send(b), receive(a), receive(b)]);
    await a.write(Buffer.alloc(a.maxMessageBytes, 7));
    expect(await b.read()).toEqual(Buffer.alloc(a.maxMessageBytes, 7));
    await expect(a.write(Buffer.alloc(a.maxMessageBytes + 1))).rejects.toEqual(code('EMSGSIZE'));
    for (const flow of [a, b]) {
      expect(flow.drops).toEqual({ badCrc: 0, notOpened: 0, unread: 0, unwanted: 0, unacknowledged: 0 });
      expect(flow.frct).toMatchObject({ peerIsOurs: true, reliable: qos.loss === 0 });
    }
    expect(a.counters).toEqual({ messagesSent: count + 1, messagesReceived: count });
  });

  test('a sign of life is no message', async () => {
    const { a, b } = await flowPair({ qos });
    await a.write(Buffer.alloc(0));
    await a.write(Buffer.from('x'));
    expect(String(await b.read())).toBe('x');
  });

  test('the end comes behind all messages', async () => {
    const { a, b } = await flowPair({ qos });
    for (const message of ['1', '2', '3']) await a.write(Buffer.from(message));
    await a.close();
    const seen: string[] = [];
    for await (const message of b) seen.push(String(message));
    expect(seen).toEqual(['1', '2', '3']);
    await expect(b.read()).rejects.toEqual(code('EFLOWDOWN'));
  });
});

test('a flow without order has no FRCT', async () => {
  const { a } = await flowPair({ qos: { ...rawQos, loss: 0 } });
  expect(a.frct).toBeUndefined();
  expect(() => a.frctFlags).toThrow(code('EPERM') as Error);
  expect(() => (a.frctFlags = 6)).toThrow(code('EPERM') as Error);
  await expect(a.finish()).rejects.toEqual(code('ENOTSUP'));
});

describe('on the wire', () => {
  test('the PCI stands in front, and signs of life are empty', async () => {
    const { flow, packets } = await tapped();
    await flow.write(Buffer.from('hello'));
    await flow.write(Buffer.alloc(0));
    await until('both', () => packets.length === 2);
    // DATA and DRF, and the mark of ours, which a prototype does not look at.
    expect(texts(packets)).toEqual(['83 000000 7ffffff0 00000000 +5', expect.stringContaining('short')]);
    expect(packets[0]?.subarray(pciBytes).toString()).toBe('hello');
  });

  test('what is sent again is sealed again, with another IV, and has its CRC', async () => {
    const { flow, packets, inject } = await tapped({ qos: { ...dataQos, ber: 0 }, encryption });
    // A prototype that acknowledges the first of two messages: the round trip is known then, and its timeout short.
    await flow.write(Buffer.from('first'));
    await flow.write(Buffer.from('second'));
    await until('a retransmission', () => packets.length >= 3, 5000);
    const [first, , again] = packets;
    expect(again?.length).toBe(first?.length);
    expect(again?.equals(first ?? Buffer.alloc(0))).toBe(false);
    const [one, other] = [await tapped({ qos: { ...dataQos, ber: 0 }, encryption }), again];
    one.inject(other ?? Buffer.alloc(0));
    expect(String(await one.flow.read())).toBe('first');
    inject(Buffer.alloc(0));
  });

  test('acknowledgements of a prototype are understood', async () => {
    const { flow, inject } = await tapped();
    await flow.write(Buffer.from('x'));
    expect(flow.frct?.outstanding).toBe(1);
    inject(packetOf({ flags: 0x0c, window: 0x1000f1, ackno: 0x7fff_fff1 }));
    await flow.drain();
    expect(flow.frct).toMatchObject({ outstanding: 0, peerIsOurs: false });
    expect(flow.frct?.roundTripMs).toBeGreaterThan(0);
  });
});

describe('a flow with a CRC and a prototype that forgets it', () => {
  const qos = { ...dataQos, ber: 0 };
  const withCrc = (packet: Buffer): Buffer => {
    const whole = Buffer.concat([packet, Buffer.alloc(4)]);
    appendCrc(whole, 0, packet.length);
    return whole;
  };

  test('packets without data are believed', async () => {
    const { flow, inject } = await tapped({ qos });
    await flow.write(Buffer.from('x'));
    inject(packetOf({ flags: 0x0c, window: 0x1000f1, ackno: 0x7fff_fff1 }));
    await flow.drain();
    expect(flow.drops.badCrc).toBe(0);
  });

  test('so are retransmissions, near the window', async () => {
    const { flow, inject, packets } = await tapped({ qos });
    inject(withCrc(packetOf({ flags: 0x03, seqno: 10, payload: 'one' })));
    inject(packetOf({ flags: 0x01, seqno: 11, payload: 'two' }));
    expect(String(await flow.read())).toBe('one');
    expect(String(await flow.read())).toBe('two');
    // What was acknowledged already is acknowledged again.
    await until('an acknowledgement', () => packets.length > 0);
    const before = packets.length;
    inject(packetOf({ flags: 0x03, seqno: 10, payload: 'one' }));
    await until('another', () => packets.length > before);
    inject(packetOf({ flags: 0x01, seqno: 10_000, payload: 'far' }));
    await until('the drop', () => flow.drops.badCrc === 1);
  });

  test('nothing else is, and nothing of one of ours', async () => {
    const { flow, inject } = await tapped({ qos });
    inject(packetOf({ flags: 0x03, seqno: 10, payload: 'first of all' }));
    inject(packetOf({ flags: 0x2c }));
    inject(packetOf({ flags: 0x0c, payload: 'x' }));
    inject(Buffer.from('short'));
    await until('the drops', () => flow.drops.badCrc === 4);
    const ours = await tapped({ qos });
    ours.inject(withCrc(packetOf({ flags: 0x83, seqno: 10, payload: 'one' })));
    ours.inject(packetOf({ flags: 0x81, seqno: 11, payload: 'two' }));
    ours.inject(packetOf({ flags: 0x0c }));
    await until('the drops', () => ours.flow.drops.badCrc === 2);
    expect(String(await ours.flow.read())).toBe('one');
    expect(ours.flow.waiting).toBe(0);
  });

  test('on an encrypted flow the tag has to fit', async () => {
    const { flow, inject } = await tapped({ qos, encryption });
    inject(Buffer.alloc(40, 1));
    inject(packetOf({ flags: 0x0c }));
    await until('the drops', () => flow.drops.badCrc === 2);
  });
});

describe('back-pressure', () => {
  test('a slow reader loses nothing, its writer waits, and memory stays bounded', async () => {
    const { a, b } = await flowPair({ qos: dataQos });
    const count = 40_000;
    const message = Buffer.alloc(1000);
    let written = 0;
    const writer = (async () => {
      for (; written < count; written += 1) {
        message.writeUInt32BE(written, 0);
        await a.write(message);
      }
    })();
    let last = -1;
    await until('the writer to stand', async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const stands = written === last;
      last = written;
      return stands && written > 0;
    });
    expect(written).toBeLessThan(count);
    expect(b.waiting).toBeLessThanOrEqual(frctLimits.ours.window);
    for (let index = 0; index < count; index += 1) expect((await b.read()).readUInt32BE(0)).toBe(index);
    await writer;
    await a.drain();
    expect(a.frct?.outstanding).toBe(0);
  });

  test('a slow reader stalls nobody else', async () => {
    const [slow, other] = [await flowPair({ qos: dataQos }), await flowPair({ qos: dataQos })];
    await until('the slow one to be full', () => {
      while (slow.a.tryWrite(Buffer.alloc(9000)));
      return (slow.a.frct?.closedMs ?? 0) > 0;
    });
    for (let index = 0; index < 100; index += 1) {
      await other.a.write(Buffer.from([index]));
      expect((await other.b.read())[0]).toBe(index);
    }
  });

  test('a write that waits for the window ends by its timeout, and as a reset when it was closed for long', async () => {
    const { flow, inject } = await tapped();
    inject(packetOf({ flags: 0x03, seqno: 1, payload: 'x' }));
    await flow.read();
    let written = 0;
    while (flow.tryWrite(Buffer.from('y'))) written += 1;
    expect(written).toBe(frctLimits.windowInitial);
    await expect(flow.write(Buffer.from('y'), { timeout: 10 })).rejects.toEqual(code('ETIMEDOUT'));
    flow.writeTimeout = 10;
    await expect(flow.write(Buffer.from('y'))).rejects.toEqual(code('ETIMEDOUT'));
    await expect(flow.write(Buffer.from('y'), { timeout: 1100 })).rejects.toEqual(code('ECONNRESET'));
    await expect(flow.write(Buffer.from('y'), { signal: AbortSignal.abort() })).rejects.toEqual(
      code('ECANCELED'),
    );
    // The window opens, and the flow goes on.
    inject(packetOf({ flags: 0x0c, window: 0xfff0 + 300, ackno: 0x7fff_fff0 + written }));
    await flow.write(Buffer.from('z'), { timeout: 5000 });
  });

  test('without resource control the window holds nothing back', async () => {
    const { flow, inject } = await tapped();
    inject(packetOf({ flags: 0x03, seqno: 1, payload: 'x' }));
    await flow.read();
    while (flow.tryWrite(Buffer.from('y')));
    const write = flow.write(Buffer.from('y'), { timeout: 5000 });
    expect(flow.frctFlags).toBe(frctFlag.retransmit | frctFlag.resourceControl | frctFlag.linger);
    flow.frctFlags = frctFlag.linger;
    expect(flow.frctFlags).toBe(frctFlag.retransmit | frctFlag.linger);
    await write;
    expect(flow.frct?.outstanding).toBeGreaterThan(frctLimits.windowInitial);
  });
});

describe('the end', () => {
  test('finish tells it, and reading goes on', async () => {
    const { a, b } = await flowPair({ qos: dataQos });
    await a.write(Buffer.from('question'));
    await a.finish();
    await a.finish();
    await expect(a.write(Buffer.from('x'))).rejects.toEqual(code('EPIPE'));
    const seen: string[] = [];
    for await (const message of b) seen.push(String(message));
    expect(seen).toEqual(['question']);
    expect(b.released).toBe(false);
    await b.write(Buffer.from('answer'));
    expect(String(await a.read())).toBe('answer');
    await Promise.all([a.close(), b.close()]);
  });

  test('finish ends writes that wait', async () => {
    const { flow } = await tapped();
    while (flow.tryWrite(Buffer.from('y')));
    const write = expect(flow.write(Buffer.from('y'))).rejects.toEqual(code('EPIPE'));
    const finished = expect(flow.finish()).rejects.toEqual(code('ENOTALLOC'));
    await write;
    flow.abort();
    await finished;
  });

  test('a set is told of the end, then of the release', async () => {
    const { a, b } = await flowPair({ qos: dataQos });
    using set = new FlowSet();
    set.add(b);
    await a.close();
    const seen: string[] = [];
    while (!seen.includes('dealloc')) seen.push(...(await set.wait()).map(({ type }) => type));
    expect(seen).toEqual(['end', 'dealloc']);
  });

  test('close waits until all is acknowledged, and reads are over meanwhile', async () => {
    const { flow, inject, packets } = await tapped();
    await flow.write(Buffer.from('x'));
    const read = expect(flow.read()).rejects.toEqual(code('ENOTALLOC'));
    let closed = false;
    const closing = flow.close().then(() => (closed = true));
    await read;
    await until('the message', () => packets.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(closed).toBe(false);
    inject(packetOf({ flags: 0x0c, window: 0x1000f1, ackno: 0x7fff_fff1 }));
    await closing;
    expect(flow.drops.unacknowledged).toBe(0);
  });

  test.each([
    ['its timeout', { timeout: 20 }],
    ['its signal', { signal: AbortSignal.timeout(20) }],
  ])('close ends by %s, and counts what was given up', async (_how, options) => {
    const { flow } = await tapped();
    await flow.write(Buffer.from('x'));
    await flow.write(Buffer.from('y'));
    await flow.close(options);
    expect(flow.drops.unacknowledged).toBe(2);
  });

  test('without linger close does not wait', async () => {
    const { flow, packets } = await tapped();
    flow.frctFlags = frctFlag.resourceControl;
    await flow.write(Buffer.from('x'));
    await flow.close();
    expect(flow.drops.unacknowledged).toBe(1);
    await until('the message', () => packets.length > 0);
  });

  test('a release of the other end is the end, whatever is outstanding', async () => {
    const { a, b } = await flowPair({ qos: dataQos });
    await a.write(Buffer.from('x'));
    b.abort();
    await expect(a.read()).rejects.toEqual(code('EFLOWDOWN'));
    await expect(a.write(Buffer.from('x'))).rejects.toEqual(code('EFLOWDOWN'));
    await a.close();
    expect(a.drops.unacknowledged).toBeLessThanOrEqual(1);
  });

  test('both at once', async () => {
    const { a, b } = await flowPair({ qos: dataQos });
    for (const flow of [a, b]) await flow.write(Buffer.from('unread'));
    await Promise.all([a.close(), b.close()]);
  });

  test('a last word answers a prototype whose acknowledgement was lost', async () => {
    const { flow, inject, packets, lastWords } = await tapped();
    inject(packetOf({ flags: 0x03, seqno: 77, payload: 'x' }));
    await flow.read();
    await flow.close();
    await until('the last word', () => lastWords.length === 1);
    const [word] = lastWords;
    const ms = word?.readUInt32BE(0) ?? 0;
    expect(ms).toBeGreaterThan(130_000);
    expect(ms).toBeLessThanOrEqual(131_000);
    // Nothing was sent: DRF and the number that data would begin with come along (end-to-end.md 9.1).
    expect(textOf(word?.subarray(lastWordHeaderBytes) ?? Buffer.alloc(0))).toBe(
      '0e 00014e 7ffffff0 0000004e',
    );
    expect(texts(packets).at(-1)).toBe('0e 00014e 7ffffff0 0000004e');
  });

  test('one of ours needs it for a moment only, and who never spoke not at all', async () => {
    const { flow, inject, lastWords, packets } = await tapped({ encryption });
    const other = new FrctEnd();
    const { flow: sealer, packets: sealed } = await tapped({ encryption });
    await sealer.write(Buffer.from('x'));
    await until('a packet', () => sealed.length > 0);
    inject(sealed[0] ?? Buffer.alloc(0));
    await flow.read();
    const closing = flow.close({ timeout: 50 });
    await closing;
    await until('what was sent', () => packets.length > 0);
    expect(lastWords).toEqual([]);
    const alone = await tapped();
    await alone.flow.close();
    expect(alone.lastWords).toEqual([]);
    expect(other.packets()).toEqual([]);
  });
});

describe('a flow that nobody answers', () => {
  test('is down when the engine gives up; what came is still read', async () => {
    const { flow, inject } = await tapped({
      frctLimits: { ...frctLimits, retransmitMs: 40, rtoInitialMs: 10 },
    });
    using set = new FlowSet();
    inject(packetOf({ flags: 0x03, seqno: 1, payload: 'kept' }));
    await until('the message', () => flow.waiting === 1);
    set.add(flow);
    await flow.write(Buffer.from('x'));
    const drained = expect(flow.drain()).rejects.toEqual(code('EFLOWDOWN'));
    await drained;
    expect(String(await flow.read())).toBe('kept');
    await expect(flow.read()).rejects.toEqual(code('EFLOWDOWN'));
    await expect(flow.write(Buffer.from('x'))).rejects.toEqual(code('EFLOWDOWN'));
    expect((await set.wait()).map(({ type }) => type)).toContain('down');
  });

  test('a silent peer ends close', async () => {
    const { flow, end } = await tapped();
    await flow.write(Buffer.from('x'));
    const closing = flow.close();
    end.advance(monotonicNow() + dataQos.timeout);
    await closing;
    expect(flow.drops.unacknowledged).toBe(1);
  });
});

test('a process that was held up does not take for lost what lies in its socket', async () => {
  const { flow, end, inject, packets } = await tapped();
  await flow.write(Buffer.from('x'));
  await until('the message', () => packets.length === 1);
  inject(packetOf({ flags: 0x0c, window: 0x1000f1, ackno: 0x7fff_fff1 }));
  // The acknowledgement is there, and its timeout is over, before this end looks.
  end.advance(monotonicNow() + 2000);
  expect(flow.frct).toMatchObject({ outstanding: 0, counters: { retransmissions: 0, timeouts: 0 } });
});

test('a full socket holds FRCT back, and it goes on when there is room', async () => {
  const { a, b } = await flowPair({ qos: dataQos });
  const message = Buffer.alloc(9000);
  let sum = 0;
  const reading = (async () => {
    while (sum < 3000) sum += (await b.read()).length / 9000;
  })();
  for (let index = 0; index < 3000; index += 1) await a.write(message);
  await a.drain();
  await reading;
});

describe('reading through outages', () => {
  test('goes on when the device is up again, by call and by iteration', async () => {
    const { a, b } = await flowPair({ qos: dataQos });
    const heard: string[] = [];
    const all = (async () => {
      for await (const message of b) heard.push(String(message));
    })();
    await a.write(Buffer.from('before'));
    await until('the first', () => heard.length === 1);
    a.flags = flowFlag.default | flowFlag.down;
    await until('the outage', () => !b.up);
    a.flags = flowFlag.default;
    await until('its end', () => b.up);
    await a.write(Buffer.from('after'));
    await until('the second', () => heard.length === 2);
    expect(heard).toEqual(['before', 'after']);
    await a.close();
    await all;
  });

  test('ends when the other end sends nothing more, and holds nobody up', async () => {
    const { a, b } = await flowPair({ qos: dataQos });
    await a.write(Buffer.from('last'));
    const reading = b.readThroughOutages();
    expect(String(await reading)).toBe('last');
    const more = b.readThroughOutages();
    const failed = expect(more).rejects.toEqual(code('EFLOWDOWN'));
    await a.finish();
    await failed;
    // This end may still write.
    expect([b.up, b.peerFinished]).toEqual([true, true]);
    await expect(b.readThroughOutages()).rejects.toEqual(code('EFLOWDOWN'));
  });
});
