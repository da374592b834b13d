/** Runs the cells of a sweep, each as a command of its own, so that none can disturb or stop the others. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TestbedError } from '../errors.ts';
import { type CellResult, resultsCsv, sweepHtml } from '../report/sweep-report.ts';
import type { PlayResult } from '../storyboard/play.ts';
import { type Cell, cellName } from '../storyboard/sweep.ts';

const program = fileURLToPath(
  new URL(`./main${import.meta.url.endsWith('.js') ? '.js' : '.ts'}`, import.meta.url),
);

/** How much of what a run complained of is kept, in characters. */
const complaintMax = 4_096;

/** How the line of an error begins. */
const complaintMark = 'o7s-testbed: ';

export interface SweepOptions {
  readonly file: string;
  readonly name: string;
  readonly seed: number;
  readonly folder: string;
  /** Runs at a time. */
  readonly jobs: number;
  readonly resume: boolean;
  /** Options of each run, such as its testbed. */
  readonly words: readonly string[];
  readonly signal: AbortSignal;
  readonly onCell: (result: CellResult, done: number) => void;
}

/** All results, in the order of the cells; rejects with the signal's reason, and the sweep can be resumed then. */
export async function sweep(cells: readonly Cell[], options: SweepOptions): Promise<CellResult[]> {
  const { folder, name, seed, signal, resume } = options;
  const file = join(folder, 'sweep.json');
  const what = `${JSON.stringify({ name, seed, cells }, null, 2)}\n`;
  if (resume && existsSync(file) && readFileSync(file, 'utf8') !== what) {
    throw new TestbedError('EUSAGE', `${folder} is of another sweep`, {
      hint: 'resume with the options it began with',
    });
  }
  await mkdir(folder, { recursive: true });
  await writeFile(file, what);
  const results = new Map<Cell, CellResult>();
  const waiting = [...cells];
  const work = async (): Promise<void> => {
    for (let cell = waiting.shift(); cell !== undefined && !signal.aborted; cell = waiting.shift()) {
      const known = resume ? finished(cell, folder) : undefined;
      const result = known ?? (await runCell(cell, options));
      if (signal.aborted) return;
      results.set(cell, result);
      options.onCell(result, results.size);
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.jobs, cells.length) }, work));
  signal.throwIfAborted();
  const ordered = cells.flatMap((cell) => results.get(cell) ?? []);
  await writeFile(join(folder, 'results.csv'), resultsCsv(ordered));
  await writeFile(join(folder, 'report.html'), await sweepHtml(name, seed, ordered));
  return ordered;
}

async function runCell(cell: Cell, { file, folder, words, signal, name }: SweepOptions): Promise<CellResult> {
  const own = join(folder, cellName(cell));
  // What a run left that was ended half-way.
  await rm(own, { recursive: true, force: true });
  const set = Object.entries(cell.parameters).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const lab = ['--lab', `${name.slice(0, 40)}-${process.pid}-${cell.number}`];
  const command = [program, 'run', file, ...set, '--seed', String(cell.seed), '-o', own, ...lab, ...words];
  const child = spawn(process.execPath, [...process.execArgv, ...command], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Ctrl-C is for the sweep, which hands it on once.
    detached: true,
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = `${complaint}${chunk.toString('utf8')}`.slice(-complaintMax);
  });
  const stop = (): void => void child.kill('SIGINT');
  signal.addEventListener('abort', stop, { once: true });
  await new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', (error) => {
      complaint = error.message;
      resolve();
    });
  });
  signal.removeEventListener('abort', stop);
  const lines = complaint.trim().split('\n');
  // What follows the error are its details; a run that died in another way says why last.
  const why = lines.find((line) => line.startsWith(complaintMark)) ?? lines.at(-1) ?? '';
  return (
    finished(cell, folder) ?? {
      cell,
      status: 'broken',
      verdicts: [],
      error: why.replace(complaintMark, ''),
    }
  );
}

/** What became of a cell whose run came to its end. */
function finished(cell: Cell, folder: string): CellResult | undefined {
  try {
    // The report is written last.
    if (!existsSync(join(folder, cellName(cell), 'report.html'))) return undefined;
    const text = readFileSync(join(folder, cellName(cell), 'results.json'), 'utf8');
    const { ok, verdicts } = JSON.parse(text) as PlayResult;
    return { cell, status: ok ? 'passed' : 'failed', verdicts };
  } catch {
    return undefined;
  }
}
