/** Waiting for what cannot be subscribed to. */
import { setTimeout as delay } from 'node:timers/promises';
import { abortable } from './abortable.ts';
import { TestbedError } from './errors.ts';

export interface PollOptions {
  /** What is waited for, as the object of "waited 5 s for". */
  what: string;
  /** Milliseconds. */
  deadlineMs: number;
  signal?: AbortSignal | undefined;
}

/**
 * Calls `probe` until it gives something else than undefined, ever less often, from 5 to 100 ms apart.
 * Rejects with what `probe` throws, with the signal's reason, and with ETIMEDOUT after the deadline.
 */
export async function poll<T>(
  probe: () => Promise<T | undefined> | T | undefined,
  options: PollOptions,
): Promise<T> {
  const { what, deadlineMs, signal } = options;
  const deadline = AbortSignal.timeout(deadlineMs);
  const stop = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  try {
    for (let pause = 5; ; pause = Math.min(pause * 1.5, 100)) {
      const found = await abortable(Promise.resolve(probe()), stop);
      if (found !== undefined) return found;
      await delay(pause, undefined, { signal: stop });
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (deadline.aborted) throw new TestbedError('ETIMEDOUT', `waited ${deadlineMs / 1000} s for ${what}`);
    throw error;
  }
}
