/** Work that cannot be told to stop, made to stop being waited for. */

/** Settles as `work` does, or rejects with the signal's reason, whichever is first. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  // The outcome of what nobody waits for any more is nobody's.
  work.catch(() => {});
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
