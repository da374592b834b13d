/** Endpoint ids of one IPCP: given out lowest first, and after use not again for a while. */
import type { Millis } from '../../lib/time/clock.ts';

interface Resting {
  readonly eid: number;
  readonly until: Millis;
}

/**
 * A packet of a flow that was closed may still be under way, and no message tells that a flow ended: an id
 * that were used again at once would bring it to the wrong flow (link-ipcps.md 1.5, 9.5).
 */
export class EndpointIds {
  readonly #max: number;
  readonly #restMs: Millis;
  #fresh: number;
  /** In the order in which they were released. */
  #resting: Resting[] = [];

  constructor(min: number, max: number, restMs: Millis) {
    this.#fresh = min;
    this.#max = max;
    this.#restMs = restMs;
  }

  /** A free id, or undefined when all are in use or resting. */
  take(now: Millis): number | undefined {
    const first = this.#resting[0];
    if (first !== undefined && first.until <= now) {
      this.#resting.shift();
      return first.eid;
    }
    if (this.#fresh > this.#max) return undefined;
    return this.#fresh++;
  }

  release(eid: number, now: Millis): void {
    this.#resting.push({ eid, until: now + this.#restMs });
  }
}
