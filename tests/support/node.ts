/** An irmd of this checkout in a run directory of its own, with what a test needs to look at it. */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type IpcpInfo, IrmClient } from '../../runtime/lib/index.ts';
import { certificateFile } from './certificates.ts';
import { type Finished, program, run, Running, type StartOptions, type Tool } from './command.ts';
import { until } from './until.ts';

/** How to start a program of the node; in a namespace it is wrapped. */
export type Launcher = (command: string, args: readonly string[]) => readonly [string, readonly string[]];

const plain: Launcher = (command, args) => [command, args];

/** Processes that run a program of this checkout with the run directory given, by reading /proc. */
function processesOf(directory: string): { readonly pid: number; readonly command: string }[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((entry) => {
      try {
        const environment = readFileSync(`/proc/${entry}/environ`, 'utf8').split('\0');
        if (!environment.includes(`O7S_RUN_DIR=${directory}`)) return [];
        const command = readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        // A process that has ended but is not reaped has no command line.
        return command === '' ? [] : [{ pid: Number(entry), command }];
      } catch {
        // It has ended, or is another user's.
        return [];
      }
    });
}

export class TestNode implements AsyncDisposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'o7s-'));
  /** Its configuration, so that this machine's plays no part. Not there before something is laid into it. */
  readonly configuration: string = `${this.directory}-etc`;
  readonly #launch: Launcher;
  #irmd: Running | undefined;

  private constructor(launch: Launcher) {
    this.#launch = launch;
  }

  /** Starts irmd and waits until it serves. */
  static async start(launch: Launcher = plain): Promise<TestNode> {
    const node = new TestNode(launch);
    await node.startIrmd();
    return node;
  }

  /** A run directory without an irmd. */
  static empty(launch: Launcher = plain): TestNode {
    return new TestNode(launch);
  }

  get irmd(): Running {
    if (this.#irmd === undefined) throw new Error('irmd was not started');
    return this.#irmd;
  }

  /** Whether irmd runs. */
  get running(): boolean {
    const child = this.#irmd?.child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  get log(): string {
    return this.irmd.stdout;
  }

  get applicationSocket(): string {
    return `${this.directory}/irmd.sock`;
  }

  get managementSocket(): string {
    return `${this.directory}/irm.sock`;
  }

  async startIrmd(...args: string[]): Promise<void> {
    this.#irmd = this.spawn(program('irmd'), ['--stdout', ...args]);
    await this.logged('daemon started...');
  }

  /** Waits until irmd or ipcpd has logged a text. */
  async logged(text: string): Promise<void> {
    const { irmd } = this;
    await until(`irmd to log ${text}`, () => {
      if (irmd.stdout.includes(text)) return true;
      if (!this.running) throw new Error(`irmd ended:\n${irmd.stdout}${irmd.stderr}`);
      return false;
    });
  }

  /** Waits until irmd has noticed the end of a process, however it ended. */
  async processGone(pid: number): Promise<void> {
    await until(
      `irmd to notice the end of ${pid}`,
      () => this.log.includes(`Process removed: ${pid}.`) || this.log.includes(`Process ${pid} died.`),
    );
  }

  spawn(command: string, args: readonly string[], options: StartOptions = {}): Running {
    const [file, words] = this.#launch(command, args);
    return new Running(file, words, { ...options, env: this.#environment(options) });
  }

  run(command: string, args: readonly string[], options: StartOptions = {}): Promise<Finished> {
    const [file, words] = this.#launch(command, args);
    return run(file, words, { ...options, env: this.#environment(options) });
  }

  /** Writes a file of the security folder, such as `server/svc/enc.conf`. */
  writeSecurity(file: string, content: string): void {
    const path = join(this.configuration, 'security', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }

  /** Copies a file of tests/fixtures/certificates into the security folder. */
  laySecurity(file: string, fixture: string): void {
    const path = join(this.configuration, 'security', file);
    mkdirSync(dirname(path), { recursive: true });
    copyFileSync(certificateFile(fixture), path);
  }

  /** Runs `irm` with the words of a line. */
  irm(line: string, options: StartOptions = {}): Promise<Finished> {
    return this.run(
      program('irm'),
      line.split(' ').filter((word) => word !== ''),
      options,
    );
  }

  /** Runs `irm` and demands that it succeeds. */
  async manage(line: string): Promise<string> {
    const { status, stdout, stderr } = await this.irm(line);
    if (status !== 0) throw new Error(`irm ${line} ended with ${status}: ${stdout}${stderr}\n${this.log}`);
    return stdout;
  }

  /** Starts a tool and waits until irmd knows it. */
  async startTool(tool: Tool, ...args: string[]): Promise<Running> {
    const running = this.spawn(program(tool), args);
    await this.logged(`Process added: ${running.pid} (${tool}).`);
    return running;
  }

  /** A tool as a server that is bound to a name and ready for its first flow. */
  async serveTool(name: string, tool: Tool, ...args: string[]): Promise<Running> {
    const server = await this.startTool(tool, '-l', ...args);
    await this.manage(`bind process ${server.pid} name ${name}`);
    return server;
  }

  /** Runs a tool to its end. */
  tool(tool: Tool, ...args: string[]): Promise<Finished> {
    return this.run(program(tool), args);
  }

  /** Starts `oping -l` and waits until irmd knows it. */
  startServer(...args: string[]): Promise<Running> {
    return this.startTool('oping', '-l', ...args);
  }

  /** `oping -l` bound to a name and ready for its first flow. */
  serve(name: string, ...args: string[]): Promise<Running> {
    return this.serveTool(name, 'oping', ...args);
  }

  oping(...args: string[]): Promise<Finished> {
    return this.run(program('oping'), args);
  }

  /** Does something with irmd that takes a connection to it. */
  async managed<T>(work: (irmd: IrmClient) => Promise<T>): Promise<T> {
    await using irmd = await IrmClient.connect({ path: this.managementSocket });
    return await work(irmd);
  }

  /** Does something with irmd about an IPCP. */
  async ofIpcp<T>(name: string, work: (irmd: IrmClient, ipcp: IpcpInfo) => Promise<T>): Promise<T> {
    return await this.managed(async (irmd) => {
      const ipcp = (await irmd.listIpcps()).find((one) => one.name === name);
      if (ipcp === undefined) throw new Error(`there is no IPCP ${name}`);
      return await work(irmd, ipcp);
    });
  }

  /** Has an IPCP die, and no other with it: by its process where it has one of its own. */
  async killIpcp(name: string, mode: 'shared' | 'process'): Promise<void> {
    await this.ofIpcp(name, async (irmd, { pid, hostPid }) => {
      if (mode === 'shared') await irmd.killIpcp(pid);
      else process.kill(hostPid, 'SIGKILL');
    });
  }

  /** What an IPCP has counted. */
  counters(name: string): Promise<Readonly<Record<string, number>>> {
    return this.ofIpcp(name, (irmd, { pid }) => irmd.ipcpCounters(pid));
  }

  /** What an IPCP knows. */
  metrics(name: string, ...parts: string[]): Promise<Readonly<Record<string, unknown>>> {
    return this.ofIpcp(name, (irmd, { pid }) =>
      irmd.ipcpMetrics(pid, parts.length === 0 ? undefined : parts),
    );
  }

  /** Files of the run directory. */
  files(): string[] {
    return readdirSync(this.directory).toSorted();
  }

  processes(): { readonly pid: number; readonly command: string }[] {
    return processesOf(this.directory);
  }

  /** The pid of ipcpd, once it runs. */
  async ipcpd(): Promise<number> {
    const found = await until('ipcpd to run', () =>
      this.processes().find(({ command }) => command.includes('ipcpd')),
    );
    return found.pid;
  }

  /** Ends irmd in order. */
  async stop(): Promise<Finished> {
    return this.irmd.kill('SIGTERM');
  }

  /** Ends everything that was started here, and says what it had left behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.running) await this.stop();
    await until('all processes of the node to end', () => {
      const left = this.processes();
      for (const { pid } of left) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has just ended.
        }
      }
      return left.length === 0;
    });
    rmSync(this.directory, { recursive: true, force: true });
    rmSync(this.configuration, { recursive: true, force: true });
  }

  #environment({ env }: StartOptions): NodeJS.ProcessEnv {
    return { O7S_CONFIG_DIR: this.configuration, ...env, O7S_RUN_DIR: this.directory };
  }
}
