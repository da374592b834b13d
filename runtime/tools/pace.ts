/** When the packets of a constant rate are due: packet `n` at `start + n * gap`, whatever was late before it. */
export class Pace {
  #start: number;
  readonly #gap: number;

  /** The first packet is due at `start`; both in ms. */
  constructor(start: number, gap: number) {
    this.#start = start;
    this.#gap = gap;
  }

  /** Packets that are due by a time, from the first on. */
  dueBy(now: number): number {
    return Math.max(0, Math.floor((now - this.#start) / this.#gap) + 1);
  }

  /** When packet `n`, counted from 0, is due. */
  dueAt(n: number): number {
    return this.#start + n * this.#gap;
  }

  /** Leaves out what was due in a time in which nothing could be sent, ms. */
  postpone(ms: number): void {
    this.#start += ms;
  }
}
