/** Runs the steps of a graph, each as soon as those it waits for are done, so many at a time. */

export interface Schedulable {
  readonly id: string;
  readonly after: readonly string[];
}

export interface ScheduleOptions<T> {
  /** Steps at a time. */
  workers: number;
  /** Steps that mostly wait, which have workers of their own. */
  waiting?: { isWaiting: (step: T) => boolean; workers: number };
  signal: AbortSignal;
}

/**
 * Resolves when all steps are done. At the first failure, and on abort, starts no more, tells those
 * that run by their signal, waits for them, and rejects with the first error or the signal's reason.
 */
export async function runGraph<T extends Schedulable>(
  steps: readonly T[],
  { workers, waiting, signal }: ScheduleOptions<T>,
  perform: (step: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failure = new AbortController();
  const stop = AbortSignal.any([signal, failure.signal]);
  const missing = new Map(steps.map((step) => [step.id, new Set(step.after)]));
  const followers = new Map<string, T[]>();
  for (const step of steps) {
    for (const id of step.after) {
      if (!missing.has(id)) throw new Error(`step ${step.id} waits for ${id}, which is no step`);
      const known = followers.get(id);
      if (known === undefined) followers.set(id, [step]);
      else known.push(step);
    }
  }
  const busy = new Lane<T>(workers);
  const idle = new Lane<T>(waiting?.workers ?? workers);
  const laneOf = (step: T): Lane<T> => (waiting?.isWaiting(step) === true ? idle : busy);
  for (const step of steps) if (step.after.length === 0) laneOf(step).ready.push(step);
  const running = new Set<Promise<void>>();
  let done = 0;

  const start = async (step: T, lane: Lane<T>): Promise<void> => {
    lane.running++;
    try {
      await perform(step, stop);
      done++;
      for (const follower of followers.get(step.id) ?? []) {
        const rest = missing.get(follower.id);
        if (rest?.delete(step.id) === true && rest.size === 0) laneOf(follower).ready.push(follower);
      }
    } catch (error) {
      failure.abort(error);
    } finally {
      lane.running--;
    }
  };
  for (;;) {
    for (const lane of [busy, idle]) {
      while (!stop.aborted && lane.running < lane.workers) {
        const step = lane.ready.shift();
        if (step === undefined) break;
        const run = start(step, lane).finally(() => running.delete(run));
        running.add(run);
      }
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  stop.throwIfAborted();
  if (done < steps.length) throw new Error('the steps wait for each other');
}

/** Steps that may be done, and how many are. */
class Lane<T> {
  readonly workers: number;
  readonly ready: T[] = [];
  running = 0;

  constructor(workers: number) {
    this.workers = workers;
  }
}
