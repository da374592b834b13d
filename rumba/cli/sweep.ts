/** Runs the cells of a sweep, each as a command of its own, so that none can disturb or stop the others. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TestbedError } from '../errors.ts';
import { lockFolder } from '../lock.ts';
import { type CellResult, resultsCsv, resultsJson, sweepHtml, sweepJunit } from '../report/sweep-report.ts';
import type { Experiment } from '../storyboard/experiment.ts';
import type { PlayResult } from '../storyboard/play.ts';
import { type Cell, cellName, type SweepFacts, sweepDifferences } from '../storyboard/sweep.ts';

const program = fileURLToPath(
  new URL(`./main${import.meta.url.endsWith('.js') ? '.js' : '.ts'}`, import.meta.url),
);

/** How much of what a run complained of is kept, in characters. */
const complaintMax = 4_096;

/** How the line of an error begins. */
const complaintMark = 'o7s-testbed: ';

export interface SweepOptions {
  readonly facts: SweepFacts;
  readonly file: string;
  readonly folder: string;
  /** What the names of its labs begin with. */
  readonly lab: string;
  /** Runs at a time. */
  readonly jobs: number;
  readonly resume: boolean;
  readonly signal: AbortSignal;
  readonly onCell: (result: CellResult, done: number) => void;
}

/**
 * All results, in the order of the cells. Rejects with EUSAGE where the folder has a sweep that is not this one or not to be
 * gone on with, and with the signal's reason: it can be gone on with then.
 */
export async function sweep(cells: readonly Cell[], options: SweepOptions): Promise<CellResult[]> {
  const { folder, facts, signal, resume } = options;
  const file = join(folder, 'sweep.json');
  await using _lock = await lockFolder(file, { signal, holder: '"o7s-testbed run"', onWait: () => {} });
  if (existsSync(file)) checkSame(file, options);
  else if (resume) {
    throw new TestbedError('EUSAGE', `${folder} has no sweep to go on with`, {
      hint: 'begin it without --resume',
    });
  }
  await mkdir(folder, { recursive: true });
  await writeFile(file, `${JSON.stringify(facts, null, 2)}\n`);
  const results = new Map<Cell, CellResult>();
  const waiting = [...cells];
  const work = async (): Promise<void> => {
    for (let cell = waiting.shift(); cell !== undefined && !signal.aborted; cell = waiting.shift()) {
      const known = resume ? complete(cell, folder) : undefined;
      const result = known ?? (await runCell(cell, options));
      if (signal.aborted) return;
      results.set(cell, result);
      options.onCell(result, results.size);
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.jobs, cells.length) }, work));
  signal.throwIfAborted();
  const ordered = cells.flatMap((cell) => results.get(cell) ?? []);
  const suites = ordered.map(({ cell }) => readOrNothing(join(folder, cellName(cell), 'junit.xml')));
  await writeFile(join(folder, 'results.csv'), resultsCsv(ordered));
  await writeFile(join(folder, 'results.json'), resultsJson(ordered));
  await writeFile(join(folder, 'junit.xml'), sweepJunit(facts.name, ordered, suites));
  await writeFile(join(folder, 'report.html'), await sweepHtml(facts.name, facts.seed, ordered));
  return ordered;
}

function checkSame(file: string, { folder, resume, facts }: SweepOptions): void {
  if (!resume) {
    throw new TestbedError('EUSAGE', `${folder} has a sweep already`, {
      hint: 'go on with it by --resume, or give this one another folder',
    });
  }
  let before: SweepFacts;
  try {
    before = JSON.parse(readFileSync(file, 'utf8')) as SweepFacts;
  } catch {
    throw new TestbedError('EUSAGE', `${file} is damaged: what its sweep was is not known`, {
      hint: 'begin another in another folder',
    });
  }
  const differences = sweepDifferences(before, facts);
  if (differences.length === 0) return;
  throw new TestbedError('EUSAGE', `${folder} is of another sweep: ${differences.join(', ')}`, {
    hint: 'resume with what it began with, or begin another in another folder',
  });
}

async function runCell(cell: Cell, { file, folder, facts, signal, lab }: SweepOptions): Promise<CellResult> {
  const own = join(folder, cellName(cell));
  const set = Object.entries(cell.parameters).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const name = ['--lab', `${lab.slice(0, 40)}-${process.pid}-${cell.number}`];
  const command = [program, 'run', file, ...set, '--seed', String(cell.seed), '-o', own, ...name];
  // What one left that broke is not of this one, where it breaks before it begins.
  await rm(join(own, 'run.json'), { force: true });
  const child = spawn(
    process.execPath,
    [...process.execArgv, ...command, '--with-caller', ...facts.options],
    {
      // Its standard input ends with this process, however that ends.
      stdio: ['pipe', 'ignore', 'pipe'],
      // Ctrl-C is for the sweep, which hands it on once.
      detached: true,
    },
  );
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = `${complaint}${chunk.toString('utf8')}`.slice(-complaintMax);
  });
  child.stdin.on('error', () => {});
  const stop = (): void => void child.kill('SIGINT');
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  await new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', (error) => {
      complaint = error.message;
      resolve();
    });
  });
  signal.removeEventListener('abort', stop);
  const found = complete(cell, folder);
  if (found !== undefined) return found;
  const told = (readJson(join(own, 'run.json')) as Partial<Experiment> | undefined)?.error;
  const lines = complaint.trim().split('\n');
  // What follows the error are its details; a run that died in another way says why last.
  const why = lines.find((line) => line.startsWith(complaintMark)) ?? lines.at(-1) ?? '';
  return { cell, status: 'broken', verdicts: [], error: told ?? why.replace(complaintMark, '') };
}

/** What became of a cell whose run came to its end. */
function complete(cell: Cell, folder: string): CellResult | undefined {
  const own = join(folder, cellName(cell));
  const status = (readJson(join(own, 'run.json')) as Partial<Experiment> | undefined)?.status;
  const verdicts = (readJson(join(own, 'results.json')) as Partial<PlayResult> | undefined)?.verdicts;
  if ((status !== 'passed' && status !== 'failed') || verdicts === undefined) return undefined;
  return { cell, status, verdicts };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
