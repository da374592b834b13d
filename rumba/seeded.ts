/** Chance that is the same each time for the same seed: mulberry32, and seeds derived from others by name. */

export class Seeded {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to but not including 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 up to but not including `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  /** The same elements in another order. */
  shuffle<T>(elements: readonly T[]): T[] {
    const shuffled = [...elements];
    for (let last = shuffled.length - 1; last > 0; last -= 1) {
      const other = this.below(last + 1);
      [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
    }
    return shuffled;
  }

  /** A time to the next of events that come independently of each other, `mean` apart on average. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }
}

/** A seed of its own for each purpose: what one draws does not change what another does. FNV-1a over seed and name, mixed. */
export function derivedSeed(seed: number, purpose: string): number {
  let hash = 0x811c_9dc5;
  for (const byte of Buffer.from(`${seed}\0${purpose}`)) hash = Math.imul(hash ^ byte, 0x0100_0193);
  // The last bytes alone would change few bits.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
