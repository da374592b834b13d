/** A storyboard from beginning to end: the lab is made, the storyboard played, the lab taken down, and all of it kept. */
import { deploy } from '../deploy/deploy.ts';
import type { DeployEvent } from '../deploy/deploy.ts';
import { TestbedError } from '../errors.ts';
import { nameFault } from '../model/names.ts';
import { versions } from '../orchestrate.ts';
import { fromNothing } from '../plan/difference.ts';
import { plan as planOf } from '../plan/plan.ts';
import { chooseTestbed } from '../testbeds/known.ts';
import type { Lab, Testbed } from '../testbeds/testbed.ts';
import type { Missing } from './observe.ts';
import { notPlayed, play, type PlayResult, type StepResult } from './play.ts';
import { Story, type Storyboard, type StoryPlan, type StoryStep } from './story.ts';

export interface ExperimentOptions {
  /** Name of the lab. */
  readonly lab: string;
  /** Of the run, where the storyboard has none. */
  readonly name: string;
  readonly seed: number;
  readonly parameters: Readonly<Record<string, string>>;
  readonly testbed: Testbed | undefined;
  readonly image: string | undefined;
  readonly workers?: number | undefined;
  readonly signal: AbortSignal;
  readonly onDeploy?: ((event: DeployEvent) => void) | undefined;
  readonly onStep?: ((step: StoryStep, result: StepResult) => void) | undefined;
  readonly onNote?: ((line: string) => void) | undefined;
  /** Called once the lab is ready; what it gives is called when the storyboard has ended, and tells what is missing. */
  readonly onReady?: ((lab: Lab, plan: StoryPlan) => Promise<() => Promise<Missing[]>>) | undefined;
  /** Called before the lab goes, however far it came. */
  readonly onEnd?: ((lab: Lab) => Promise<void>) | undefined;
}

/** `broken`: something went wrong that is no step and no expectation, such as a lab that could not be made. */
export type RunStatus = 'passed' | 'failed' | 'broken' | 'interrupted';

/** All of a run that is known before it begins. */
export interface RunFacts {
  readonly name: string;
  readonly seed: number;
  readonly lab: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly plan: StoryPlan;
}

export interface Experiment extends RunFacts {
  readonly status: RunStatus;
  /** Why it was broken or interrupted. */
  readonly error?: string;
  readonly details?: readonly string[];
  /** Null where none could be chosen. */
  readonly testbed: string | null;
  /** Digests of the images that nodes ran, by name. */
  readonly images: Readonly<Record<string, string>>;
  /** How long the lab took to be ready, ms; null where it never was. */
  readonly readyMs: number | null;
  /** ISO 8601. */
  readonly endedAt: string;
  readonly result: PlayResult;
}

/** A run that can begin. */
export interface Prepared extends RunFacts {
  readonly board: Storyboard;
  readonly story: Story;
}

/** Checks a storyboard. Throws ETOPOLOGY for what is wrong with it, and EUSAGE for a name that no lab can have. */
export function prepare(
  board: Storyboard,
  options: Pick<ExperimentOptions, 'lab' | 'name' | 'seed' | 'parameters'>,
): Prepared {
  const { lab, seed, parameters } = options;
  const fault = nameFault('lab', lab);
  if (fault !== undefined) throw new TestbedError('EUSAGE', `the lab name ${lab} ${fault}`);
  const story = new Story(board, seed);
  const plan = story.plan(board.name ?? options.name);
  const { name } = plan;
  const startedAt = new Date().toISOString();
  return { board, story, plan, name, seed, lab, parameters, versions: versions(), startedAt };
}

/**
 * Runs it: whatever goes wrong, there is a result of as far as it came, and the lab is gone. `failure` is what made it
 * broken or interrupted.
 */
export async function experiment(
  { board, story, ...facts }: Prepared,
  options: Omit<ExperimentOptions, 'lab' | 'name' | 'seed' | 'parameters'>,
): Promise<{ run: Experiment; failure?: unknown }> {
  const { signal, image, workers, onNote = () => {}, onEnd = async () => {} } = options;
  const { topology } = board;
  const { nodes } = topology;
  const { plan } = facts;
  let failure: unknown;
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      failure ??= error;
      return undefined;
    }
  };
  let images: Readonly<Record<string, string>> = {};
  let readyMs: number | null = null;
  let result = notPlayed(plan);
  const playIn = async (lab: Lab): Promise<void> => {
    const begun = performance.now();
    await deploy(fromNothing(planOf(topology)), lab, { signal, nodes, workers, onEvent: options.onDeploy });
    readyMs = performance.now() - begun;
    images = await lab.images(signal);
    const close = await options.onReady?.(lab, plan);
    result = await play(story, plan, lab, { signal, onStep: options.onStep });
    const missing = await attempt(async () => await close?.());
    result = { ...result, missing: [...result.missing, ...(missing ?? [])] };
    signal.throwIfAborted();
  };
  const testbed = await attempt(
    async () =>
      await chooseTestbed(options.testbed, {
        signal,
        image,
        nodes,
        onProgress: onNote,
        onSkip: (_skipped, next, { message }) => onNote(`using testbed ${next.name}: ${message}`),
      }),
  );
  const lab = await attempt(
    async () => await testbed?.createLab(facts.lab, signal, { topology: topology.name, image }),
  );
  if (lab !== undefined) {
    await attempt(async () => await playIn(lab));
    await attempt(async () => await onEnd(lab));
    await attempt(async () => await lab.destroy());
  }
  if (signal.aborted) failure ??= signal.reason;
  const isBroken = failure !== undefined;
  const status = signal.aborted ? 'interrupted' : isBroken ? 'broken' : result.ok ? 'passed' : 'failed';
  const ends = { testbed: testbed?.name ?? null, images, readyMs, endedAt: new Date().toISOString(), result };
  return { run: { ...facts, status, ...(isBroken ? reasonOf(failure) : {}), ...ends }, failure };
}

function reasonOf(failure: unknown): { error: string; details?: readonly string[] } {
  const { hint, details = [] } = failure as { hint?: string; details?: readonly string[] };
  const text = failure instanceof Error ? failure.message : String(failure);
  const error = hint === undefined ? text : `${text}; ${hint}`;
  return details.length === 0 ? { error } : { error, details };
}
