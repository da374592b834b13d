/** A packet socket (AF_PACKET) on one interface and one Ethernet type, with batched receive and send. */
import { type NetworkInterface, lookUpInterface } from './interfaces.ts';
import { check, lastErrno, libc, linux } from './libc.ts';
import { MessageBatch } from './message-batch.ts';
import { FdWatch } from './poll.ts';
import type { Packet } from '../wire/packet.ts';
import { PacketRing } from './packet-ring.ts';
import { askForQueue, SendQueueGauge } from './queues.ts';

/** Frames a system call takes. */
const batchFrames = 64;
/** Frames that may wait to be received: 2 MiB at an MTU of 1500. */
const ringFrames = 1024;
/** Send queue asked for, in bytes. */
const queueBytes = 8 * 1024 * 1024;
const ethernetHeaderBytes = 14;
/** Of an 802.1Q tag, which an MTU does not count. */
const tagBytes = 4;

export interface PacketSocketCounters {
  framesReceived: number;
  framesSent: number;
  /** Frames the kernel would not take, for want of memory or because the link is down. */
  sendFailed: number;
  /** Frames that were longer than the interface's MTU when it was opened. */
  droppedTruncated: number;
}

export class PacketSocket implements Disposable {
  readonly interface: NetworkInterface;
  readonly counters: PacketSocketCounters = {
    framesReceived: 0,
    framesSent: 0,
    sendFailed: 0,
    droppedTruncated: 0,
  };
  readonly #fd: number;
  readonly #watch: FdWatch;
  readonly #subject: string;
  readonly #ring: PacketRing;
  readonly #gauge: SendQueueGauge;
  readonly #sendBatch = new MessageBatch(batchFrames);
  #queued = 0;
  #lastAddress = 0;
  #lastBytes = 0;
  #dropped = 0;
  #closed = false;

  /**
   * Opens a socket.
   *
   * @param outgoing also takes frames that leave by the interface, whoever sends them.
   * @param onReadable frames wait: call `receive` until it returns fewer than asked for.
   * @throws KernelError with the name of the error, the call and the interface: ENODEV, EPERM without NET_RAW.
   */
  constructor(
    name: string,
    ethertype: number,
    onReadable: () => void,
    { outgoing = false }: { outgoing?: boolean } = {},
  ) {
    this.interface = lookUpInterface(name);
    this.#subject = `interface ${name}`;
    const type = linux.SOCK_RAW | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;
    // Protocol 0 until bound: otherwise frames of all interfaces come in between.
    this.#fd = check(libc.socket(linux.AF_PACKET, type, 0) as number, 'socket', this.#subject);
    try {
      askForQueue(this.#fd, 'send', queueBytes);
      this.#gauge = new SendQueueGauge(this.#fd);
      if (!outgoing) this.#setOption(linux.SOL_PACKET, linux.PACKET_IGNORE_OUTGOING, 1);
      const address = Buffer.alloc(20);
      this.#ring = new PacketRing(
        this.#fd,
        ringFrames,
        this.interface.mtu + ethernetHeaderBytes + tagBytes,
        this.#subject,
      );
      address.writeUInt16LE(linux.AF_PACKET, 0);
      address.writeUInt16BE(ethertype, 2);
      address.writeInt32LE(this.interface.index, 4);
      check(libc.bind(this.#fd, address, address.length) as number, 'bind', this.#subject);
      this.#watch = new FdWatch(this.#fd, onReadable, undefined, this.#takeError);
    } catch (error) {
      libc.close(this.#fd);
      throw error;
    }
    this.#watch.watch(true, false);
  }

  /**
   * Receives up to a batch of frames and hands each on; they are valid until `release`.
   *
   * @returns the number of frames, less than `PacketSocket.batch` when none is left.
   */
  receive(onFrame: (frame: Packet, slot: number) => void): number {
    const count = this.#ring.receive(batchFrames, onFrame, this.#onTruncated);
    this.counters.framesReceived += count;
    return count;
  }

  /** When a received frame passed, by its slot. */
  timeAt(slot: number): { seconds: number; nanoseconds: number } {
    return this.#ring.timeAt(slot);
  }

  /** Gives back the room of the frames that were received. */
  release(): void {
    this.#ring.release();
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
    return libc.send(this.#fd, this.#lastAddress, this.#lastBytes, linux.MSG_DONTWAIT) < 0 ? -1 : 1;
  }

  /** Hands queued frames from one on to the kernel; how many it took, or -1. */
  #sendFrom(first: number): number {
    const address = this.#sendBatch.address(first);
    return libc.sendmmsg(this.#fd, address, this.#queued - first, linux.MSG_DONTWAIT) as number;
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
    this.#gauge.sent(this.#lastBytes);
  }

  get queued(): number {
    return this.#queued;
  }

  /** Packets that wait in the kernel to leave, roughly and as of a moment ago. */
  get backlog(): number {
    return this.#gauge.packets;
  }

  /** What was lost so far. */
  get losses(): { sendFailed: number; droppedTruncated: number; droppedQueueFull: number } {
    const { sendFailed, droppedTruncated } = this.counters;
    return { sendFailed, droppedTruncated, droppedQueueFull: this.#kernelDrops() };
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch[Symbol.dispose]();
    libc.close(this.#fd);
  }

  /** Frames that found the ring full. The kernel forgets the count when it has told it. */
  #kernelDrops(): number {
    if (this.#closed) return this.#dropped;
    const statistics = Buffer.alloc(8);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(statistics.length, 0);
    libc.getsockopt(this.#fd, linux.SOL_PACKET, linux.PACKET_STATISTICS, statistics, length);
    this.#dropped += statistics.readUInt32LE(4);
    return this.#dropped;
  }

  /** Frames are taken from memory, which takes no error: that the interface was set down would be told for ever. */
  readonly #takeError = (): void => {
    const memory = Buffer.alloc(4);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(memory.length, 0);
    libc.getsockopt(this.#fd, linux.SOL_SOCKET, linux.SO_ERROR, memory, length);
  };

  #setOption(level: number, option: number, value: number): void {
    const memory = Buffer.alloc(4);
    memory.writeInt32LE(value, 0);
    check(libc.setsockopt(this.#fd, level, option, memory, 4) as number, 'setsockopt', this.#subject);
  }
}
