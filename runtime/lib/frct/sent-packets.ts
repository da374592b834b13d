/** Packets of data that were sent and not acknowledged, kept for retransmission. */
import type { Millis } from '../time/clock.ts';
import { distance, plus, type Seqno } from './sequence.ts';

/** What is known of a packet; it is under way when none of these is set, or only `resent`. */
export const packetState = {
  /** To be sent again. */
  lost: 0x01,
  /** Was sent more than once. */
  resent: 0x02,
  /** The peer holds it, behind one that it lacks. */
  held: 0x04,
} as const;

const slotsInitial = 64;
const memoryInitial = 16 * 1024;
const memoryKept = 512 * 1024;
const noRoom = -1;
const toMove = -2;

/**
 * A ring of numbers and a ring of bytes. Packets come in order and go in order, so both are freed from the front, and a
 * packet costs no allocation. Both grow as they are needed, the bytes up to a limit.
 */
export class SentPackets {
  /** Holds each packet in one piece, its PCI in front. */
  memory: Buffer = Buffer.allocUnsafeSlow(memoryInitial);
  /** Number of the oldest packet, and of the next one: the prototype's `lwe` and `seqno`. */
  lwe: Seqno;
  seqno: Seqno;
  /** For each slot: where the packet lies, its bytes, when it was sent first and last, its state. */
  at = new Uint32Array(slotsInitial);
  bytes = new Uint32Array(slotsInitial);
  firstSentAt = new Float64Array(slotsInitial);
  sentAt = new Float64Array(slotsInitial);
  state = new Uint8Array(slotsInitial);
  /** One bit for each slot: the packet is `held`. */
  heldBits = new Uint8Array(slotsInitial / 8);
  /** Slots, a power of two, minus one. */
  mask: number = slotsInitial - 1;

  readonly #bytesMax: number;
  #tail = 0;
  #bytesHeld = 0;
  /** Most that was held since it was last empty. */
  #bytesPeak = 0;
  #tooLarge = false;

  constructor(initial: Seqno, bytesMax: number) {
    this.lwe = initial;
    this.seqno = initial;
    this.#bytesMax = bytesMax;
  }

  /** Packets kept. */
  get count(): number {
    return distance(this.lwe, this.seqno);
  }

  /** Bytes of the packets kept. */
  get bytesHeld(): number {
    return this.#bytesHeld;
  }

  /** Whether a packet finds room; an only one always does. */
  hasRoom(bytes: number): boolean {
    return this.#place(bytes) !== noRoom;
  }

  /** Where in `memory` the next packet is to be written; negative when there is no room. It is kept only by `add`. */
  reserve(bytes: number): number {
    const place = this.#place(bytes);
    if (place !== toMove) return place;
    this.#move(bytes);
    return this.#tail;
  }

  /** Keeps the packet that was written where `reserve` said. */
  add(at: number, bytes: number, now: Millis): void {
    if (this.count > this.mask) this.#addSlots();
    const slot = this.seqno & this.mask;
    this.at[slot] = at;
    this.bytes[slot] = bytes;
    this.firstSentAt[slot] = now;
    this.sentAt[slot] = now;
    this.state[slot] = 0;
    this.#tail = at + bytes;
    this.#bytesHeld += bytes;
    if (this.#bytesHeld > this.#bytesPeak) this.#bytesPeak = this.#bytesHeld;
    this.seqno = plus(this.seqno, 1);
  }

  /** Forgets the oldest packet. */
  drop(): void {
    const slot = this.lwe & this.mask;
    this.#bytesHeld -= this.bytes[slot] as number;
    if (((this.state[slot] as number) & packetState.held) !== 0) {
      this.heldBits[slot >> 3] = (this.heldBits[slot >> 3] as number) & ~(1 << (slot & 7));
    }
    this.lwe = plus(this.lwe, 1);
    if (this.lwe !== this.seqno) return;
    // What a burst needed is not kept for ever.
    this.#tooLarge = this.memory.length > memoryKept && this.#bytesPeak < this.memory.length / 4;
    this.#bytesPeak = 0;
  }

  /** The peer holds the packet of a slot. */
  hold(slot: number): void {
    this.state[slot] = ((this.state[slot] as number) & ~packetState.lost) | packetState.held;
    this.heldBits[slot >> 3] = (this.heldBits[slot >> 3] as number) | (1 << (slot & 7));
  }

  #place(bytes: number): number {
    const capacity = this.memory.length;
    const tail = this.#tail;
    if (this.lwe === this.seqno) {
      return bytes <= capacity && !this.#tooLarge ? 0 : toMove;
    }
    if (this.#bytesHeld + bytes > this.#bytesMax) return noRoom;
    const head = this.at[this.lwe & this.mask] as number;
    if (tail > head) {
      if (capacity - tail >= bytes) return tail;
      if (head >= bytes) return 0;
    } else if (head - tail >= bytes) {
      return tail;
    }
    // Where memory is as large as it may be, packets are not moved about: what is acknowledged makes room.
    return capacity < this.#bytesMax ? toMove : noRoom;
  }

  /** Lays the packets out one behind the other in other memory. */
  #move(bytes: number): void {
    const needed = this.#bytesHeld + bytes;
    const wanted = this.#tooLarge ? memoryKept : this.memory.length * 2;
    this.#tooLarge = false;
    const other = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(wanted, this.#bytesMax)));
    let tail = 0;
    for (let seqno = this.lwe; seqno !== this.seqno; seqno = plus(seqno, 1)) {
      const slot = seqno & this.mask;
      const start = this.at[slot] as number;
      this.at[slot] = tail;
      tail += this.memory.copy(other, tail, start, start + (this.bytes[slot] as number));
    }
    this.memory = other;
    this.#tail = tail;
  }

  #addSlots(): void {
    const slots = (this.mask + 1) * 2;
    const { at, bytes, firstSentAt, sentAt, state, mask } = this;
    this.at = new Uint32Array(slots);
    this.bytes = new Uint32Array(slots);
    this.firstSentAt = new Float64Array(slots);
    this.sentAt = new Float64Array(slots);
    this.state = new Uint8Array(slots);
    this.heldBits = new Uint8Array(slots / 8);
    this.mask = slots - 1;
    for (let seqno = this.lwe; seqno !== this.seqno; seqno = plus(seqno, 1)) {
      const from = seqno & mask;
      const slot = seqno & this.mask;
      this.at[slot] = at[from] as number;
      this.bytes[slot] = bytes[from] as number;
      this.firstSentAt[slot] = firstSentAt[from] as number;
      this.sentAt[slot] = sentAt[from] as number;
      this.state[slot] = state[from] as number;
      if (((state[from] as number) & packetState.held) !== 0) this.hold(slot);
    }
  }
}
