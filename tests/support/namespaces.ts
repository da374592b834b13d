/**
 * Network namespaces for tests: one process holds each, and they end with it. As root they are made directly; an
 * ordinary user gets them within a user namespace, where that is allowed.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { Running, run } from './command.ts';
import type { Launcher } from './node.ts';
import { until } from './until.ts';

const isRoot = process.getuid?.() === 0;

/** Why namespaces cannot be had here; undefined when they can. */
export function namespacesMissing(): string | undefined {
  const words = isRoot ? ['-n', '--', 'ip', 'link'] : ['-U', '-r', '-n', '--', 'ip', 'link'];
  const { status, error, stderr } = spawnSync('unshare', words, { encoding: 'utf8' });
  if (status === 0) return undefined;
  const why = error?.message ?? stderr.trim();
  return `network namespaces are not allowed here (unshare ${words.join(' ')}: ${why})`;
}

/** Processes in the same network namespace as one of these, those included; none once they have all ended. */
export function processesBeside(pids: readonly number[]): number[] {
  const namespaceOf = (pid: number | string): string | undefined => {
    try {
      return readlinkSync(`/proc/${pid}/ns/net`);
    } catch {
      // It has ended, or is another user's.
      return undefined;
    }
  };
  const namespaces = new Set(pids.map(namespaceOf).filter((each) => each !== undefined));
  const running = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return running.filter((pid) => namespaces.has(namespaceOf(pid) ?? '')).map(Number);
}

/** A namespace with a process that holds it; `unshare` with more flags makes it more than a network. */
export class Namespace implements AsyncDisposable {
  /** A process in the namespace, as seen from outside. */
  readonly pid: number;
  readonly #holder: Running;

  private constructor(holder: Running, pid: number) {
    this.#holder = holder;
    this.pid = pid;
  }

  /** Makes a namespace, for an ordinary user within the user namespace of another one. */
  static async make(within?: Namespace): Promise<Namespace> {
    // The shell says when the namespace is there, and ends when this process does, since its input ends then.
    const words = ['--net', '--', 'sh', '-c', 'ip link set lo up; echo ready; exec cat'];
    const unshare: readonly [string, readonly string[]] =
      isRoot || within !== undefined ? ['unshare', words] : ['unshare', ['-U', '-r', ...words]];
    const [command, args] = within === undefined || isRoot ? unshare : within.launch(...unshare);
    const holder = new Running(command, args);
    await until('the namespace', () => {
      if (holder.child.exitCode !== null) throw new Error(`unshare: ${holder.stderr}`);
      return holder.stdout.includes('ready');
    });
    return new Namespace(holder, holder.pid);
  }

  /** How to start a program in the namespace. */
  readonly launch: Launcher = (command, args) => [
    'nsenter',
    [
      '-t',
      String(this.pid),
      ...(isRoot ? [] : ['-U', '--preserve-credentials']),
      '-n',
      '--',
      command,
      ...args,
    ],
  ];

  /** Runs a program in the namespace and demands that it succeeds. */
  async run(command: string, ...args: string[]): Promise<string> {
    const [file, words] = this.launch(command, args);
    const { status, stdout, stderr } = await run(file, words);
    if (status !== 0)
      throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr}${stdout}`);
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#holder.kill();
  }
}

export interface VethOptions {
  readonly mtu?: number;
}

/** Two namespaces joined by one virtual cable; the interface is `eth0` in both. */
export class NamespacePair implements AsyncDisposable {
  readonly a: Namespace;
  readonly b: Namespace;

  private constructor(a: Namespace, b: Namespace) {
    this.a = a;
    this.b = b;
  }

  static async make({ mtu = 1500 }: VethOptions = {}): Promise<NamespacePair> {
    const a = await Namespace.make();
    const b = await Namespace.make(a);
    const pair = new NamespacePair(a, b);
    try {
      await joinByVeth(a, b, mtu);
      return pair;
    } catch (error) {
      await pair[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.b[Symbol.asyncDispose]();
    await this.a[Symbol.asyncDispose]();
  }
}

/** Lays a cable between two namespaces; both ends are up, and `eth0` unless told otherwise. */
export async function joinByVeth(
  a: Namespace,
  b: { readonly pid: number },
  mtu: number,
  devs: readonly [string, string] = ['eth0', 'eth0'],
): Promise<void> {
  const [end, other] = devs.map((dev) => [dev, 'mtu', String(mtu)]);
  await a.run(
    'ip',
    ...['link', 'add', ...(end ?? []), 'type', 'veth'],
    ...['peer', 'name', ...(other ?? []), 'netns', String(b.pid)],
  );
  await a.run('ip', 'link', 'set', devs[0], 'up');
  await a.run('nsenter', '-t', String(b.pid), '-n', 'ip', 'link', 'set', devs[1], 'up');
}
