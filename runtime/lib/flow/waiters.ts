/** Who waits for something to change, and how long. */
import { O7sError } from '../errors.ts';
import { leaveHotLoop } from '../os/hot-loop.ts';
import type { Millis } from '../time/clock.ts';
import { monotonicNow } from '../time/timer.ts';

/**
 * How long to wait: `timeout` in ms, none waits without limit (EINVAL when it is negative or no number); `signal` ends the
 * wait early, with ECANCELED.
 */
export interface WaitOptions {
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How long a call waits in all, however often it is woken for nothing. */
export interface Patience {
  readonly until: Millis | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Beyond this, 24 days, a timer of Node's overflows: who waits longer waits without limit. */
export const timeoutMax: Millis = 2 ** 31 - 1;

/** The timeout of a wait in ms, undefined for none; `usual` where the options say none. EINVAL for what is no time. */
export function timeoutOf({ timeout }: WaitOptions, usual?: number): Millis | undefined {
  const ms = timeout ?? usual;
  if (ms === undefined || ms > timeoutMax) return undefined;
  if (!(ms >= 0)) throw new O7sError('EINVAL', `a timeout is a number of ms from 0 up, not ${ms}`);
  return ms;
}

/** `usual` is the timeout where the options say none. */
export function patienceOf(options: WaitOptions, usual?: number): Patience {
  const ms = timeoutOf(options, usual);
  return { until: ms === undefined ? undefined : monotonicNow() + ms, signal: options.signal };
}

export class Waiters {
  #wakes: (() => void)[] = [];

  get count(): number {
    return this.#wakes.length;
  }

  /**
   * Waits to be woken; the caller then looks again whether there is something for it.
   *
   * @throws O7sError ETIMEDOUT, ECANCELED.
   */
  wait({ until, signal }: Patience): Promise<void> {
    if (until === undefined && signal === undefined) {
      return new Promise((resolve) => this.#wakes.push(resolve));
    }
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(new O7sError('ECANCELED'));
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
        const index = this.#wakes.indexOf(wake);
        if (index !== -1) this.#wakes.splice(index, 1);
      };
      const wake = (): void => (settle(), resolve());
      const cancel = (): void => (settle(), reject(new O7sError('ECANCELED')));
      const timer =
        until === undefined
          ? undefined
          : setTimeout(
              () => (settle(), reject(new O7sError('ETIMEDOUT'))),
              Math.max(0, until - monotonicNow()),
            );
      signal?.addEventListener('abort', cancel, { once: true });
      this.#wakes.push(wake);
    });
  }

  wakeAll(): void {
    if (this.#wakes.length === 0) return;
    // Who was woken goes on in the event loop.
    leaveHotLoop();
    for (const wake of this.#wakes.splice(0)) wake();
  }
}
