/** Plays a storyboard in a lab that is ready, and tells what came of it. */
import { setTimeout as delay } from 'node:timers/promises';
import { labEvents, type LabEvent } from '../events.ts';
import type { LinkState } from '../links/wiring.ts';
import type { Lab } from '../testbeds/testbed.ts';
import type { StoryContext, StoryNode } from './context.ts';
import { nodeShell } from './node-shell.ts';
import { StoryPerformer } from './perform.ts';
import type { PingResult } from './ping.ts';
import type { Story, StoryPlan, StoryStep, Verdict } from './story.ts';

/** How long what is under way at the end may take, in milliseconds. */
const endMs = 30_000;

/** How often counters are looked at, in milliseconds. */
const counterMs = 500;

const eventsMax = 100_000;

/** What became of a step. Times are ms since the storyboard began; null for one that was never begun. */
export interface StepResult {
  readonly step: number;
  readonly plannedMs: number | null;
  readonly begunMs: number | null;
  readonly endedMs: number | null;
  readonly ok: boolean;
  readonly error?: string;
  readonly details?: readonly string[];
}

export interface PlayResult {
  readonly ok: boolean;
  /** ms since 1970. */
  readonly origin: number;
  readonly steps: readonly StepResult[];
  readonly verdicts: readonly Verdict[];
  readonly pings: readonly PingResult[];
  readonly notes: readonly { readonly at: number; readonly text: string }[];
  readonly events: readonly LabEvent[];
  /** How impaired links were, in turn. */
  readonly links: readonly { readonly at: number; readonly states: readonly LinkState[] }[];
}

export interface PlayOptions {
  readonly signal: AbortSignal;
  readonly onStep?: ((step: StoryStep, result: StepResult) => void) | undefined;
}

/** Plays all steps at their times. Rejects only with the signal's reason: what fails is in the result. */
export async function play(
  story: Story,
  plan: StoryPlan,
  lab: Lab,
  { signal, onStep }: PlayOptions,
): Promise<PlayResult> {
  const begun = performance.now();
  const origin = Date.now();
  const now = (): number => Math.round((performance.now() - begun) * 1000) / 1000;
  const pings = new Map<string, PingResult>();
  const notes: { at: number; text: string }[] = [];
  const events: LabEvent[] = [];
  const links: { at: number; states: readonly LinkState[] }[] = [];
  const { topology } = story;
  const stage = {
    lab,
    topology,
    seed: plan.seed,
    origin,
    onPing: (each: PingResult) => void pings.set(each.name, each),
  };
  const performer = new StoryPerformer(stage);
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const context: StoryContext = {
    topology,
    signal: stop,
    node: (name): StoryNode => {
      const node = lab.node(name);
      return { name, run: (command) => node.run(command, stop), $: nodeShell(node, stop) };
    },
    note: (text) => void notes.push({ at: now(), text }),
  };

  const results = new Map<number, StepResult>();
  const waiting = new Map<number, PromiseWithResolvers<StepResult>>();
  for (const { step } of plan.steps) waiting.set(step, Promise.withResolvers());
  const settle = (step: StoryStep, result: StepResult): void => {
    results.set(step.step, result);
    waiting.get(step.step)?.resolve(result);
    onStep?.(step, result);
  };

  const perform = async (step: StoryStep, plannedMs: number | null): Promise<void> => {
    const begunMs = now();
    const base = { step: step.step, plannedMs, begunMs };
    try {
      const call = story.calls.get(step.step);
      if (call === undefined) await performer.perform(step, stop);
      else await call(context);
      settle(step, { ...base, endedMs: now(), ok: true });
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const { details } = error as { details?: readonly string[] };
      const more = details === undefined || details.length === 0 ? {} : { details };
      settle(step, { ...base, endedMs: now(), ok: false, error: text, ...more });
    }
  };
  const never = (step: StoryStep, error: string): void =>
    settle(step, { step: step.step, plannedMs: null, begunMs: null, endedMs: null, ok: false, error });

  const triggers = new Map(story.triggers);
  const watch = async (): Promise<void> => {
    for await (const event of labEvents(lab, stop)) {
      if (events.length < eventsMax) events.push(event);
      for (const [number, isIt] of triggers) {
        if (!isIt(event)) continue;
        triggers.delete(number);
        fired.get(number)?.resolve();
      }
    }
  };
  const fired = new Map([...triggers.keys()].map((number) => [number, Promise.withResolvers<void>()]));

  const schedule = async (step: StoryStep): Promise<void> => {
    const { time } = step;
    if ('atMs' in time) {
      await delay(Math.max(0, time.atMs - now()), undefined, { signal: stop });
      await perform(step, time.atMs);
    } else if ('afterStep' in time) {
      const before = await waiting.get(time.afterStep)?.promise;
      if (before?.ok !== true) return never(step, `step ${time.afterStep} before it failed`);
      const plannedMs = (before.endedMs ?? 0) + time.delayMs;
      await delay(Math.max(0, plannedMs - now()), undefined, { signal: stop });
      await perform(step, plannedMs);
    } else {
      const seen = fired.get(step.step)?.promise.then(() => true);
      const late = delay(time.withinMs, false, { signal: stop });
      if (await Promise.race([seen, late])) await perform(step, null);
      else never(step, `waited ${time.withinMs / 1000} s for ${time.when}`);
    }
  };

  const look = async (): Promise<void> => {
    while (!stop.aborted) {
      const states = await lab.linkStates(topology.links, stop);
      links.push({
        at: now(),
        states: states.filter(({ splice, isDown }) => splice !== undefined || isDown),
      });
      await delay(counterMs, undefined, { signal: stop });
    }
  };

  const watching = Promise.allSettled([watch(), look()]);
  try {
    const playing = Promise.all([
      delay(plan.durationMs, undefined, { signal: stop }),
      ...plan.steps.map((step) => schedule(step)),
    ]);
    const late = delay(plan.durationMs + endMs, undefined, { signal: stop });
    await Promise.race([playing, late]);
  } finally {
    ended.abort(new Error('the storyboard has ended'));
    await watching;
  }
  signal.throwIfAborted();
  for (const step of plan.steps)
    if (!results.has(step.step)) never(step, 'it was still under way at the end');

  const outcome = {
    pings,
    steps: new Map(
      [...results].map(([step, { ok, begunMs, endedMs }]) => [
        step,
        { ok, ms: (endedMs ?? 0) - (begunMs ?? 0) },
      ]),
    ),
  };
  const verdicts = story.expectations.map((each) => ({ expectation: each.text, ...each.evaluate(outcome) }));
  const steps = plan.steps.flatMap(({ step }) => results.get(step) ?? []);
  // A step that an expectation is about is judged by that.
  const isJudged = new Set(
    plan.steps.filter(({ kind }) => kind === 'reachable' || kind === 'converged').map(({ step }) => step),
  );
  const failed = steps.some(({ ok, step }) => !ok && !isJudged.has(step));
  return {
    ok: !failed && verdicts.every(({ ok }) => ok),
    origin,
    steps,
    verdicts,
    pings: [...pings.values()],
    notes,
    events,
    links,
  };
}
