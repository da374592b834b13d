/** A TUN device: an IP interface of this machine whose packets a program carries. Source: tools.md 6, tuntap.rst. */
import { closeSync, constants, openSync } from 'node:fs';
import { withRequests } from './interfaces.ts';
import { check, lastErrno, libc, linux } from './libc.ts';
import { FdWatch } from './poll.ts';
import { StreamBuffer } from './unix-socket.ts';

const clonePath = '/dev/net/tun';
/** Packets without a header in front of them. */
const flagsTun = 0x0001 | 0x1000;
const flagUp = 0x1;
const flagRunning = 0x40;
const requestBytes = 40;
const requestNameBytes = 16;
/** Longest IP packet. */
const packetBytesMax = 65_536;
/** Packets read or written in one wake-up. */
const batchPackets = 64;

/** What a TUN device is made with. */
export interface TunSetup {
  /** IPv4, as dotted decimals. */
  readonly address: string;
  readonly mask: string;
  readonly mtu: number;
}

export interface TunCounters {
  packetsRead: number;
  bytesRead: number;
  packetsWritten: number;
  bytesWritten: number;
  /** Packets that the kernel did not take: the interface is down, or they are no IP packets. */
  writeFailed: number;
}

/** The first free `tunN`, with an address and up; gone when it is disposed of, or the process ends. */
export class TunDevice implements Disposable {
  readonly name: string;
  readonly counters: TunCounters = {
    packetsRead: 0,
    bytesRead: 0,
    packetsWritten: 0,
    bytesWritten: 0,
    writeFailed: 0,
  };
  readonly #fd: number;
  readonly #watch: FdWatch;
  readonly #in = new StreamBuffer(packetBytesMax);
  readonly #out = new StreamBuffer(packetBytesMax);
  #closed = false;

  /**
   * Makes a device. `onReadable` is called while packets wait and `watch(true)` says so.
   *
   * @throws an Error with the kernel's `code`: ENOENT or ENODEV where the kernel has no TUN, EPERM and EACCES without
   *   CAP_NET_ADMIN or the right to open /dev/net/tun.
   */
  constructor({ address, mask, mtu }: TunSetup, onReadable: () => void) {
    this.#fd = openSync(clonePath, constants.O_RDWR | constants.O_NONBLOCK);
    try {
      const request = Buffer.alloc(requestBytes);
      request.write('tun%d', 0, 'latin1');
      request.writeUInt16LE(flagsTun, requestNameBytes);
      check(libc.ioctl(this.#fd, linux.TUNSETIFF, request) as number, 'ioctl TUNSETIFF', clonePath);
      this.name = request.toString('latin1', 0, request.indexOf(0));
      configure(this.name, { address, mask, mtu });
      this.#watch = new FdWatch(this.#fd, onReadable);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /** Whether `onReadable` is wanted. */
  watch(readable: boolean): void {
    this.#watch.watch(readable, false);
  }

  /** The next packet that the machine sends through the device, valid until the next call; undefined when none waits. */
  read(): Buffer | undefined {
    const { memory, address } = this.#in;
    const count = libc.read(this.#fd, address, memory.length) as number;
    if (count <= 0) return undefined;
    this.counters.packetsRead += 1;
    this.counters.bytesRead += count;
    return memory.subarray(0, count);
  }

  /** Gives the machine a packet as if it had come over the device; false when it does not take it. */
  write(packet: Uint8Array): boolean {
    if (packet.length > packetBytesMax) return this.#refused();
    const { memory, address } = this.#out;
    memory.set(packet);
    let count: number;
    do {
      count = libc.write(this.#fd, address, packet.length) as number;
    } while (count < 0 && lastErrno() === linux.EINTR);
    if (count < 0) return this.#refused();
    this.counters.packetsWritten += 1;
    this.counters.bytesWritten += count;
    return true;
  }

  /** Packets to read or write before the event loop has a turn. */
  static readonly batch: number = batchPackets;

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch[Symbol.dispose]();
    closeSync(this.#fd);
  }

  #refused(): false {
    this.counters.writeFailed += 1;
    return false;
  }
}

/** Gives an interface its address, mask and MTU, and sets it up. */
function configure(name: string, { address, mask, mtu }: TunSetup): void {
  withRequests(name, (ask) => {
    ask(linux.SIOCSIFMTU, 'ioctl SIOCSIFMTU', (value) => value.writeInt32LE(mtu, 0));
    ask(linux.SIOCSIFADDR, 'ioctl SIOCSIFADDR', (value) => writeAddress(value, address));
    ask(linux.SIOCSIFNETMASK, 'ioctl SIOCSIFNETMASK', (value) => writeAddress(value, mask));
    ask(linux.SIOCSIFFLAGS, 'ioctl SIOCSIFFLAGS', (value) => value.writeUInt16LE(flagUp | flagRunning, 0));
  });
}

/** Writes a `struct sockaddr_in`. */
function writeAddress(value: Buffer, address: string): void {
  value.writeUInt16LE(linux.AF_INET, 0);
  for (const [index, part] of address.split('.').entries()) value.writeUInt8(Number(part), 4 + index);
}
