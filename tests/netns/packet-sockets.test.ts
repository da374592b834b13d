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
const ringProgram = fileURLToPath(new URL('../support/ring-program.ts', import.meta.url));
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

/** What a program tells of frames that it took. */
interface Told {
  readonly numbers: number[];
  readonly lost: number;
  readonly room: number;
  readonly mostRoom: number;
}

test('a socket that loses many frames has room for more of them, until few come; what it loses is counted', async () => {
  await using pair = await NamespacePair.make();
  await pair.a.run('ip', 'link', 'add', 'x', 'type', 'veth', 'peer', 'name', 'y');
  for (const name of ['x', 'y']) await pair.a.run('ip', 'link', 'set', name, 'up');
  // Too many, as many as twice the room takes, one to see that nothing waits, and far more than there may ever be room for.
  const bursts = [3000, 2000, 1, ...Array.from({ length: 8 }, () => 20_000), 3000];
  const words = [ringProgram, 'bursts', 'x', 'y', ...bursts.map(String)];
  const program = new Running(...pair.a.launch(process.execPath, words));
  expect(await program.finished).toMatchObject({ status: 0, stderr: '' });
  const told = JSON.parse(program.stdout) as Told[];
  const counts = told.map(({ numbers }) => numbers.length);
  for (const turn of [0, 1]) {
    const [first = 0, second, third] = counts.slice(turn * bursts.length);
    expect(first).toBeGreaterThanOrEqual(1024);
    expect(first).toBeLessThan(3000);
    expect([second, third, counts[(turn + 1) * bursts.length - 1]]).toEqual([2000, 1, 3000]);
  }
  // In order, none twice, and all others are counted.
  const numbers = told.flatMap((each) => each.numbers);
  expect(numbers).toEqual([...new Set(numbers)].toSorted((one, other) => one - other));
  const sent = 2 * bursts.reduce((sum, burst) => sum + burst, 0);
  expect(numbers.length + (told.at(-1)?.lost ?? 0)).toBe(sent);
  // 8 MiB of memory, and no more.
  const most = told.at(-1)?.mostRoom;
  expect(most).toBeGreaterThan(4000);
  expect(most).toBeLessThan(5000);
  expect(told.at(-1)?.room).toBeLessThan(1100);
});

test('what two endpoints both got while one took over is handed on once, by the later one', async () => {
  await using pair = await NamespacePair.make();
  await pair.a.run('ip', 'link', 'add', 'x', 'type', 'veth', 'peer', 'name', 'y');
  for (const name of ['x', 'y']) await pair.a.run('ip', 'link', 'set', name, 'up');
  const told = JSON.parse(
    await pair.a.run(process.execPath, ringProgram, 'takeover', 'x', 'y', '200'),
  ) as unknown;
  const from = (first: number, count: number): number[] =>
    Array.from({ length: count }, (_, at) => first + at);
  expect(told).toEqual([from(0, 200), from(200, 400)]);
});

test('frames that arrive while there comes to be more room stay in order, and none comes twice', async () => {
  await using pair = await NamespacePair.make();
  await pair.a.run('ip', 'link', 'add', 'x', 'type', 'veth', 'peer', 'name', 'y');
  for (const name of ['x', 'y']) await pair.a.run('ip', 'link', 'set', name, 'up');
  const sent = 400_000;
  const taker = new Running(...pair.a.launch(process.execPath, [ringProgram, 'take', 'y']));
  try {
    await until('the program', () => taker.stdout === 'ready\n', deadlineMs);
    await pair.a.run(process.execPath, ringProgram, 'send', 'x', String(sent));
    taker.child.stdin?.end();
    const { stdout } = await taker.finished;
    const { numbers, lost, mostRoom } = JSON.parse(stdout.slice('ready\n'.length)) as Told;
    expect(mostRoom).toBeGreaterThan(1500);
    for (const [index, number] of numbers.entries()) {
      if (index > 0) expect(number).toBeGreaterThan(numbers[index - 1] ?? Number.NaN);
    }
    // What came while two sockets took it may be counted as lost by the one that had no room.
    expect(numbers.length + lost).toBeGreaterThanOrEqual(sent);
  } finally {
    await taker.kill();
  }
});

const packets = new PacketPool(addressOf);

function sendFrame(device: RelayedDevice, bytes: Buffer): void {
  const packet = packets.take(bytes.length);
  packet.append(bytes, 0, bytes.length);
  device.send(packet);
  packets.reset();
}
