/**
 * Makes and takes away the links of a lab, wherever its nodes are namespaces of this machine, and makes them bad. A link
 * is two pairs of interfaces joined in the network of the lab, where its frames can be led by way of the wire
 * (docs/adr/0026-links-are-joined-in-the-lab.md).
 */
import { TestbedError } from '../errors.ts';
import { type ImpairedBy, type Impairments, isPerfect } from '../model/impairment.ts';
import type { TopologyCable, TopologyLink, TopologyLinkEnd } from '../model/topology.ts';
import { poll } from '../poll.ts';
import { Turns } from '../turns.ts';
import type { SpliceState } from '../wire/api.ts';
import {
  bridgeCommand,
  bridgeCommandFor,
  bridgeName,
  bridgePairCommand,
  cableCommand,
  cablePorts,
  classifierCommand,
  cutCommand,
  funnelOf,
  highestIndex,
  inSequence,
  interfacesOf,
  isConnected,
  joinAt,
  leadCommand,
  type LinkEnd,
  listCommand,
  pairCommand,
  parseList,
  pluggedCommand,
  pluggedJoin,
  plugPorts,
  type Ports,
  removeCommand,
  stateCommand,
} from './commands.ts';
import { connectMs, failure, type Ground, inLab } from './ground.ts';
import { KernelQueues } from './kernel-queues.ts';
import type { Queue } from './netem.ts';
import { Splices } from './splices.ts';

/** How long it may take to take back the interfaces of a node that has ended, in milliseconds. */
const goneMs = 10_000;

/** How often to choose the numbers of interfaces, and how far apart. */
const numberTries = 4;
const numberStride = 1_000;

/** A node, and its first process. */
export interface PlacedNode {
  readonly name: string;
  readonly pid: number;
}

/** What is wrong with a link, or with a node's end of a LAN. */
export interface LinkState {
  readonly link: string;
  /** The node whose end of a LAN it is. */
  readonly node?: string;
  readonly isDown: boolean;
  /** True where frames are led to a wire that has ended, and none arrives. */
  readonly isDead?: true;
  /** Absent where the link is not impaired: nothing is counted then. */
  readonly splice?: SpliceState;
  readonly by?: ImpairedBy;
}

export class Wiring {
  readonly #ground: Ground;
  readonly #splices: Splices;
  readonly #queues: KernelQueues;
  #lastIndex = 0;
  readonly #turns = new Turns();

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#splices = new Splices(ground);
    this.#queues = new KernelQueues(ground);
  }

  /** Joins two nodes, given by their first processes, and sets both ends up. Does nothing when the link is there. */
  async addCable(link: TopologyCable, pids: readonly [number, number], signal: AbortSignal): Promise<void> {
    const [{ node: a, interface: from }, { node: b, interface: to }] = link.ends;
    const place = `link ${link.name} from ${from} of ${a} to ${to} of ${b}`;
    const ports = cablePorts(link.name);
    if (!(await this.#addAtOnce(link, ports, pids, signal))) {
      await this.#pair(place, ports.near, link.ends[0], pids[0], link.mtu, signal);
      await this.#pair(place, ports.far, link.ends[1], pids[1], link.mtu, signal);
      await this.#join(place, ports, signal);
    }
    await this.#connected(`link ${link.name}`, signal, [
      { pid: pids[0], interface: from },
      { pid: pids[1], interface: to },
    ]);
  }

  async addLan(lan: string, mtu: number, signal: AbortSignal): Promise<void> {
    const { labPid } = this.#ground;
    if (interfacesOf(labPid).includes(bridgeName(lan))) return;
    await this.#do(labPid, bridgeCommand(lan, mtu), `make LAN ${lan}`, signal);
  }

  /** Joins a node to a LAN. */
  async plug(
    lan: { readonly name: string; readonly mtu: number },
    end: TopologyLinkEnd,
    pid: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { labPid } = this.#ground;
    const place = `${end.interface} of ${end.node} to LAN ${lan.name}`;
    const ports = plugPorts(lan.name, end.node, end.interface);
    await this.#pair(place, ports.near, end, pid, lan.mtu, signal);
    if (!interfacesOf(labPid).includes(ports.far)) {
      await this.#do(labPid, bridgePairCommand(ports.far, lan.mtu), `join ${place}`, signal);
    }
    await this.#do(labPid, bridgeCommandFor(lan.name, ports.far), `join ${place}`, signal);
    await this.#join(place, ports, signal);
    await this.#connected(`LAN ${lan.name}`, signal, [{ pid, interface: end.interface }]);
  }

  /** Takes an interface of a node away, and with it that at the other end of its link. */
  async remove(device: string, pid: number, signal: AbortSignal): Promise<void> {
    const { labPid } = this.#ground;
    const port = (await this.#portsOf(pid, signal)).get(device);
    if (port === undefined) return;
    const what = `take interface ${device} away`;
    const ports = joinAt(port);
    if (ports === undefined) await this.#do(labPid, removeCommand(port), what, signal);
    else await this.#takeApart(ports, what, signal);
  }

  /** Takes a LAN away: its joins, and with each the interface of its node, and then the bridge. */
  async removeLan(lan: string, signal: AbortSignal): Promise<void> {
    const { labPid } = this.#ground;
    if (!interfacesOf(labPid).includes(bridgeName(lan))) return;
    const what = `take LAN ${lan} away`;
    const plugged = parseList(await inLab(this.#ground, pluggedCommand(lan), what, signal));
    for (const inner of plugged.keys()) {
      const ports = pluggedJoin(inner);
      if (ports !== undefined) await this.#takeApart(ports, what, signal);
    }
    await this.#do(labPid, removeCommand(bridgeName(lan)), what, signal);
  }

  /** Gives an interface an address; the words are those of `ip address`. */
  async addAddress(node: PlacedNode, words: readonly string[], signal: AbortSignal): Promise<void> {
    const { code, stderr } = await this.#ground.run(node.pid, ['ip', 'address', 'replace', ...words], signal);
    const [address, , device] = words;
    if (code !== 0) throw failure(`give interface ${device} address ${address}`, code, stderr, node.name);
  }

  /** Takes an address away, which may be gone already, or with its interface. */
  async removeAddress(node: PlacedNode, words: readonly string[], signal: AbortSignal): Promise<void> {
    const [address = '', , device = ''] = words;
    const command = ['ip', 'address', 'delete', address, 'dev', device];
    const { code, stderr } = await this.#ground.run(node.pid, command, signal);
    if (code === 0 || /Cannot (assign|find)|not found/.test(stderr)) return;
    throw failure(`take address ${address} away`, code, stderr, node.name);
  }

  /**
   * Sets all interfaces of a node up or down, and with them the carriers of those at the other ends: what they see of a
   * machine that is off. A link that was set down stays so.
   */
  async setAll(pid: number, state: 'up' | 'down', signal: AbortSignal): Promise<void> {
    const { labPid } = this.#ground;
    const ports = await this.#portsOf(pid, signal);
    const there = await this.#list(labPid, signal);
    for (const device of interfacesOf(pid)) {
      await this.#do(pid, stateCommand(device, state), `set ${device} ${state}`, signal);
      const port = ports.get(device) ?? '';
      const join = joinAt(port);
      const other = join?.near === port ? join.far : join?.near;
      const listed = other === undefined ? undefined : there.get(other);
      if (other === undefined || listed === undefined || listed.isCut) continue;
      await this.#do(labPid, stateCommand(other, state), `set ${device} ${state}`, signal);
    }
  }

  /** Sets a link down, so that neither end has a carrier, or up again; of a LAN all ends, or that of one node. */
  async setLink(
    link: TopologyLink,
    state: 'up' | 'down',
    node: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#turns.take(link.name, async () => {
      for (const { ports } of joinsOf(link, node)) {
        const both = link.kind === 'lan' ? [ports.near] : [ports.near, ports.far];
        const commands = both.map((port) => cutCommand(port, state));
        await this.#do(this.#ground.labPid, inSequence(commands), `set link ${link.name} ${state}`, signal);
      }
    });
  }

  /**
   * Makes a link bad in both directions, or good again; of a LAN all ends, or that of one node. What is under way
   * arrives, and no frame is lost or doubled by the change. Unless `by` says so, a link that is impaired stays with what
   * impairs it, and another goes to netem where that is as repeatable as the wire.
   */
  async impair(
    link: TopologyLink,
    impairments: Impairments,
    { seed, node, by }: { seed: number; node?: string | undefined; by?: ImpairedBy | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    await this.#turns.take(link.name, async () => {
      const work = joinsOf(link, node).map(async ({ ports, node: at }) => {
        const what = `impair link ${link.name}${at === undefined ? '' : ` at ${at}`}`;
        const present = this.#impairedBy(ports);
        const wanted =
          by ?? present ?? ((await this.#queues.support(signal)) === 'seeded' ? 'netem' : 'wire');
        const isGood = impairments.every(isPerfect);
        // A link stays as it is where it cannot be as it is to be.
        if (!isGood && wanted === 'netem') await this.#queues.demand(what, signal);
        if (present !== undefined && (isGood || present !== wanted)) {
          await this.#carrier(present).end(ports, what, signal);
        }
        if (!isGood) await this.#carrier(wanted).set(ports, link.mtu, impairments, seed, what, signal);
      });
      // Each waits for what is under way at its end.
      const failed = (await Promise.allSettled(work)).find((each) => each.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    });
  }

  /** How links are; each end of a LAN for itself. With `mend` a wire that has ended is started again first. */
  async states(links: readonly TopologyLink[], mend: boolean, signal: AbortSignal): Promise<LinkState[]> {
    const there = await this.#list(this.#ground.labPid, signal);
    const impaired = links
      .flatMap((link) => joinsOf(link, undefined))
      .map(({ ports }) => this.#impairedBy(ports, there));
    const splices = await this.#splices.states(mend && impaired.includes('wire'), signal);
    const queues = impaired.includes('netem') ? await this.#queues.queues(signal) : new Map<string, Queue>();
    const states: LinkState[] = [];
    for (const link of links) {
      for (const { ports, node } of joinsOf(link, undefined)) {
        const by = this.#impairedBy(ports, there);
        const splice = by === 'netem' ? this.#queues.state(ports, there, queues) : splices.get(ports.join);
        const isDead =
          splice === undefined && by === 'wire' && (await this.#splices.isLed(ports.near, signal));
        states.push({
          link: link.name,
          ...(node === undefined ? {} : { node }),
          isDown: there.get(ports.near)?.isCut ?? true,
          ...(isDead ? { isDead } : {}),
          ...(splice === undefined || by === undefined ? {} : { splice, by }),
        });
      }
    }
    return states;
  }

  /** What impairs a join, by the interfaces of the lab; undefined for one that is not impaired. */
  #impairedBy(
    ports: Ports,
    there: { has(name: string): boolean } = new Set(interfacesOf(this.#ground.labPid)),
  ): ImpairedBy | undefined {
    if (this.#queues.has(ports, there)) return 'netem';
    return [ports.near, ports.far].some((port) => there.has(funnelOf(port).funnel)) ? 'wire' : undefined;
  }

  #carrier(by: ImpairedBy): KernelQueues | Splices {
    return by === 'netem' ? this.#queues : this.#splices;
  }

  /** Takes away the ports of a join, and with them the other ends of their pairs. */
  async #takeApart(ports: Ports, what: string, signal: AbortSignal): Promise<void> {
    const by = this.#impairedBy(ports);
    if (by !== undefined) await this.#carrier(by).remove(ports, what, signal);
    const there = interfacesOf(this.#ground.labPid);
    const commands = [ports.near, ports.far].filter((port) => there.includes(port)).map(removeCommand);
    if (commands.length > 0) await this.#do(this.#ground.labPid, inSequence(commands), what, signal);
  }

  /** Makes a cable of which nothing is there; false where something is, or the numbers of interfaces are taken. */
  async #addAtOnce(
    link: TopologyCable,
    ports: Ports,
    pids: readonly [number, number],
    signal: AbortSignal,
  ): Promise<boolean> {
    const { labPid } = this.#ground;
    const there = interfacesOf(labPid);
    const isThere = link.ends.some((end, index) => interfacesOf(pids[index] ?? 0).includes(end.interface));
    if (isThere || there.includes(ports.near) || there.includes(ports.far)) return false;
    const ends = link.ends.map((end, index) => ({
      end: this.#end(end, pids[index] ?? 0),
      portIndex: this.#nextIndex(labPid),
    }));
    const { code } = await this.#ground.run(labPid, cableCommand(ports, ends, link.mtu, labPid), signal);
    return code === 0;
  }

  /** Makes the interface of a node and its port, and sets both up. Does nothing when they are there. */
  async #pair(
    place: string,
    port: string,
    end: TopologyLinkEnd,
    pid: number,
    mtu: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { labPid } = this.#ground;
    const isThere = interfacesOf(pid).includes(end.interface);
    if (isThere && !interfacesOf(labPid).includes(port)) {
      throw new TestbedError(
        'EFAILED',
        `cannot make ${place}: ${end.interface} of ${end.node} is there already`,
      );
    }
    if (!isThere) {
      // That of a node that has ended goes a moment later.
      await poll(() => !interfacesOf(labPid).includes(port) || undefined, {
        what: `${place} to be gone`,
        deadlineMs: goneMs,
        signal,
      });
      await this.#make(`make ${place}`, signal, () => {
        const index = this.#nextIndex(labPid);
        return pairCommand(port, index, this.#end(end, pid), mtu);
      });
    }
    await this.#do(pid, stateCommand(end.interface, 'up'), `set up ${place}`, signal);
  }

  /** What comes in at one port leaves by the other, unless it is led elsewhere already. */
  async #join(place: string, { join, near, far }: Ports, signal: AbortSignal): Promise<void> {
    const { labPid } = this.#ground;
    const there = interfacesOf(labPid);
    const lead = (from: string, to: string): string[] => {
      const { funnel } = funnelOf(from);
      return leadCommand(from, there.includes(funnel) ? funnel : to);
    };
    const commands = [
      classifierCommand(near),
      classifierCommand(far),
      lead(near, far),
      lead(far, near),
      stateCommand(near, 'up'),
      stateCommand(far, 'up'),
    ];
    await this.#do(labPid, inSequence(commands), `join ${place}`, signal);
    const ports = { join, near, far };
    const by = this.#impairedBy(ports);
    if (by !== undefined) await this.#carrier(by).rejoin(ports, `join ${place}`, signal);
  }

  /** Makes interfaces. Their numbers are chosen anew where one is taken: an interface that is down shows none. */
  async #make(what: string, signal: AbortSignal, command: () => readonly string[]): Promise<void> {
    for (let tries = 1; ; tries++) {
      const { code, stderr } = await this.#ground.run(this.#ground.labPid, command(), signal);
      if (code === 0) return;
      if (tries === numberTries || !/File exists/.test(stderr)) throw failure(what, code, stderr);
      this.#lastIndex += numberStride;
    }
  }

  /** An end with a number that no interface at either end has. */
  #end({ interface: device, mac }: TopologyLinkEnd, pid: number): LinkEnd {
    return { interface: device, mac, pid, index: this.#nextIndex(pid) };
  }

  #nextIndex(pid: number): number {
    this.#lastIndex = Math.max(this.#lastIndex, highestIndex(pid)) + 1;
    return this.#lastIndex;
  }

  /** The ports that the interfaces of a node lead to, by interface. */
  async #portsOf(pid: number, signal: AbortSignal): Promise<Map<string, string>> {
    const [own, lab] = [await this.#list(pid, signal), await this.#list(this.#ground.labPid, signal)];
    const names = new Map([...lab].map(([name, { index }]) => [index, name]));
    return new Map(
      [...own].flatMap(([name, { peer }]) => {
        const port = peer === undefined ? undefined : names.get(peer);
        return port === undefined ? [] : [[name, port] as const];
      }),
    );
  }

  async #list(pid: number, signal: AbortSignal): Promise<ReturnType<typeof parseList>> {
    const { code, stdout, stderr } = await this.#ground.run(pid, listCommand, signal);
    if (code !== 0) throw failure('list interfaces', code, stderr);
    return parseList(stdout);
  }

  async #do(pid: number, command: readonly string[], what: string, signal: AbortSignal): Promise<void> {
    const { code, stderr } = await this.#ground.run(pid, command, signal);
    if (code !== 0) throw failure(what, code, stderr);
  }

  async #connected(
    what: string,
    signal: AbortSignal,
    ends: readonly Pick<LinkEnd, 'pid' | 'interface'>[],
  ): Promise<void> {
    await poll(() => ends.every(isConnected) || undefined, {
      what: `${what} to come up`,
      deadlineMs: connectMs,
      signal,
    });
  }
}

/** Where a link is joined: a cable once, a LAN at each of its ends, or at those of one node. */
function joinsOf(link: TopologyLink, node: string | undefined): { ports: Ports; node?: string }[] {
  if (link.kind === 'eth') return [{ ports: cablePorts(link.name) }];
  return link.ends
    .filter((end) => node === undefined || end.node === node)
    .map((end) => ({ ports: plugPorts(link.name, end.node, end.interface), node: end.node }));
}

/** The port at a node's end of a link. */
export function portAt(link: TopologyLink, node: string): string {
  const side = link.ends.findIndex((end) => end.node === node);
  const end = link.ends[side];
  if (end === undefined) throw new TestbedError('EUSAGE', `link ${link.name} does not end in node ${node}`);
  if (link.kind === 'lan') return plugPorts(link.name, node, end.interface).near;
  return side === 0 ? cablePorts(link.name).near : cablePorts(link.name).far;
}
