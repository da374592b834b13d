/** Runs the commands of util-linux and iproute2. */
import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { abortable } from '../../abortable.ts';
import { binDirectory } from '../../installation.ts';
import { childrenOf } from './processes.ts';

export interface Finished {
  /** 128 and the signal's number when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The caller's environment, with our tools first and the administrator's tools in reach. Without the folders of an irmd
 * that the caller runs besides: a node has its own.
 */
export function environment(): NodeJS.ProcessEnv {
  const {
    O7S_RUN_DIR: _run,
    O7S_CONFIG_DIR: _config,
    PATH = '/usr/local/bin:/usr/bin:/bin',
    ...rest
  } = process.env;
  // Where npm installed a Node beside us, the machine's may be too old for applications of this library.
  const node = process.execPath.includes('/node_modules/') ? [dirname(process.execPath)] : [];
  return { ...rest, PATH: [binDirectory, ...node, PATH, '/usr/sbin', '/sbin'].join(':') };
}

/** Runs a command to its end. Rejects when it cannot be started, and with the signal's reason. */
export function runCommand(words: readonly string[], signal?: AbortSignal): Promise<Finished> {
  return finish(start(words, ['ignore', 'pipe', 'pipe']), signal);
}

/** The same for a command that finds our /proc at descriptor 3. */
export async function runWithProc(words: readonly string[], signal?: AbortSignal): Promise<Finished> {
  return await withProc((proc) => finish(start(words, ['ignore', 'pipe', 'pipe', proc]), signal));
}

/** The same, with a pipe at descriptor 4 that stays open after the command has ended. */
export async function runHeld(
  words: readonly string[],
  signal: AbortSignal,
): Promise<Finished & { held: NonNullable<ChildProcess['stdin']> }> {
  return await withProc(async (proc) => {
    const child = start(words, ['ignore', 'pipe', 'pipe', proc, 'pipe'], true);
    const held = child.stdio[4] as NonNullable<ChildProcess['stdin']>;
    // The other end goes away with the lab; whoever writes looks at the outcome of that write.
    held.on('error', () => {});
    try {
      const finished = await finish(child, signal);
      child.unref();
      return { ...finished, held };
    } catch (error) {
      held.destroy();
      throw error;
    }
  });
}

function start(words: readonly string[], stdio: StdioOptions, detached = false): ChildProcess {
  const [file = '', ...rest] = words;
  return spawn(file, rest, { stdio, detached, env: environment() });
}

/** The exit code of a process as a shell gives it. */
export async function exitCode(child: ChildProcess): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once('error', reject);
  child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
  return await promise;
}

/** Waits for a child to end and gives what it wrote. Ends it when the signal aborts. */
export async function finish(child: ChildProcess, signal?: AbortSignal): Promise<Finished> {
  const read = (stream: ChildProcess['stdout']): Promise<string> =>
    stream === null ? Promise.resolve('') : text(stream);
  const work = Promise.all([exitCode(child), read(child.stdout), read(child.stderr)]);
  try {
    const [code, stdout, stderr] = await (signal === undefined ? work : abortable(work, signal));
    return { code, stdout, stderr };
  } catch (error) {
    // nsenter waits outside for the command that it runs inside; neither ends with the other.
    for (const pid of child.pid === undefined ? [] : [...childrenOf(child.pid), child.pid]) kill(pid);
    child.stdout?.destroy();
    child.stderr?.destroy();
    throw error;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Does something with a descriptor of our /proc. */
export async function withProc<T>(use: (descriptor: number) => Promise<T>): Promise<T> {
  const descriptor = openSync('/proc', 'r');
  try {
    return await use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
