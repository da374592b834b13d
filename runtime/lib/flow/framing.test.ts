import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connectedPair, quietStream } from '../../../tests/support/stream-pair.ts';
import { StreamBuffer, type UnixStream } from '../os/unix-socket.ts';
import { Packet } from '../wire/packet.ts';
import { FrameReader, frameKind, FrameWriter, streamEnded, streamWouldBlock } from './framing.ts';

interface Frame {
  readonly kind: number;
  readonly text: string;
}

async function streams(): Promise<readonly [UnixStream, UnixStream]> {
  const [a, b] = await connectedPair();
  const pair = [quietStream(a), quietStream(b)] as const;
  onTestFinished(() => {
    for (const stream of pair) stream[Symbol.dispose]();
  });
  return pair;
}

/** Reads until nothing is left; what `fill` said last. */
function drain(reader: FrameReader, stream: UnixStream, frames: Frame[]): number {
  for (;;) {
    const count = reader.fill(stream, (kind, { memory }, start, end) => {
      frames.push({ kind, text: memory.toString('latin1', start, end) });
    });
    if (count < 0) return count;
  }
}

function sendRaw(stream: UnixStream, bytes: Uint8Array): void {
  const buffer = new StreamBuffer(Math.max(1, bytes.length));
  buffer.memory.set(bytes);
  let at = 0;
  while (at < bytes.length) {
    const count = stream.write(buffer.address + at, bytes.length - at);
    if (count < 0) throw new Error('the socket is full');
    at += count;
  }
}

describe.each([true, false])('frames, handed over: %s', (handsOver) => {
  test('in bulk are read in large pieces, the first ones in small', async () => {
    const [from, to] = await streams();
    const reader = new FrameReader(1000, handsOver);
    const writer = new FrameWriter(1 << 20);
    const reads: number[] = [];
    let frames = 0;
    for (let round = 0; round < 20; round += 1) {
      for (let count = 0; count < 64; count += 1) writer.push(0, Buffer.alloc(996));
      expect(writer.flush(from)).toBe(0);
      let count = 0;
      while ((count = reader.fill(to, () => (frames += 1))) > 0) reads.push(count);
    }
    expect(frames).toBe(20 * 64);
    expect(reads[0]).toBeLessThanOrEqual(4096);
    expect(Math.max(...reads.slice(8))).toBeGreaterThan(32 * 1024);
    expect(Math.max(...reads)).toBeLessThanOrEqual(64 * 1024);
  });

  test('come out as they went in, whatever their sizes and however they are cut', async () => {
    const [from, to] = await streams();
    const size = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(0, 1, 65_532, 65_536, 100_000));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(0, 1, 255), size), { maxLength: 12 }),
        async (sizes) => {
          const reader = new FrameReader(100_000, handsOver);
          const writer = new FrameWriter(64 * 1024);
          const sent: Frame[] = [];
          const received: Frame[] = [];
          for (const [index, [kind, bytes]] of sizes.entries()) {
            const text = String.fromCharCode(33 + (index % 90)).repeat(bytes);
            sent.push({ kind, text });
            while (!writer.push(kind, Buffer.from(text, 'latin1'))) {
              writer.flush(from);
              drain(reader, to, received);
            }
          }
          while (writer.flush(from) === streamWouldBlock) drain(reader, to, received);
          expect(drain(reader, to, received)).toBe(streamWouldBlock);
          expect(received).toEqual(sent);
          expect(writer.pending).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('are told only when complete, byte by byte', async () => {
    const [from, to] = await streams();
    const reader = new FrameReader(10, handsOver);
    const frames: Frame[] = [];
    const bytes = Buffer.from('00000003616263' + '01000000', 'hex');
    for (const [index, byte] of bytes.entries()) {
      expect(frames).toHaveLength(index < 7 ? 0 : 1);
      sendRaw(from, Buffer.of(byte));
      drain(reader, to, frames);
    }
    expect(frames).toEqual([
      { kind: frameKind.packet, text: 'abc' },
      { kind: frameKind.hello, text: '' },
    ]);
  });

  test('that are too long end the stream', async () => {
    const [from, to] = await streams();
    const reader = new FrameReader(10, handsOver);
    sendRaw(from, Buffer.from('0000000b', 'hex'));
    expect(drain(reader, to, [])).toBe(streamEnded);
  });

  test('random bytes are frames or the end, never more than was sent', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        const [a, b] = await connectedPair();
        using from = quietStream(a);
        using to = quietStream(b);
        const frames: Frame[] = [];
        sendRaw(from, bytes);
        from[Symbol.dispose]();
        expect(drain(new FrameReader(64, handsOver), to, frames)).toBe(streamEnded);
        const taken = frames.reduce((sum, { text }) => sum + 4 + text.length, 0);
        expect(taken).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 100 },
    );
  });
});

test('frames that are handed over stay as they were', async () => {
  const [from, to] = await streams();
  const reader = new FrameReader(1000, true);
  const writer = new FrameWriter(1 << 20);
  const kept: Buffer[] = [];
  for (let round = 0; round < 500; round += 1) {
    writer.push(frameKind.packet, Buffer.alloc(997, round));
    writer.flush(from);
    reader.fill(to, (_kind, { memory }, start, end) => kept.push(memory.subarray(start, end)));
  }
  expect(kept).toHaveLength(500);
  for (const [round, bytes] of kept.entries()) expect(bytes.equals(Buffer.alloc(997, round))).toBe(true);
});

test('a writer takes no more than it may hold, except one frame', () => {
  const writer = new FrameWriter(64 * 1024);
  expect(writer.push(frameKind.packet, Buffer.alloc(500_000))).toBe(true);
  expect(writer.push(frameKind.packet, Buffer.alloc(1))).toBe(false);
  expect(writer.pending).toBe(500_004);
});

test('a packet is written from where it lies', async () => {
  const [from, to] = await streams();
  const packet = new Packet(Buffer.from('..abc..'), 0);
  packet.start = 2;
  packet.end = 5;
  const writer = new FrameWriter(1000);
  writer.pushPacket(packet);
  expect(writer.flush(from)).toBe(0);
  const frames: Frame[] = [];
  drain(new FrameReader(10, true), to, frames);
  expect(frames).toEqual([{ kind: frameKind.packet, text: 'abc' }]);
});

test('a stream nobody reads from any more is told', async () => {
  const [from, to] = await streams();
  to[Symbol.dispose]();
  const writer = new FrameWriter(1000);
  writer.push(frameKind.packet, Buffer.alloc(1));
  expect(writer.flush(from)).toBe(streamEnded);
});

test('a packet with room in front is a packet like any other, and the room is its own', async () => {
  const [from, to] = await streams();
  const writer = new FrameWriter(1 << 20);
  for (const text of ['first', '', 'third']) writer.push(frameKind.roomyPacket, Buffer.from(text));
  writer.push(frameKind.packet, Buffer.from('plain'));
  writer.flush(from);
  const seen: unknown[] = [];
  new FrameReader(5, false).fill(to, (kind, { memory }, start, end, room) => {
    // Whoever writes there must not reach the frame before.
    memory.fill(0xff, start - room, start);
    seen.push([kind, memory.toString('latin1', start, end), room]);
  });
  expect(seen).toEqual([
    [frameKind.packet, 'first', 64],
    [frameKind.packet, '', 64],
    [frameKind.packet, 'third', 64],
    [frameKind.packet, 'plain', 4],
  ]);
});

test('room that is not there ends the stream', async () => {
  const [from, to] = await streams();
  sendRaw(from, Buffer.from('0300003b', 'hex'));
  expect(drain(new FrameReader(1000, false), to, [])).toBe(streamEnded);
});

test('the rest of a frame that was cut by a full socket follows whole', async () => {
  const [from, to] = await streams();
  const frame = Buffer.from('00000005' + Buffer.from('abcde').toString('hex'), 'hex');
  sendRaw(from, frame.subarray(0, 6));
  const writer = new FrameWriter(1);
  writer.pushRest(frame.subarray(6));
  writer.pushRest(Buffer.alloc(0));
  expect(writer.pending).toBe(3);
  writer.flush(from);
  const frames: Frame[] = [];
  drain(new FrameReader(10, true), to, frames);
  expect(frames).toEqual([{ kind: frameKind.packet, text: 'abcde' }]);
});
