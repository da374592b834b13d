/** Numbers that stand for what is open, such as flow ids and descriptors: the lowest free one first. */
export class LowestFree {
  readonly #used = new Set<number>();
  readonly #min: number;
  readonly #max: number;
  /** No number below is free. */
  #from: number;

  /** Gives out `min` to `max`. */
  constructor(min: number, max: number) {
    this.#min = min;
    this.#max = max;
    this.#from = min;
  }

  /** How many there are in all. */
  get size(): number {
    return this.#max - this.#min + 1;
  }

  /** How many are in use. */
  get used(): number {
    return this.#used.size;
  }

  /** A free number; undefined when all are in use. */
  take(): number | undefined {
    while (this.#used.has(this.#from)) this.#from += 1;
    if (this.#from > this.#max) return undefined;
    this.#used.add(this.#from);
    return this.#from;
  }

  /** Takes a number back. Idempotent. */
  release(number: number): void {
    if (this.#used.delete(number)) this.#from = Math.min(this.#from, number);
  }
}
