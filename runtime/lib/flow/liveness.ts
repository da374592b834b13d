/** Signs of life on a flow, and their absence. Source: end-to-end.md 8. */
import { type Millis, never } from '../time/clock.ts';

/** What is due: send an empty packet, or tell the application that the peer is silent. */
export type LivenessAction = 'keepalive' | 'dead';

export class Liveness {
  readonly #interval: Millis;
  readonly #timeout: Millis;
  #lastSent: Millis;
  #lastMessage: Millis;
  #lastReceived: Millis;
  #dead = false;

  /** `timeout` is that of the flow's QoS in ms; 0 switches both directions off. */
  constructor(timeout: number, now: Millis) {
    this.#timeout = timeout === 0 ? never : timeout;
    this.#interval = this.#timeout / 4;
    this.#lastSent = now;
    this.#lastMessage = now;
    this.#lastReceived = now;
  }

  /**
   * A message is sent. Whether a sign of life is to follow it at once: a prototype that waited for a message reckons the
   * peer's silence from when it began to wait, until something else comes (end-to-end.md 8).
   */
  messageSent(now: Millis): boolean {
    const pause = now - this.#lastMessage;
    this.#lastMessage = now;
    return pause > this.#timeout / 2;
  }

  sent(now: Millis): void {
    this.#lastSent = now;
  }

  received(now: Millis): void {
    this.#lastReceived = now;
  }

  nextDeadline(): Millis {
    if (this.#dead) return never;
    return Math.min(this.#lastSent + this.#interval, this.#lastReceived + this.#timeout);
  }

  /** To be called at the deadline. `dead` comes once and ends the keepalives. */
  advance(now: Millis): LivenessAction | undefined {
    if (this.#dead) return undefined;
    if (now >= this.#lastReceived + this.#timeout) {
      this.#dead = true;
      return 'dead';
    }
    if (now < this.#lastSent + this.#interval) return undefined;
    this.#lastSent = now;
    return 'keepalive';
  }
}
