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
import { play, type PlayResult, type StepResult } from './play.ts';
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
  /** Called once the lab is ready; what it gives is called before the lab goes, however it went. */
  readonly inLab?: ((lab: Lab, plan: StoryPlan) => Promise<() => Promise<void>>) | undefined;
}

export interface Experiment {
  readonly name: string;
  readonly seed: number;
  readonly testbed: string;
  readonly lab: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly startedAt: string;
  /** How long the lab took to be ready, ms. */
  readonly readyMs: number;
  readonly plan: StoryPlan;
  readonly result: PlayResult;
}

/** Rejects where the lab cannot be made, or with the signal's reason; the lab is gone in any case. */
export async function experiment(board: Storyboard, options: ExperimentOptions): Promise<Experiment> {
  const { signal, seed, image, parameters, workers, onNote = () => {} } = options;
  const { topology } = board;
  const fault = nameFault('lab', options.lab);
  if (fault !== undefined) throw new TestbedError('EUSAGE', `the lab name ${options.lab} ${fault}`);
  const story = new Story(board, seed);
  const plan = story.plan(board.name ?? options.name);
  const testbed = await chooseTestbed(options.testbed, {
    signal,
    image,
    nodes: topology.nodes,
    onProgress: onNote,
    onSkip: (_skipped, next, { message }) => onNote(`using testbed ${next.name}: ${message}`),
  });
  const startedAt = new Date().toISOString();
  const begun = performance.now();
  const lab = await testbed.createLab(options.lab, signal, { topology: topology.name, image });
  await using _going: AsyncDisposable = { [Symbol.asyncDispose]: () => lab.destroy() };
  const nodes = topology.nodes;
  await deploy(fromNothing(planOf(topology)), lab, { signal, nodes, workers, onEvent: options.onDeploy });
  const readyMs = performance.now() - begun;
  const close = await options.inLab?.(lab, plan);
  try {
    const result = await play(story, plan, lab, { signal, onStep: options.onStep });
    const { name } = plan;
    const base = { name, seed, testbed: testbed.name, lab: lab.name, parameters, versions: versions() };
    return { ...base, startedAt, readyMs, plan, result };
  } finally {
    await close?.();
  }
}
