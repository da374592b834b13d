/** What the kernel tells of links and addresses in the network namespace of this process. Source: rtnetlink(7). */
import { addressOf, check, lastErrno, libc, linux } from './libc.ts';
import { FdWatch } from './poll.ts';

/** Messages that are told, by their type. */
export const routeMessage = { newLink: 16, deleteLink: 17, newAddress: 20, deleteAddress: 21 } as const;

/** What can be asked for: all of a kind there are. */
export const routeQuestion = { links: 18, addresses: 22 } as const;

/** Who hears of what: a bit each. */
export const routeGroup = { links: 0x1, ipv4Addresses: 0x10, ipv6Addresses: 0x100 } as const;

/** A message's body: what follows its header of 16 bytes. */
export type OnRouteMessage = (type: number, body: Buffer) => void;

const netlinkRoute = 0;
const headerBytes = 16;
/** Body of a question: `struct ifinfomsg`, the longest that is needed, all zero. */
const questionBytes = 16;
const flagRequest = 0x1;
const flagDump = 0x300;
const kindError = 2;
const kindDone = 3;
const memoryBytes = 64 * 1024;
/** Answers are many messages, but never without end. */
const readsMax = 10_000;

export class RouteSocket implements Disposable {
  readonly #fd: number;
  readonly #watch: FdWatch;
  readonly #memory = Buffer.alloc(memoryBytes);
  readonly #address = addressOf(this.#memory);
  readonly #onMessage: OnRouteMessage;
  readonly #onLost: () => void;
  #answered = false;
  #closed = false;

  /**
   * Opens a socket that hears of changes.
   *
   * @param groups what to hear of, bits of `routeGroup`.
   * @param onLost changes came faster than they were read, and some are lost: what is known has to be asked for anew.
   */
  constructor(groups: number, onMessage: OnRouteMessage, onLost: () => void) {
    this.#onMessage = onMessage;
    this.#onLost = onLost;
    const type = linux.SOCK_RAW | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;
    this.#fd = check(libc.socket(linux.AF_NETLINK, type, netlinkRoute) as number, 'socket', 'netlink');
    const address = Buffer.alloc(12);
    address.writeUInt16LE(linux.AF_NETLINK, 0);
    address.writeUInt32LE(groups, 8);
    try {
      check(libc.bind(this.#fd, address, address.length) as number, 'bind', 'netlink');
      this.#watch = new FdWatch(this.#fd, () => this.#read());
    } catch (error) {
      libc.close(this.#fd);
      throw error;
    }
    this.#watch.watch(true, false);
  }

  /**
   * Asks for all links or addresses; each is told as if it were new, before this returns. The kernel answers as it is
   * read from, so that this never waits.
   */
  ask(question: number): void {
    const memory = Buffer.alloc(headerBytes + questionBytes);
    memory.writeUInt32LE(memory.length, 0);
    memory.writeUInt16LE(question, 4);
    memory.writeUInt16LE(flagRequest | flagDump, 6);
    const sent = libc.send(this.#fd, addressOf(memory), memory.length, 0) as number;
    check(sent, 'send', 'netlink');
    this.#answered = false;
    for (let reads = 0; reads < readsMax && !this.#answered; reads += 1) {
      // Of changes that were lost the answer knows.
      if (!this.#receive() && lastErrno() !== linux.ENOBUFS) return;
    }
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch[Symbol.dispose]();
    libc.close(this.#fd);
  }

  #read(): void {
    if (!this.#receive() && lastErrno() === linux.ENOBUFS) this.#onLost();
  }

  /** Reads once; false when nothing could be read. */
  #receive(): boolean {
    const count = libc.recv(this.#fd, this.#address, memoryBytes, linux.MSG_DONTWAIT) as number;
    if (count < 0) return false;
    for (let at = 0; at + headerBytes <= count;) {
      const length = this.#memory.readUInt32LE(at);
      if (length < headerBytes || at + length > count) break;
      const type = this.#memory.readUInt16LE(at + 4);
      if (type === kindDone || type === kindError) this.#answered = true;
      else this.#onMessage(type, this.#memory.subarray(at + headerBytes, at + length));
      at += (length + 3) & ~3;
    }
    return true;
  }
}

/** Bytes of `struct ifinfomsg`. */
const linkBytes = 16;
/** Set up by its owner, and with a carrier: the other end is up too. */
const flagsUp = 0x1_00_01;

/** The index of a link, and whether it is up with all it needs; undefined for another message. */
export function readLink(body: Buffer): { readonly index: number; readonly up: boolean } | undefined {
  if (body.length < linkBytes) return undefined;
  return { index: body.readInt32LE(4), up: (body.readUInt32LE(8) & flagsUp) === flagsUp };
}

/** Bytes of `struct ifaddrmsg`. */
const addressBytes = 8;
const attributeBytes = 4;
const attributeAddress = 1;
const attributeLocal = 2;
/** Found to be another host's, or not known yet not to be. */
const flagsUnusable = 0x08 | 0x40;

export interface RouteAddress {
  /** The link that has it. */
  readonly index: number;
  /** 4 or 16 bytes. */
  readonly ip: Buffer;
  /** Whether packets can be sent from it and to it. */
  readonly usable: boolean;
}

/** An address of this host; undefined for another message. */
export function readAddress(body: Buffer): RouteAddress | undefined {
  if (body.length < addressBytes) return undefined;
  let ip: Buffer | undefined;
  for (let at = addressBytes; at + attributeBytes <= body.length;) {
    const length = body.readUInt16LE(at);
    if (length < attributeBytes || at + length > body.length) break;
    const type = body.readUInt16LE(at + 2);
    // Where both are there, the first is the other end's of a link between two.
    if (type === attributeLocal || (type === attributeAddress && ip === undefined)) {
      ip = body.subarray(at + attributeBytes, at + length);
    }
    at += (length + 3) & ~3;
  }
  if (ip === undefined) return undefined;
  return {
    index: body.readUInt32LE(4),
    ip: Buffer.from(ip),
    usable: (body.readUInt8(2) & flagsUnusable) === 0,
  };
}
