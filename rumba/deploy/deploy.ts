/** Carries a plan out in a lab and tells how it goes. It undoes nothing: its caller owns the lab. */
import { availableParallelism } from 'node:os';
import type { Plan, Step } from '../plan/plan.ts';
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
  /** Steps at a time; as many as there are cores by default. */
  workers?: number;
  onEvent?: (event: DeployEvent) => void;
}

/** Resolves when every step is done; rejects with the first error, or the signal's reason, once all is still. */
export async function deploy(plan: Plan, lab: Lab, options: DeployOptions): Promise<void> {
  const { signal, workers = availableParallelism(), onEvent = () => {} } = options;
  const phases = new Map(plan.phases.map((phase) => [phase, { total: 0, done: 0, since: 0 }]));
  for (const step of plan.steps) counters(step.phase).total++;
  function counters(phase: string): { total: number; done: number; since: number } {
    const found = phases.get(phase);
    if (found === undefined) throw new Error(`the plan has no phase ${phase}`);
    return found;
  }

  await using performer = new Performer(lab);
  await runGraph(plan.steps, workers, signal, async (step, stop) => {
    const phase = counters(step.phase);
    const since = performance.now();
    if (phase.since === 0) {
      phase.since = since;
      onEvent({ type: 'phaseStarted', phase: step.phase, total: phase.total });
    }
    onEvent({ type: 'stepStarted', step });
    try {
      await performer.perform(step.action, stop);
    } catch (error) {
      onEvent({ type: 'stepFailed', step, ms: performance.now() - since, error });
      throw error;
    }
    phase.done++;
    const now = performance.now();
    onEvent({ type: 'stepDone', step, done: phase.done, total: phase.total, ms: now - since });
    if (phase.done === phase.total) {
      onEvent({ type: 'phaseDone', phase: step.phase, total: phase.total, ms: now - phase.since });
    }
  });
}
