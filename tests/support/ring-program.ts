/**
 * Numbered frames, sent and taken at interfaces of a namespace.
 *
 *     ring-program.ts bursts FROM TO FRAMES...
 *     ring-program.ts take INTERFACE
 *     ring-program.ts send INTERFACE FRAMES
 *     ring-program.ts takeover FROM TO FRAMES
 *
 * `bursts` sends that many at a time, and takes them after each; then waits until no more frames may wait than at first, and does it once again.
 * It tells, in a line of JSON, of each burst which numbers came, what was counted as lost until then, how many may wait now, and how many could at most.
 * `takeover` sends that many to one endpoint, as many to it and its successor, and as many to the successor alone; it tells which each handed on.
 * `take` says `ready`, is slow to take the first, and tells the same once its input ends.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { lookUpInterface } from '../../runtime/lib/os/interfaces.ts';
import { addressOf } from '../../runtime/lib/os/libc.ts';
import { Endpoint, PacketSocket } from '../../runtime/lib/os/packet-socket.ts';
import { type Packet, PacketPool } from '../../runtime/lib/wire/packet.ts';

const type = 0x88b5;
const headerBytes = 14;
const lookMs = 20;
const slowMs = 50;
const deadlineMs = 60_000;
const packets = new PacketPool(addressOf);
const [mode, name = '', ...words] = process.argv.slice(2);
let sent = 0;

function send(out: PacketSocket, frames: number): void {
  for (let count = 0; count < frames; count += 1) {
    const frame = Buffer.alloc(60, 0xff);
    frame.writeUInt16BE(type, headerBytes - 2);
    frame.writeUInt32BE(sent++, headerBytes);
    const packet = packets.take(frame.length);
    packet.append(frame, 0, frame.length);
    out.send(packet);
  }
  out.flush();
  packets.reset();
}

interface Told {
  readonly numbers: number[];
  readonly lost: number;
  readonly room: number;
  readonly mostRoom: number;
}

class Taker {
  readonly socket: PacketSocket;
  #numbers: number[] = [];
  #all = 0;
  #mostRoom = 0;

  /** @param byItself whether it takes frames as they come. */
  constructor(from: string, byItself: boolean) {
    this.socket = new PacketSocket(from, type, () => {
      if (!byItself) return;
      if (this.#numbers.length === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, slowMs);
      this.take();
    });
  }

  take(): void {
    let count;
    do {
      count = this.socket.receive((frame) => {
        this.#numbers.push(frame.bytes().readUInt32BE(headerBytes));
        // As ipcpd does, which writes headers of its own where a frame lies.
        frame.bytes().fill(0x5a);
      });
      this.socket.release();
      this.#all += count;
      this.#mostRoom = Math.max(this.#mostRoom, this.socket.room);
    } while (count === PacketSocket.batch);
  }

  get accounted(): number {
    return this.#all + this.socket.losses.droppedQueueFull;
  }

  tell(): Told {
    this.take();
    const numbers = this.#numbers;
    this.#numbers = [];
    const { room, losses } = this.socket;
    return { numbers, lost: losses.droppedQueueFull, room, mostRoom: this.#mostRoom };
  }
}

/** The kernel may hand frames on later than it takes them. */
async function allAccounted(taker: Taker): Promise<void> {
  for (const end = performance.now() + deadlineMs; performance.now() < end; await delay(1)) {
    taker.take();
    if (taker.accounted >= sent) return;
  }
}

if (mode === 'send') {
  using out = new PacketSocket(name, type, () => {});
  for (let left = Number(words[0]); left > 0; left -= 64) send(out, Math.min(left, 64));
} else if (mode === 'takeover') {
  const [to = '', frames = ''] = words;
  using out = new PacketSocket(name, type, () => {});
  // The oldest socket gets a frame last.
  const witness = new Taker(to, false);
  using _socket = witness.socket;
  const device = lookUpInterface(to);
  using former = new Endpoint(device, 1024, false);
  former.bind(type, device.index, () => {});
  const sendSome = async (): Promise<void> => {
    send(out, Number(frames));
    await allAccounted(witness);
  };
  await sendSome();
  using next = new Endpoint(device, 1024, false);
  next.bind(type, device.index, () => {});
  await sendSome();
  former.stop();
  await sendSome();
  const told = [former, next].map(({ ring }) => {
    const numbers: number[] = [];
    const onFrame = (frame: Packet): void => {
      numbers.push(frame.bytes().readUInt32BE(headerBytes));
      frame.bytes().fill(0x5a);
    };
    ring.receive(Number.POSITIVE_INFINITY, onFrame, () => {}, ring === former.ring ? next.ring : undefined);
    return numbers;
  });
  console.log(JSON.stringify(told));
} else if (mode === 'take') {
  const taker = new Taker(name, true);
  process.stdin
    .on('end', () => process.stdout.write(`${JSON.stringify(taker.tell())}\n`, () => process.exit()))
    .resume();
  process.stdout.write('ready\n');
} else {
  const [to = '', ...bursts] = words;
  using out = new PacketSocket(name, type, () => {});
  const taker = new Taker(to, false);
  using into = taker.socket;
  const first = into.room;
  const told: Told[] = [];
  for (let turn = 0; turn < 2; turn += 1) {
    for (const burst of bursts) {
      send(out, Number(burst));
      await allAccounted(taker);
      told.push(taker.tell());
    }
    for (const end = performance.now() + deadlineMs; into.room > first && performance.now() < end;)
      await delay(lookMs);
  }
  told.push(taker.tell());
  console.log(JSON.stringify(told));
}
