/** Runs the steps of a graph, each as soon as those it waits for are done, so many at a time. */

export interface Schedulable {
  readonly id: string;
  readonly after: readonly string[];
}

/**
 * Resolves when all steps are done. At the first failure, and on abort, starts no more, tells those
 * that run by their signal, waits for them, and rejects with the first error or the signal's reason.
 */
export async function runGraph<T extends Schedulable>(
  steps: readonly T[],
  workers: number,
  signal: AbortSignal,
  perform: (step: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failure = new AbortController();
  const stop = AbortSignal.any([signal, failure.signal]);
  const waiting = new Map(steps.map((step) => [step.id, new Set(step.after)]));
  const followers = new Map<string, T[]>();
  for (const step of steps) {
    for (const id of step.after) {
      if (!waiting.has(id)) throw new Error(`step ${step.id} waits for ${id}, which is no step`);
      followers.set(id, [...(followers.get(id) ?? []), step]);
    }
  }
  const ready = steps.filter((step) => step.after.length === 0);
  const running = new Set<Promise<void>>();
  let done = 0;

  const start = async (step: T): Promise<void> => {
    try {
      await perform(step, stop);
      done++;
      for (const follower of followers.get(step.id) ?? []) {
        const rest = waiting.get(follower.id);
        if (rest?.delete(step.id) && rest.size === 0) ready.push(follower);
      }
    } catch (error) {
      failure.abort(error);
    }
  };
  for (;;) {
    while (!stop.aborted && running.size < workers) {
      const step = ready.shift();
      if (step === undefined) break;
      const run = start(step).finally(() => running.delete(run));
      running.add(run);
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  stop.throwIfAborted();
  if (done < steps.length) throw new Error('the steps wait for each other');
}
