import { getEventListeners, once } from 'node:events';
import { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { flowOver, maxPacketBytes } from '../../../tests/support/flow-pair.ts';
import { connectedPair, quietStream } from '../../../tests/support/stream-pair.ts';
import { until } from '../../../tests/support/until.ts';
import { frameHeaderBytes, frameKind, frameRoomBytes, FrameWriter } from '../../lib/flow/framing.ts';
import type { Flow } from '../../lib/index.ts';
import { addressOf } from '../../lib/os/libc.ts';
import type { UnixStream } from '../../lib/os/unix-socket.ts';
import { DeadlineTimer } from '../../lib/time/timer.ts';
import { Exchange } from './exchange.ts';
import { LossyStream } from './lossy-stream.ts';

/** A flow, and the socket that is the node to it. */
async function played(): Promise<{ flow: Flow; node: UnixStream; limit: (bytes: number) => Promise<void> }> {
  const timer = new DeadlineTimer();
  const [own, other] = await connectedPair();
  const { flow } = flowOver(own, timer);
  const node = quietStream(other);
  onTestFinished(() => {
    node[Symbol.dispose]();
    timer.close();
  });
  const writer = new FrameWriter(1000);
  const limit = async (bytes: number): Promise<void> => {
    const content = Buffer.alloc(4);
    content.writeUInt32BE(bytes);
    writer.push(frameKind.limit, content);
    writer.flush(node);
    await until('the limit to be known', () => flow.maxMessageBytes === bytes);
  };
  return { flow, node, limit };
}

/** Lengths of the messages that come, until they are so many bytes. */
async function lengths(node: UnixStream, bytes: number): Promise<number[]> {
  const memory = Buffer.alloc(65_536);
  const found: number[] = [];
  let rest = Buffer.alloc(0);
  let left = bytes;
  await until('all bytes to come', () => {
    const count = node.read(addressOf(memory), memory.length);
    if (count > 0) rest = Buffer.concat([rest, memory.subarray(0, count)]);
    while (rest.length >= frameHeaderBytes) {
      const header = rest.readUInt32BE();
      const length = header & 0xff_ffff;
      if (rest.length < frameHeaderBytes + length) break;
      const message = length - (header >>> 24 === frameKind.roomyPacket ? frameRoomBytes : 0);
      found.push(message);
      left -= message;
      rest = rest.subarray(frameHeaderBytes + length);
    }
    return left <= 0;
  });
  return found;
}

test('a message that was cut for more than the layer carries by now is cut again', async () => {
  const { flow, node, limit } = await played();
  const stream = new LossyStream(flow);
  const bytes = 500 * maxPacketBytes;
  // More than goes before the node reads.
  const written = new Promise((resolve) => stream.write(Buffer.alloc(bytes), resolve));
  await limit(1400);
  const found = await lengths(node, bytes);
  expect((await written) ?? undefined).toBeUndefined();
  expect(found[0]).toBe(maxPacketBytes);
  expect(found.at(-2)).toBe(1400);
  stream.destroy();
});

test('a layer that carries nothing of the flow fails the stream', async () => {
  const { flow, limit } = await played();
  const stream = new LossyStream(flow);
  await limit(0);
  stream.write('x');
  const [error] = (await once(stream, 'error')) as [Error];
  expect(error).toMatchObject({ code: 'EMSGSIZE' });
});

test('an exchange that has ended leaves the signal alone', async () => {
  const { flow, node } = await played();
  const { signal } = new AbortController();
  const sink = { write: () => Promise.resolve(), end: () => {} };
  const exchange = new Exchange({
    flow,
    source: Readable.from([Buffer.from('x')]),
    sink,
    interactive: false,
  });
  const running = exchange.run(signal);
  expect(getEventListeners(signal, 'abort').length).toBe(1);
  node[Symbol.dispose]();
  await running.catch(() => {});
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
