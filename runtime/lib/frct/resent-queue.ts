/** Retransmissions in the order they were sent: a lost one shows when later ones arrive. */
import type { Millis } from '../time/clock.ts';
import type { Seqno } from './sequence.ts';

const initialEntries = 64;

/** A ring that grows up to a limit; beyond it the oldest entry goes, and its packet is left to the timeout. */
export class ResentQueue {
  readonly #entriesMax: number;
  #seqno = new Int32Array(initialEntries);
  #sentAt = new Float64Array(initialEntries);
  #first = 0;
  #count = 0;

  /** `entriesMax` is a power of two. */
  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get count(): number {
    return this.#count;
  }

  get firstSeqno(): Seqno {
    return this.#seqno[this.#first] as number;
  }

  get firstSentAt(): Millis {
    return this.#sentAt[this.#first] as number;
  }

  push(seqno: Seqno, now: Millis): void {
    if (this.#count === this.#seqno.length) {
      if (this.#count < this.#entriesMax) this.#grow();
      else this.shift();
    }
    const index = (this.#first + this.#count) & (this.#seqno.length - 1);
    this.#seqno[index] = seqno;
    this.#sentAt[index] = now;
    this.#count += 1;
  }

  shift(): void {
    this.#first = (this.#first + 1) & (this.#seqno.length - 1);
    this.#count -= 1;
  }

  clear(): void {
    this.#count = 0;
  }

  #grow(): void {
    const [seqno, sentAt, first, entries] = [this.#seqno, this.#sentAt, this.#first, this.#count];
    this.#seqno = new Int32Array(entries * 2);
    this.#sentAt = new Float64Array(entries * 2);
    this.#first = 0;
    for (let index = 0; index < entries; index += 1) {
      const from = (first + index) & (entries - 1);
      this.#seqno[index] = seqno[from] as number;
      this.#sentAt[index] = sentAt[from] as number;
    }
  }
}
