/** Plays a storyboard in a lab that is ready, and tells what came of it. */
import { setTimeout as delay } from 'node:timers/promises';
import { abortable } from '../abortable.ts';
import type { LabEvent } from '../events.ts';
import type { LinkState } from '../links/wiring.ts';
import type { Lab } from '../testbeds/testbed.ts';
import type { StoryContext, StoryNode } from './context.ts';
import { nodeShell } from './node-shell.ts';
import { EventLog, LinkLog, messageOf, type Missing } from './observe.ts';
import { StoryPerformer } from './perform.ts';
import type { PingResult } from './ping.ts';
import type { Story, StoryPlan, StoryStep, Verdict } from './story.ts';

/** How long what is under way at the end may take, in milliseconds. */
const endMs = 30_000;

/** How long what was told to stop may take to tell what it has, in milliseconds. */
const stopMs = 5_000;

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
  /** The run was ended before its end: expectations are not judged. */
  readonly interrupted: boolean;
  /** ms since 1970; null where the storyboard never began. */
  readonly origin: number | null;
  /** In the order in which they were begun; those that never were come last, in that of the plan. */
  readonly steps: readonly StepResult[];
  readonly verdicts: readonly Verdict[];
  readonly pings: readonly PingResult[];
  readonly notes: readonly { readonly at: number; readonly text: string }[];
  readonly events: readonly LabEvent[];
  /** How impaired links were, in turn. */
  readonly links: readonly { readonly at: number; readonly states: readonly LinkState[] }[];
  readonly missing: readonly Missing[];
}

export interface PlayOptions {
  readonly signal: AbortSignal;
  readonly onStep?: ((step: StoryStep, result: StepResult) => void) | undefined;
}

/** What comes of a storyboard that has no lab to be played in. */
export function notPlayed({ steps }: StoryPlan): PlayResult {
  const nothing = { verdicts: [], pings: [], notes: [], events: [], links: [], missing: [] };
  return {
    ok: false,
    interrupted: false,
    origin: null,
    steps: steps.map((step) => neverBegun(step, 'the lab was not ready')),
    ...nothing,
  };
}

/**
 * Plays all steps, those that have a time in the order of the plan. Never rejects: what fails is in the result, as is what
 * there is when the signal aborts.
 */
export async function play(
  story: Story,
  plan: StoryPlan,
  lab: Lab,
  { signal, onStep }: PlayOptions,
): Promise<PlayResult> {
  const begun = performance.now();
  const origin = Date.now();
  const now = (): number => Math.round((performance.now() - begun) * 1000) / 1000;
  const { topology } = story;
  const pings = new Map<string, PingResult>();
  const notes: { at: number; text: string }[] = [];
  const performer = new StoryPerformer({
    lab,
    topology,
    seed: plan.seed,
    origin,
    onPing: (each) => void pings.set(each.name, each),
  });
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

  // A Map keeps the order in which steps were begun.
  const results = new Map<number, StepResult>();
  const settled = new Map(plan.steps.map(({ step }) => [step, Promise.withResolvers<StepResult>()]));
  let isOver = false;
  const settle = (step: StoryStep, result: StepResult): void => {
    // What comes after the results were taken comes too late.
    if (isOver) return;
    results.set(step.step, result);
    settled.get(step.step)?.resolve(result);
    onStep?.(step, result);
  };
  const never = (step: StoryStep, error: string): void => settle(step, neverBegun(step, error));

  const perform = async (step: StoryStep, plannedMs: number | null): Promise<void> => {
    const base = { step: step.step, plannedMs, begunMs: now() };
    results.set(step.step, { ...base, endedMs: null, ok: false });
    try {
      const call = story.calls.get(step.step);
      if (call === undefined) await performer.perform(step, stop);
      else await call(context);
      settle(step, { ...base, endedMs: now(), ...(stop.aborted ? unfinished(signal) : { ok: true }) });
    } catch (error) {
      const { details } = error as { details?: readonly string[] };
      const more = details === undefined || details.length === 0 ? {} : { details };
      const why = stop.aborted ? unfinished(signal) : { ok: false, error: messageOf(error), ...more };
      settle(step, { ...base, endedMs: now(), ...why });
    }
  };

  const events = new EventLog(story.triggers);
  const links = new LinkLog();
  /** One after another: two that are due in the same millisecond begin in the order of the plan everywhere. */
  const playTimed = async (): Promise<void> => {
    const underWay: Promise<void>[] = [];
    try {
      for (const step of plan.steps) {
        if (!('atMs' in step.time)) continue;
        const { atMs } = step.time;
        await delay(Math.max(0, atMs - now()), undefined, { signal: stop });
        underWay.push(perform(step, atMs));
      }
    } finally {
      await Promise.all(underWay);
    }
  };
  const playOther = async (step: StoryStep): Promise<void> => {
    const { time } = step;
    if ('afterStep' in time) {
      const earlier = settled.get(time.afterStep);
      if (earlier === undefined) return never(step, `there is no step ${time.afterStep}`);
      const before = await abortable(earlier.promise, stop);
      if (!before.ok) return never(step, `step ${time.afterStep} before it failed`);
      const plannedMs = (before.endedMs ?? 0) + time.delayMs;
      await delay(Math.max(0, plannedMs - now()), undefined, { signal: stop });
      await perform(step, plannedMs);
    } else if ('when' in time) {
      const late = `waited ${time.withinMs / 1000} s for ${time.when}`;
      const waited = delay(time.withinMs, late, { signal: stop });
      const reason = await Promise.race([events.seen(step.step), waited]);
      if (reason === undefined) await perform(step, null);
      else never(step, reason);
    }
  };

  const observing = Promise.all([events.watch(lab, stop, now), links.watch(lab, topology.links, stop, now)]);
  const playing = Promise.allSettled([
    delay(plan.durationMs, undefined, { signal: stop }),
    playTimed(),
    ...plan.steps.map((step) => playOther(step)),
  ]);
  await within(plan.durationMs + endMs, abortable(playing, signal));
  ended.abort(new Error('the storyboard has ended'));
  // Pings that are stopped tell what they have measured.
  await within(stopMs, Promise.all([playing, observing]));
  isOver = true;

  const interrupted = signal.aborted;
  const rest = plan.steps
    .filter(({ step }) => (results.get(step)?.begunMs ?? null) === null)
    .map((step) => {
      const why = interrupted ? 'the run was interrupted before' : 'it was never begun';
      return results.get(step.step) ?? neverBegun(step, why);
    });
  const begunSteps = [...results.values()].filter(({ begunMs }) => begunMs !== null);
  const steps = [
    ...begunSteps.map((each) => (each.endedMs === null ? { ...each, ...unfinished(signal) } : each)),
    ...rest,
  ];
  const verdicts = interrupted ? [] : verdictsOf(story, steps, pings);
  // A step that an expectation is about is judged by that.
  const isJudged = new Set(
    plan.steps.filter(({ kind }) => kind === 'reachable' || kind === 'converged').map(({ step }) => step),
  );
  const failed = steps.some(({ ok, step }) => !ok && !isJudged.has(step));
  return {
    ok: !interrupted && !failed && verdicts.every(({ ok }) => ok),
    interrupted,
    origin,
    steps,
    verdicts,
    pings: [...pings.values()],
    notes,
    events: events.events,
    links: links.looks,
    missing: [...events.missing, ...links.missing],
  };
}

function verdictsOf(
  story: Story,
  steps: readonly StepResult[],
  pings: ReadonlyMap<string, PingResult>,
): Verdict[] {
  const outcome = {
    pings,
    steps: new Map(
      steps.map(({ step, ok, begunMs, endedMs }) => [step, { ok, ms: (endedMs ?? 0) - (begunMs ?? 0) }]),
    ),
  };
  return story.expectations.map((each) => ({ expectation: each.text, ...each.evaluate(outcome) }));
}

function unfinished(signal: AbortSignal): { ok: false; error: string } {
  const when = signal.aborted
    ? 'it was under way when the run was interrupted'
    : 'it was still under way at the end';
  return { ok: false, error: when };
}

function neverBegun({ step }: StoryStep, error: string): StepResult {
  return { step, plannedMs: null, begunMs: null, endedMs: null, ok: false, error };
}

/** Waits for something that may fail, but no longer than this. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  const late = delay(ms, undefined, { signal: timer.signal });
  await Promise.race([work, late]).catch(() => {});
  timer.abort();
  await late.catch(() => {});
}
