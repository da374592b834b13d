/** What benches have in common: programs run to their end, and numbers out of what they print. */
import { spawn } from 'node:child_process';

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Runs a command; what it printed. */
export function collect(command: readonly string[]): Promise<string> {
  const [file = '', ...words] = command;
  const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve(output));
  });
}

/** The average of a ping's closing line, in us. */
export function averageOf(output: string): number {
  const [, average = '', unit = ''] =
    /rtt min\/avg\/max\/mdev = [^/]+\/([^/]+)\/.* (\S+)\n/.exec(output) ?? [];
  return Number(average) * (unit === 'ms' ? 1000 : 1);
}

export function short(value: number): number {
  return Number(value.toPrecision(3));
}
