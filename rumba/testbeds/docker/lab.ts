/** A lab: a helper container, in which the agent does the wiring, and one container a node. */
import { TestbedError } from '../../errors.ts';
import { type LinkState, portAt } from '../../links/wiring.ts';
import type { ImpairedBy, Impairments } from '../../model/impairment.ts';
import type { TopologyCable, TopologyLink, TopologyLinkEnd, TopologyNode } from '../../model/topology.ts';
import { poll } from '../../poll.ts';
import type { Lab, LabChange, LabRecord, NodeLimits, Opened } from '../testbed.ts';
import type { AgentClient } from './agent-client.ts';
import {
  captureFile,
  createNode,
  endedContainers,
  type FoundContainer,
  findContainers,
  type LabContainers,
  limitContainer,
  readRecord,
  removeContainers,
} from './containers.ts';
import { type Engine, statusOf } from './engine.ts';
import { openCommand } from './execution.ts';
import { type GuestAgents, helperGone } from './guest-agents.ts';
import { DockerNode, firstProcess, nodeEnded } from './node.ts';

/** How long a lab without a helper is looked at, whether it is being taken down, in milliseconds. */
const goingMs = 2_000;

export interface DockerLabParts {
  readonly engine: Engine;
  readonly containers: LabContainers;
  /** Identifier of the helper; undefined when it is gone. */
  readonly helper: string | undefined;
  /** What nodes run that have no image of their own. */
  readonly image: string;
  /** The connection to the agent, in a lab that is being made. */
  readonly agent?: AgentClient;
  /** The agents of labs that were made before. */
  readonly guests: GuestAgents;
  readonly found?: readonly FoundContainer[];
  readonly record?: LabRecord | undefined;
  /** True where a command began to remove it. */
  readonly isBeingRemoved?: boolean;
  /** Sessions of labs of this name that lost their helpers, of which nodes are left: they go with it. */
  readonly left?: readonly string[];
}

export class DockerLab implements Lab {
  readonly testbed = 'docker';
  readonly name: string;
  readonly #parts: DockerLabParts;
  readonly #nodes = new Map<string, DockerNode>();
  #agent: AgentClient | undefined;

  constructor(parts: DockerLabParts) {
    this.name = parts.containers.lab;
    this.#parts = parts;
    this.#agent = parts.agent;
    for (const { node, id, running } of parts.found ?? []) {
      if (node !== undefined && running) this.#nodes.set(node, this.#node(node, id));
    }
  }

  async isThere(): Promise<boolean> {
    const isGone = async (): Promise<boolean | undefined> => {
      const found = (await this.#found()).filter(({ hasEnded }) => !hasEnded);
      const helper = found.find((each) => each.node === undefined);
      if (helper !== undefined) return (await readRecord(this.#parts.engine, helper.id)) === 'removed';
      return found.length === 0 ? true : undefined;
    };
    try {
      return !(await poll(isGone, { what: `lab ${this.name} to end`, deadlineMs: goingMs }));
    } catch (error) {
      if (error instanceof TestbedError && error.code === 'ETIMEDOUT') return true;
      throw error;
    }
  }

  async record(): Promise<LabRecord | undefined> {
    const record = await readRecord(this.#parts.engine, this.#parts.helper);
    return record === 'removed' ? undefined : record;
  }

  async faults(): Promise<string[]> {
    const { helper, agent, isBeingRemoved: isGoing = false } = this.#parts;
    const nodes = (await this.record())?.topology.nodes ?? [];
    return [
      ...(isGoing ? ['its removal was begun'] : []),
      ...(helper === undefined && agent === undefined ? ['its helper is gone'] : []),
      ...nodes.filter(({ name }) => !this.#nodes.has(name)).map(({ name }) => `node ${name} has ended`),
    ];
  }

  async images(signal: AbortSignal): Promise<Record<string, string>> {
    signal.throwIfAborted();
    const found = await findContainers(this.#parts.engine, this.name);
    const nodes = found.filter(({ node }) => node !== undefined);
    return Object.fromEntries(nodes.map(({ image, imageDigest }) => [image, imageDigest]));
  }

  async addNode(
    { name, tun = false, image: own, runtime }: TopologyNode,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#nodes.has(name)) return;
    const { engine, containers } = this.#parts;
    const image = own ?? runtime?.image ?? this.#parts.image;
    const agent = await this.#connectAgent();
    signal.throwIfAborted();
    const container = await createNode(engine, containers, {
      name,
      tun,
      image,
      isForeign: runtime !== undefined,
    });
    signal.throwIfAborted();
    try {
      await engine.request(`start node ${name}`, container.start());
    } catch (error) {
      throw tun && /\/dev\/net\/tun/.test(String(error)) ? noTun(name, error) : error;
    }
    const init = await firstProcess(engine, container.id).catch((error: unknown) => {
      throw statusOf(error) === 404 ? nodeEnded(this.name, name, error) : error;
    });
    const { irmd } = await agent.call('adopt', { node: name, init }, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      if (!(error instanceof TestbedError)) throw error;
      const { code, message, hint } = error;
      throw new TestbedError(code, `cannot make node ${name} of image ${image}: ${message}`, {
        cause: error,
        ...(hint === undefined ? {} : { hint }),
      });
    });
    if (!irmd) {
      throw new TestbedError('EENVIRONMENT', `node ${name}: the image ${image} has no program irmd`, {
        hint: 'take one that has, or build ours: o7s-testbed image build',
      });
    }
    this.#nodes.set(name, this.#node(name, container.id, init));
  }

  async removeNode(name: string, signal: AbortSignal): Promise<void> {
    const { engine } = this.#parts;
    this.#nodes.delete(name);
    signal.throwIfAborted();
    const find = async (): Promise<FoundContainer[]> =>
      (await this.#found()).filter((each) => each.node === name);
    await removeContainers(engine, `node ${name} to end`, find);
  }

  async limitNode(name: string, limits: NodeLimits, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await limitContainer(this.#parts.engine, this.node(name).id, limits);
  }

  async addCable(link: TopologyCable, signal: AbortSignal): Promise<void> {
    const agent = await this.#connectAgent();
    const [from, to] = link.ends;
    const inits = [await this.node(from.node).init(), await this.node(to.node).init()] as const;
    await agent.call('addCable', { link, inits }, signal);
  }

  async addLan(name: string, mtu: number, signal: AbortSignal): Promise<void> {
    await (await this.#connectAgent()).call('addLan', { name, mtu }, signal);
  }

  async removeLan(name: string, signal: AbortSignal): Promise<void> {
    await (await this.#connectAgent()).call('removeLan', { name }, signal);
  }

  async plug(lan: { name: string; mtu: number }, end: TopologyLinkEnd, signal: AbortSignal): Promise<void> {
    const agent = await this.#connectAgent();
    await agent.call('plug', { lan, end, init: await this.node(end.node).init() }, signal);
  }

  async impair(
    link: TopologyLink,
    impairments: Impairments,
    options: { seed: number; node?: string | undefined; by?: ImpairedBy | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    await (await this.#connectAgent()).call('impair', { link, impairments, options }, signal);
  }

  async setLink(
    link: TopologyLink,
    state: 'up' | 'down',
    node: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    await (await this.#connectAgent()).call('setLink', { link, state, node }, signal);
  }

  async capture(link: TopologyLink, node: string): Promise<Opened> {
    const { engine, helper } = this.#parts;
    if (helper === undefined) throw helperGone(this.name);
    return await openCommand(engine, helper, ['node', captureFile, portAt(link, node)]);
  }

  async linkStates(
    links: readonly TopologyLink[],
    signal: AbortSignal,
    { mend = false }: { mend?: boolean } = {},
  ): Promise<readonly LinkState[]> {
    return await (await this.#connectAgent()).call('linkStates', { links, mend }, signal);
  }

  async removeInterface(node: string, device: string, signal: AbortSignal): Promise<void> {
    const agent = await this.#connectAgent();
    await agent.call('removeInterface', { init: await this.node(node).init(), device }, signal);
  }

  node(name: string): DockerNode {
    const node = this.#nodes.get(name);
    if (node !== undefined) return node;
    const known = this.#parts.record?.topology.nodes.some((each) => each.name === name) === true;
    if (known) throw nodeEnded(this.name, name);
    throw new TestbedError('EUSAGE', `lab ${this.name} has no node ${JSON.stringify(name)}`, {
      hint: `it has ${[...this.#nodes.keys()].toSorted().join(', ') || 'none'}`,
    });
  }

  nodes(): DockerNode[] {
    return [...this.#nodes.values()].toSorted((a, b) => a.name.localeCompare(b.name));
  }

  async *watch(signal: AbortSignal): AsyncGenerator<LabChange, void, void> {
    const { engine, containers, helper } = this.#parts;
    const running = new Map(this.nodes().map(({ id, name }) => [id, name]));
    for await (const { id, at } of endedContainers(engine, containers, signal)) {
      const node = running.get(id);
      if (node === undefined && id !== helper) continue;
      running.delete(id);
      yield node === undefined ? { event: 'helper.ended', at } : { event: 'node.ended', at, node };
      if (running.size === 0) return yield { event: 'lab.ended', at };
    }
  }

  async keep(record: LabRecord): Promise<void> {
    const agent = await this.#connectAgent();
    await agent.call('keep', { record });
    // From here on the end of this connection means nothing.
    agent[Symbol.dispose]();
    this.#agent = undefined;
  }

  async save(record: LabRecord): Promise<void> {
    await (await this.#connectAgent()).call('save', { record });
  }

  async destroy(): Promise<void> {
    const { engine } = this.#parts;
    try {
      await removeContainers(engine, `lab ${this.name} to end`, () => this.#found());
    } finally {
      this.#agent?.[Symbol.dispose]();
      this.#agent = undefined;
    }
  }

  /** The containers that are this lab's; one of the same name that was made meanwhile has others. */
  async #found(): Promise<FoundContainer[]> {
    const { engine, containers, left = [] } = this.#parts;
    const sessions = new Set([containers.session, ...left]);
    return (await findContainers(engine, this.name)).filter(({ session }) => sessions.has(session));
  }

  #node(name: string, container: string, init?: number): DockerNode {
    return new DockerNode({
      name,
      lab: this.name,
      engine: this.#parts.engine,
      id: container,
      agent: () => this.#connectAgent(),
      ...(init === undefined ? {} : { init }),
    });
  }

  /** The agent of a lab that was made before is joined by one of our own beside it. */
  async #connectAgent(): Promise<AgentClient> {
    const { engine, helper, guests } = this.#parts;
    return this.#agent ?? (await guests.join(engine, this.name, helper));
  }
}

function noTun(node: string, cause: unknown): TestbedError {
  return new TestbedError(
    'EENVIRONMENT',
    `node ${node} wants /dev/net/tun, which the engine's machine lacks`,
    {
      hint: 'load the module there: sudo modprobe tun',
      cause,
    },
  );
}
