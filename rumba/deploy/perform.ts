/** Does the actions of a plan: nodes and links through the testbed, the rest through each node's irmd. */
import { O7sError } from '../../runtime/lib/index.ts';
import { abortable } from '../abortable.ts';
import { copyFolder } from '../copy.ts';
import { TestbedError } from '../errors.ts';
import { resetLink } from '../links/changes.ts';
import { alone } from '../lock.ts';
import { impairmentSeed } from '../model/impairment.ts';
import type { TopologyNode, TopologyStackedLayer } from '../model/topology.ts';
import type { Action, ActionOf } from '../plan/action.ts';
import { hostsFile } from '../plan/hosts.ts';
import { addressWords } from '../plan/wiring-steps.ts';
import { poll } from '../poll.ts';
import { lastLines } from '../testbeds/logs.ts';
import type { Lab, LabNode, Program } from '../testbeds/testbed.ts';
import { IrmManager } from './irm-manager.ts';
import type { NodeManager } from './manager.ts';
import { RpcManager } from './rpc-manager.ts';

/** How long a daemon or a server has to become ready, in milliseconds. */
const readyMs = 30_000;

/** How long the members of a layer may take to learn of each other, in milliseconds. */
const convergeMs = 60_000;

/** How long irmd has to answer, in milliseconds; its own limits are shorter. */
const answerMs = 30_000;

/** How long the programs of a node have to end by themselves, in milliseconds. */
const graceMs = 5_000;

/** How long to wait before a member that was not let in asks again, in milliseconds. */
const retryMs: readonly number[] = [100, 1_000, 3_000];

/** How much of a log is shown when a program on a node fails. */
const shownLines = 10;

/**
 * Changes the node's hosts file: with $1 "add" those of the lines that it lacks come in, else they go. The file has to
 * be mounted there, as it is where a node has one to itself: otherwise this would be the machine's.
 */
const changeHosts = `own= file=$(readlink -f ${hostsFile}) how=$1; shift
while read -r _ _ _ _ place _; do
  [ "$place" != "$file" ] || own=yes
done </proc/self/mountinfo
[ "$own" = yes ] || { echo "the node has no hosts file of its own" >&2; exit 1; }
for line; do
  if [ "$how" = add ]; then
    grep -qxF -e "$line" ${hostsFile} || printf '%s\\n' "$line" >>${hostsFile} || exit 1
  else
    rest=$(grep -vxF -e "$line" ${hostsFile}); printf '%s\\n' "$rest" >${hostsFile} || exit 1
  fi
done`;

export class Performer implements AsyncDisposable {
  readonly #lab: Lab;
  readonly #managers = new Map<string, NodeManager>();
  /** Nodes that were made here, on which nothing runs yet. */
  readonly #fresh = new Set<string>();
  readonly #descriptions: ReadonlyMap<string, TopologyNode>;
  /** The irmd of each node that was started here. */
  readonly #started = new Map<string, Program>();

  /** `nodes` are those of the topology that a lab has or is to have. */
  constructor(lab: Lab, nodes: readonly TopologyNode[]) {
    this.#lab = lab;
    this.#descriptions = new Map(nodes.map((each) => [each.name, each]));
  }

  /** Does one action; doing it again changes nothing. Rejects with a TestbedError that names the place. */
  async perform(action: Action, signal: AbortSignal): Promise<void> {
    const lab = this.#lab;
    switch (action.kind) {
      case 'node':
        this.#fresh.add(action.node);
        return await lab.addNode(action.description, signal);
      case 'limit':
        return await lab.limitNode(action.node, action, signal);
      case 'cable':
        return await lab.addCable(action.link, signal);
      case 'lan':
        return await lab.addLan(action.lan, action.mtu, signal);
      case 'plug':
        return await lab.plug({ name: action.lan, mtu: action.mtu }, action.end, signal);
      case 'impair':
        return await alone(lab, action.link.name, signal, async () => {
          await lab.impair(action.link, action.impairments, { seed: impairmentSeed }, signal);
        });
      case 'address':
        return await lab.node(action.node).addAddress(addressWords(action.interface, action.address), signal);
      case 'hosts':
        return await this.#changeHosts('add', action, signal);
      case 'config':
        return await this.#configure(action, signal);
      case 'irmd':
        return await this.#startIrmd(action, signal);
      case 'bootstrap': {
        const { node, ipcp, config, autobind } = action;
        const what = `bootstrap IPCP ${ipcp}`;
        return await this.#manage(node, what, signal, (irm) => irm.bootstrap(action, config, autobind));
      }
      case 'enroll': {
        const { node, ipcp, with: target } = action;
        const what = `enrol IPCP ${ipcp} with ${target}`;
        return await this.#insist(node, what, signal, (irm) => irm.enroll(action, target));
      }
      case 'connect': {
        const { node, ipcp, type, to } = action;
        const what = `connect IPCP ${ipcp} to ${to}`;
        return await this.#insist(node, what, signal, (irm) => irm.connect(ipcp, type, to));
      }
      case 'converge':
        return await this.#converge(action.layer, signal);
      case 'name': {
        const { node, name, balance } = action;
        return await this.#manage(node, `create name ${name}`, signal, (irm) =>
          irm.createName(name, balance),
        );
      }
      case 'register': {
        const { node, name, ipcp } = action;
        return await this.#manage(node, `register name ${name}`, signal, (irm) => irm.register(name, ipcp));
      }
      case 'serve':
        return await this.#serve(action, signal);
    }
  }

  /** Undoes one action; undoing it again changes nothing. */
  async undo(action: Action, signal: AbortSignal): Promise<void> {
    const lab = this.#lab;
    switch (action.kind) {
      case 'node':
        await this.#forget(action.node);
        return await lab.removeNode(action.node, signal);
      case 'limit': {
        const none = { cpus: undefined, memoryBytes: undefined };
        return await lab.limitNode(action.node, none, signal);
      }
      case 'cable': {
        const [{ node, interface: device }] = action.link.ends;
        return await lab.removeInterface(node, device, signal);
      }
      case 'lan':
        return await lab.removeLan(action.lan, signal);
      case 'plug':
        return await lab.removeInterface(action.node, action.end.interface, signal);
      case 'impair':
        return await resetLink(lab, action.link, signal);
      case 'address':
        return await lab
          .node(action.node)
          .removeAddress(addressWords(action.interface, action.address), signal);
      case 'hosts':
        return await this.#changeHosts('remove', action, signal);
      case 'irmd':
        await this.#forget(action.node);
        return await lab.node(action.node).endAll(graceMs, signal);
      case 'bootstrap':
      case 'enroll': {
        const { node, ipcp } = action;
        return await this.#manage(node, `destroy IPCP ${ipcp}`, signal, (irm) => irm.destroy(ipcp));
      }
      case 'connect': {
        const { node, ipcp, type, to } = action;
        const what = `disconnect IPCP ${ipcp} from ${to}`;
        return await this.#manage(node, what, signal, (irm) => irm.disconnect(ipcp, type, to));
      }
      case 'register': {
        const { node, name, ipcp } = action;
        return await this.#manage(node, `unregister name ${name}`, signal, (irm) =>
          irm.unregister(name, ipcp),
        );
      }
      case 'serve':
        return await lab.node(action.node).end(action.log, signal);
      case 'config':
      case 'converge':
      case 'name':
        break;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const manager of this.#managers.values()) await manager[Symbol.asyncDispose]();
    this.#managers.clear();
  }

  async #changeHosts(how: 'add' | 'remove', action: ActionOf<'hosts'>, signal: AbortSignal): Promise<void> {
    const words = ['sh', '-c', changeHosts, 'o7s-testbed', how, ...action.lines];
    const { code, stderr } = await this.#lab.node(action.node).run(words, signal);
    if (code === 0) return;
    const reason = stderr.trim().split('\n')[0] || `exit code ${code}`;
    throw new TestbedError('EFAILED', `node ${action.node}: cannot write to the hosts file: ${reason}`);
  }

  async #configure({ node, folder }: ActionOf<'config'>, signal: AbortSignal): Promise<void> {
    const target = this.#lab.node(node);
    const place = this.#descriptions.get(node)?.runtime?.config;
    await copyFolder(folder, target, await target.configFolder(place, signal), signal);
  }

  async #startIrmd({ node: name, words }: ActionOf<'irmd'>, signal: AbortSignal): Promise<void> {
    const node = this.#lab.node(name);
    const running = await this.#connect(node, signal);
    if (running === undefined) {
      if (!this.#fresh.has(name)) {
        // What an irmd left that ended by itself, and what was set down when the node was stopped.
        await node.endAll(0, signal);
        await node.setInterfaces('up', signal);
      }
      const program = await node.start(['irmd', ...words], { log: 'irmd', signal });
      this.#started.set(name, program);
      const ready = { what: `irmd on node ${name}`, log: 'irmd', signal };
      this.#managers.set(name, await watched(node, program, ready, () => this.#connect(node, signal)));
      return;
    }
    this.#managers.set(name, running);
  }

  /** The management of a node; undefined while its irmd does not answer. */
  async #connect(node: LabNode, signal: AbortSignal): Promise<NodeManager | undefined> {
    if (this.#descriptions.get(node.name)?.runtime !== undefined) {
      const manager = new IrmManager(node, signal);
      return (await manager.isReady()) ? manager : undefined;
    }
    try {
      return await RpcManager.over(() => node.irm(signal));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof O7sError && error.code === 'EIRMD') return undefined;
      throw error;
    }
  }

  /** Waits until each member of a layer has what it needs of the others. */
  async #converge(layer: TopologyStackedLayer, signal: AbortSignal): Promise<void> {
    const wanted = wantedOf(layer);
    await Promise.all(
      layer.members.map(async ({ node, ipcp }) => {
        const what = `layer ${layer.name} to be complete at ${ipcp} on node ${node}`;
        const member = { ipcp, type: layer.kind, layer: layer.name };
        const isComplete = async (irm: NodeManager): Promise<void> => {
          const probe = async (): Promise<true | undefined> =>
            (await irm.isComplete(member, wanted.get(ipcp) ?? 0)) || undefined;
          await poll(probe, { what, deadlineMs: convergeMs, signal });
        };
        await this.#manage(node, `complete layer ${layer.name}`, signal, isComplete, convergeMs + answerMs);
      }),
    );
  }

  async #serve(
    { node: name, name: served, command, log }: ActionOf<'serve'>,
    signal: AbortSignal,
  ): Promise<void> {
    const node = this.#lab.node(name);
    const program = await node.start(command, { log, signal });
    const ready = { what: `server ${served} on node ${name}`, log, signal };
    await watched(node, program, ready, async () => {
      const bind = (irm: NodeManager): Promise<boolean> => irm.bindProcess(program.pid, served);
      return (await this.#manage(name, `bind to name ${served}`, signal, bind)) || undefined;
    });
  }

  /** Manages a node, again where it failed: what a member asks others for may get lost, or come too early for them. */
  async #insist(
    node: string,
    what: string,
    signal: AbortSignal,
    work: (manager: NodeManager) => Promise<void>,
  ): Promise<void> {
    for (const pause of [...retryMs, undefined]) {
      try {
        return await this.#manage(node, what, signal, work);
      } catch (error) {
        if (pause === undefined || !(error instanceof TestbedError)) throw error;
        await abortable(new Promise((resolve) => setTimeout(resolve, pause)), signal);
      }
    }
  }

  /** Manages a node, and says where it went wrong. */
  async #manage<T>(
    node: string,
    what: string,
    signal: AbortSignal,
    work: (manager: NodeManager) => Promise<T>,
    deadlineMs = answerMs,
  ): Promise<T> {
    const deadline = AbortSignal.timeout(deadlineMs);
    try {
      return await abortable(work(await this.#manager(node, signal)), AbortSignal.any([signal, deadline]));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof O7sError) && !(error instanceof TestbedError) && !deadline.aborted) throw error;
      const details = await this.#lastWords(node);
      if (deadline.aborted) {
        throw new TestbedError('ETIMEDOUT', `node ${node}: irmd did not ${what} in ${deadlineMs / 1000} s`, {
          details,
        });
      }
      const { code, message, cause, hint = hintOf(cause) } = error as O7sError | TestbedError;
      const isLate = code === 'ETIMEDOUT';
      throw new TestbedError(isLate ? 'ETIMEDOUT' : 'EFAILED', `node ${node}: cannot ${what}: ${message}`, {
        cause: error,
        details,
        ...(hint === undefined ? {} : { hint }),
      });
    }
  }

  /** The management of a node whose irmd was started here, or before. */
  async #manager(name: string, signal: AbortSignal): Promise<NodeManager> {
    const known = this.#managers.get(name);
    if (known !== undefined) return known;
    const made = await this.#connect(this.#lab.node(name), signal);
    if (made === undefined) {
      throw new TestbedError('EFAILED', 'its irmd does not answer', {
        hint: `start it again: o7s-testbed restart ${name}`,
      });
    }
    this.#managers.set(name, made);
    return made;
  }

  /**
   * What made a step fail: where an irmd that was started here has ended, its death, with its last words; steps of other
   * nodes fail by it too, and may do so first. Else the error itself.
   */
  async cause(error: unknown): Promise<unknown> {
    if (!(error instanceof TestbedError)) return error;
    for (const [name, program] of this.#started) {
      if (await program.alive().catch(() => true)) continue;
      const words = await this.#lastWords(name);
      return new TestbedError('EFAILED', `node ${name}: its irmd has ended; by that: ${error.message}`, {
        cause: error,
        details: words,
      });
    }
    return error;
  }

  async #forget(name: string): Promise<void> {
    this.#started.delete(name);
    await this.#managers.get(name)?.[Symbol.asyncDispose]();
    this.#managers.delete(name);
  }

  async #lastWords(name: string): Promise<string[]> {
    const node = this.#lab.nodes().find((each) => each.name === name);
    return node === undefined
      ? []
      : (await lastLines(node, 'irmd', shownLines)).map((line) => `${name} irmd: ${line}`);
  }
}

/** What each member of a layer is to have: routes to all it can reach (unicast), or its neighbours (broadcast). */
/** What to do, where it was the testbed that broke a connection. */
function hintOf(cause: unknown): string | undefined {
  return cause instanceof TestbedError ? cause.hint : undefined;
}

function wantedOf({ kind, members, adjacencies }: TopologyStackedLayer): ReadonlyMap<string, number> {
  const neighbours = new Map<string, string[]>(members.map(({ ipcp }) => [ipcp, []]));
  for (const { ipcp, to } of adjacencies) {
    neighbours.get(ipcp)?.push(to);
    neighbours.get(to)?.push(ipcp);
  }
  if (kind === 'broadcast') return new Map([...neighbours].map(([ipcp, list]) => [ipcp, list.length]));
  const wanted = new Map<string, number>();
  for (const { ipcp } of members) {
    if (wanted.has(ipcp)) continue;
    const piece = new Set([ipcp]);
    // A set is walked in the order in which it grows.
    for (const member of piece) for (const next of neighbours.get(member) ?? []) piece.add(next);
    for (const member of piece) wanted.set(member, piece.size - 1);
  }
  return wanted;
}

/** Polls until a program is ready, and gives up as soon as it is gone. */
async function watched<T>(
  node: LabNode,
  program: Program,
  { what, log, signal }: { what: string; log: string; signal: AbortSignal },
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
    const lines = await lastLines(node, log, shownLines);
    const last = lines.at(-1);
    throw new TestbedError(
      error.code,
      `${error.message}${last === undefined ? '' : `; its last words: ${last}`}`,
      {
        cause: error,
        details: lines.slice(0, -1).map((line) => `${node.name} ${log}: ${line}`),
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      },
    );
  }
}
