/** The command line as a process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../support/until.ts';

export const program = fileURLToPath(new URL('../../bin/o7s-testbed.js', import.meta.url));

/** How long a command may take to come to a point, in milliseconds: other tests run beside it. */
const writtenMs = 60_000;

export interface Outcome {
  /** 128 and the signal's number when a signal ended it. */
  code: number;
  stdout: string;
  stderr: string;
}

export interface Started {
  child: ChildProcess;
  outcome: Promise<Outcome>;
  /** Resolves when the process has written a text to standard error. */
  written: (part: string) => Promise<void>;
}

interface StartOptions {
  cwd?: string;
  /** Variables beside our own; the testbed is netns unless they say otherwise. */
  env?: NodeJS.ProcessEnv;
}

export function startProcess(words: readonly string[], { cwd, env }: StartOptions = {}): Started {
  const [file = '', ...rest] = words;
  const child = spawn(file, rest, {
    cwd,
    env: { ...process.env, O7S_TESTBED: 'netns', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const read = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (read.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (read.stderr += text));
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve({ code: code ?? 128 + constants.signals[signal ?? 'SIGKILL'], ...read });
    });
  });
  const written = async (part: string): Promise<void> => {
    await until(
      `it to write ${part}`,
      () => {
        if (read.stderr.includes(part)) return true;
        if (child.exitCode !== null) throw new Error(`it ended without writing ${part}: ${read.stderr}`);
        return false;
      },
      writtenMs,
    );
  };
  return { child, outcome, written };
}

export function startCli(words: readonly string[], options: StartOptions = {}): Started {
  return startProcess([process.execPath, program, ...words], options);
}

export function cli(words: readonly string[], options: StartOptions = {}): Promise<Outcome> {
  return startCli(words, options).outcome;
}

/** A folder with these files in it, empty of anything else, for as long as it is in scope. */
export async function folder(files: Record<string, string>): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'o7s-testbed-'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(path, name), content);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

let serial = 0;
/** A lab name that no other test uses. */
export const freshLab = (): string => `cli-${process.pid}-${++serial}`;

/** Takes a lab down when it goes out of scope. */
export function labInScope(name: string = freshLab()): { name: string } & AsyncDisposable {
  return {
    name,
    [Symbol.asyncDispose]: async () => void (await cli(['down', '--lab', name])),
  };
}
