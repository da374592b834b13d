/** How benches measure: programs run to their end within a bound, what processes take, and time. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { availableParallelism, constants } from 'node:os';

/** Where what is measured runs, as `taskset` lists processors. */
export const placements = {
  'one processor': '0',
  'all processors': `0-${availableParallelism() - 1}`,
} as const;
export type Placement = keyof typeof placements;

/** How long a program may take unless told otherwise, ms. */
const limitMsDefault = 120_000;

interface Ended {
  readonly code: number;
  readonly output: string;
}

/** A program that runs, with what it has written; `lines` of it are waited for with `line`. */
export class Program {
  readonly ended: Promise<Ended>;
  readonly end: () => void;
  #output = '';
  #onOutput = (): void => {};

  /** It is killed when it has not ended after `limitMs`. */
  constructor(command: readonly string[], limitMs: number = limitMsDefault) {
    const [file = '', ...words] = command;
    const child = spawn(file, words, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: limitMs,
      killSignal: 'SIGKILL',
    });
    this.end = () => void child.kill('SIGTERM');
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
      this.#onOutput();
    });
    let told = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (told = `${told}${text}`.slice(-2000)));
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) => {
        const code = status ?? 128 + constants.signals[signal ?? 'SIGKILL'];
        resolve({ code, output: code === 0 ? this.#output : this.#output + told });
      });
    });
  }

  /** Waits for a line; rejects when the program ends without it. */
  async line(text: string): Promise<void> {
    const seen = new Promise<void>((resolve) => {
      this.#onOutput = () => this.#output.includes(`${text}\n`) && resolve();
      this.#onOutput();
    });
    const early = this.ended.then(({ code }) => Promise.reject(new Error(`it ended with ${code}`)));
    early.catch(() => {});
    await Promise.race([seen, early]);
  }
}

/** What a program writes; it must succeed within `limitMs`. */
export async function written(command: readonly string[], limitMs?: number): Promise<string> {
  const { code, output } = await new Program(command, limitMs).ended;
  if (code !== 0)
    throw new Error(`${command.slice(0, 8).join(' ')} ended with ${code}: ${output.trim().slice(-500)}`);
  return output;
}

/** How long something takes, ms. */
export async function timed(action: () => unknown): Promise<number> {
  const startedAt = performance.now();
  await action();
  return performance.now() - startedAt;
}

/** Processor time that a process has used, ms; 0 of one that has gone. */
export function processorMs(pid: number): number {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return 0;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // In ticks, a hundred a second on every Linux there is.
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Proportional set size of a process, MB; 0 of one that has gone. */
export function pssMb(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return (Number(/^Pss: +(\d+) kB$/m.exec(rollup)?.[1] ?? 0) * 1024) / 1e6;
  } catch {
    return 0;
  }
}

export type NamespaceKind = 'net' | 'pid';

/** The namespace of a process; undefined of one that has gone. */
export function namespaceOf(pid: number | string, kind: NamespaceKind): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    return undefined;
  }
}

/** All processes by their namespaces. */
export function processesByNamespace(kind: NamespaceKind): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const own = namespaceOf(entry, kind);
    if (own !== undefined) found.set(own, [...(found.get(own) ?? []), Number(entry)]);
  }
  return found;
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

/** What the daemons of a node take. */
export interface Taken {
  /** Of all its daemons, MB. */
  readonly pssMb: number;
  /** Of its data planes, ms. */
  readonly ipcpdMs: number;
}

/** What the daemons of either runtime take that are among these processes. */
export function takenBy(pids: readonly number[]): Taken {
  const named = pids.map((pid) => [pid, nameOf(pid)] as const);
  const sum = (pattern: RegExp, of: (pid: number) => number): number =>
    named.reduce((total, [pid, name]) => (pattern.test(name) ? total + of(pid) : total), 0);
  return { pssMb: sum(/^(irmd|ipcpd)/, pssMb), ipcpdMs: sum(/^ipcpd/, processorMs) };
}

/** What the daemons of a node take, found by its network namespace. */
export function takenIn(network: string | undefined): Taken {
  return takenBy(processesByNamespace('net').get(network ?? '') ?? []);
}
