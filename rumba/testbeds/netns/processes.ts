/** Finds labs and nodes where the kernel keeps them: in the list of processes. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { TestbedError } from '../../errors.ts';
import { poll } from '../../poll.ts';

/** Argument by which the first process of a lab, and of a node, is told from others. */
export const labMark = 'o7s-testbed:lab';
export const nodeMark = 'o7s-testbed:node';

/** A process, told apart from a later one with the same number by when it started. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks since boot. */
  readonly startTime: number;
}

/** The first process of a lab or of a node. */
export interface MarkedProcess extends ProcessId {
  /** The arguments after the mark. */
  readonly words: readonly string[];
}

/**
 * A process by number; undefined when there is none, or only what its parent has not collected yet.
 * `proc` is where the PID namespace it counts in is seen.
 */
export function identify(pid: number, proc = '/proc'): ProcessId | undefined {
  const stat = readOrNothing(`${proc}/${pid}/stat`);
  // The second field, the name in parentheses, may hold blanks and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  if (startTime === undefined || state === 'Z' || state === 'X') return undefined;
  return { pid, startTime: Number(startTime) };
}

/** True while the kernel takes back what a process had that was killed. */
export function isEnding({ pid }: ProcessId): boolean {
  const stat = readOrNothing(`/proc/${pid}/stat`);
  return (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[6]) & exiting) !== 0;
}

/** PF_EXITING of the kernel's flags of a process. */
const exiting = 0x4;

export function isAlive(process: ProcessId): boolean {
  return identify(process.pid)?.startTime === process.startTime;
}

/**
 * Every first process of a lab (`depth` 1) or node (`depth` 2) that belongs to this user, oldest first.
 * `depth` counts PID namespaces from the caller's, so that a lab inside a node of another lab is not ours.
 */
export function findMarked(mark: string, depth: number, wordCount: number): MarkedProcess[] {
  const user = process.geteuid?.();
  const own = namespacePids('self').length;
  const found: MarkedProcess[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const line = readOrNothing(`/proc/${name}/cmdline`);
    if (!line.includes(mark)) continue;
    const words = line
      .split('\0')
      .slice(0, -1)
      .slice(-wordCount - 1);
    if (words.shift() !== mark || words.length !== wordCount) continue;
    const pids = namespacePids(name);
    if (pids.length !== own + depth || pids.at(-1) !== 1) continue;
    const id = identify(Number(name));
    if (id !== undefined && ownerOf(name) === user) found.push({ ...id, words });
  }
  return found.toSorted((a, b) => a.startTime - b.startTime || a.pid - b.pid);
}

/** Variable of the environment by which a program that was started with a log is known; its value is the log. */
export const logVariable = 'O7S_TESTBED_LOG';

/** How long the kernel may take to end processes that were killed, in milliseconds. */
const killedMs = 10_000;

/** The processes of the PID namespace that a process is the first of, that one excluded. */
export function processesOf(init: number): number[] {
  const namespace = linkOrNothing(`/proc/${init}/ns/pid`);
  if (namespace === undefined) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== init)
    .filter((name) => linkOrNothing(`/proc/${name}/ns/pid`) === namespace)
    .map(Number)
    .filter((pid) => identify(pid) !== undefined);
}

/** Those of them that were started with a log, or are children of such, by the log's name. */
export function programsOf(init: number): Map<string, number[]> {
  return processesWith(init, logVariable);
}

/** Variable by which a command with pipes of its own is known; its value is a number of its own. */
export const executionVariable = 'O7S_TESTBED_EXECUTION';

/** Sends a signal to such a command and all that it has started; tells whether it was there. */
export function signalExecution(init: number, execution: string, name: NodeJS.Signals): boolean {
  const told = new Set<number>();
  const sessions = new Map<string, string>();
  for (;;) {
    const found = processesWith(init, executionVariable, sessions).get(execution) ?? [];
    const untold = found.filter((pid) => !told.has(pid));
    // While they were told, they may have started others.
    if (untold.length === 0) return told.size > 0;
    for (const pid of untold) {
      told.add(pid);
      signalProcess(pid, name);
    }
  }
}

/**
 * The processes of the PID namespace that have a variable in their environments, or are in the session of one that has, by
 * its value: while a process begins a program it shows no environment, and it may have another for good. Sessions stay
 * noted in `sessions` when who was seen in them has ended.
 */
function processesWith(
  init: number,
  variable: string,
  sessions: Map<string, string> = new Map(),
): Map<string, number[]> {
  const found = new Map<string, number[]>();
  const note = (value: string, pid: number): void => {
    const known = found.get(value);
    if (known === undefined) found.set(value, [pid]);
    else known.push(pid);
  };
  const others: number[] = [];
  for (const pid of processesOf(init)) {
    const environment = readOrNothing(`/proc/${pid}/environ`).split('\0');
    const entry = environment.find((each) => each.startsWith(`${variable}=`));
    if (entry === undefined) {
      others.push(pid);
      continue;
    }
    const value = entry.slice(variable.length + 1);
    const session = sessionOf(pid);
    if (session !== undefined) sessions.set(session, value);
    note(value, pid);
  }
  for (const pid of others) {
    const value = sessions.get(sessionOf(pid) ?? '');
    if (value !== undefined) note(value, pid);
  }
  return found;
}

/** The session of a process, as its own PID namespace counts; undefined of one that began outside of that. */
function sessionOf(pid: number): string | undefined {
  const session = /^NSsid:.*\s(\d+)$/m.exec(readOrNothing(`/proc/${pid}/status`))?.[1];
  return session === '0' ? undefined : session;
}

/** Ends processes, asked for again until there are none: by SIGTERM, and what is left after `graceMs` by SIGKILL. */
export async function endProcesses(
  what: string,
  find: () => readonly number[],
  graceMs: number,
  signal: AbortSignal,
): Promise<void> {
  const end = (name: NodeJS.Signals): boolean => {
    const found = find();
    for (const pid of found) signalProcess(pid, name);
    return found.length === 0;
  };
  if (end('SIGTERM')) return;
  const gone = (): true | undefined => (find().length === 0 ? true : undefined);
  try {
    await poll(gone, { what, deadlineMs: Math.max(graceMs, 1), signal });
    return;
  } catch (error) {
    if (!(error instanceof TestbedError) || error.code !== 'ETIMEDOUT') throw error;
  }
  await poll(() => end('SIGKILL') || undefined, { what, deadlineMs: killedMs, signal });
}

/** Sends a process a signal, if it is still there. */
export function signalProcess(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

/** The children of a process. */
export function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => new RegExp(`^PPid:\\s+${parent}$`, 'm').test(readOrNothing(`/proc/${name}/status`)))
    .map(Number);
}

/** The numbers of a process in each PID namespace from ours inwards. */
function namespacePids(name: string): number[] {
  const line = /^NSpid:\s+(.*)$/m.exec(readOrNothing(`/proc/${name}/status`))?.[1];
  return line === undefined ? [] : line.split(/\s+/).map(Number);
}

function ownerOf(name: string): number | undefined {
  return statSync(`/proc/${name}`, { throwIfNoEntry: false })?.uid;
}

function linkOrNothing(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

// A process may end between any two looks at it.
function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
