/** A UDP socket with batched receive and send, over IPv4 or IPv6. */
import { isIPv4, isIPv6 } from 'node:net';
import { Packet, packetHeadroom } from '../wire/packet.ts';
import { addressOf, check, lastErrno, libc, linux } from './libc.ts';
import { MessageBatch } from './message-batch.ts';
import { FdWatch } from './poll.ts';
import { askForQueue, SendQueueGauge } from './queues.ts';

/** Datagrams a system call takes. */
const batchDatagrams = 64;
/** Queues asked for, in bytes. */
const queueBytes = 8 * 1024 * 1024;
const nameBytesMax = 28;
/** What SO_MEMINFO tells: nine numbers, the last of them the drops. */
const memoryInfoBytes = 36;
const memoryInfoDrops = 32;

/** An address and port in the form the kernel takes them (struct sockaddr_in, sockaddr_in6). */
export class UdpAddress {
  readonly sockaddr: Buffer;

  private constructor(sockaddr: Buffer) {
    this.sockaddr = sockaddr;
  }

  /** From text, such as `10.0.0.1` or `fd00::1`. Throws a TypeError for anything else. */
  static parse(ip: string, port: number): UdpAddress {
    if (isIPv4(ip)) {
      const sockaddr = Buffer.alloc(16);
      sockaddr.writeUInt16LE(linux.AF_INET, 0);
      sockaddr.writeUInt16BE(port, 2);
      for (const [index, part] of ip.split('.').entries()) sockaddr.writeUInt8(Number(part), 4 + index);
      return new UdpAddress(sockaddr);
    }
    if (!isIPv6(ip) || ip.includes('%')) throw new TypeError(`not an IP address: ${ip}`);
    const sockaddr = Buffer.alloc(nameBytesMax);
    sockaddr.writeUInt16LE(linux.AF_INET6, 0);
    sockaddr.writeUInt16BE(port, 2);
    for (const [index, word] of ipv6Words(ip).entries()) sockaddr.writeUInt16BE(word, 8 + 2 * index);
    return new UdpAddress(sockaddr);
  }

  /** A copy of what the kernel said a datagram came from. */
  static from(names: Buffer, offset: number): UdpAddress {
    const bytes = names.readUInt16LE(offset) === linux.AF_INET ? 16 : nameBytesMax;
    const sockaddr = Buffer.from(names.subarray(offset, offset + bytes));
    // Flow label and scope tell nothing about who a station is.
    if (bytes === nameBytesMax) {
      sockaddr.writeUInt32BE(0, 4);
      sockaddr.writeUInt32BE(0, 24);
    }
    return new UdpAddress(sockaddr);
  }

  get family(): number {
    return this.sockaddr.readUInt16LE(0);
  }

  /** The host alone: 4 or 16 bytes. */
  get host(): Buffer {
    return this.family === linux.AF_INET ? this.sockaddr.subarray(4, 8) : this.sockaddr.subarray(8, 24);
  }

  equals(other: UdpAddress): boolean {
    return this.sockaddr.equals(other.sockaddr);
  }

  /** Whether a datagram came from here. */
  sent(names: Buffer, offset: number): boolean {
    // Family, port and address; the flow label between them is the path's.
    const { sockaddr } = this;
    if (sockaddr.length === 16) return sockaddr.compare(names, offset, offset + 8, 0, 8) === 0;
    return (
      sockaddr.compare(names, offset, offset + 4, 0, 4) === 0 &&
      sockaddr.compare(names, offset + 8, offset + 24, 8, 24) === 0
    );
  }
}

/** The eight words of an IPv6 address. */
function ipv6Words(ip: string): number[] {
  let text = ip;
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(ip);
  if (dotted !== null) {
    const [, head = '', a = '', b = '', c = '', d = ''] = dotted;
    const word = (high: string, low: string): string => ((Number(high) << 8) | Number(low)).toString(16);
    text = `${head}${word(a, b)}:${word(c, d)}`;
  }
  const [front = '', back] = text.split('::');
  const words = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16));
  const first = words(front);
  if (back === undefined) return first;
  const last = words(back);
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
}

/** Gets a datagram and where it came from; both are valid until the next call of `receive`. */
export type OnDatagram = (datagram: Packet, names: Buffer, nameOffset: number) => void;

export interface UdpSocketCounters {
  datagramsReceived: number;
  datagramsSent: number;
  /** Datagrams the kernel would not take. */
  sendFailed: number;
  /** Datagrams longer than this socket takes. */
  droppedTruncated: number;
}

export class UdpSocket implements Disposable {
  readonly counters: UdpSocketCounters = {
    datagramsReceived: 0,
    datagramsSent: 0,
    sendFailed: 0,
    droppedTruncated: 0,
  };
  readonly #fd: number;
  readonly #watch: FdWatch;
  readonly #incoming: readonly Packet[];
  readonly #names = Buffer.alloc(batchDatagrams * nameBytesMax);
  readonly #destinations = Buffer.alloc(batchDatagrams * nameBytesMax);
  readonly #destinationsAt = addressOf(this.#destinations);
  readonly #receiveBatch = new MessageBatch(batchDatagrams);
  readonly #gauge: SendQueueGauge;
  readonly #sendBatch = new MessageBatch(batchDatagrams);
  #queued = 0;
  #lastBytes = 0;
  #closed = false;

  /**
   * Binds a socket.
   *
   * @param datagramBytesMax longest datagram it receives.
   * @param onReadable datagrams wait: call `receive`.
   * @throws KernelError EADDRINUSE, EADDRNOTAVAIL with the address.
   */
  constructor(local: UdpAddress, text: string, datagramBytesMax: number, onReadable: () => void) {
    const type = linux.SOCK_DGRAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;
    this.#fd = check(libc.socket(local.family, type, 0) as number, 'socket', text);
    try {
      askForQueue(this.#fd, 'receive', queueBytes);
      askForQueue(this.#fd, 'send', queueBytes);
      this.#gauge = new SendQueueGauge(this.#fd);
      check(libc.bind(this.#fd, local.sockaddr, local.sockaddr.length) as number, 'bind', text);
      this.#watch = new FdWatch(this.#fd, onReadable);
    } catch (error) {
      libc.close(this.#fd);
      throw error;
    }
    const names = addressOf(this.#names);
    this.#incoming = Array.from({ length: batchDatagrams }, (_, index) => {
      const memory = Buffer.alloc(packetHeadroom + datagramBytesMax);
      const packet = new Packet(memory, addressOf(memory));
      this.#receiveBatch.set(index, packet.address + packetHeadroom, datagramBytesMax);
      this.#receiveBatch.setName(index, names + index * nameBytesMax, nameBytesMax);
      return packet;
    });
    this.#watch.watch(true, false);
  }

  /** Datagrams one call of `receive` can return. */
  static readonly batch: number = batchDatagrams;

  /** Receives up to a batch of datagrams and hands each on; the number of them. */
  receive(onDatagram: OnDatagram): number {
    this.#receiveBatch.resetNames(nameBytesMax);
    const count = libc.recvmmsg(this.#fd, this.#receiveBatch.address(), batchDatagrams, 0, null) as number;
    if (count < 0) return 0;
    this.counters.datagramsReceived += count;
    for (let index = 0; index < count; index += 1) {
      const packet = this.#incoming[index];
      if (packet === undefined) break;
      if (this.#receiveBatch.truncated(index)) {
        this.counters.droppedTruncated += 1;
        continue;
      }
      packet.start = packetHeadroom;
      packet.end = packetHeadroom + this.#receiveBatch.received(index);
      onDatagram(packet, this.#names, index * nameBytesMax);
    }
    return count;
  }

  /** Queues a datagram; its memory must stay as it is until `flush`. */
  send(datagram: Packet, to: UdpAddress): void {
    this.#sendBatch.set(this.#queued, datagram.address + datagram.start, datagram.end - datagram.start);
    // The batch outlives the address, which may be forgotten before the flush.
    const slot = this.#queued * nameBytesMax;
    to.sockaddr.copy(this.#destinations, slot);
    this.#sendBatch.setName(this.#queued, this.#destinationsAt + slot, to.sockaddr.length);
    this.#lastBytes = datagram.end - datagram.start;
    this.#queued += 1;
    if (this.#queued === batchDatagrams) this.flush();
  }

  /** Hands all queued datagrams to the kernel. What it refuses is counted. */
  flush(): void {
    let done = 0;
    while (done < this.#queued) {
      const left = this.#queued - done;
      const sent = libc.sendmmsg(this.#fd, this.#sendBatch.address(done), left, linux.MSG_DONTWAIT) as number;
      if (sent > 0) {
        this.counters.datagramsSent += sent;
        done += sent;
      } else if (lastErrno() !== linux.EINTR) {
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

  /** Datagrams that found the queue full. */
  #kernelDrops(): number {
    if (this.#closed) return 0;
    const memory = Buffer.alloc(memoryInfoBytes);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(memory.length, 0);
    libc.getsockopt(this.#fd, linux.SOL_SOCKET, linux.SO_MEMINFO, memory, length);
    return memory.readUInt32LE(memoryInfoDrops);
  }
}
