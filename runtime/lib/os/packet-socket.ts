/** A packet socket (AF_PACKET) on one interface and one Ethernet type, with batched receive and send. */
import { type NetworkInterface, lookUpInterface } from './interfaces.ts';
import { addressOf, check, KernelError, lastErrno, libc, linux } from './libc.ts';
import { MessageBatch } from './message-batch.ts';
import { FdWatch } from './poll.ts';
import { Packet, packetHeadroom } from '../wire/packet.ts';

/** Frames a system call takes. */
const batchFrames = 64;
/** Receive queue asked for, in bytes; without rights the kernel gives what `net.core.rmem_max` allows. */
const queueBytes = 8 * 1024 * 1024;
const ethernetHeaderBytes = 14;

export interface PacketSocketCounters {
  framesReceived: number;
  framesSent: number;
  /** Frames the kernel would not take, for want of memory or because the link is down. */
  sendFailed: number;
}

export class PacketSocket implements Disposable {
  readonly interface: NetworkInterface;
  readonly counters: PacketSocketCounters = { framesReceived: 0, framesSent: 0, sendFailed: 0 };
  readonly #fd: number;
  readonly #watch: FdWatch;
  readonly #subject: string;
  readonly #incoming: readonly Packet[];
  readonly #receiveBatch = new MessageBatch(batchFrames);
  readonly #sendBatch = new MessageBatch(batchFrames);
  #queued = 0;
  #closed = false;

  /**
   * Opens a socket.
   *
   * @param onReadable frames wait: call `receive` until it returns fewer than asked for.
   * @throws KernelError with the name of the error, the call and the interface: ENODEV, EPERM without NET_RAW.
   */
  constructor(name: string, ethertype: number, onReadable: () => void) {
    this.interface = lookUpInterface(name);
    this.#subject = `interface ${name}`;
    const type = linux.SOCK_RAW | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;
    // Protocol 0 until bound: otherwise frames of all interfaces come in between.
    this.#fd = check(libc.socket(linux.AF_PACKET, type, 0) as number, 'socket', this.#subject);
    try {
      this.#setQueues();
      this.#setOption(linux.SOL_PACKET, linux.PACKET_IGNORE_OUTGOING, 1);
      const address = Buffer.alloc(20);
      address.writeUInt16LE(linux.AF_PACKET, 0);
      address.writeUInt16BE(ethertype, 2);
      address.writeInt32LE(this.interface.index, 4);
      check(libc.bind(this.#fd, address, address.length) as number, 'bind', this.#subject);
      this.#watch = new FdWatch(this.#fd, onReadable);
    } catch (error) {
      libc.close(this.#fd);
      throw error;
    }
    const frameBytes = this.interface.mtu + ethernetHeaderBytes;
    this.#incoming = Array.from({ length: batchFrames }, (_, index) => {
      const memory = Buffer.alloc(packetHeadroom + frameBytes);
      const packet = new Packet(memory, addressOf(memory));
      this.#receiveBatch.set(index, packet.address + packetHeadroom, frameBytes);
      return packet;
    });
    this.#watch.watch(true, false);
  }

  /**
   * Receives up to a batch of frames and hands each on; they are valid until the next call.
   *
   * @returns the number of frames, less than `PacketSocket.batch` when none is left.
   */
  receive(onFrame: (frame: Packet) => void): number {
    const count = libc.recvmmsg(this.#fd, this.#receiveBatch.address(), batchFrames, 0, null) as number;
    if (count < 0) {
      const errno = lastErrno();
      if (errno === linux.EAGAIN || errno === linux.EINTR) return 0;
      // ENETDOWN is told once when the interface goes down; the socket works again when it is up.
      return 0;
    }
    this.counters.framesReceived += count;
    for (let index = 0; index < count; index += 1) {
      const packet = this.#incoming[index];
      if (packet === undefined) break;
      packet.start = packetHeadroom;
      packet.end = packetHeadroom + this.#receiveBatch.received(index);
      onFrame(packet);
    }
    return count;
  }

  /** Frames one call of `receive` can return. */
  static readonly batch: number = batchFrames;

  /** Queues a frame, whole with its Ethernet header; its memory must stay as it is until `flush`. */
  send(frame: Packet): void {
    this.#sendBatch.set(this.#queued, frame.address + frame.start, frame.end - frame.start);
    this.#queued += 1;
    if (this.#queued === batchFrames) this.flush();
  }

  /** Hands all queued frames to the kernel. What it refuses is counted. */
  flush(): void {
    let done = 0;
    while (done < this.#queued) {
      const sent = libc.sendmmsg(
        this.#fd,
        this.#sendBatch.address(done),
        this.#queued - done,
        linux.MSG_DONTWAIT,
      ) as number;
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
  }

  get queued(): number {
    return this.#queued;
  }

  /** Frames the kernel dropped since the last call because the receive queue was full. */
  takeKernelDrops(): number {
    const statistics = Buffer.alloc(8);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(statistics.length, 0);
    const result = libc.getsockopt(
      this.#fd,
      linux.SOL_PACKET,
      linux.PACKET_STATISTICS,
      statistics,
      length,
    ) as number;
    check(result, 'getsockopt PACKET_STATISTICS', this.#subject);
    return statistics.readUInt32LE(4);
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch[Symbol.dispose]();
    libc.close(this.#fd);
  }

  #setQueues(): void {
    // The forced form needs NET_ADMIN over the first user namespace; the plain one is cut to the system's limit.
    for (const [forced, plain] of [
      [linux.SO_RCVBUFFORCE, linux.SO_RCVBUF],
      [linux.SO_SNDBUFFORCE, linux.SO_SNDBUF],
    ] as const) {
      try {
        this.#setOption(linux.SOL_SOCKET, forced, queueBytes);
      } catch (error) {
        if (!(error instanceof KernelError) || error.code !== 'EPERM') throw error;
        this.#setOption(linux.SOL_SOCKET, plain, queueBytes);
      }
    }
  }

  #setOption(level: number, option: number, value: number): void {
    const memory = Buffer.alloc(4);
    memory.writeInt32LE(value, 0);
    check(libc.setsockopt(this.#fd, level, option, memory, 4) as number, 'setsockopt', this.#subject);
  }
}
