/** Labs of the netns testbed, made by the command line as a user makes them. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { until } from '../support/until.ts';
import { type Placement, placements, processesByNamespace, type Taken, takenBy, written } from './measure.ts';

const path = (relative: string): string => fileURLToPath(new URL(`../../${relative}`, import.meta.url));

/** The command `o7s-testbed`. */
export const o7sTestbed: readonly string[] = [process.execPath, path('bin/o7s-testbed.js')];

/** How to run one of the programs of the benches. */
export function benchProgram(name: string, ...words: readonly (string | number)[]): string[] {
  const file = fileURLToPath(new URL(`./programs/${name}.ts`, import.meta.url));
  return [process.execPath, '--conditions=@o7s/source', file, ...words.map(String)];
}

/** A sink waits 30 s for more where the release of a flow was lost, ms. */
const lineLimitMs = 45_000;

const up = new Set<string>();
let made = 0;

/** A name for a lab of this process; labs under such names are gone when it ends by a signal or an error. */
export function labName(): string {
  made += 1;
  const name = `bench-${process.pid}-${made}`;
  up.add(name);
  return name;
}

/** That a lab is gone. */
export function labGone(name: string): void {
  up.delete(name);
}

/** Ends the programs that this one has started, and the nodes of prototypes with them, and takes down what labs there are. */
export function endAll(): void {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean);
  for (const pid of children) process.kill(Number(pid), 'SIGKILL');
  downAll();
}

/** Takes down what labs there still are. */
export function downAll(): void {
  const [file = '', ...words] = o7sTestbed;
  for (const name of up) spawnSync(file, [...words, 'down', '--lab', name], { stdio: 'ignore' });
  up.clear();
}

export class Lab implements AsyncDisposable {
  readonly #name: string;
  readonly #pinned: readonly string[];
  readonly #networks = new Map<string, string>();

  private constructor(name: string, pinned: readonly string[]) {
    this.#name = name;
    this.#pinned = pinned;
  }

  /** Brings up a topology of `programs/`, or of the repository by its path. */
  static async up(
    topology: string,
    { placement = 'all processors', set = {} }: { placement?: Placement; set?: Record<string, unknown> } = {},
  ): Promise<Lab> {
    const pinned = ['taskset', '-c', placements[placement]];
    const lab = new Lab(labName(), pinned);
    const file = topology.includes('/')
      ? path(topology)
      : fileURLToPath(new URL(`./programs/${topology}.topology.ts`, import.meta.url));
    const settings = Object.entries(set).flatMap(([name, value]) => ['--set', `${name}=${String(value)}`]);
    const words = ['up', file, '--testbed', 'netns', '--lab', lab.#name, ...settings];
    await written([...pinned, ...o7sTestbed, ...words]);
    return lab;
  }

  /** How to run a command on a node. */
  words(node: string, command: readonly string[]): string[] {
    return [...this.#pinned, ...o7sTestbed, 'exec', '--lab', this.#name, node, '--', ...command];
  }

  /** What a command on a node writes; it must succeed. */
  on(node: string, command: readonly string[]): Promise<string> {
    return written(this.words(node, command));
  }

  /** What a node's daemons take. */
  async taken(node: string): Promise<Taken> {
    return takenBy(await this.#processes(node));
  }

  /** A file of a node; empty while there is none. */
  async read(node: string, file: string): Promise<string> {
    const [pid] = await this.#processes(node);
    try {
      return readFileSync(`/proc/${pid}/root${file}`, 'utf8');
    } catch {
      return '';
    }
  }

  /** Waits for what a program on a node adds to a file beyond `from`: a line. */
  async nextLine(node: string, file: string, from: number): Promise<string> {
    const line = async (): Promise<string | false> => {
      const added = (await this.read(node, file)).slice(from);
      return added.includes('\n') && added;
    };
    return until(`a line in ${file} on ${node}`, line, lineLimitMs);
  }

  async #processes(node: string): Promise<readonly number[]> {
    const known = this.#networks.get(node);
    const network = known ?? (await this.on(node, ['readlink', '/proc/self/ns/net'])).trim();
    this.#networks.set(node, network);
    return processesByNamespace('net').get(network) ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await written([...o7sTestbed, 'down', '--lab', this.#name]);
    labGone(this.#name);
  }
}
