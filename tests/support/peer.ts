/**
 * Nodes of the C prototype, as peers in tests and benches. Each lives in namespaces of its own with private /run and
 * /dev/shm; its first process ends all others. The prototype is installed at the prefix `O7S_PEER_PREFIX` names.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { basename } from 'node:path';
import { until } from './until.ts';

/** Where the prototype is installed; undefined when there is none to test against. */
export const peerPrefix: string | undefined = process.env['O7S_PEER_PREFIX'] || undefined;

const start = `
  mount -t proc proc /proc
  for folder in /dev/shm /run; do mount -t tmpfs tmpfs $folder; done
  mkdir -p /run/lock
  # Where it looks for its configuration was decided when it was built, and this machine's is not for tests to write.
  if [ -n "$SECURITY" ]; then
    cp -a /etc /run/etc && mount --bind /run/etc /etc
    mkdir -p "$CONFIGURATION" && cp -r "$SECURITY" "$CONFIGURATION/security"
  fi
  # Names in udp layers are looked up in the hosts file, and this machine's is not for tests to write.
  cp /etc/hosts /run/hosts && mount --bind /run/hosts /etc/hosts
  ip link set lo up
  exec irmd --stdout`;

/** The configuration directory that an installed prototype was built with. */
export function peerConfiguration(prefix: string): string {
  const [, directory] =
    /(\/[\w/.-]+)\/security\/cacert/.exec(readFileSync(`${prefix}/sbin/irmd`, 'latin1')) ?? [];
  if (directory === undefined) throw new Error(`${prefix}/sbin/irmd names no configuration directory`);
  return directory;
}

export interface PeerOutcome {
  readonly code: number;
  readonly output: string;
}

function environment(prefix: string): NodeJS.ProcessEnv {
  return {
    PATH: `${prefix}/sbin:${prefix}/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    LD_LIBRARY_PATH: `${prefix}/lib`,
  };
}

export class PeerNode implements AsyncDisposable {
  /** Its irmd, as this machine numbers it: the way into its namespaces. */
  readonly pid: number;
  readonly #holder: ChildProcess;
  readonly #prefix: string;
  #log: string;

  private constructor(holder: ChildProcess, prefix: string, pid: number, log: string) {
    this.#holder = holder;
    this.#prefix = prefix;
    this.pid = pid;
    this.#log = log;
    for (const stream of [holder.stdout, holder.stderr])
      stream?.on('data', (text: string) => (this.#log += text));
  }

  /**
   * Starts a node. `processors` pins all of it, as `taskset` lists them. `security` is a folder that becomes the security
   * folder of its configuration.
   */
  static async start(prefix: string, processors = '0-1023', security?: string): Promise<PeerNode> {
    const words = ['unshare', '--net', '--mount', '--ipc', '--pid', '--fork', '--kill-child'];
    const holder = spawn(
      'taskset',
      ['-c', processors, ...words, '--propagation', 'private', 'sh', '-c', start],
      {
        env: {
          ...environment(prefix),
          SECURITY: security ?? '',
          CONFIGURATION: security === undefined ? '' : peerConfiguration(prefix),
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let log = '';
    const collect = (text: string): void => void (log += text);
    holder.stdout.setEncoding('utf8').on('data', collect);
    const pid = await until('the prototype to start', () => {
      if (holder.exitCode !== null) throw new Error(`the prototype ended: ${log}`);
      return log.includes('daemon started') && childOf(holder.pid ?? 0);
    });
    for (const stream of [holder.stdout, holder.stderr]) stream?.off('data', collect);
    return new PeerNode(holder, prefix, pid, log);
  }

  /** What its irmd and IPCPs have logged. */
  get log(): string {
    return this.#log;
  }

  /** Starts a program on the node. */
  spawn(command: readonly string[]): ChildProcess {
    const words = ['-t', String(this.pid), '-n', '-m', '-i', '-p', '--', ...command];
    return spawn('nsenter', words, { env: environment(this.#prefix), stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Runs a command on the node to its end. */
  run(command: readonly string[]): Promise<PeerOutcome> {
    const child = this.spawn(command);
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        resolve({ code: code ?? 128 + constants.signals[signal ?? 'SIGKILL'], output });
      });
    });
  }

  /** Makes an IPCP, and with it the layer, both named as the type: `bootstrap('udp4', 'ip', '10.0.0.1')`. */
  async bootstrap(type: string, ...options: readonly string[]): Promise<void> {
    const made = await this.run([
      'irm',
      'ipcp',
      'bootstrap',
      'type',
      type,
      'name',
      type,
      'layer',
      type,
      ...options,
    ]);
    if (made.code !== 0) throw new Error(`the prototype made no ${type} layer: ${made.output}${this.#log}`);
  }

  /** Lets a udp layer find a name. */
  async addHost(ip: string, name: string): Promise<void> {
    const hash = createHash('md5').update(name).digest('hex');
    await this.run(['sh', '-c', `echo ${ip} ${hash} >> /etc/hosts`]);
  }

  /** Starts a server and makes it known under a name in a layer. It prints line by line. Ends with the node. */
  async serve(
    name: string,
    command: readonly string[],
    layer: string,
    heard: (text: string) => void = () => {},
  ): Promise<ChildProcess> {
    const server = this.spawn(['stdbuf', '-oL', ...command]);
    server.stdout?.setEncoding('utf8').on('data', heard);
    server.stderr?.resume();
    const program = basename(command[0] ?? '');
    await until(`${program} to be bound`, async () => {
      const [inner] = (await this.run(['pgrep', '-n', '-x', program])).output.split('\n');
      if (inner === undefined || inner === '') return false;
      return (await this.run(['irm', 'bind', 'process', inner, 'name', name])).code === 0;
    });
    await this.run(['irm', 'name', 'register', name, 'layer', layer]);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#holder.once('close', resolve));
    process.kill(this.pid, 'SIGKILL');
    await ended;
  }
}

/** The only child of a process, once it is there. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0] ?? 0);
}

/** Joins the network namespaces of two processes with a veth pair, both ends up. */
export function joinNamespaces(
  a: { readonly pid: number; readonly dev: string },
  b: { readonly pid: number; readonly dev: string },
): void {
  const ip = (...words: readonly string[]): void => void execFileSync('ip', words, { stdio: 'pipe' });
  ip(
    'link',
    'add',
    a.dev,
    'netns',
    String(a.pid),
    'type',
    'veth',
    'peer',
    'name',
    b.dev,
    'netns',
    String(b.pid),
  );
  for (const { pid, dev } of [a, b]) {
    execFileSync('nsenter', ['-t', String(pid), '-n', 'ip', 'link', 'set', dev, 'up'], { stdio: 'pipe' });
  }
}
