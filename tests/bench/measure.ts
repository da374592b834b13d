/** What benches have in common: programs run to their end, and numbers out of what they print. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** The value in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

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

  constructor(command: readonly string[]) {
    const [file = '', ...words] = command;
    const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.end = () => void child.kill('SIGTERM');
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
      this.#onOutput();
    });
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        resolve({ code: code ?? 128 + constants.signals[signal ?? 'SIGKILL'], output: this.#output });
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

/** What a program writes; it must succeed. */
export async function written(command: readonly string[]): Promise<string> {
  const { code, output } = await new Program(command).ended;
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${output}`);
  return output;
}

/** The average of a ping's closing line, in us; undefined without one. */
export function averageOf(output: string): number | undefined {
  const match = /rtt min\/avg\/max\/mdev = [^/]+\/([^/]+)\/.* (\S+)\n/.exec(output);
  return match === null ? undefined : Number(match[1]) * (match[2] === 'ms' ? 1000 : 1);
}

export function short(value: number): number {
  return Number(value.toPrecision(3));
}
