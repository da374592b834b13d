/** `o7s-testbed run`: a storyboard from beginning to end. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { CommandModule } from 'yargs';
import { TestbedError } from '../../errors.ts';
import { binDirectory, packageRoot } from '../../installation.ts';
import { startCaptures } from '../../report/captures.ts';
import { saveLogs, saveMetrics, writeBundle } from '../../report/bundle.ts';
import { junit } from '../../report/junit.ts';
import { experiment } from '../../storyboard/experiment.ts';
import { Story, type StoryPlan, type StoryStep } from '../../storyboard/story.ts';
import type { StepResult } from '../../storyboard/play.ts';
import { interruptible } from '../interrupt.ts';
import { labName } from '../lab-name.ts';
import { askedTestbed } from '../labs.ts';
import { loadStoryboard } from '../load-topology.ts';
import { checkJobs, parseSet, setOption, testbedOption, verboseOption } from '../options.ts';
import { standardProgress } from '../progress.ts';
import { type Cell, cellName, cellsOf, gridOf } from '../../storyboard/sweep.ts';
import { sweep } from '../sweep.ts';
import { counted } from '../table.ts';

interface RunArguments {
  file: string;
  set: string[];
  seed: number | undefined;
  lab: string | undefined;
  testbed: string | undefined;
  image: string | undefined;
  repeat: number;
  jobs: number;
  resume: boolean;
  output: string | undefined;
  junit: string | undefined;
  'dry-run': boolean;
  verbose: boolean;
}

/** The exit code of a run of which a step or an expectation failed. */
const failedCode = 4;

/** How long nodes may take to tell what they counted, in milliseconds. One that is paused never does. */
const metricsMs = 10_000;

export const run: CommandModule<object, RunArguments> = {
  command: 'run <file>',
  describe: 'Play a storyboard: build its topology, play it, keep what came of it, take the lab down',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', demandOption: true, describe: 'Storyboard file' })
      .option('set', {
        ...setOption,
        describe: 'Parameter, NAME=VALUE; several values, a,b,c, make a sweep over all combinations',
      })
      .option('seed', {
        type: 'number',
        requiresArg: true,
        describe: "Of all that is left to chance; else the storyboard's, else 1",
      })
      .option('lab', {
        type: 'string',
        requiresArg: true,
        describe: "Name of the lab; else the storyboard's",
      })
      .option('testbed', testbedOption)
      .option('image', { type: 'string', requiresArg: true, describe: 'Image that nodes run (docker)' })
      .option('repeat', {
        type: 'number',
        default: 1,
        requiresArg: true,
        describe: 'Runs of each combination',
      })
      .option('jobs', {
        alias: 'j',
        type: 'number',
        default: 1,
        requiresArg: true,
        describe: 'Runs at a time',
      })
      .option('resume', {
        type: 'boolean',
        default: false,
        describe: 'Go on with the sweep of -o that was ended: runs that are complete stay',
      })
      .option('output', {
        alias: 'o',
        type: 'string',
        requiresArg: true,
        describe: 'Folder for all that comes of it; else runs/NAME-TIME',
      })
      .option('junit', {
        type: 'string',
        requiresArg: true,
        describe: 'Write the results as JUnit XML here too',
      })
      .option('dry-run', {
        type: 'boolean',
        default: false,
        describe: 'Print the plan as JSON and do nothing',
      })
      .option('verbose', verboseOption)
      .example('$0 run storyboard.ts', 'ends with 4 where an expectation is not met')
      .example('$0 run storyboard.ts --seed 7 -o out', 'with another course of chance, into folder out')
      .example('$0 run storyboard.ts --set loss=0%,1%,5% --repeat 10 -o out', 'a sweep of 30 runs')
      .example('$0 run storyboard.ts --dry-run', 'what would be done, and when'),
  handler: async (options) => {
    const { file, image } = options;
    const grid = gridOf(parseSet(options.set));
    const first = new Map([...grid].map(([key, [value = '']]) => [key, value]));
    const { board, parameters } = await loadStoryboard(file, { set: first });
    const seed = checkSeed(options.seed ?? board.seed ?? 1);
    const own = basename(file).replace(/(\.story)?\.[cm]?[jt]s$/, '');
    const name = board.name ?? own;
    if (options['dry-run']) {
      process.stdout.write(`${JSON.stringify(new Story(board, seed).plan(name), null, 2)}\n`);
      return;
    }
    if (!existsSync(`${binDirectory}/irmd`)) {
      throw new TestbedError('EENVIRONMENT', `${binDirectory}/irmd is missing`, {
        hint: `run: npm --prefix ${packageRoot} run build`,
      });
    }
    checkJobs(options.jobs);
    if (!Number.isInteger(options.repeat) || options.repeat < 1) {
      throw new TestbedError('EUSAGE', `--repeat ${options.repeat} is no number of runs`);
    }
    const cells = cellsOf(grid, options.repeat, seed);
    if (options.resume && options.output === undefined) {
      throw new TestbedError('EUSAGE', '--resume goes on with no sweep', {
        hint: 'name its folder: -o FOLDER',
      });
    }
    const folder = resolve(options.output ?? join('runs', `${name}-${stamp(new Date())}`));
    await mkdir(folder, { recursive: true });
    using interrupt = interruptible((exitCode) => process.exit(exitCode));
    if (cells.length > 1) {
      await runSweep(cells, { ...options, name, seed, folder }, interrupt.signal);
      return;
    }
    using shown = standardProgress(options.verbose);
    const result = await experiment(board, {
      lab: labName({ asked: options.lab, own: `${name}-${process.pid}`, file }),
      name,
      seed,
      parameters: Object.fromEntries(parameters.map((each) => [each.name, String(each.value)])),
      testbed: askedTestbed(options.testbed),
      image,
      signal: interrupt.signal,
      onDeploy: shown.onEvent,
      onNote: shown.note,
      onStep: (step, outcome) => shown.note(stepLine(step, outcome)),
      inLab: async (lab, plan: StoryPlan) => {
        shown.note(
          `playing ${plan.name}: ${counted(plan.steps.length, 'step')} in ${plan.durationMs / 1000} s`,
        );
        const captures = await startCaptures(join(folder, 'pcaps'), lab, board);
        return async () => {
          await captures();
          await saveMetrics(folder, lab, AbortSignal.any([interrupt.signal, AbortSignal.timeout(metricsMs)]));
          await saveLogs(folder, lab);
        };
      },
    });
    shown[Symbol.dispose]();
    await writeBundle(folder, result, board.topology);
    if (options.junit !== undefined) await writeFile(options.junit, junit([result]));
    for (const { expectation, ok, measured, unit } of result.result.verdicts) {
      const value = measured === null ? 'nothing measured' : `${Number(measured.toFixed(3))}${unit}`;
      process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${expectation}: ${value}\n`);
    }
    process.stderr.write(`${name} ${result.result.ok ? 'passed' : 'failed'}: ${folder}/report.html\n`);
    if (!result.result.ok) process.exitCode = failedCode;
  },
};

async function runSweep(
  cells: readonly Cell[],
  options: RunArguments & { name: string; seed: number; folder: string },
  signal: AbortSignal,
): Promise<void> {
  const { file, folder, name, seed, jobs, resume, testbed, image } = options;
  const words = [
    ...(testbed === undefined ? [] : ['--testbed', testbed]),
    ...(image === undefined ? [] : ['--image', image]),
  ];
  process.stderr.write(`sweep ${name}: ${counted(cells.length, 'run')} into ${folder}\n`);
  const results = await sweep(cells, {
    ...{ file, name, seed, folder, jobs, resume, words, signal },
    onCell: ({ cell, status, error }, done) => {
      const why = error === undefined ? '' : `: ${error}`;
      process.stderr.write(`${done}/${cells.length} ${cellName(cell)} ${status}${why}\n`);
    },
  }).catch((error: unknown) => {
    if (signal.aborted) process.stderr.write(`to go on: add --resume -o ${folder}\n`);
    throw error;
  });
  const failed = results.filter(({ status }) => status !== 'passed').length;
  process.stderr.write(
    `${results.length - failed} of ${counted(results.length, 'run')} passed: ${folder}/report.html\n`,
  );
  if (failed > 0) process.exitCode = failedCode;
}

function stepLine({ step, kind, target }: StoryStep, { begunMs, ok, error }: StepResult): string {
  const at = begunMs === null ? '      -' : `${(begunMs / 1000).toFixed(3)} s`;
  return `${at} ${kind} ${target}${ok ? '' : `: step ${step} failed: ${error?.split('\n')[0]}`}`;
}

function checkSeed(seed: number): number {
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new TestbedError('EUSAGE', `the seed ${seed} is no whole number from 0 up`);
}

/** A time as part of a file's name. */
function stamp(time: Date): string {
  return time.toISOString().slice(0, 19).replaceAll(/[:-]/g, '').replace('T', '-');
}
