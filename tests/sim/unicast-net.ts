/**
 * Whole unicast layers under virtual time: members with all their parts over links that can be cut, lossy and slow,
 * names they serve, and flows between them. Everything comes from one seed.
 */
import { O7sError } from '../../runtime/lib/errors.ts';
import { hashName } from '../../runtime/lib/names.ts';
import { type QosSpec, rawQos } from '../../runtime/lib/qos.ts';
import type { BootstrapConfig, ComponentName } from '../../runtime/lib/rpc/api.ts';
import type { Millis } from '../../runtime/lib/time/clock.ts';
import type { Packet } from '../../runtime/lib/wire/packet.ts';
import type {
  FlowOutcome,
  FlowRequest,
  FlowUser,
  Joined,
  LayerFlow,
  StackedIpcp,
  StackedSurroundings,
} from '../../runtime/ipcpd/shell/layer.ts';
import { UnicastIpcp, type UnicastLimits } from '../../runtime/ipcpd/unicast/unicast-ipcp.ts';
import type { UnicastLayer } from '../../runtime/ipcpd/unicast/unicast-layer.ts';
import { packetOf } from '../support/flow-inbox.ts';
import { PrototypeIpcp, PrototypeLayer } from '../support/prototype-ipcp.ts';
import { type LinkOptions, type SimLink, type SimNode, World } from './world.ts';

export const layerName = 'net';
/** Pause before what failed is tried again, ms. */
const retryMs = 500;

/** Links between nodes, as pairs of their numbers. */
export type Shape = readonly (readonly [number, number])[];

export interface NetOptions {
  readonly seed?: number;
  readonly config?: BootstrapConfig;
  readonly limits?: UnicastLimits;
  readonly link?: LinkOptions;
  /** Which nodes have an IPCP of the prototype, by their number. */
  readonly isPrototype?: (index: number) => boolean;
  /** What a member's IPCP is given in place of what it would be. */
  readonly around?: (around: StackedSurroundings, name: string) => StackedSurroundings;
}

/** What uses an end of a flow and keeps what it hears. */
export class End implements FlowUser {
  readonly heard: string[] = [];
  packets = 0;
  bytes = 0;
  isPaused = false;
  isReleased = false;
  flow: LayerFlow | undefined;
  readonly node: SimNode;
  /** Does something with what comes, in place of keeping it. */
  onPacket: ((packet: Packet) => void) | undefined;
  onResumed: () => void = () => {};

  constructor(node: SimNode) {
    this.node = node;
  }

  deliver(packet: Packet): void {
    this.packets += 1;
    this.bytes += packet.length;
    if (this.onPacket === undefined) this.heard.push(packet.bytes().toString('latin1'));
    else this.onPacket(packet);
  }

  setUp(): void {
    // A unicast layer has no device.
  }

  released(): void {
    this.isReleased = true;
  }

  setPaused(paused: boolean): void {
    this.isPaused = paused;
    if (!paused) this.onResumed();
  }

  say(message: string | Buffer): void {
    const bytes = typeof message === 'string' ? Buffer.from(message) : message;
    this.node.run(() => this.flow?.write(packetOf(bytes)));
  }

  end(now: Millis): void {
    this.node.run(() => this.flow?.deallocate(now));
  }
}

/** A node of the layer. */
export class Member {
  readonly node: SimNode;
  /** The IPCP, and the same again by what it is. */
  readonly stacked: StackedIpcp;
  readonly #ours: UnicastIpcp | undefined;
  readonly prototype: PrototypeIpcp | undefined;
  readonly net: UnicastNet;
  #layer: UnicastLayer | PrototypeLayer | undefined;
  /** The server's ends of flows, by name. */
  readonly served = new Map<string, End[]>();
  isAlive = true;
  isJoining = false;

  constructor(net: UnicastNet, node: SimNode, ipcp: UnicastIpcp | PrototypeIpcp) {
    this.net = net;
    this.node = node;
    this.stacked = ipcp;
    this.#ours = ipcp instanceof UnicastIpcp ? ipcp : undefined;
    this.prototype = ipcp instanceof PrototypeIpcp ? ipcp : undefined;
    node.onRequest = (request) => net.world.time.after(0, () => this.#answer(request));
  }

  get name(): string {
    return this.node.name;
  }

  get isOurs(): boolean {
    return this.#ours !== undefined;
  }

  /** The IPCP of a member that is ours. */
  get ipcp(): UnicastIpcp {
    if (this.#ours === undefined) throw new Error(`${this.name} is a prototype`);
    return this.#ours;
  }

  /** The layer at a member that is ours. */
  get layer(): UnicastLayer {
    const layer = this.anyLayer;
    if (layer instanceof PrototypeLayer) throw new Error(`${this.name} is a prototype`);
    return layer;
  }

  get anyLayer(): UnicastLayer | PrototypeLayer {
    if (this.#layer === undefined) throw new Error(`${this.name} is in no layer`);
    return this.#layer;
  }

  get address(): number {
    return this.anyLayer.address;
  }

  get isMember(): boolean {
    return this.isAlive && this.#layer !== undefined;
  }

  /** Whether it has as many routes as that. A prototype may keep some that are of no use any more. */
  hasRoutes(count: number): boolean {
    const layer = this.anyLayer;
    return layer instanceof PrototypeLayer ? layer.destinations >= count : layer.forwarding.size === count;
  }

  /** Address of the member to whom a packet goes next. */
  nextHop(destination: number): number | undefined {
    const layer = this.anyLayer;
    return layer instanceof PrototypeLayer
      ? layer.nextHop(destination)
      : layer.forwarding.nextHop(destination)?.address;
  }

  /** Asks the directory who serves a name. */
  find(hash: Buffer, done: (addresses: readonly number[]) => void): void {
    const layer = this.anyLayer;
    if (layer instanceof PrototypeLayer) return layer.find(hash, done);
    layer.directory.query(hash, this.net.now, ({ addresses, own }) =>
      done(own ? [...addresses, layer.address] : addresses),
    );
  }

  /** Whether its routing has a flow of a component to a neighbour. */
  isConnected(address: number, component: ComponentName): boolean {
    const { routing } = this.layer;
    return routing.neighbours().some((each) => each.address === address && each.component === component);
  }

  entered({ layer }: Joined): void {
    this.#layer = layer as UnicastLayer | PrototypeLayer;
  }

  /** Registers a name and accepts what is asked of it. */
  serve(name: string): void {
    this.served.set(name, []);
    this.node.run(() => this.anyLayer.register(this.net.hashOf(name)));
  }

  withdraw(name: string): void {
    this.served.delete(name);
    this.node.run(() => this.anyLayer.unregister(this.net.hashOf(name)));
  }

  /** Does something that calls back, now. */
  call(what: () => void): void {
    this.node.run(what);
  }

  #answer({ handle, hash }: FlowRequest): void {
    if (!this.isAlive) return;
    const { world } = this.net;
    const name = [...this.served.keys()].find((each) => this.net.hashOf(each).equals(hash));
    this.node.run(() => {
      if (name === undefined) return this.anyLayer.refuse(handle, -1007);
      const end = new End(this.node);
      end.flow = this.anyLayer.accept(handle, Buffer.from(this.name), end, world.time.now);
      if (end.flow !== undefined) this.served.get(name)?.push(end);
    });
  }
}

export class UnicastNet {
  readonly world: World;
  readonly members: Member[] = [];
  /** What failed at first, by kind: each was tried again. */
  readonly failed = { enrolments: 0, connections: 0 };
  /** Processor time that `run` took, of all members and of the simulation itself. */
  cpuMs = 0;
  readonly #options: NetOptions;
  readonly #byNode = new Map<SimNode, Member>();
  /** Enrolments and connections under way. */
  #busy = 0;

  constructor(options: NetOptions = {}) {
    this.#options = options;
    this.world = new World(options.seed ?? 1);
  }

  get now(): Millis {
    return this.world.time.now;
  }

  hashOf(name: string): Buffer {
    return hashName(name, this.#options.config?.hash ?? 'SHA3_256');
  }

  run(ms: Millis): void {
    const before = process.cpuUsage();
    this.world.time.runTo(this.now + ms);
    const { user, system } = process.cpuUsage(before);
    this.cpuMs += (user + system) / 1000;
  }

  /** A node with an IPCP that is in no layer. */
  add(name = `n${this.members.length}`): Member {
    const member = this.#start(this.world.node(name));
    this.members.push(member);
    return member;
  }

  member(name: string): Member {
    const member = this.members.find((each) => each.name === name);
    if (member === undefined) throw new Error(`no member ${name}`);
    return member;
  }

  link(a: Member, b: Member, options = this.#options.link ?? {}): SimLink {
    return this.world.link(a.node, b.node, options);
  }

  bootstrap(member: Member, config = this.#options.config ?? {}): void {
    member.call(() => member.entered(member.stacked.bootstrap(layerName, config, this.now)));
  }

  /** Enrols, and waits for what comes of it. */
  enroll(member: Member, at: string, wanted?: string): Joined | O7sError {
    const result = this.world.ask<Joined | O7sError>(
      member.node,
      `the enrolment of ${member.name}`,
      (done) => this.#enroll(member, at, wanted, done),
      20_000,
    );
    return result;
  }

  connect(member: Member, to: string, component: ComponentName, qos: QosSpec = rawQos): O7sError | undefined {
    return this.world.ask<O7sError | undefined>(
      member.node,
      `the connection of ${member.name} to ${to}`,
      (done) => member.stacked.connect(to, component, qos, this.now, done),
      20_000,
    );
  }

  /** Enrols at a neighbour and connects to it. */
  join(member: Member, at: Member): void {
    for (const step of [
      () => this.enroll(member, at.name, layerName),
      () => this.connect(member, at.name, 'mgmt'),
      () => this.connect(member, at.name, 'dt'),
    ]) {
      const result = step();
      if (result instanceof O7sError) throw result;
    }
  }

  /** Members in line, each joined through the one before. */
  line(...names: string[]): Member[] {
    const line = names.map((name) => this.add(name));
    for (const [index, member] of line.entries()) {
      const before = line[index - 1];
      if (before === undefined) {
        this.bootstrap(member);
        continue;
      }
      this.link(before, member);
      this.join(member, before);
    }
    this.run(100);
    return line;
  }

  /**
   * Brings up a layer of a shape: the first node bootstraps; every other one enrols at a neighbour as soon as one is in
   * the layer, and then connects to all of its neighbours that are. Whoever fails tries again a little later.
   */
  grow(shape: Shape, count: number): this {
    const members = Array.from({ length: count }, () => this.add());
    for (const [a, b] of shape) this.link(members[a]!, members[b]!);
    const [first] = members;
    if (first === undefined) return this;
    this.bootstrap(first);
    this.#entered(first);
    return this;
  }

  /** Lets a node enrol at a neighbour and connect to all of them, in its time. */
  begin(member: Member): void {
    if (member.isMember || member.isJoining || !member.isAlive) return;
    const candidates = this.neighbours(member).filter(({ isMember }) => isMember);
    // Whoever of them comes into the layer takes this one along.
    if (candidates.length === 0) return;
    const at = this.world.random.pick(candidates);
    member.isJoining = true;
    this.#busy += 1;
    member.call(() =>
      this.#enroll(member, at.name, layerName, (result) => {
        this.#busy -= 1;
        member.isJoining = false;
        if (!member.isAlive) return;
        if (!(result instanceof O7sError)) return this.#entered(member);
        this.failed.enrolments += 1;
        this.#again(() => this.begin(member));
      }),
    );
  }

  /** Takes care of every node and link as whoever runs the network would: each is in the layer, each link connected. */
  tend(): void {
    for (const [index, member] of this.members.entries()) {
      if (!member.isAlive) this.begin(this.replace(member));
      else if (!member.isMember) this.begin(member);
      for (const neighbour of this.neighbours(member)) {
        if (!member.isMember || !neighbour.isMember || this.members.indexOf(neighbour) < index) continue;
        const [asker, asked] = member.isOurs ? [member, neighbour] : [neighbour, member];
        // Two prototypes do not notice that anything is missing.
        if (!asker.isOurs) continue;
        for (const component of ['mgmt', 'dt'] as const) {
          if (!asker.isConnected(asked.address, component)) this.#meet(asker, asked, component);
        }
      }
    }
  }

  /** Living nodes at the other ends of links that are not cut. */
  neighbours(member: Member): Member[] {
    const found = new Set<Member>();
    for (const link of member.node.links) {
      const other = this.#byNode.get(link.other(member.node));
      if (!link.cut && other?.isAlive === true) found.add(other);
    }
    return [...found];
  }

  /** Links between two members over links that are not cut; undefined where there is no path. */
  distance(from: Member, to: Member): number | undefined {
    const truth = new Truth(this);
    const distance = truth.distancesTo(truth.numberOf(to))[truth.numberOf(from)]!;
    return distance < 0 ? undefined : distance;
  }

  /**
   * Lets time pass until nothing is under way and every member has a shortest route to all others that it has a path to;
   * how long that took.
   */
  settle(limit: Millis = 60_000, stepMs: Millis = 10): Millis {
    const start = this.now;
    for (;;) {
      const [wrong] = this.#busy > 0 ? ['something is under way'] : this.wrongRoutes(1);
      if (wrong === undefined) return this.now - start;
      if (this.now - start >= limit) throw new Error(`not settled within ${limit} ms: ${wrong}`);
      this.run(stepMs);
    }
  }

  /**
   * What is wrong with the routes of all members, at most so much: next hops that do not lead nearer to where a packet
   * goes. Where each does, packets arrive on a shortest way, and none goes round.
   */
  wrongRoutes(atMost = Infinity): string[] {
    const wrong: string[] = [];
    const truth = new Truth(this);
    for (const [number, to] of truth.members.entries()) {
      const distances = truth.distancesTo(number);
      for (const [other, from] of truth.members.entries()) {
        const distance = distances[other]!;
        if (distance <= 0) continue;
        const isNearer = (hop: number): boolean =>
          hop >= 0 && distances[hop] === distance - 1 && truth.neighbours[other]!.includes(hop);
        // Where several are as near, they take turns.
        const first = from.nextHop(to.address);
        let turn = first;
        let hop: number;
        do {
          hop = truth.numberAt(turn);
          turn = from.nextHop(to.address);
        } while (isNearer(hop) && turn !== first);
        if (isNearer(hop)) continue;
        const where = truth.members[hop]?.name ?? 'nowhere';
        wrong.push(`${from.name} to ${to.name}, ${distance} links: by ${where}`);
        if (wrong.length >= atMost) return wrong;
      }
    }
    for (const [number, member] of truth.members.entries()) {
      const reached = truth.distancesTo(number).filter((distance) => distance > 0).length;
      if (!member.hasRoutes(reached)) wrong.push(`${member.name} has not ${reached} routes`);
      if (wrong.length >= atMost) return wrong;
    }
    return wrong;
  }

  /** Asks a member who serves a name; nobody known is an empty list. */
  find(member: Member, name: string): Member[] {
    const addresses = this.world.ask<readonly number[]>(member.node, `who serves ${name}`, (done) =>
      member.find(this.hashOf(name), done),
    );
    return this.members.filter((each) => each.isMember && addresses.includes(each.address));
  }

  /** A counter of all members together, of those that are. */
  counters(): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const { stacked, anyLayer } of this.members.filter(({ isMember }) => isMember)) {
      for (const [name, count] of Object.entries({ ...stacked.counters, ...anyLayer.counters })) {
        sums[name] = (sums[name] ?? 0) + count;
      }
    }
    return Object.fromEntries(Object.entries(sums).toSorted(([a], [b]) => a.localeCompare(b)));
  }

  /** The IPCP of a node dies or is destroyed, and another takes its place, in no layer yet. */
  replace(member: Member): Member {
    const fresh = this.#start(member.node);
    this.members[this.members.indexOf(member)] = fresh;
    return fresh;
  }

  end(member: Member, how: 'destroyed' | 'crashed' | 'vanished'): void {
    member.isAlive = false;
    if (how === 'destroyed') member.node.destroy();
    else member.node.crash(how === 'crashed');
  }

  /** Asks for a flow to a name and waits for it; undefined when nobody in the layer is known to serve it. */
  allocate(
    member: Member,
    name: string,
    qos: QosSpec = rawQos,
  ): { readonly outcome: FlowOutcome; readonly end: End } | undefined {
    const hash = this.hashOf(name);
    const { anyLayer: layer, node } = member;
    const known = this.world.ask<boolean>(node, `what is known of ${name}`, (done) =>
      layer.query(hash, this.now, done),
    );
    if (!known) return undefined;
    const end = new End(node);
    // As a handshake is, new each time.
    const asking = this.world.random.bytes(16);
    const outcome = this.world.ask<FlowOutcome>(
      node,
      `a flow to ${name}`,
      (done) => {
        end.flow = layer.allocate(hash, qos, asking, end, this.now, done);
      },
      30_000,
    );
    return { outcome, end };
  }

  #enroll(
    member: Member,
    at: string,
    wanted: string | undefined,
    done: (result: Joined | O7sError) => void,
  ): void {
    member.stacked.enroll(at, wanted, this.now, (result) => {
      if (!(result instanceof O7sError)) member.entered(result);
      done(result);
    });
  }

  #start(node: SimNode): Member {
    let ipcp: UnicastIpcp | PrototypeIpcp | undefined;
    const { around: change = (around: StackedSurroundings) => around, limits, isPrototype } = this.#options;
    const isOurs = isPrototype?.(this.world.nodes.indexOf(node)) !== true;
    node.start((around) => {
      const given = change(around, node.name);
      ipcp = isOurs ? new UnicastIpcp(given, limits) : new PrototypeIpcp(given);
      return ipcp;
    });
    const member = new Member(this, node, ipcp!);
    this.#byNode.set(node, member);
    return member;
  }

  #entered(member: Member): void {
    for (const neighbour of this.neighbours(member)) {
      if (neighbour.isMember)
        for (const component of ['mgmt', 'dt'] as const) this.#meet(member, neighbour, component);
      else this.begin(neighbour);
    }
  }

  #meet(member: Member, neighbour: Member, component: ComponentName): void {
    if (!member.isMember || !neighbour.isMember || !this.neighbours(member).includes(neighbour)) return;
    this.#busy += 1;
    member.call(() =>
      member.stacked.connect(neighbour.name, component, rawQos, this.now, (fault) => {
        this.#busy -= 1;
        if (fault === undefined) return;
        this.failed.connections += 1;
        this.#again(() => this.#meet(member, neighbour, component));
      }),
    );
  }

  #again(what: () => void): void {
    this.#busy += 1;
    this.world.time.after(retryMs, () => {
      this.#busy -= 1;
      what();
    });
  }
}

/** Who could reach whom, as the links are. */
class Truth {
  readonly members: Member[];
  /** By number of a member, those of its neighbours. */
  readonly neighbours: number[][];
  readonly #numbers: Map<Member, number>;
  readonly #addresses: Map<number, number>;
  readonly #distances: (Int16Array | undefined)[] = [];

  constructor(net: UnicastNet) {
    this.members = net.members.filter(({ isMember }) => isMember);
    this.#numbers = new Map(this.members.map((member, number) => [member, number]));
    this.#addresses = new Map(this.members.map(({ address }, number) => [address, number]));
    this.neighbours = this.members.map((member) =>
      net.neighbours(member).flatMap((neighbour) => this.#numbers.get(neighbour) ?? []),
    );
  }

  numberOf(member: Member): number {
    return this.#numbers.get(member) ?? -1;
  }

  /** The member with an address; negative if there is none. */
  numberAt(address: number | undefined): number {
    return address === undefined ? -1 : (this.#addresses.get(address) ?? -1);
  }

  /** By number of a member, its distance from one; negative where there is no path. */
  distancesTo(number: number): Int16Array {
    const known = this.#distances[number];
    if (known !== undefined) return known;
    const distances = new Int16Array(this.members.length).fill(-1);
    this.#distances[number] = distances;
    if (number < 0) return distances;
    distances[number] = 0;
    const queue = [number];
    for (const at of queue) {
      for (const next of this.neighbours[at]!) {
        if (distances[next]! >= 0) continue;
        distances[next] = distances[at]! + 1;
        queue.push(next);
      }
    }
    return distances;
  }
}
