/** `o7s-testbed run`: a storyboard from beginning to end. */
import { createHash } from 'node:crypto';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { CommandModule } from 'yargs';
import { TestbedError } from '../../errors.ts';
import { checkBuilt } from '../../installation.ts';
import { startCaptures } from '../../report/captures.ts';
import { beginBundle, completeBundle, saveLogs, saveMetrics } from '../../report/bundle.ts';
import { lockFolder } from '../../lock.ts';
import { versions } from '../../orchestrate.ts';
import { junit } from '../../report/junit.ts';
import { measuredText } from '../../report/measured.ts';
import { experiment, type Prepared, prepare } from '../../storyboard/experiment.ts';
import { Story, type StoryStep } from '../../storyboard/story.ts';
import type { StepResult } from '../../storyboard/play.ts';
import { interruptible } from '../interrupt.ts';
import { labName } from '../lab-name.ts';
import { askedTestbed } from '../labs.ts';
import { loadStoryboard } from '../load-topology.ts';
import { checkJobs, parseSet, setOption, testbedOption, verboseOption } from '../options.ts';
import { standardProgress } from '../progress.ts';
import { type Cell, cellName, cellsOf, gridOf, type SweepFacts } from '../../storyboard/sweep.ts';
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
  'with-caller': boolean;
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
      // For the runs of a sweep: ended with their standard input, they do not outlive it.
      .option('with-caller', { type: 'boolean', default: false, hidden: true })
      .option('verbose', verboseOption)
      .example('$0 run storyboard.ts', 'ends with 4 where an expectation is not met')
      .example('$0 run storyboard.ts --seed 7 -o out', 'with another course of chance, into folder out')
      .example('$0 run storyboard.ts --set loss=0%,1%,5% --repeat 10 -o out', 'a sweep of 30 runs')
      .example('$0 run storyboard.ts --dry-run', 'what would be done, and when'),
  handler: async (options) => {
    const { file, output, resume, repeat } = options;
    const grid = gridOf(parseSet(options.set));
    const first = new Map([...grid].map(([key, [value = '']]) => [key, value]));
    const { board, parameters } = await loadStoryboard(file, { set: first });
    const seed = checkSeed(options.seed ?? board.seed ?? 1);
    const own = basename(file).replace(/(\.story)?\.[cm]?[jt]s$/, '');
    const name = board.name ?? own;
    checkJobs(options.jobs);
    if (!Number.isInteger(repeat) || repeat < 1) {
      throw new TestbedError('EUSAGE', `--repeat ${repeat} is no number of runs`);
    }
    const cells = cellsOf(grid, repeat, seed);
    const isSweep = cells.length > 1;
    if (options['dry-run']) {
      const plan = isSweep ? { name, seed, cells } : new Story(board, seed).plan(name);
      process.stdout.write(`${JSON.stringify(plan, null, 2)}\n`);
      return;
    }
    checkBuilt();
    if (resume && (output === undefined || !isSweep)) {
      throw new TestbedError('EUSAGE', '--resume goes on with no sweep', {
        hint: 'give it the options the sweep began with, and its folder: -o FOLDER',
      });
    }
    const folder = resolve(output ?? join('runs', `${name}-${stamp(new Date())}`));
    const lab = labName({ asked: options.lab, own: isSweep ? name : `${name}-${process.pid}`, file });
    using interrupt = interruptible((exitCode) => process.exit(exitCode));
    const { signal } = interrupt;
    if (options['with-caller']) {
      const end = (): unknown => signal.aborted || process.kill(process.pid, 'SIGINT');
      process.stdin.once('end', end).once('error', end).resume().unref();
    }
    if (!isSweep) {
      const values = Object.fromEntries(parameters.map((each) => [each.name, String(each.value)]));
      const prepared = prepare(board, { lab, name, seed, parameters: values });
      await runOnce(prepared, { ...options, folder }, signal);
      return;
    }
    const { plan } = prepare(board, { lab, name, seed, parameters: {} });
    const facts = {
      ...{ name, seed, repeat, parameters: Object.fromEntries(grid) },
      file: digest(await readFile(file)),
      content: digest(JSON.stringify([board.topology, plan])),
      options: (['testbed', 'image'] as const).flatMap((key) => {
        const value = options[key];
        return value === undefined ? [] : [`--${key}`, value];
      }),
      versions: versions(),
    };
    await runSweep(cells, facts, { ...options, folder, lab }, signal);
  },
};

async function runOnce(
  prepared: Prepared,
  options: RunArguments & { folder: string },
  signal: AbortSignal,
): Promise<void> {
  const { folder, image } = options;
  const { board, name } = prepared;
  await using _lock = await lockFolder(folder, {
    ...{ signal, holder: '"o7s-testbed run"' },
    onWait: (holder) => void process.stderr.write(`waiting for ${holder}, which writes into ${folder}\n`),
  });
  await beginBundle(folder, prepared);
  using shown = standardProgress(options.verbose);
  const { run: ended, failure } = await experiment(prepared, {
    testbed: askedTestbed(options.testbed),
    image,
    signal,
    onDeploy: shown.onEvent,
    onNote: shown.note,
    onStep: (step, outcome) => shown.note(stepLine(step, outcome)),
    onReady: async (there, plan) => {
      shown.note(
        `playing ${plan.name}: ${counted(plan.steps.length, 'step')} in ${plan.durationMs / 1000} s`,
      );
      return await startCaptures(join(folder, 'pcaps'), there, board);
    },
    onEnd: async (there) => {
      await saveMetrics(folder, there, AbortSignal.any([signal, AbortSignal.timeout(metricsMs)]));
      await saveLogs(folder, there);
    },
  });
  shown[Symbol.dispose]();
  await completeBundle(folder, ended, board.topology);
  if (options.junit !== undefined) await writeFile(options.junit, junit(ended));
  for (const each of ended.result.verdicts) {
    process.stdout.write(`${each.ok ? 'ok    ' : 'FAILED'} ${each.expectation}: ${measuredText(each)}\n`);
  }
  for (const { what, count, reason } of ended.result.missing) {
    process.stderr.write(`missing ${count === null ? '' : `${count} `}${what}: ${reason}\n`);
  }
  process.stderr.write(`${name} ${ended.status}: ${folder}/report.html\n`);
  if (failure !== undefined) throw failure as Error;
  if (!ended.result.ok) process.exitCode = failedCode;
}

async function runSweep(
  cells: readonly Cell[],
  facts: SweepFacts,
  options: RunArguments & { folder: string; lab: string },
  signal: AbortSignal,
): Promise<void> {
  const { file, folder, lab, jobs, resume } = options;
  process.stderr.write(`sweep ${facts.name}: ${counted(cells.length, 'run')} into ${folder}\n`);
  const results = await sweep(cells, {
    ...{ facts, file, lab, folder, jobs, resume, signal },
    onCell: ({ cell, status, error }, done) => {
      const why = error === undefined ? '' : `: ${error}`;
      process.stderr.write(`${done}/${cells.length} ${cellName(cell)} ${status}${why}\n`);
    },
  }).catch((error: unknown) => {
    if (signal.aborted) process.stderr.write(`to go on: the same command with --resume -o ${folder}\n`);
    throw error;
  });
  if (options.junit !== undefined) await copyFile(join(folder, 'junit.xml'), options.junit);
  const failed = results.filter(({ status }) => status !== 'passed').length;
  process.stderr.write(
    `${results.length - failed} of ${counted(results.length, 'run')} passed: ${folder}/report.html\n`,
  );
  if (failed > 0) process.exitCode = failedCode;
}

function digest(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex');
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
