/** Output that waits for whoever reads it. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';

/**
 * Writes a text, and resolves when more can be written: a slow reader makes the writer wait. Rejects with the signal's
 * reason; a reader that is gone is no failure.
 */
export async function writeTo(to: Writable, text: string, signal?: AbortSignal): Promise<void> {
  if (!to.writable || to.write(text)) return;
  const done = new AbortController();
  const stop = AbortSignal.any([done.signal, ...(signal === undefined ? [] : [signal])]);
  const over = ['drain', 'close', 'error'].map((event) => once(to, event, { signal: stop }));
  try {
    await Promise.race(over);
  } catch {
    signal?.throwIfAborted();
  } finally {
    done.abort();
    await Promise.allSettled(over);
  }
}
