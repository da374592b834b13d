/** What oping counts. Source: tools.md 1.3. */
import type { PingSummary } from './events.ts';

/** Round trip times, one by one: mean and deviation after Welford. */
export class PingStatistics {
  sent = 0;
  received = 0;
  outOfOrder = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;
  #mean = 0;
  #squares = 0;

  /** Counts a reply; `rtt` in ms. */
  add(rtt: number): void {
    this.received += 1;
    this.#min = Math.min(this.#min, rtt);
    this.#max = Math.max(this.#max, rtt);
    const delta = rtt - this.#mean;
    this.#mean += delta / this.received;
    this.#squares += delta * (rtt - this.#mean);
  }

  /** ms; 0 before the first reply. */
  get mean(): number {
    return this.#mean;
  }

  /** All there is to say at the end; `elapsedMs` is how long the run took. */
  summary(server: string, elapsedMs: number): PingSummary {
    const { sent, received, outOfOrder } = this;
    const lossPercent = sent === 0 ? 0 : Math.ceil(100 - (100 * received) / sent);
    const summary = {
      type: 'statistics',
      server,
      sent,
      received,
      outOfOrder,
      lossPercent,
      elapsedMs,
    } as const;
    if (received === 0) return summary;
    const mdevMs = Math.sqrt(this.#squares / (received - 1));
    return { ...summary, rtt: { minMs: this.#min, avgMs: this.#mean, maxMs: this.#max, mdevMs } };
  }
}
