/** Reaches into the nodes of a lab: by /proc, through which their file systems are seen. */
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TestbedError } from '../../../errors.ts';
import { poll } from '../../../poll.ts';
import { endProcesses, identify, processesOf, programsOf, signalProcess } from '../../netns/processes.ts';
import type { LabRecord } from '../../testbed.ts';
import { containerMark, keptFile, runDirectory, startScript } from '../scripts.ts';
import { recordFile, type StartedProgram } from './protocol.ts';

/** How long a container may take to run its first program, and that to start another, in milliseconds. */
const answerMs = 20_000;

/** How long to look for nodes that were being started when their lab was given up, in milliseconds. */
const lateMs = 1_000;

let serial = 0;

/** Where we see the logs of a node. */
export function logFolder(init: number): string {
  return nodeFile(init, runDirectory);
}

/** Where we see a file of a node. */
export function nodeFile(init: number, path: string): string {
  return `/proc/${init}/root${path}`;
}

/** Tells a node that it has a lab, and whether it can run an irmd. */
export async function adopt(init: number, signal: AbortSignal): Promise<{ irmd: boolean }> {
  await request(init, 'adopt', signal);
  if (existsSync(recordFile)) markKept(init);
  const path = /(?:^|\0)PATH=([^\0]*)/.exec(readFileSync(`/proc/${init}/environ`, 'latin1'))?.[1] ?? '';
  return { irmd: path.split(':').some((folder) => isThere(nodeFile(init, `${folder}/irmd`))) };
}

/** Starts a program on a node; its output goes to a log of that name. */
export async function startProgram(
  { init, log, command }: { init: number; log: string; command: readonly string[] },
  signal: AbortSignal,
): Promise<StartedProgram> {
  // Several agents may serve one node.
  const id = `${process.pid}-${++serial}`;
  const script = nodeFile(init, `${runDirectory}/start/${id}`);
  writeFileSync(script, startScript(id, log, command));
  await request(init, id, signal);
  const number = await poll(() => /^(\d+)\n/.exec(readOrNothing(`${script}.pid`))?.[1] ?? orEnded(init), {
    what: `the node to start ${command[0]}`,
    deadlineMs: answerMs,
    signal,
  });
  rmSync(script, { force: true });
  rmSync(`${script}.pid`, { force: true });
  const pid = Number(number);
  return { pid, startTime: identify(pid, nodeFile(init, '/proc'))?.startTime ?? null };
}

export function isProgramAlive({ init, pid, startTime }: StartedProgram & { init: number }): boolean {
  return startTime !== null && identify(pid, nodeFile(init, '/proc'))?.startTime === startTime;
}

/** Ends the programs of a node, or those of one log. What holds the container together is spared. */
export async function endPrograms(
  { node, init, log, graceMs }: { node: string; init: number; log?: string; graceMs: number },
  signal: AbortSignal,
): Promise<void> {
  const find = (): number[] => {
    const pids = log === undefined ? processesOf(init) : (programsOf(init).get(log) ?? []);
    return pids.filter((pid) => !isLauncher(pid));
  };
  const whose = log === undefined ? 'the programs' : `the program of log ${log}`;
  await endProcesses(`${whose} on node ${node} to end`, find, graceMs, signal);
}

/** Sends the programs of a node a signal; what holds the container together is spared. */
export function signalPrograms(init: number, name: NodeJS.Signals): void {
  for (const pid of processesOf(init)) if (!isLauncher(pid)) signalProcess(pid, name);
}

/** True for the first program of a node, which an engine's own init may have started. */
function isLauncher(pid: number): boolean {
  return readOrNothing(`/proc/${pid}/cmdline`).split('\0').includes(containerMark);
}

/** Whoever reads sees all of it or nothing. */
export function writeRecord(record: LabRecord): void {
  mkdirSync(dirname(recordFile), { recursive: true });
  writeFileSync(`${recordFile}.new`, JSON.stringify(record));
  renameSync(`${recordFile}.new`, recordFile);
}

/** Marks all nodes that a session made as those of a lab that is complete. */
export function keepMarked(session: string): void {
  for (const pid of nodesOf(session)) markKept(pid);
}

/** Ends all nodes that a session made, also those that come up only now. */
export async function endMarked(session: string): Promise<void> {
  const end = performance.now() + lateMs;
  for (let found = true; found || performance.now() < end;) {
    const nodes = nodesOf(session);
    found = nodes.length > 0;
    for (const pid of nodes) kill(pid);
    await delay(10);
  }
}

/** The first programs of a session's nodes, and what an engine's own init may have started them by. */
function nodesOf(session: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const words = readOrNothing(`/proc/${name}/cmdline`).split('\0');
    const at = words.indexOf(containerMark);
    const isOurs = at !== -1 && words[at + 3] === session && identify(Number(name)) !== undefined;
    return isOurs ? [Number(name)] : [];
  });
}

function markKept(init: number): void {
  try {
    writeFileSync(nodeFile(init, keptFile), '');
  } catch (error) {
    // It has ended by itself.
    if (identify(init) !== undefined) throw error;
  }
}

/** Hands a line to the first program of a node. */
async function request(init: number, line: string, signal: AbortSignal): Promise<void> {
  const fifo = nodeFile(init, `${runDirectory}/requests`);
  const descriptor = await poll(() => openFifo(fifo) ?? orEnded(init), {
    what: 'the first program of the node',
    deadlineMs: answerMs,
    signal,
  });
  try {
    writeSync(descriptor, `${line}\n`);
  } finally {
    closeSync(descriptor);
  }
}

/** Undefined while nobody has made the FIFO or reads it. */
function openFifo(path: string): number | undefined {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENXIO' || code === 'ESRCH') return undefined;
    throw error;
  }
}

function orEnded(init: number): undefined {
  if (identify(init) === undefined) throw new TestbedError('EFAILED', 'its container has ended');
}

// A link need not lead anywhere from here.
function isThere(path: string): boolean {
  try {
    return lstatSync(path).mode > 0;
  } catch {
    return false;
  }
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
