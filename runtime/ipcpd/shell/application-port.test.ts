import { expect, onTestFinished, test } from 'vitest';
import { connectedPair, quietStream } from '../../../tests/support/stream-pair.ts';
import { until } from '../../../tests/support/until.ts';
import { frameKind, FrameWriter } from '../../lib/flow/framing.ts';
import { addressOf } from '../../lib/os/libc.ts';
import { UnixStream } from '../../lib/os/unix-socket.ts';
import type { Packet } from '../../lib/wire/packet.ts';
import { ApplicationPort } from './application-port.ts';
import { Turn } from './turn.ts';

test('while the layer wants no more packets, what the application writes stays in its socket', async () => {
  const turn = new Turn(addressOf);
  const port = new ApplicationPort(turn, 2000, () => {});
  const written: string[] = [];
  port.flow = {
    headerBytes: 15,
    backlog: 0,
    write: (packet: Packet) => {
      written.push(packet.bytes().toString());
      if (written.length === 2) port.setPaused(true);
    },
    deallocate: () => {},
  };
  const [inside, outside] = await connectedPair();
  const stream = new UnixStream(
    inside,
    () => port.onReadable(),
    () => port.onWritable(),
  );
  port.attach(stream);
  turn.end();
  const application = quietStream(outside);
  onTestFinished(() => {
    port.close();
    application[Symbol.dispose]();
  });
  const say = (text: string): void => {
    const writer = new FrameWriter(1000);
    writer.push(frameKind.packet, Buffer.from(text));
    writer.flush(application);
  };
  say('one');
  await until('the first', () => written.length === 1);
  say('two');
  await until('the second', () => written.length === 2);
  expect(stream.watchesReadable).toBe(false);
  say('three');
  port.setPaused(false);
  turn.end();
  await until('the third', () => written.length === 3);
  expect(written).toEqual(['one', 'two', 'three']);
});
