/** Does the actions of a storyboard in a lab. */
import { text } from 'node:stream/consumers';
import { Performer } from '../deploy/perform.ts';
import { TestbedError } from '../errors.ts';
import { impairLink, linkNamed, resetLink } from '../links/changes.ts';
import { impairmentNames } from '../model/impairment.ts';
import { isStackedLayer, type Topology, type TopologyLink } from '../model/topology.ts';
import { cutPower, switchOff, switchOn } from '../orchestrate.ts';
import { poll } from '../poll.ts';
import { derivedSeed } from '../seeded.ts';
import type { Lab } from '../testbeds/testbed.ts';
import { Turns } from '../turns.ts';
import type { StoryAction } from './actions.ts';
import { type PingResult, probed } from './ping.ts';

export interface Stage {
  readonly lab: Lab;
  readonly topology: Topology;
  readonly seed: number;
  /** When the storyboard began, ms since 1970. */
  readonly origin: number;
  readonly onPing: (result: PingResult) => void;
}

/** How much longer than its packets a ping may take, with its flow and its last answers, in milliseconds. */
const pingGraceMs = 20_000;

export class StoryPerformer {
  readonly #stage: Stage;
  readonly #stopped = new Set<string>();
  readonly #turns = new Turns();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Does one action; rejects with a TestbedError where it cannot be done, or a command ends with another code than 0. */
  async perform(action: StoryAction, signal: AbortSignal): Promise<void> {
    // What is done to one link or node is done in the order in which it was begun.
    if (!/^(link|node)\./.test(action.kind)) return await this.#perform(action, signal);
    return await this.#turns.take(action.target, () => this.#perform(action, signal));
  }

  async #perform({ kind, target, parameters }: StoryAction, signal: AbortSignal): Promise<void> {
    const { lab, topology, seed } = this.#stage;
    switch (kind) {
      case 'link.set': {
        const link = linkNamed(topology, target);
        const given = impairmentNames.flatMap((name) => {
          const value = parameters[name];
          return typeof value === 'string' ? [[name, value]] : [];
        });
        const { from, to } = parameters as { from?: string; to?: string };
        const own = derivedSeed(seed, `link ${link.name}`);
        return await impairLink(lab, link, Object.fromEntries(given), { from, to, seed: own }, signal);
      }
      case 'link.reset':
        return await resetLink(lab, linkNamed(topology, target), signal);
      case 'link.down':
        return await lab.setLink(linkNamed(topology, target), 'down', undefined, signal);
      case 'link.up':
        return await lab.setLink(linkNamed(topology, target), 'up', undefined, signal);
      case 'partition':
      case 'heal': {
        const nodes = new Set(target.split(','));
        for (const name of nodes) lab.node(name);
        await Promise.all(
          topology.links.map((link) =>
            this.#turns.take(link.name, () => this.#part(link, nodes, kind, signal)),
          ),
        );
        return;
      }
      case 'node.stop':
        await switchOff(lab.node(target), signal);
        this.#stopped.add(target);
        return;
      case 'node.kill':
        await cutPower(lab.node(target), signal);
        this.#stopped.add(target);
        return;
      case 'node.start': {
        this.#stopped.delete(target);
        const stopped = [...this.#stopped];
        return await switchOn(lab, topology, { names: [target], stopped }, { signal });
      }
      case 'node.pause':
        return await lab.node(target).signalAll('SIGSTOP', signal);
      case 'node.resume':
        return await lab.node(target).signalAll('SIGCONT', signal);
      case 'ipcp.kill':
        return await this.#killIpcp(target, signal);
      case 'run':
        return await this.#run(target, parameters['command'] as readonly string[], signal);
      case 'ping':
        return await this.#ping(target, parameters, signal);
      case 'reachable':
        return await this.#reach(target, parameters as { to: string; withinMs: number }, signal);
      case 'converged':
        return await this.#converge(target, parameters as { withinMs: number }, signal);
      case 'call':
        throw new Error('a function is called by whoever has it');
    }
  }

  async #part(
    link: TopologyLink,
    nodes: ReadonlySet<string>,
    kind: 'partition' | 'heal',
    signal: AbortSignal,
  ): Promise<void> {
    const inside = link.ends.filter((end) => nodes.has(end.node));
    if (inside.length === 0 || inside.length === link.ends.length) return;
    const state = kind === 'partition' ? 'down' : 'up';
    const { lab } = this.#stage;
    // Of a LAN, the nodes that are parted lose their ends of it; the others keep theirs.
    if (link.kind === 'eth') await lab.setLink(link, state, undefined, signal);
    else for (const end of inside) await lab.setLink(link, state, end.node, signal);
  }

  async #killIpcp(ipcp: string, signal: AbortSignal): Promise<void> {
    const { lab, topology } = this.#stage;
    const member = topology.layers.flatMap((layer) => [...layer.members]).find((each) => each.ipcp === ipcp);
    if (member === undefined) throw new TestbedError('EUSAGE', `the topology has no IPCP ${ipcp}`);
    const node = lab.node(member.node);
    await using irm = await node.irm(signal);
    const ipcps = await irm.listIpcps();
    const found = ipcps.find(({ name }) => name === ipcp);
    if (found === undefined) throw new TestbedError('EFAILED', `IPCP ${ipcp} is not there`);
    if (ipcps.some(({ hostPid, name }) => hostPid === found.hostPid && name !== ipcp)) {
      // The others of its process are to live on.
      return await irm.killIpcp(found.pid);
    }
    const { code, stderr } = await node.run(['kill', '-KILL', String(found.hostPid)], signal);
    if (code !== 0) throw new TestbedError('EFAILED', `cannot kill IPCP ${ipcp}: ${stderr.trim()}`);
  }

  async #run(name: string, command: readonly string[], signal: AbortSignal): Promise<void> {
    const { code, stdout, stderr } = await this.#stage.lab.node(name).run(command, signal);
    if (code === 0) return;
    const details = `${stdout}${stderr}`.trim().split('\n').slice(-8);
    throw new TestbedError('EFAILED', `node ${name}: ${command.join(' ')} ended with ${code}`, { details });
  }

  async #ping(
    from: string,
    parameters: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<void> {
    const { name, to, intervalMs, lastingMs, qos } = parameters as {
      name: string;
      to: string;
      intervalMs: number;
      lastingMs: number;
      qos: string;
    };
    const count = Math.max(1, Math.floor(lastingMs / intervalMs));
    const words = ['story-ping', to, String(count), String(intervalMs), qos];
    const opened = await this.#stage.lab.node(from).open(words);
    // What was written may come after the end is known.
    const output = Promise.all([opened.ended, text(opened.stdout), text(opened.stderr)]);
    opened.stdin.end();
    const stop = (): void => opened.kill('SIGINT');
    signal.addEventListener('abort', stop, { once: true });
    const late = setTimeout(stop, lastingMs + pingGraceMs);
    const [code, stdout, stderr] = await output;
    clearTimeout(late);
    signal.removeEventListener('abort', stop);
    const { samples, flowsLost, error: told } = probed(stdout, this.#stage.origin);
    const result = { name, from, to, intervalMs, samples, flowsLost };
    const error = samples.length > 0 ? undefined : stderr.trim() || told || `it ended with ${code}`;
    this.#stage.onPing(error === undefined ? result : { ...result, error });
    if (error !== undefined) throw new TestbedError('EFAILED', `node ${from}: no ping of ${to}: ${error}`);
  }

  async #reach(
    from: string,
    { to, withinMs }: { to: string; withinMs: number },
    signal: AbortSignal,
  ): Promise<void> {
    const node = this.#stage.lab.node(from);
    const ping = async (): Promise<true | undefined> =>
      (await node.run(['oping', '-n', to, '-c', '1', '-Q'], signal)).code === 0 ? true : undefined;
    await poll(ping, { what: `${to} to answer ${from}`, deadlineMs: withinMs, signal });
  }

  /** The members whose nodes are there know each other. */
  async #converge(name: string, { withinMs }: { withinMs: number }, signal: AbortSignal): Promise<void> {
    const { lab, topology } = this.#stage;
    const layer = topology.layers.find((each) => each.name === name);
    if (layer === undefined || !isStackedLayer(layer)) {
      throw new TestbedError('EUSAGE', `${name} is no layer over others, so that it does not converge`);
    }
    const members = layer.members.filter(({ node }) => !this.#stopped.has(node));
    const there = new Set(members.map(({ ipcp }) => ipcp));
    const adjacencies = layer.adjacencies.filter(({ ipcp, to }) => there.has(ipcp) && there.has(to));
    const deadline = AbortSignal.timeout(withinMs);
    await using performer = new Performer(lab, topology.nodes);
    const action = { kind: 'converge', layer: { ...layer, members, adjacencies } } as const;
    try {
      await performer.perform(action, AbortSignal.any([signal, deadline]));
    } catch (error) {
      signal.throwIfAborted();
      if (!deadline.aborted) throw error;
      throw new TestbedError('ETIMEDOUT', `waited ${withinMs / 1000} s for layer ${name} to converge`);
    }
  }
}
