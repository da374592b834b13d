/**
 * A packet on its way through the layers of a node: a piece of a buffer with room in front, so that each
 * layer writes its header there and nobody copies the payload. The memory belongs to whoever made the
 * packet; it is valid until the current turn of the data path ends.
 */
export class Packet {
  memory: Buffer;
  view: DataView;
  /** Address of `memory` for the system calls of lib/os; 0 where none is needed. */
  address: number;
  /** Where the packet begins and ends in `memory`. */
  start = 0;
  end = 0;

  constructor(memory: Buffer, address: number, view?: DataView) {
    this.memory = memory;
    this.view = view ?? new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    this.address = address;
  }

  get length(): number {
    return this.end - this.start;
  }

  /** The packet's bytes, not copied. */
  bytes(): Buffer {
    return this.memory.subarray(this.start, this.end);
  }

  /** Empties the packet and leaves `headroom` bytes free in front. */
  reset(headroom: number): void {
    this.start = headroom;
    this.end = headroom;
  }

  /** A packet of the same bytes in memory of its own, for as long as it is wanted. It has no address. */
  copy(): Packet {
    const packet = new Packet(Buffer.from(this.bytes()), 0);
    packet.end = packet.memory.length;
    return packet;
  }

  /** Appends a copy of some bytes. */
  append(source: Buffer, start: number, end: number): void {
    this.memory.set(source.subarray(start, end), this.end);
    this.end += end - start;
  }
}

/** Memory that others own. */
export interface PacketMemory {
  readonly memory: Buffer;
  readonly view: DataView;
  readonly address: number;
}

/** Bytes in front of a payload for the headers of all layers below, and of the flow socket's framing. */
export const packetHeadroom = 128;

/** Tells where a buffer lies, for system calls; lib/os provides the real one. */
export type AddressOf = (memory: Buffer) => number;

/**
 * The packets a turn of the data path may use: taken one after another, all returned at once when the
 * turn ends and everything is flushed.
 */
export class PacketPool {
  readonly #packets: Packet[] = [];
  /** Those whose memory is somebody else's. */
  readonly #wrappers: Packet[] = [];
  readonly #addressOf: AddressOf;
  #next = 0;
  #nextWrapper = 0;

  constructor(addressOf: AddressOf = () => 0) {
    this.#addressOf = addressOf;
  }

  /** An empty packet with `packetHeadroom` bytes in front and room for `bytes` behind. */
  take(bytes: number): Packet {
    const needed = packetHeadroom + bytes;
    let packet = this.#packets[this.#next];
    if (packet === undefined || packet.memory.length < needed) {
      const memory = Buffer.allocUnsafeSlow(Math.max(smallestPacket, needed));
      packet = new Packet(memory, this.#addressOf(memory));
      this.#packets[this.#next] = packet;
    }
    this.#next += 1;
    packet.reset(packetHeadroom);
    return packet;
  }

  /** A packet that lies in memory of its owner, who keeps it as it is until the turn ends. */
  wrap(owner: PacketMemory, start: number, end: number): Packet {
    let packet = this.#wrappers[this.#nextWrapper];
    if (packet === undefined) {
      packet = new Packet(owner.memory, owner.address, owner.view);
      this.#wrappers.push(packet);
    } else {
      packet.memory = owner.memory;
      packet.view = owner.view;
      packet.address = owner.address;
    }
    this.#nextWrapper += 1;
    packet.start = start;
    packet.end = end;
    return packet;
  }

  /** Packets taken since the last `reset`. */
  get taken(): number {
    return this.#next + this.#nextWrapper;
  }

  reset(): void {
    this.#next = 0;
    this.#nextWrapper = 0;
  }
}

/** An Ethernet frame fits, so that most packets are never replaced by a larger one. */
const smallestPacket = 2048;
