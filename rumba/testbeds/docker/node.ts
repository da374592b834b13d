/** A node: a container, reached through the engine and through the agent of its lab. */
import { IrmClient, type O7sError } from '../../../runtime/lib/index.ts';
import { TestbedError } from '../../errors.ts';
import type { Attached, CommandResult, LabNode, LogFile, Opened, Program } from '../testbed.ts';
import { type AgentClient, ConnectError, noIrmd } from './agent-client.ts';
import { type Engine, statusOf } from './engine.ts';
import { attachCommand, openCommand, runCommand } from './execution.ts';

const managementSocket = '/run/ouroboros/irm.sock';

export class DockerNode implements LabNode {
  readonly name: string;
  /** Identifier of its container. */
  readonly id: string;
  readonly #lab: string;
  readonly #engine: Engine;
  readonly #agent: () => Promise<AgentClient>;
  #init: number | undefined;

  constructor(options: {
    name: string;
    lab: string;
    engine: Engine;
    id: string;
    agent: () => Promise<AgentClient>;
    /** First process of the container, as the host numbers it; asked for when absent. */
    init?: number;
  }) {
    this.name = options.name;
    this.#lab = options.lab;
    this.#engine = options.engine;
    this.id = options.id;
    this.#agent = options.agent;
    this.#init = options.init;
  }

  /** First process of the container, as the host numbers it. */
  async init(): Promise<number> {
    this.#init ??= await firstProcess(this.#engine, this.id).catch((error: unknown) => {
      throw this.#explain(error);
    });
    if (this.#init === 0) throw nodeEnded(this.#lab, this.name);
    return this.#init;
  }

  async irm(signal: AbortSignal): Promise<IrmClient> {
    const agent = await this.#agent();
    try {
      return IrmClient.over(await agent.open(await this.init(), managementSocket, signal));
    } catch (error) {
      throw error instanceof ConnectError ? this.#noIrmd(error) : error;
    }
  }

  async start(command: readonly string[], options: { log: string; signal: AbortSignal }): Promise<Program> {
    const { log, signal } = options;
    const [agent, init] = [await this.#agent(), await this.init()];
    const place = (error: unknown): never => {
      if (!(error instanceof TestbedError) && !(error instanceof ConnectError)) throw error;
      const hint = error instanceof TestbedError ? error.hint : undefined;
      throw new TestbedError('EFAILED', `node ${this.name}: cannot start ${command[0]}: ${error.message}`, {
        cause: error,
        ...(hint === undefined ? {} : { hint }),
      });
    };
    const program = await agent.call('start', { init, log, command }, signal).catch(place);
    return {
      pid: program.pid,
      alive: async () => await agent.call('alive', { init, ...program }),
    };
  }

  async end(log: string, signal: AbortSignal): Promise<void> {
    await (await this.#agent()).call('end', { node: this.name, init: await this.init(), log }, signal);
  }

  async programs(): Promise<readonly string[]> {
    return await (await this.#agent()).call('programs', { init: await this.init() });
  }

  attach(command: readonly string[]): Attached {
    const { ended, kill } = attachCommand(this.#engine, this.id, command);
    return {
      ended: ended.catch((error: unknown) => {
        throw this.#explain(error);
      }),
      kill,
    };
  }

  async open(command: readonly string[]): Promise<Opened> {
    try {
      return await openCommand(this.#engine, this.id, command);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  async run(command: readonly string[], signal?: AbortSignal): Promise<CommandResult> {
    try {
      return await runCommand(this.#engine, this.id, command, signal);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  async configFolder(place: string | undefined, signal: AbortSignal): Promise<string> {
    const folder = place ?? '/etc/ouroboros';
    const { code, stderr } = await this.run(
      ['sh', '-c', 'rm -rf "$1" && mkdir -p "$1"', 'sh', folder],
      signal,
    );
    if (code === 0) return folder;
    const reason = stderr.trim().split('\n')[0] || `exit code ${code}`;
    throw new TestbedError('EFAILED', `node ${this.name}: cannot make folder ${folder}: ${reason}`);
  }

  async addAddress(words: readonly string[], signal: AbortSignal): Promise<void> {
    const params = { node: this.name, init: await this.init(), words };
    await (await this.#agent()).call('addAddress', params, signal);
  }

  async removeAddress(words: readonly string[], signal: AbortSignal): Promise<void> {
    const params = { node: this.name, init: await this.init(), words };
    await (await this.#agent()).call('removeAddress', params, signal);
  }

  async setInterfaces(state: 'up' | 'down', signal: AbortSignal): Promise<void> {
    await (await this.#agent()).call('setInterfaces', { init: await this.init(), state }, signal);
  }

  async endAll(graceMs: number, signal: AbortSignal): Promise<void> {
    const params = { node: this.name, init: await this.init(), graceMs };
    await (await this.#agent()).call('endAll', params, signal);
  }

  async signalAll(name: NodeJS.Signals, signal: AbortSignal): Promise<void> {
    await (await this.#agent()).call('signalAll', { init: await this.init(), name }, signal);
  }

  async logs(): Promise<readonly LogFile[]> {
    return await (await this.#agent()).call('logs', { init: await this.init() });
  }

  async readLog(name: string, from: number): Promise<Buffer> {
    const agent = await this.#agent();
    return Buffer.from(await agent.call('readLog', { init: await this.init(), name, from }), 'base64');
  }

  // A container that has ended is no container any more, or is about to be none.
  #explain(error: unknown): unknown {
    const status = statusOf(error);
    return status === 404 || status === 409 ? nodeEnded(this.#lab, this.name, error) : error;
  }

  #noIrmd(error: ConnectError): O7sError {
    return noIrmd(this.name, error);
  }
}

/** The first process of a container, as the host numbers it; 0 when it has ended. */
export async function firstProcess(engine: Engine, container: string): Promise<number> {
  const { State } = await engine.request('look at a node', engine.docker.getContainer(container).inspect());
  return State.Pid;
}

/** The error for a node whose container has ended. */
export function nodeEnded(lab: string, node: string, cause?: unknown): TestbedError {
  return new TestbedError('EFAILED', `node ${node} of lab ${lab} has ended: its container is gone`, {
    hint: `make it again: o7s-testbed start ${node} --lab ${lab}`,
    cause,
  });
}
