/**
 * A node of the reference prototype, installed under the prefix that O7S_PEER_PREFIX names, in namespaces of its own:
 * it keeps its state in shared memory and fixed paths, so that each node needs its own of those too. Needs root.
 */
import { readFileSync } from 'node:fs';
import { type Finished, run, Running } from './command.ts';
import type { Launcher } from './node.ts';
import { until } from './until.ts';

export const peerPrefix: string | undefined = process.env['O7S_PEER_PREFIX'];

const startNode =
  'mount -t proc proc /proc; for d in /dev/shm /run; do mount -t tmpfs tmpfs $d; done; ' +
  'mkdir -p /run/lock; ip link set lo up; exec irmd --stdout';

function environment(prefix: string): NodeJS.ProcessEnv {
  return {
    PATH: `${prefix}/sbin:${prefix}/bin:${process.env['PATH'] ?? ''}`,
    LD_LIBRARY_PATH: `${prefix}/lib`,
  };
}

export class PeerNode implements AsyncDisposable {
  /** irmd, as seen from outside. */
  readonly pid: number;
  readonly #holder: Running;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(holder: Running, pid: number, env: NodeJS.ProcessEnv) {
    this.#holder = holder;
    this.pid = pid;
    this.#env = env;
  }

  static async start(prefix: string): Promise<PeerNode> {
    const env = environment(prefix);
    const flags = '--net --mount --ipc --pid --fork --kill-child --propagation private'.split(' ');
    const holder = new Running('unshare', [...flags, 'sh', '-c', startNode], { env });
    const pid = await until('the prototype to start', () => {
      if (holder.child.exitCode !== null) throw new Error(`the prototype ended: ${holder.stdout}${holder.stderr}`);
      if (!holder.stdout.includes('daemon started')) return undefined;
      return Number(readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8').trim().split(' ')[0]);
    });
    return new PeerNode(holder, pid, env);
  }

  readonly launch: Launcher = (command, args) => [
    'nsenter',
    ['-t', String(this.pid), '-n', '-m', '-i', '-p', '--', command, ...args],
  ];

  get log(): string {
    return this.#holder.stdout;
  }

  spawn(command: string, ...args: string[]): Running {
    const [file, words] = this.launch(command, args);
    return new Running(file, words, { env: this.#env });
  }

  run(command: string, ...args: string[]): Promise<Finished> {
    const [file, words] = this.launch(command, args);
    return run(file, words, { env: this.#env });
  }

  /** Runs the prototype's `irm` and demands that it succeeds. */
  async manage(line: string): Promise<void> {
    const { status, stdout, stderr } = await this.run('irm', ...line.split(' '));
    if (status !== 0) throw new Error(`irm ${line} of the prototype ended with ${status}: ${stdout}${stderr}\n${this.log}`);
  }

  /** Starts `oping -l` under a name in a layer. */
  async serve(name: string, layer: string): Promise<Running> {
    const server = this.spawn('oping', '-l');
    const added = / Process added: (\d+) \(oping\)\./;
    const pid = await until('the server of the prototype', () => added.exec(this.log)?.[1]);
    await this.manage(`bind process ${pid} name ${name}`);
    await this.manage(`name register ${name} layer ${layer}`);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#holder.kill();
  }
}
