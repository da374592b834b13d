/** Round-trip time of a flow, and the retransmission timeout that follows from it. Source: end-to-end.md 7.7. */
import type { Millis } from '../time/clock.ts';

/** Times in ms. */
export interface RoundTripLimits {
  /** Timeout before anything was measured. */
  readonly rtoInitialMs: Millis;
  readonly rtoMinMs: Millis;
  readonly rtoMaxMs: Millis;
}

const smoothedMin: Millis = 0.001;
const deviationMin: Millis = 0.0001;
const deviationInitial: Millis = 10;

export class RoundTrip {
  readonly #limits: RoundTripLimits;
  #smoothed: Millis = 0;
  #deviation: Millis = deviationInitial;
  #measured = false;
  /** Measurements so far. */
  samples = 0;

  constructor(limits: RoundTripLimits) {
    this.#limits = limits;
  }

  /** srtt; 0 before the first sample. */
  get smoothed(): Millis {
    return this.#smoothed;
  }

  /** mdev */
  get deviation(): Millis {
    return this.#deviation;
  }

  get measured(): boolean {
    return this.#measured;
  }

  /** Takes a sample: from the sending of a packet that was sent once to the acknowledgement that covers it. */
  sample(time: Millis): void {
    this.samples += 1;
    if (this.#measured) {
      const off = time - this.#smoothed;
      this.#smoothed += off / 8;
      // A deviation that shrinks does so more slowly than it grew.
      const change = (Math.abs(off) - this.#deviation) / 4;
      this.#deviation += change < 0 ? change / 8 : change;
    } else {
      this.#measured = true;
      this.#smoothed = time;
      this.#deviation = time / 2;
    }
    this.#smoothed = Math.max(smoothedMin, this.#smoothed);
    this.#deviation = Math.max(deviationMin, this.#deviation);
  }

  /**
   * RTO: srtt + 4 mdev, doubled for each timeout in a row.
   *
   * @param marginMin what to wait longer than srtt at least: the time the peer may hold an acknowledgement back
   * @param onceMax the longest before it is doubled
   */
  timeout(marginMin: Millis, onceMax: Millis, doublings: number): Millis {
    const { rtoInitialMs, rtoMinMs, rtoMaxMs } = this.#limits;
    const once = this.#measured
      ? Math.min(onceMax, Math.max(rtoMinMs, this.#smoothed + Math.max(4 * this.#deviation, marginMin)))
      : rtoInitialMs;
    return Math.min(rtoMaxMs, doublings === 0 ? once : once * 2 ** doublings);
  }
}
