/** Carries a plan, or a change of one, out in a lab and tells how it goes. Its caller owns the lab. */
import { availableParallelism } from 'node:os';
import type { TopologyNode } from '../model/topology.ts';
import type { Action, Step } from '../plan/action.ts';
import type { Difference } from '../plan/difference.ts';
import type { Lab } from '../testbeds/testbed.ts';
import { Performer } from './perform.ts';
import { runGraph } from './schedule.ts';

/** Times are milliseconds. */
export type DeployEvent =
  | { readonly type: 'phaseStarted'; readonly phase: string; readonly total: number }
  | { readonly type: 'stepStarted'; readonly step: Step }
  | {
      readonly type: 'stepDone';
      readonly step: Step;
      readonly done: number;
      readonly total: number;
      readonly ms: number;
    }
  | { readonly type: 'stepFailed'; readonly step: Step; readonly ms: number; readonly error: unknown }
  | { readonly type: 'phaseDone'; readonly phase: string; readonly total: number; readonly ms: number };

export interface DeployOptions {
  signal: AbortSignal;
  /** The nodes that the lab has, and those that it is to have. */
  nodes: readonly TopologyNode[];
  /** Steps at a time that take a processor; as many as there are by default. */
  workers?: number | undefined;
  onEvent?: ((event: DeployEvent) => void) | undefined;
}

/** Steps at a time in which a daemon works, or nobody. */
const waitingWorkers = 32;

const waitingKinds: ReadonlySet<Action['kind']> = new Set<Action['kind']>([
  'bootstrap',
  'enroll',
  'connect',
  'converge',
  'name',
  'register',
]);

/** Resolves when every step is done; rejects with the first error, or the signal's reason, once all is still. */
export async function deploy({ undo, redo }: Difference, lab: Lab, options: DeployOptions): Promise<void> {
  const { signal, nodes, workers = availableParallelism(), onEvent = () => {} } = options;
  await using performer = new Performer(lab, nodes);
  const run = async (
    steps: readonly Step[],
    perform: (action: Action, stop: AbortSignal) => Promise<void>,
  ): Promise<void> => {
    const counted = new PhaseCounter(steps, onEvent);
    const waiting = {
      isWaiting: ({ action }: Step): boolean => waitingKinds.has(action.kind),
      workers: Math.max(waitingWorkers, workers),
    };
    await runGraph(steps, { workers, waiting, signal }, async (step, stop) => {
      const since = counted.started(step);
      try {
        await perform(step.action, stop);
      } catch (error) {
        onEvent({ type: 'stepFailed', step, ms: performance.now() - since, error });
        throw error;
      }
      counted.done(step, since);
    });
  };
  try {
    await run(undo, (action, stop) => performer.undo(action, stop));
    await run(redo.steps, (action, stop) => performer.perform(action, stop));
  } catch (error) {
    throw signal.aborted ? error : await performer.cause(error);
  }
}

/** Tells of phases: how many of their steps are done, and how long they took. */
class PhaseCounter {
  readonly #phases = new Map<string, { total: number; done: number; since: number }>();
  readonly #onEvent: (event: DeployEvent) => void;

  constructor(steps: readonly Step[], onEvent: (event: DeployEvent) => void) {
    this.#onEvent = onEvent;
    for (const { phase } of steps) {
      const known = this.#phases.get(phase);
      if (known === undefined) this.#phases.set(phase, { total: 1, done: 0, since: 0 });
      else known.total++;
    }
  }

  started(step: Step): number {
    const phase = this.#phase(step);
    const since = performance.now();
    if (phase.since === 0) {
      phase.since = since;
      this.#onEvent({ type: 'phaseStarted', phase: step.phase, total: phase.total });
    }
    this.#onEvent({ type: 'stepStarted', step });
    return since;
  }

  done(step: Step, since: number): void {
    const phase = this.#phase(step);
    phase.done++;
    const now = performance.now();
    this.#onEvent({ type: 'stepDone', step, done: phase.done, total: phase.total, ms: now - since });
    if (phase.done < phase.total) return;
    this.#onEvent({ type: 'phaseDone', phase: step.phase, total: phase.total, ms: now - phase.since });
  }

  #phase({ phase }: Step): { total: number; done: number; since: number } {
    const found = this.#phases.get(phase);
    if (found === undefined) throw new Error(`there is no phase ${phase}`);
    return found;
  }
}
