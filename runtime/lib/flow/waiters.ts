/** Who waits for something to change, and how long. */
import { O7sError } from '../errors.ts';
import { leaveHotLoop } from '../os/hot-loop.ts';
import type { Millis } from '../time/clock.ts';
import { monotonicNow } from '../time/timer.ts';

/** How long to wait: `timeout` in ms, none waits without limit; `signal` ends the wait early. */
export interface WaitOptions {
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How long a call waits in all, however often it is woken for nothing. */
export interface Patience {
  readonly until: Millis | undefined;
  readonly signal: AbortSignal | undefined;
}

/** `usual` is the timeout where the options say none. */
export function patienceOf({ timeout, signal }: WaitOptions, usual?: number): Patience {
  const ms = timeout ?? usual;
  return { until: ms === undefined ? undefined : monotonicNow() + ms, signal };
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
