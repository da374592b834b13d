/** Endpoint ids of one IPCP, given out in turn: those never used first, lowest first, then whichever has rested longest. */
import type { Millis } from '../../lib/time/clock.ts';

interface Resting {
  readonly eid: number;
  readonly until: Millis;
}

/**
 * A packet of a flow that was closed may still be under way: an id that were used again at once would bring it to the
 * wrong flow (link-ipcps.md 1.5, 9.5). How long an id has to rest is for who releases it to say; it rests longer where
 * there are others.
 */
export class EndpointIds {
  readonly #max: number;
  #fresh: number;
  /** Who may be used again first is first. */
  readonly #resting: Resting[] = [];

  constructor(min: number, max: number) {
    this.#fresh = min;
    this.#max = max;
  }

  /** A free id, or undefined when all are in use or resting. */
  take(now: Millis): number | undefined {
    if (this.#fresh <= this.#max) return this.#fresh++;
    const first = this.#resting[0];
    if (first === undefined || first.until > now) return undefined;
    this.#resting.shift();
    return first.eid;
  }

  /** Takes an id back; it is not given out before `until`. */
  release(eid: number, until: Millis): void {
    let low = 0;
    let high = this.#resting.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#resting[middle];
      if (other !== undefined && other.until <= until) low = middle + 1;
      else high = middle;
    }
    this.#resting.splice(low, 0, { eid, until });
  }

  /** Whether an id was used and has not been given out since. */
  rests(eid: number): boolean {
    return this.#resting.some((resting) => resting.eid === eid);
  }

  /** Lets an id that rests be given out from `until` on, if that is sooner. */
  shorten(eid: number, until: Millis): void {
    const at = this.#resting.findIndex((resting) => resting.eid === eid);
    const resting = this.#resting[at];
    if (resting === undefined || resting.until <= until) return;
    this.#resting.splice(at, 1);
    this.release(eid, until);
  }
}
