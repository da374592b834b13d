/** Waiting for what cannot be subscribed to: polled, with an end. */
import { setTimeout as delay } from 'node:timers/promises';

/** Calls `probe` until it gives something true; rejects after `deadlineMs` with what was waited for. */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  deadlineMs = 30_000,
): Promise<Exclude<T, false | undefined | null | 0 | ''>> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const found = await probe();
    if (found) return found as Exclude<T, false | undefined | null | 0 | ''>;
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms for ${what}`);
    await delay(5);
  }
}
