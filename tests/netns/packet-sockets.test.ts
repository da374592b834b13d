/** What the kernel does to packet sockets: interfaces that go down, and tags that it holds beside a frame. */
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, test } from 'vitest';
import { addressOf } from '../../runtime/lib/os/libc.ts';
import { PacketPool } from '../../runtime/lib/wire/packet.ts';
import { Running } from '../support/command.ts';
import { NamespacePair, namespacesMissing } from '../support/namespaces.ts';
import { RelayedDevice } from '../support/relayed-device.ts';
import { until } from '../support/until.ts';

/** ETH_P_ALL: frames of every type. */
const everyType = 3;
const deadlineMs = 60_000;
const wakesProgram = fileURLToPath(new URL('../support/wakes-program.ts', import.meta.url));
const missing = namespacesMissing();

beforeEach(({ skip }) => skip(missing !== undefined, missing));

test('an interface that is set down is told once, and brings frames again once it is up', async () => {
  await using pair = await NamespacePair.make();
  const program = new Running(...pair.b.launch(process.execPath, [wakesProgram, 'eth0']));
  try {
    await until('the program', () => program.stdout.includes('ready\n'), deadlineMs);
    const count = async (): Promise<{ wakes: number; frames: number }> => {
      const told = program.stdout.length;
      program.child.stdin?.write('\n');
      await until('an answer', () => program.stdout.slice(told).includes('\n'), deadlineMs);
      return JSON.parse(program.stdout.slice(told)) as { wakes: number; frames: number };
    };
    await pair.b.run('ip', 'link', 'set', 'eth0', 'down');
    const down = await count();
    await pair.b.run('ip', 'link', 'set', 'eth0', 'up');
    const device = await RelayedDevice.open(pair.a, 'eth0', everyType, () => {});
    try {
      await until(
        'a frame',
        async () => {
          sendFrame(device, Buffer.alloc(60, 0xff));
          return (await count()).frames > down.frames;
        },
        deadlineMs,
      );
    } finally {
      await device[Symbol.asyncDispose]();
    }
    const { wakes, frames } = await count();
    // A frame may come in the turn of the one before it. Without a frame there are few reasons to wake.
    expect(wakes - frames).toBeLessThan(10);
  } finally {
    await program.kill();
  }
});

test('a frame has its tags, also where the kernel holds one beside it', async () => {
  await using pair = await NamespacePair.make();
  const got: string[] = [];
  const to = await RelayedDevice.open(pair.b, 'eth0', everyType, (frame) => {
    got.push(frame.bytes().toString('hex'));
  });
  const from = await RelayedDevice.open(pair.a, 'eth0', everyType, () => {});
  try {
    const tagged = (tags: string, bytes: number): Buffer => {
      const header = Buffer.from(`ffffffffffff${from.mac.toString('hex')}${tags}88b5`, 'hex');
      return Buffer.concat([header, Buffer.alloc(bytes, 0x5a)]);
    };
    // Of a service tag the kernel asks that it counts for the MTU where the frame is sent.
    const frames = [tagged('', 1500), tagged('8100a005', 1500), tagged('88a800068100e007', 1492)];
    for (const frame of frames) {
      sendFrame(from, frame);
      await until('the frame', () => got.includes(frame.toString('hex')), deadlineMs);
    }
  } finally {
    await to[Symbol.asyncDispose]();
    await from[Symbol.asyncDispose]();
  }
});

const packets = new PacketPool(addressOf);

function sendFrame(device: RelayedDevice, bytes: Buffer): void {
  const packet = packets.take(bytes.length);
  packet.append(bytes, 0, bytes.length);
  device.send(packet);
  packets.reset();
}
