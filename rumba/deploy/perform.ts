/** Does the actions of a plan: nodes and links through the testbed, the rest through each node's irmd. */
import { type IpcpInfo, type IrmClient, O7sError } from '../../runtime/lib/index.ts';
import { abortable } from '../abortable.ts';
import { TestbedError } from '../errors.ts';
import type { Action } from '../plan/plan.ts';
import { poll } from '../poll.ts';
import type { Lab, LabNode, Program } from '../testbeds/testbed.ts';

/** How long a daemon or a server has to become ready, in milliseconds. */
const readyMs = 30_000;

/** How long irmd has to answer, in milliseconds; its own limits are shorter. */
const answerMs = 30_000;

type ActionOf<Kind extends Action['kind']> = Extract<Action, { kind: Kind }>;

export class Performer implements AsyncDisposable {
  readonly #lab: Lab;
  readonly #clients = new Map<string, IrmClient>();

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** Does one action; doing it again changes nothing. Rejects with a TestbedError that names the place. */
  async perform(action: Action, signal: AbortSignal): Promise<void> {
    switch (action.kind) {
      case 'node':
        return await this.#lab.addNode({ name: action.node }, signal);
      case 'link':
        return await this.#lab.addLink(action.link, signal);
      case 'irmd':
        return await this.#startIrmd(action.node, signal);
      case 'bootstrap':
        return await placed(action.node, `bootstrap IPCP ${action.ipcp}`, this.#bootstrap(action), signal);
      case 'register':
        return await placed(action.node, `register name ${action.name}`, this.#register(action), signal);
      case 'serve':
        return await this.#serve(action, signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients.values()) await client[Symbol.asyncDispose]();
    this.#clients.clear();
  }

  async #startIrmd(name: string, signal: AbortSignal): Promise<void> {
    const node = this.#lab.node(name);
    const running = await tryConnect(node, signal);
    if (running !== undefined) {
      this.#clients.set(name, running);
      return;
    }
    const program = await node.start(['irmd', '--stdout'], { log: 'irmd', signal });
    const client = await watched(program, `irmd on node ${name}`, signal, () => tryConnect(node, signal));
    this.#clients.set(name, client);
  }

  async #bootstrap(action: ActionOf<'bootstrap'>): Promise<void> {
    const client = this.#client(action.node);
    const found = await this.#findIpcp(action.node, action.ipcp);
    if (found?.layer === action.layer) return;
    const pid = found?.pid ?? (await client.createIpcp(action.ipcp, action.type));
    await client.bootstrapIpcp(pid, action.layer, action.config);
  }

  async #register(action: ActionOf<'register'>): Promise<void> {
    const found = await this.#findIpcp(action.node, action.ipcp);
    if (found === undefined) throw new O7sError('ENOENT', `there is no IPCP ${action.ipcp}`);
    await this.#client(action.node).registerName(action.name, found.pid);
  }

  async #serve(action: ActionOf<'serve'>, signal: AbortSignal): Promise<void> {
    const { node, name, command, log } = action;
    const program = await this.#lab.node(node).start(command, { log, signal });
    const client = this.#client(node);
    await watched(program, `server ${name} on node ${node}`, signal, async () => {
      try {
        await client.bindProcess(program.pid, name);
        return true;
      } catch (error) {
        // The process has not announced itself yet.
        if (error instanceof O7sError && error.code === 'ENOENT') return undefined;
        throw error;
      }
    });
  }

  #client(node: string): IrmClient {
    const client = this.#clients.get(node);
    if (client === undefined) throw new Error(`irmd of node ${node} is not running`);
    return client;
  }

  async #findIpcp(node: string, name: string): Promise<IpcpInfo | undefined> {
    return (await this.#client(node).listIpcps()).find((each) => each.name === name);
  }
}

async function tryConnect(node: LabNode, signal: AbortSignal): Promise<IrmClient | undefined> {
  try {
    return await node.irm(signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof O7sError && error.code === 'EIRMD') return undefined;
    throw error;
  }
}

/** Polls until a program is ready, and gives up as soon as it is gone. */
async function watched<T>(
  program: Program,
  what: string,
  signal: AbortSignal,
  probe: () => Promise<T | undefined>,
): Promise<T> {
  try {
    return await poll(
      async () => {
        const alive = program.alive();
        const found = await probe();
        if (found === undefined && !alive)
          throw new TestbedError('EFAILED', `${what} ended before it was ready`);
        return found;
      },
      { what: `${what} to be ready`, deadlineMs: readyMs, signal },
    );
  } catch (error) {
    const line = program.lastLogLine();
    if (error instanceof TestbedError && line !== undefined) {
      throw new TestbedError(error.code, `${error.message}; its last words: ${line}`, { cause: error });
    }
    throw error;
  }
}

/** Waits for irmd to do something, and says where it went wrong. */
async function placed(node: string, what: string, work: Promise<void>, signal: AbortSignal): Promise<void> {
  const deadline = AbortSignal.timeout(answerMs);
  try {
    await abortable(work, AbortSignal.any([signal, deadline]));
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.aborted) {
      throw new TestbedError('ETIMEDOUT', `node ${node}: irmd did not ${what} in ${answerMs / 1000} s`);
    }
    if (!(error instanceof O7sError)) throw error;
    const code = error.code === 'ETIMEDOUT' ? 'ETIMEDOUT' : 'EFAILED';
    throw new TestbedError(code, `node ${node}: cannot ${what}: ${error.message}`, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}
