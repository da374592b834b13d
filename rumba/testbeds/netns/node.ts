/** A node: a process that holds its namespaces, and whatever was started in them. */
import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { IrmClient } from '../../../runtime/lib/index.ts';
import { TestbedError } from '../../errors.ts';
import type { Wiring } from '../../links/wiring.ts';
import { listLogs, readLog } from '../log-files.ts';
import type { Attached, CommandResult, LabNode, LogFile, Opened, Program } from '../testbed.ts';
import { environment, exitCode, finish, withProc } from './command.ts';
import { groupFiles } from './control-groups.ts';
import { enter } from './namespaces.ts';
import {
  childrenOf,
  executionVariable,
  endProcesses,
  identify,
  isAlive,
  logVariable,
  processesOf,
  programsOf,
  signalExecution,
  signalProcess,
} from './processes.ts';
import * as scripts from './scripts.ts';

/** How long a program has to end by itself, in milliseconds. */
const endMs = 5_000;

/** How often to look whether a command has entered its node, in milliseconds. */
const enterMs = 5;

export interface NetnsNodeParts {
  readonly name: string;
  /** Number of the node's first process, as we see it. */
  readonly pid: number;
  /** Where the runtime of a node that does not run ours is installed. */
  readonly prefix: string | undefined;
  readonly wiring: Wiring;
}

export class NetnsNode implements LabNode {
  readonly name: string;
  readonly id: string;
  readonly pid: number;
  readonly #prefix: string | undefined;
  readonly #wiring: Wiring;

  constructor({ name, pid, prefix, wiring }: NetnsNodeParts) {
    this.name = name;
    this.id = String(pid);
    this.pid = pid;
    this.#prefix = prefix;
    this.#wiring = wiring;
  }

  async irm(signal: AbortSignal): Promise<IrmClient> {
    return await IrmClient.connect({ path: this.#file('/run/ouroboros/irm.sock'), signal });
  }

  async start(command: readonly string[], options: { log: string; signal: AbortSignal }): Promise<Program> {
    const { log, signal } = options;
    const words = ['sh', '-c', scripts.background, scripts.program, log, ...command];
    const { stdout, stderr } = await withProc((proc) => {
      const child = this.#spawn(words, ['ignore', 'pipe', 'pipe', proc], { [logVariable]: log });
      return finish(child, signal);
    });
    const [pid, outerPid] = stdout.trim().split(' ').map(Number);
    if (pid === undefined || outerPid === undefined) {
      throw new TestbedError('EFAILED', `node ${this.name}: cannot start ${command[0]}: ${stderr.trim()}`);
    }
    const outer = identify(outerPid);
    return { pid, alive: async () => outer !== undefined && isAlive(outer) };
  }

  async end(log: string, signal: AbortSignal): Promise<void> {
    const what = `the program of log ${log} on node ${this.name} to end`;
    await endProcesses(what, () => programsOf(this.pid).get(log) ?? [], endMs, signal);
  }

  async programs(): Promise<string[]> {
    return [...programsOf(this.pid).keys()];
  }

  attach(command: readonly string[]): Attached {
    const words = ['sh', '-c', scripts.inFolder, 'o7s-testbed', process.cwd(), ...command];
    return attached(this.#spawn(words, 'inherit'));
  }

  async open(command: readonly string[]): Promise<Opened> {
    const execution = randomUUID();
    // A session of its own, by which all that it starts is known.
    const words = ['setsid', ...command];
    const child = this.#spawn(words, ['pipe', 'pipe', 'pipe'], { [executionVariable]: execution });
    const kill = async (signal: NodeJS.Signals): Promise<void> => {
      // nsenter waits outside for the command, and it may not have entered yet.
      const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
      while (!signalExecution(this.pid, execution, signal) && !hasEnded()) await delay(enterMs);
    };
    return { ...openedChild(child), kill: (signal) => void kill(signal) };
  }

  async run(command: readonly string[], signal?: AbortSignal): Promise<CommandResult> {
    return await finish(this.#spawn(command, ['ignore', 'pipe', 'pipe']), signal);
  }

  async configFolder(place: string | undefined, signal: AbortSignal): Promise<string> {
    const folder = place ?? scripts.configDirectory;
    const script = place === undefined ? scripts.emptyFolder : scripts.emptyBelowEtc;
    const { code, stderr } = await this.run(['sh', '-c', script, 'sh', folder], signal);
    if (code === 0) return folder;
    const reason = stderr.trim().split('\n')[0] || `exit code ${code}`;
    throw new TestbedError('EFAILED', `node ${this.name}: cannot make folder ${folder}: ${reason}`);
  }

  async addAddress(words: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#wiring.addAddress(this, words, signal);
  }

  async removeAddress(words: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#wiring.removeAddress(this, words, signal);
  }

  async setInterfaces(state: 'up' | 'down', signal: AbortSignal): Promise<void> {
    await this.#wiring.setAll(this.pid, state, signal);
  }

  async endAll(graceMs: number, signal: AbortSignal): Promise<void> {
    const what = `the programs on node ${this.name} to end`;
    await endProcesses(what, () => processesOf(this.pid), graceMs, signal);
  }

  async signalAll(name: NodeJS.Signals, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    for (const pid of processesOf(this.pid)) signalProcess(pid, name);
  }

  async logs(): Promise<LogFile[]> {
    return listLogs(this.#file(scripts.runDirectory));
  }

  async readLog(name: string, from: number): Promise<Buffer> {
    return await readLog(this.#file(scripts.runDirectory), name, from);
  }

  #spawn(command: readonly string[], stdio: StdioOptions, variables: NodeJS.ProcessEnv = {}): ChildProcess {
    if (identify(this.pid) === undefined) {
      throw new TestbedError('EFAILED', `node ${this.name} has ended`, {
        hint: `make it again: o7s-testbed start ${this.name}`,
      });
    }
    const files = groupFiles(this.pid);
    const entering = enter(this.pid, command);
    // What is entered from outside is no child of the node's, and is in none of its groups.
    const words =
      files.length === 0 ? entering : ['sh', '-c', scripts.joinGroups, 'sh', files.join('\n'), ...entering];
    const [program = '', ...rest] = words;
    return spawn(program, rest, { stdio, env: { ...this.#environment(), ...variables } });
  }

  #environment(): NodeJS.ProcessEnv {
    const own = environment();
    if (this.#prefix !== undefined) return foreignEnvironment(this.#prefix);
    const config = scripts.configDirectory;
    return existsSync(this.#file(config)) ? { ...own, O7S_CONFIG_DIR: config } : own;
  }

  /** Where we see a file of the node. */
  #file(path: string): string {
    return `/proc/${this.pid}/root${path}`;
  }
}

/** The caller's environment with the programs and libraries of another runtime first. */
function foreignEnvironment(prefix: string): NodeJS.ProcessEnv {
  const { PATH = '/usr/local/bin:/usr/bin:/bin', LD_LIBRARY_PATH } = process.env;
  return {
    ...process.env,
    PATH: `${prefix}/sbin:${prefix}/bin:${PATH}:/usr/sbin:/sbin`,
    LD_LIBRARY_PATH: `${prefix}/lib${LD_LIBRARY_PATH ? `:${LD_LIBRARY_PATH}` : ''}`,
  };
}

/** A command that was started with pipes for all three of its streams. */
export function openedChild(child: ChildProcess): Opened {
  const [stdin, stdout, stderr] = child.stdio as [Writable, Readable, Readable, ...unknown[]];
  // Who writes to a command that has ended hears of it by its exit code.
  stdin.on('error', () => {});
  return { ...attached(child), stdin, stdout, stderr };
}

function attached(child: ChildProcess): Attached {
  return {
    ended: exitCode(child),
    // nsenter waits outside for the command and hands no signal on; before it has started it, nsenter is all there is.
    kill: (signal) => {
      // One that has ended has no number any more: another process may have it.
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const inside = childrenOf(child.pid);
      for (const pid of inside.length > 0 ? inside : [child.pid]) signalProcess(pid, signal);
    },
  };
}
