/** Does the actions of a plan: nodes and links through the testbed, the rest through each node's irmd. */
import { type IpcpInfo, type IrmClient, O7sError } from '../../runtime/lib/index.ts';
import { abortable } from '../abortable.ts';
import { TestbedError } from '../errors.ts';
import { hostsFile } from '../plan/hosts.ts';
import { type Action, addressWords } from '../plan/plan.ts';
import { poll } from '../poll.ts';
import type { TopologyStackedLayer } from '../model/topology.ts';
import type { Lab, LabNode, Program } from '../testbeds/testbed.ts';

/** How long a daemon or a server has to become ready, in milliseconds. */
const readyMs = 30_000;

/** How long the members of a layer may take to learn of each other, in milliseconds. */
const convergeMs = 60_000;

/** How long irmd has to answer, in milliseconds; its own limits are shorter. */
const answerMs = 30_000;

/**
 * Adds to the node's hosts file those of the lines $@ that it lacks. The file has to be mounted there,
 * as it is where a node has one to itself: otherwise this would be the machine's.
 */
const addHosts = `own= file=$(readlink -f ${hostsFile})
while read -r _ _ _ _ place _; do
  [ "$place" != "$file" ] || own=yes
done </proc/self/mountinfo
[ "$own" = yes ] || { echo "the node has no hosts file of its own" >&2; exit 1; }
for line; do
  grep -qxF -e "$line" ${hostsFile} || printf '%s\\n' "$line" >>${hostsFile} || exit 1
done`;

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
        return await this.#lab.addNode(action.node, signal);
      case 'link':
        return await this.#lab.addLink(action.link, signal);
      case 'address': {
        const words = ['ip', 'address', 'replace', ...addressWords(action.interface, action.address)];
        const what = `give interface ${action.interface} address ${action.address}`;
        return await runOn(this.#lab.node(action.node), what, words, signal);
      }
      case 'hosts': {
        const words = ['sh', '-c', addHosts, 'o7s-testbed', ...action.lines];
        return await runOn(this.#lab.node(action.node), 'write to the hosts file', words, signal);
      }
      case 'irmd':
        return await this.#startIrmd(action.node, signal);
      case 'bootstrap':
        return await placed(action.node, `bootstrap IPCP ${action.ipcp}`, this.#bootstrap(action), signal);
      case 'enroll':
        return await placed(
          action.node,
          `enrol IPCP ${action.ipcp} with ${action.with}`,
          this.#enroll(action),
          signal,
        );
      case 'connect':
        return await placed(
          action.node,
          `connect IPCP ${action.ipcp} to ${action.to}`,
          this.#connect(action),
          signal,
        );
      case 'converge':
        return await this.#converge(action.layer, signal);
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
    if (action.autobind) await bindTo(client, pid, [action.ipcp, action.layer]);
  }

  async #enroll(action: ActionOf<'enroll'>): Promise<void> {
    const { node, ipcp, type, layer } = action;
    const client = this.#client(node);
    const found = await this.#findIpcp(node, ipcp);
    if (found?.layer === layer) return;
    const pid = found?.pid ?? (await client.createIpcp(ipcp, type));
    await client.enrollIpcp(pid, action.with, layer);
    await bindTo(client, pid, [ipcp, layer]);
  }

  async #connect({ node, ipcp, type, to }: ActionOf<'connect'>): Promise<void> {
    const client = this.#client(node);
    const { pid } = await this.#ipcp(node, ipcp);
    const { connections } = await client.ipcpMetrics(pid, ['connections']);
    const made = (connections as readonly { component: string; destination: string | null }[]).filter(
      ({ destination }) => destination === to,
    );
    for (const component of type === 'unicast' ? (['mgmt', 'dt'] as const) : (['dt'] as const)) {
      const name = component === 'dt' ? 'Data Transfer' : 'Management';
      if (!made.some((each) => each.component === name)) await client.connectIpcp(pid, to, component);
    }
  }

  /**
   * Waits until each member of a unicast layer has a route to each other and takes part in the directory, and each of a
   * broadcast layer its neighbours.
   */
  async #converge(layer: TopologyStackedLayer, signal: AbortSignal): Promise<void> {
    const { name, kind, members, adjacencies } = layer;
    for (const { node, ipcp } of members) {
      const { pid } = await this.#ipcp(node, ipcp);
      const wanted =
        kind === 'unicast'
          ? members.length - 1
          : adjacencies.filter((each) => each.ipcp === ipcp || each.to === ipcp).length;
      const client = this.#client(node);
      const isReady = async (): Promise<true | undefined> => {
        if (kind === 'broadcast') {
          const { connections } = await client.ipcpMetrics(pid, ['connections']);
          const up = (connections as readonly { up: boolean }[]).filter((each) => each.up);
          return up.length >= wanted || undefined;
        }
        const { routes, directory } = await client.ipcpMetrics(pid, ['routes', 'directory']);
        const hasRoutes = (routes as readonly unknown[]).length >= wanted;
        const { isJoined } = directory as { readonly isJoined: boolean };
        return (hasRoutes && (isJoined || wanted === 0)) || undefined;
      };
      const what = `layer ${name} to be complete at ${ipcp} on node ${node}`;
      await poll(isReady, { what, deadlineMs: convergeMs, signal });
    }
  }

  async #register(action: ActionOf<'register'>): Promise<void> {
    const { pid } = await this.#ipcp(action.node, action.ipcp);
    await this.#client(action.node).registerName(action.name, pid);
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

  async #ipcp(node: string, name: string): Promise<IpcpInfo> {
    const found = await this.#findIpcp(node, name);
    if (found === undefined) throw new O7sError('ENOENT', `there is no IPCP ${name}`);
    return found;
  }

  async #findIpcp(node: string, name: string): Promise<IpcpInfo | undefined> {
    return (await this.#client(node).listIpcps()).find((each) => each.name === name);
  }
}

/** Lets an IPCP serve names, those it serves already included. */
async function bindTo(client: IrmClient, pid: number, names: readonly string[]): Promise<void> {
  for (const name of names) {
    try {
      await client.bindProcess(pid, name);
    } catch (error) {
      if (!(error instanceof O7sError) || error.code !== 'EEXIST') throw error;
    }
  }
}

async function runOn(
  node: LabNode,
  what: string,
  command: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { code, stderr } = await node.run(command, signal);
  if (code === 0) return;
  const reason = stderr.trim().split('\n')[0] || `exit code ${code}`;
  throw new TestbedError('EFAILED', `node ${node.name}: cannot ${what}: ${reason}`);
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
        const alive = await program.alive();
        const found = await probe();
        if (found === undefined && !alive)
          throw new TestbedError('EFAILED', `${what} ended before it was ready`);
        return found;
      },
      { what: `${what} to be ready`, deadlineMs: readyMs, signal },
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof TestbedError)) throw error;
    const line = await program.lastLogLine().catch(() => undefined);
    if (line !== undefined) {
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
