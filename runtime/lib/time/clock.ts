/** Time as an argument: core code is handed `now` and says when it next wants to be called. */

/** Milliseconds on a clock that never goes back. */
export type Millis = number;

/** No deadline: later than any. */
export const never: Millis = Number.POSITIVE_INFINITY;

/** Anything with a next deadline. After `advance(now)` the deadline lies after `now` or is `never`. */
export interface Deadlines {
  nextDeadline(): Millis;
  advance(now: Millis): void;
}
