/**
 * IPCPs over links in virtual time: what a node, irmd and layers below are to an IPCP, without any of them. A link is a
 * layer below in which the names of its two ends are known.
 */
import { O7sError } from '../../runtime/lib/errors.ts';
import { Logger } from '../../runtime/lib/log.ts';
import type { QosSpec } from '../../runtime/lib/qos.ts';
import type { Millis } from '../../runtime/lib/time/clock.ts';
import { Packet, packetHeadroom, PacketPool } from '../../runtime/lib/wire/packet.ts';
import type {
  FlowRequest,
  FlowUser,
  LowerFlow,
  LowerFlows,
  StackedIpcp,
  StackedSurroundings,
} from '../../runtime/ipcpd/shell/layer.ts';
import { Random } from './random.ts';
import { VirtualTime, VirtualTimer } from './virtual-time.ts';

export interface LinkOptions {
  readonly delayMs?: Millis;
  /** A packet takes up to so much longer, and may so be overtaken. */
  readonly jitterMs?: Millis;
  /** Share of packets lost, 0 to 1. */
  readonly loss?: number;
  readonly maxMessageBytes?: number;
}

/** What a link has carried. */
export interface LinkCounts {
  packets: number;
  bytes: number;
}

/** One end of a flow over a link. */
class SimFlow implements LowerFlow {
  readonly headerBytes = 18;
  readonly backlog = 0;
  readonly link: SimLink;
  readonly node: SimNode;
  user: FlowUser | undefined;
  peer: SimFlow | undefined;

  constructor(link: SimLink, node: SimNode) {
    this.link = link;
    this.node = node;
  }

  get maxMessageBytes(): number {
    return this.link.maxMessageBytes;
  }

  write(packet: Packet): void {
    const { peer } = this;
    if (peer !== undefined) this.link.carry(Buffer.from(packet.bytes()), peer);
  }

  deallocate(): void {
    const { peer } = this;
    this.peer = undefined;
    this.user = undefined;
    this.link.flows.delete(this);
    if (peer !== undefined) this.link.tell(peer, () => peer.released());
  }

  released(): void {
    const { user } = this;
    this.user = undefined;
    this.peer = undefined;
    this.link.flows.delete(this);
    user?.released();
  }
}

export class SimLink {
  readonly ends: readonly [SimNode, SimNode];
  readonly flows = new Set<SimFlow>();
  readonly counts: LinkCounts = { packets: 0, bytes: 0 };
  readonly maxMessageBytes: number;
  /** Everything is lost without anybody being told. */
  cut = false;
  loss: number;
  readonly #world: World;
  readonly #delayMs: Millis;
  readonly #jitterMs: Millis;

  constructor(world: World, a: SimNode, b: SimNode, options: LinkOptions) {
    this.#world = world;
    this.ends = [a, b];
    this.#delayMs = options.delayMs ?? 1;
    this.#jitterMs = options.jitterMs ?? 0;
    this.loss = options.loss ?? 0;
    this.maxMessageBytes = options.maxMessageBytes ?? 1496;
  }

  /** The devices of both ends go down or come up, which they notice. */
  setUp(up: boolean): void {
    this.cut = !up;
    for (const flow of this.flows) flow.node.run(() => flow.user?.setUp(up));
  }

  /** Brings bytes to an end of a flow, as the link does. */
  carry(bytes: Buffer, to: SimFlow): void {
    if (this.cut || (this.loss > 0 && this.#world.random.unit() < this.loss)) return;
    this.counts.packets += 1;
    this.counts.bytes += bytes.length;
    this.tell(to, () => {
      const packet = new Packet(Buffer.alloc(packetHeadroom + bytes.length), 0);
      packet.reset(packetHeadroom);
      packet.append(bytes, 0, bytes.length);
      to.user?.deliver(packet);
    });
  }

  /** Does something at the other end after the time the link takes. */
  tell(to: SimFlow, what: () => void): void {
    const delay = this.#delayMs + this.#jitterMs * this.#world.random.unit();
    this.#world.time.after(delay, () => to.node.run(what));
  }

  open(from: SimNode, user: FlowUser, done: (flow: LowerFlow) => void): void {
    const to = this.ends[0] === from ? this.ends[1] : this.ends[0];
    const [near, far] = [new SimFlow(this, from), new SimFlow(this, to)];
    this.#world.time.after(2 * this.#delayMs, () => {
      if (to.ipcp === undefined) return;
      near.user = user;
      near.peer = far;
      far.peer = near;
      this.flows.add(near).add(far);
      to.run(() => {
        far.user = to.ipcp?.acceptFlow(far, this.#world.time.now);
      });
      from.run(() => done(near));
    });
  }
}

/** A node with one IPCP. */
export class SimNode implements LowerFlows {
  readonly name: string;
  /** The names by which others on its links find the IPCP. */
  readonly names = new Set<string>();
  readonly links: SimLink[] = [];
  readonly requests: FlowRequest[] = [];
  readonly packets = new PacketPool();
  ipcp: StackedIpcp | undefined;
  readonly #world: World;
  #timer: VirtualTimer | undefined;
  #changed = false;

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
    this.names.add(name);
  }

  /** Makes its IPCP. */
  start(make: (around: StackedSurroundings) => StackedIpcp): this {
    const { time, random } = this.#world;
    this.ipcp = make({
      lower: this,
      packets: this.packets,
      clock: () => time.now,
      wallClock: () => BigInt(Math.floor(time.now * 1000)) * 1000n + wallStart,
      randomBytes: (count) => random.bytes(count),
      log: silent,
      events: { flowRequested: (request) => this.requests.push(request) },
      deadlineChanged: () => {
        this.#changed = true;
      },
    });
    this.#timer = new VirtualTimer(time, this.ipcp, () => this.packets.reset());
    return this;
  }

  /** Its IPCP dies: nothing is said any more, and nobody is told unless the layer below tells. */
  crash(told: boolean): void {
    this.ipcp = undefined;
    this.#timer?.close();
    for (const link of this.links) {
      for (const flow of [...link.flows]) {
        if (flow.node !== this) continue;
        if (told) flow.deallocate();
        else {
          flow.user = undefined;
          link.flows.delete(flow);
        }
      }
    }
  }

  /** One turn of the node. */
  run(what: () => void): void {
    what();
    this.packets.reset();
    if (!this.#changed) return;
    this.#changed = false;
    this.#timer?.update();
  }

  allocate(name: string, _qos: QosSpec, user: FlowUser, done: (result: LowerFlow | O7sError) => void): void {
    const link = this.links.find(
      ({ ends, cut }) =>
        !cut && ends.some((end) => end !== this && end.ipcp !== undefined && end.names.has(name)),
    );
    if (link !== undefined) return link.open(this, user, done);
    this.#world.time.after(1, () => this.run(() => done(new O7sError('ENAME', `${name} is not known`))));
  }
}

const silent = new Logger(() => {}, 'sim');
const wallStart = 1_795_000_000_000_000_000n;

export class World {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly nodes: SimNode[] = [];
  readonly links: SimLink[] = [];

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  node(name: string): SimNode {
    const node = new SimNode(this, name);
    this.nodes.push(node);
    return node;
  }

  link(a: SimNode, b: SimNode, options: LinkOptions = {}): SimLink {
    const link = new SimLink(this, a, b, options);
    this.links.push(link);
    a.links.push(link);
    b.links.push(link);
    return link;
  }

  /** Lets something happen at a node that calls back; what it was called with. */
  ask<T>(node: SimNode, what: string, call: (done: (result: T) => void) => void, limit: Millis = 10_000): T {
    let answer: { readonly value: T } | undefined;
    node.run(() => call((value) => (answer = { value })));
    this.time.runUntil(what, () => answer !== undefined, limit);
    return answer!.value;
  }
}
