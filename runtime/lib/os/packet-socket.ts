/** A packet socket (AF_PACKET) on one interface and one Ethernet type, with batched receive and send. */
import { type NetworkInterface, lookUpInterface } from './interfaces.ts';
import { addressOf, check, lastErrno, libc, linux } from './libc.ts';
import { MessageBatch } from './message-batch.ts';
import { FdWatch } from './poll.ts';
import type { Packet } from '../wire/packet.ts';
import { PacketRing } from './packet-ring.ts';
import { askForQueue, SendQueueGauge } from './queues.ts';

/** Frames a system call takes. */
const batchFrames = 64;
/** Frames that may wait to be received at first: 2 MiB at an MTU of 1500. A node has a socket for each of its cables. */
const firstFrames = 1024;
/** How much more may wait after one in so many was lost, and bytes that are not exceeded by that. A larger ring fills more of the caches. */
const growth = 2;
const lossWorthwhile = 16;
const ringBytesMax = 8 * 1024 * 1024;
/** After so long in which fewer came than may wait at first, no more may, ms. */
const calmMs = 1000;
/** Send queue asked for, in bytes. */
const queueBytes = 8 * 1024 * 1024;
const ethernetHeaderBytes = 14;
/** Of an 802.1Q tag, which an MTU does not count. */
const tagBytes = 4;
/** A filter of one instruction that lets nothing pass: BPF_RET, 0 bytes. */
const nothingPasses = Buffer.from([0x06, 0, 0, 0, 0, 0, 0, 0]);

export interface PacketSocketCounters {
  framesReceived: number;
  framesSent: number;
  /** Frames the kernel would not take, for want of memory or because the link is down. */
  sendFailed: number;
  /** Frames that were longer than the interface's MTU when it was opened. */
  droppedTruncated: number;
}

/** A socket of the kernel with its receive ring. */
export class Endpoint implements Disposable {
  readonly fd: number;
  readonly ring: PacketRing;
  readonly gauge: SendQueueGauge;
  readonly #subject: string;
  #watch: FdWatch | undefined;
  #dropped = 0;

  /** It gets nothing yet. */
  constructor({ name, mtu }: NetworkInterface, frames: number, outgoing: boolean) {
    this.#subject = `interface ${name}`;
    const type = linux.SOCK_RAW | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;
    // Protocol 0 until bound: otherwise frames of all interfaces come in between.
    this.fd = check(libc.socket(linux.AF_PACKET, type, 0) as number, 'socket', this.#subject);
    try {
      askForQueue(this.fd, 'send', queueBytes);
      this.gauge = new SendQueueGauge(this.fd);
      if (!outgoing) this.#setOption(linux.SOL_PACKET, linux.PACKET_IGNORE_OUTGOING, word(1));
      this.ring = new PacketRing(this.fd, frames, mtu + ethernetHeaderBytes + tagBytes, this.#subject);
    } catch (error) {
      libc.close(this.fd);
      throw error;
    }
  }

  bind(ethertype: number, interfaceIndex: number, onReadable: () => void): void {
    const address = Buffer.alloc(20);
    address.writeUInt16LE(linux.AF_PACKET, 0);
    address.writeUInt16BE(ethertype, 2);
    address.writeInt32LE(interfaceIndex, 4);
    check(libc.bind(this.fd, address, address.length) as number, 'bind', this.#subject);
    this.#watch = new FdWatch(this.fd, onReadable, undefined, this.#takeError);
    this.#watch.watch(true, false);
  }

  /** From now on it gets no more frames. */
  stop(): void {
    const program = Buffer.alloc(16);
    program.writeUInt16LE(1, 0);
    program.writeBigUInt64LE(BigInt(addressOf(nothingPasses)), 8);
    this.#setOption(linux.SOL_SOCKET, linux.SO_ATTACH_FILTER, program);
  }

  /** Frames that found the ring full. The kernel forgets the count when it has told it. */
  get dropped(): number {
    const statistics = Buffer.alloc(8);
    libc.getsockopt(this.fd, linux.SOL_PACKET, linux.PACKET_STATISTICS, statistics, word(statistics.length));
    this.#dropped += statistics.readUInt32LE(4);
    return this.#dropped;
  }

  /** Frames are taken from memory, which takes no error: that the interface was set down would be told for ever. */
  readonly #takeError = (): void => {
    libc.getsockopt(this.fd, linux.SOL_SOCKET, linux.SO_ERROR, word(0), word(4));
  };

  #setOption(level: number, option: number, value: Buffer): void {
    check(
      libc.setsockopt(this.fd, level, option, value, value.length) as number,
      'setsockopt',
      this.#subject,
    );
  }

  /** The frames it has handed on stay. */
  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
    libc.close(this.fd);
  }
}

function word(value: number): Buffer {
  const memory = Buffer.alloc(4);
  memory.writeInt32LE(value, 0);
  return memory;
}

export class PacketSocket implements Disposable {
  readonly interface: NetworkInterface;
  readonly counters: PacketSocketCounters = {
    framesReceived: 0,
    framesSent: 0,
    sendFailed: 0,
    droppedTruncated: 0,
  };
  readonly #ethertype: number;
  readonly #outgoing: boolean;
  readonly #onReadable: () => void;
  readonly #sendBatch = new MessageBatch(batchFrames);
  #endpoint: Endpoint;
  /** Its ring became too small, or need not be as large any more; what is in it is received first. */
  #former: Endpoint | undefined;
  /** Their last frames were handed on, and are not released yet. */
  readonly #drained: PacketRing[] = [];
  /** What the last frame was handed on from. */
  #source: PacketRing;
  #mayGrow: boolean;
  #calm: NodeJS.Timeout | undefined;
  #lookedAt = 0;
  #queued = 0;
  #lastAddress = 0;
  #lastBytes = 0;
  /** By endpoints that are no more. */
  #dropped = 0;
  /** When it was last asked whether this one loses much. */
  #receivedBefore = 0;
  #droppedBefore = 0;
  #closed = false;

  /**
   * Opens a socket.
   *
   * @param frames how many may wait to be received; by default few at first, and more after some were lost.
   * @param outgoing also takes frames that leave by the interface, whoever sends them.
   * @param onReadable frames wait: call `receive` until it returns fewer than asked for.
   * @throws KernelError with the name of the error, the call and the interface: ENODEV, EPERM without NET_RAW.
   */
  constructor(
    name: string,
    ethertype: number,
    onReadable: () => void,
    { frames, outgoing = false }: { frames?: number; outgoing?: boolean } = {},
  ) {
    this.interface = lookUpInterface(name);
    this.#ethertype = ethertype;
    this.#outgoing = outgoing;
    this.#onReadable = onReadable;
    this.#endpoint = new Endpoint(this.interface, frames ?? firstFrames, outgoing);
    this.#mayGrow = frames === undefined;
    this.#source = this.#endpoint.ring;
    try {
      this.#endpoint.bind(ethertype, this.interface.index, onReadable);
    } catch (error) {
      this.#endpoint[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Receives up to a batch of frames and hands each on; they are valid until `release`.
   *
   * @returns the number of frames, less than `PacketSocket.batch` when none is left.
   */
  receive(onFrame: (frame: Packet, slot: number) => void): number {
    // Whoever gets a frame may close the socket.
    if (this.#closed) return 0;
    let count = 0;
    const former = this.#former;
    if (former !== undefined) {
      count = this.#receiveFrom(former.ring, batchFrames, onFrame, this.#endpoint.ring);
      if (count === batchFrames || this.#closed) return count;
      this.#former = undefined;
      this.#dropped += former.dropped;
      former[Symbol.dispose]();
      this.#drained.push(former.ring);
    }
    const { ring } = this.#endpoint;
    count += this.#receiveFrom(ring, batchFrames - count, onFrame);
    if (ring.takeFull() && this.#mayGrow && !this.#closed && this.#losesMuch()) this.#grow();
    return count;
  }

  #receiveFrom(
    ring: PacketRing,
    max: number,
    onFrame: (frame: Packet, slot: number) => void,
    successor?: PacketRing,
  ): number {
    this.#source = ring;
    const count = ring.receive(max, onFrame, this.#onTruncated, successor);
    this.counters.framesReceived += count;
    return count;
  }

  /** Of what came since this was last asked. */
  #losesMuch(): boolean {
    const { framesReceived } = this.counters;
    const { dropped } = this.#endpoint;
    const [received, lost] = [framesReceived - this.#receivedBefore, dropped - this.#droppedBefore];
    this.#receivedBefore = framesReceived;
    this.#droppedBefore = dropped;
    return lost * lossWorthwhile > received;
  }

  #grow(): void {
    const { ring } = this.#endpoint;
    if (growth * ring.bytes > ringBytesMax) return;
    this.#mayGrow = this.#replace(growth * ring.frames);
    this.#calm ??= setInterval(this.#look, calmMs).unref();
  }

  /** Looks, from its growth on, whether it may be as at first again. */
  readonly #look = (): void => {
    const { framesReceived } = this.counters;
    const came = framesReceived - this.#lookedAt;
    this.#lookedAt = framesReceived;
    this.#mayGrow = true;
    // Nothing may come any more that wakes somebody to receive what is left.
    if (this.#former !== undefined) return this.#onReadable();
    if (came >= firstFrames) return;
    clearInterval(this.#calm);
    this.#calm = undefined;
    if (this.room >= growth * firstFrames && this.#replace(firstFrames)) this.#onReadable();
  };

  /**
   * Has room for that many frames from now on. The kernel cannot change a ring that is in use, so another socket takes over. For a moment
   * both get what arrives.
   *
   * @returns whether it has: there may be no memory, or no interface any more, and then what there is goes on.
   */
  #replace(frames: number): boolean {
    const former = this.#endpoint;
    let next: Endpoint | undefined;
    try {
      next = new Endpoint(this.interface, frames, this.#outgoing);
      next.bind(this.#ethertype, this.interface.index, this.#onReadable);
      former.stop();
    } catch {
      next?.[Symbol.dispose]();
      next?.ring.unmap();
      return false;
    }
    this.#endpoint = next;
    this.#former = former;
    this.#receivedBefore = this.counters.framesReceived;
    this.#droppedBefore = 0;
    return true;
  }

  /** When a received frame passed, by its slot; while it is handed on. */
  timeAt(slot: number): { seconds: number; nanoseconds: number } {
    return this.#source.timeAt(slot);
  }

  /** Gives back the room of the frames that were received. */
  release(): void {
    this.#former?.ring.release();
    this.#endpoint.ring.release();
    for (const ring of this.#drained.splice(0)) ring.unmap();
  }

  readonly #onTruncated = (): void => {
    this.counters.droppedTruncated += 1;
  };

  /** Frames one call of `receive` can return. */
  static readonly batch: number = batchFrames;

  /** Queues a frame, whole with its Ethernet header; its memory must stay as it is until `flush`. */
  send(frame: Packet): void {
    this.#lastAddress = frame.address + frame.start;
    this.#lastBytes = frame.end - frame.start;
    this.#sendBatch.set(this.#queued, this.#lastAddress, this.#lastBytes);
    this.#queued += 1;
    if (this.#queued === batchFrames) this.flush();
  }

  /** Hands the only queued frame to the kernel: 1, or -1 when it is refused. */
  #sendOne(): number {
    return libc.send(this.#endpoint.fd, this.#lastAddress, this.#lastBytes, linux.MSG_DONTWAIT) < 0 ? -1 : 1;
  }

  /** Hands queued frames from one on to the kernel; how many it took, or -1. */
  #sendFrom(first: number): number {
    const address = this.#sendBatch.address(first);
    return libc.sendmmsg(this.#endpoint.fd, address, this.#queued - first, linux.MSG_DONTWAIT) as number;
  }

  /** Hands all queued frames to the kernel. What it refuses is counted. */
  flush(): void {
    let done = 0;
    while (done < this.#queued) {
      const sent = this.#queued === 1 ? this.#sendOne() : this.#sendFrom(done);
      if (sent > 0) {
        this.counters.framesSent += sent;
        done += sent;
      } else if (lastErrno() !== linux.EINTR) {
        // The first frame of the rest was refused: leave it out and try those behind it.
        this.counters.sendFailed += 1;
        done += 1;
      }
    }
    this.#queued = 0;
    this.#endpoint.gauge.sent(this.#lastBytes);
  }

  /** Frames that may wait to be received. */
  get room(): number {
    return this.#endpoint.ring.frames;
  }

  get queued(): number {
    return this.#queued;
  }

  /** Packets that wait in the kernel to leave, roughly and as of a moment ago. */
  get backlog(): number {
    return this.#endpoint.gauge.packets;
  }

  /** What was lost so far. */
  get losses(): { sendFailed: number; droppedTruncated: number; droppedQueueFull: number } {
    const { sendFailed, droppedTruncated } = this.counters;
    const open = this.#closed ? [] : [this.#endpoint, ...(this.#former === undefined ? [] : [this.#former])];
    const droppedQueueFull = open.reduce((sum, { dropped }) => sum + dropped, this.#dropped);
    return { sendFailed, droppedTruncated, droppedQueueFull };
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#dropped = this.losses.droppedQueueFull;
    this.#closed = true;
    clearInterval(this.#calm);
    this.#former?.[Symbol.dispose]();
    this.#endpoint[Symbol.dispose]();
  }
}
