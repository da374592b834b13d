/** What oping counts and prints. Source: tools.md 1.3. */

const usBoundMs = 0.1;

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

  /** The closing lines; `elapsed` in ms. */
  format(name: string, elapsed: number): string {
    const lost = this.sent === 0 ? 0 : Math.ceil(100 - (100 * this.received) / this.sent);
    const head = `\n--- ${name} ping statistics ---\n`;
    const counts =
      `${this.sent} packets transmitted, ${this.received} received, ${this.outOfOrder} out-of-order, ` +
      `${lost}% packet loss, time: ${elapsed.toFixed(3)} ms\n`;
    if (this.received === 0) return head + counts;
    const deviation = Math.sqrt(this.#squares / (this.received - 1));
    const micro = this.#mean < usBoundMs;
    const [factor, unit] = micro ? [1000, 'µs'] : [1, 'ms'];
    const values = [this.#min, this.#mean, this.#max, deviation].map((value) => (value * factor).toFixed(3));
    return `${head}${counts}rtt min/avg/max/mdev = ${values.join('/')} ${unit}\n`;
  }
}

/** `time=0.199 ms`, or below a tenth of it `time=77.000 µs`. */
export function formatTime(rtt: number): string {
  return rtt < usBoundMs ? `time=${(rtt * 1000).toFixed(3)} µs` : `time=${rtt.toFixed(3)} ms`;
}
