/** Packets that arrived ahead of a missing one. */
import { distance, plus, type Seqno } from './sequence.ts';

const slotsInitial = 64;

/** A ring of numbers; the memory of a packet is where it came, and is only referred to. */
export class ReorderBuffer {
  readonly #slotsMax: number;
  #memory: (Buffer | undefined)[] = Array.from({ length: slotsInitial });
  #start = new Uint32Array(slotsInitial);
  #end = new Uint32Array(slotsInitial);
  /** One bit for each slot that is taken: what a report carries. */
  #bits = new Uint8Array(slotsInitial / 8);
  #mask = slotsInitial - 1;
  #count = 0;
  #bytes = 0;
  /** The number behind the last packet held; meaningless while there is none. */
  #highest: Seqno = 0;

  /** `slotsMax`, a power of two, bounds how far ahead a packet may be. */
  constructor(slotsMax: number) {
    this.#slotsMax = slotsMax;
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes of the packets held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The number behind the last packet held; `lwe` when there is none. */
  furthest(lwe: Seqno): Seqno {
    return this.#count === 0 ? lwe : this.#highest;
  }

  has(seqno: Seqno): boolean {
    const slot = seqno & this.#mask;
    return ((this.#bits[slot >> 3] as number) & (1 << (slot & 7))) !== 0;
  }

  /**
   * Holds a packet; false when it is too far ahead of `lwe`, the number that is waited for, or is held already. All
   * packets held are behind `lwe`.
   */
  add(lwe: Seqno, seqno: Seqno, memory: Buffer, start: number, end: number): boolean {
    const ahead = distance(lwe, seqno);
    if (ahead >= this.#slotsMax) return false;
    // A bitmap begins up to 7 numbers before `lwe`, and must not come round to where it began.
    const slots = Math.min(this.#slotsMax, ahead + 8);
    if (slots > this.#mask + 1) this.#grow(lwe, slots);
    if (this.has(seqno)) return false;
    const slot = seqno & this.#mask;
    this.#memory[slot] = memory;
    this.#start[slot] = start;
    this.#end[slot] = end;
    this.#bits[slot >> 3] = (this.#bits[slot >> 3] as number) | (1 << (slot & 7));
    if (this.#count === 0 || distance(this.#highest, seqno) >= 0) this.#highest = plus(seqno, 1);
    this.#count += 1;
    this.#bytes += end - start;
    return true;
  }

  /** Where a packet lies that is held. */
  startOf(seqno: Seqno): number {
    return this.#start[seqno & this.#mask] as number;
  }

  endOf(seqno: Seqno): number {
    return this.#end[seqno & this.#mask] as number;
  }

  /** Gives a packet away; undefined when it is not held. */
  take(seqno: Seqno): Buffer | undefined {
    const slot = seqno & this.#mask;
    const memory = this.#memory[slot];
    if (memory === undefined) return undefined;
    this.#memory[slot] = undefined;
    this.#bits[slot >> 3] = (this.#bits[slot >> 3] as number) & ~(1 << (slot & 7));
    this.#count -= 1;
    this.#bytes -= (this.#end[slot] as number) - (this.#start[slot] as number);
    return memory;
  }

  clear(): void {
    this.#memory.fill(undefined);
    this.#bits.fill(0);
    this.#count = 0;
    this.#bytes = 0;
  }

  /**
   * Writes which packets are held, from `lwe` rounded down to a multiple of 8 on, as report.ts says; cut at `bytesMax`.
   * Bytes written.
   */
  writeBitmap(lwe: Seqno, memory: Buffer, at: number, bytesMax: number): number {
    if (this.#count === 0) return 0;
    const first = lwe & -8;
    const bytes = Math.min(bytesMax, (distance(first, this.#highest) + 7) >> 3, this.#bits.length);
    const from = (first & this.#mask) >> 3;
    const untilEnd = Math.min(bytes, this.#bits.length - from);
    memory.set(this.#bits.subarray(from, from + untilEnd), at);
    if (bytes > untilEnd) memory.set(this.#bits.subarray(0, bytes - untilEnd), at + untilEnd);
    return bytes;
  }

  #grow(lwe: Seqno, needed: number): void {
    let slots = (this.#mask + 1) * 2;
    while (slots < needed) slots *= 2;
    const [memory, start, end, mask] = [this.#memory, this.#start, this.#end, this.#mask];
    this.#memory = Array.from({ length: slots });
    this.#start = new Uint32Array(slots);
    this.#end = new Uint32Array(slots);
    this.#bits = new Uint8Array(slots / 8);
    this.#mask = slots - 1;
    for (let step = 0; step <= mask; step += 1) {
      const seqno = plus(lwe, step);
      const from = seqno & mask;
      if (memory[from] === undefined) continue;
      const slot = seqno & this.#mask;
      this.#memory[slot] = memory[from];
      this.#start[slot] = start[from] as number;
      this.#end[slot] = end[from] as number;
      this.#bits[slot >> 3] = (this.#bits[slot >> 3] as number) | (1 << (slot & 7));
    }
  }
}
