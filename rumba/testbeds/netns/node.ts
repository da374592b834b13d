/** A node: a process that holds its namespaces, and whatever was started in them. */
import { readFileSync } from 'node:fs';
import { IrmClient } from '../../../runtime/lib/index.ts';
import { TestbedError } from '../../errors.ts';
import type { Attached, CommandResult, LabNode, Program } from '../testbed.ts';
import { exitCode, runCommand, runWithProc, start } from './command.ts';
import { enter } from './namespaces.ts';
import { childrenOf, identify, isAlive } from './processes.ts';
import * as scripts from './scripts.ts';

export class NetnsNode implements LabNode {
  readonly name: string;
  /** Number of the node's first process, as we see it. */
  readonly pid: number;

  constructor(name: string, pid: number) {
    this.name = name;
    this.pid = pid;
  }

  async irm(signal: AbortSignal): Promise<IrmClient> {
    return await IrmClient.connect({ path: this.#file('/run/ouroboros/irm.sock'), signal });
  }

  async start(command: readonly string[], options: { log: string; signal: AbortSignal }): Promise<Program> {
    const { log, signal } = options;
    const words = ['sh', '-c', scripts.background, scripts.program, log, ...command];
    const { stdout, stderr } = await runWithProc(enter(this.pid, words), signal);
    const [pid, outerPid] = stdout.trim().split(' ').map(Number);
    if (pid === undefined || outerPid === undefined) {
      throw new TestbedError('EFAILED', `node ${this.name}: cannot start ${command[0]}: ${stderr.trim()}`);
    }
    const outer = identify(outerPid);
    return {
      pid,
      alive: async () => outer !== undefined && isAlive(outer),
      lastLogLine: async () => lastLine(this.#file(`${scripts.runDirectory}/${log}.log`)),
    };
  }

  attach(command: readonly string[]): Attached {
    const words = ['sh', '-c', scripts.inFolder, 'o7s-testbed', process.cwd(), ...command];
    const child = start(enter(this.pid, words), 'inherit');
    return {
      ended: exitCode(child),
      // nsenter waits outside for the command and hands no signal on; before it has started it, nsenter is all there is.
      kill: (signal) => {
        if (child.pid === undefined) return;
        const inside = childrenOf(child.pid);
        for (const pid of inside.length > 0 ? inside : [child.pid]) process.kill(pid, signal);
      },
    };
  }

  async run(command: readonly string[], signal?: AbortSignal): Promise<CommandResult> {
    return await runCommand(enter(this.pid, command), signal);
  }

  /** Where we see a file of the node. */
  #file(path: string): string {
    return `/proc/${this.pid}/root${path}`;
  }
}

function lastLine(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) || undefined;
  } catch {
    return undefined;
  }
}
