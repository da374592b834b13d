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
  /** A call in place of a link, as between IPCPs of one process: nothing takes any time. */
  readonly isCall?: boolean;
  /** A packet takes up to so much longer, and may so be overtaken. */
  readonly jitterMs?: Millis;
  /** Share of packets lost, 0 to 1. */
  readonly loss?: number;
  /** Share of packets that arrive twice. */
  readonly duplication?: number;
  readonly maxMessageBytes?: number;
  /** Bytes in a second, each way; without it packets take no time of the link. */
  readonly rate?: number;
  /** Packets that wait for their turn, each way; more are lost. */
  readonly queueMax?: number;
}

/** What a link has carried, and what it lost: by chance or because it was cut, and for want of room in a queue. */
export interface LinkCounts {
  packets: number;
  bytes: number;
  lost: number;
  overflowed: number;
  /** Longest queue there was. */
  queued: number;
}

/** Packets of one direction that wait for the link. */
interface Queue {
  waiting: number;
  /** When the last of them has left. */
  freeAt: Millis;
}

/** One end of a flow over a link. */
class SimFlow implements LowerFlow {
  readonly headerBytes = 18;
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

  get backlog(): number {
    return this.link.waiting(this.node);
  }

  write(packet: Packet): void {
    const { peer } = this;
    if (peer !== undefined) this.link.carry(packet, peer);
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
  readonly counts: LinkCounts = { packets: 0, bytes: 0, lost: 0, overflowed: 0, queued: 0 };
  maxMessageBytes: number;
  /** Everything is lost without anybody being told. */
  cut = false;
  loss: number;
  jitterMs: Millis;
  /** How many copies of a packet from an end arrive, beyond what chance says. */
  copies: (bytes: Buffer, from: SimNode) => number = () => 1;
  readonly #world: World;
  readonly #delayMs: Millis;
  readonly #isCall: boolean;
  readonly #duplication: number;
  readonly #rate: number;
  readonly #queueMax: number;
  readonly #queues: readonly [Queue, Queue] = [
    { waiting: 0, freeAt: 0 },
    { waiting: 0, freeAt: 0 },
  ];

  constructor(world: World, a: SimNode, b: SimNode, options: LinkOptions) {
    this.#world = world;
    this.ends = [a, b];
    this.#delayMs = options.delayMs ?? 1;
    this.#isCall = options.isCall ?? false;
    this.jitterMs = options.jitterMs ?? 0;
    this.loss = options.loss ?? 0;
    this.#duplication = options.duplication ?? 0;
    this.maxMessageBytes = options.maxMessageBytes ?? 1496;
    this.#rate = options.rate ?? Infinity;
    this.#queueMax = options.queueMax ?? 1024;
  }

  other(end: SimNode): SimNode {
    return this.ends[0] === end ? this.ends[1] : this.ends[0];
  }

  /** Packets that wait to leave an end. */
  waiting(end: SimNode): number {
    return this.#queueOf(end).waiting;
  }

  /** The devices of both ends go down or come up, which they notice. */
  setUp(up: boolean): void {
    this.cut = !up;
    for (const flow of this.flows) flow.node.run(() => flow.user?.setUp(up));
  }

  /** The longest message changes, which both ends are told. */
  setLimit(maxMessageBytes: number): void {
    this.maxMessageBytes = maxMessageBytes;
    for (const flow of this.flows) flow.node.run(() => flow.user?.limitChanged?.());
  }

  /** Brings a packet to an end of a flow, as the link does. */
  carry({ memory, start, end }: Packet, to: SimFlow): void {
    const bytes = end - start;
    const from = this.other(to.node);
    const copies =
      this.copies(memory.subarray(start, end), from) + (this.#happens(this.#duplication) ? 1 : 0);
    if (this.cut || copies === 0 || this.#happens(this.loss)) {
      this.counts.lost += 1;
      return;
    }
    const copy = Buffer.allocUnsafe(packetHeadroom + bytes);
    copy.set(memory.subarray(start, end), packetHeadroom);
    if (this.#rate === Infinity) return this.#arrive(copy, to, copies);
    const { time } = this.#world;
    const queue = this.#queueOf(from);
    if (queue.waiting >= this.#queueMax) {
      this.counts.overflowed += 1;
      return;
    }
    queue.waiting += 1;
    this.counts.queued = Math.max(this.counts.queued, queue.waiting);
    queue.freeAt = Math.max(queue.freeAt, time.now) + (bytes / this.#rate) * 1000;
    time.at(queue.freeAt, () => {
      queue.waiting -= 1;
      this.#arrive(copy, to, copies);
    });
  }

  /** Does something at the other end after the time the link takes. */
  tell(to: SimFlow, what: () => void): void {
    if (this.#isCall) return to.node.run(what);
    const delay = this.#delayMs + this.jitterMs * this.#world.random.unit();
    this.#world.time.after(delay, () => to.node.run(what));
  }

  open(from: SimNode, user: FlowUser, done: (flow: LowerFlow | O7sError) => void): void {
    const to = this.other(from);
    const [near, far] = [new SimFlow(this, from), new SimFlow(this, to)];
    this.#world.time.after(2 * this.#delayMs, () => {
      if (from.ipcp === undefined) return;
      if (to.ipcp === undefined || this.cut) {
        return from.run(() => done(new O7sError('EIPCP', `${to.name} does not answer`)));
      }
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

  #queueOf(end: SimNode): Queue {
    return this.#queues[this.ends[0] === end ? 0 : 1];
  }

  #happens(share: number): boolean {
    return share > 0 && this.#world.random.unit() < share;
  }

  #arrive(memory: Buffer, to: SimFlow, copies: number): void {
    this.counts.packets += 1;
    this.counts.bytes += memory.length - packetHeadroom;
    for (let left = copies; left > 0; left -= 1) {
      const each = left === 1 ? memory : Buffer.from(memory);
      this.tell(to, () => {
        const packet = new Packet(each, 0);
        packet.start = packetHeadroom;
        packet.end = each.length;
        to.user?.deliver(packet);
        // Nobody may keep what is valid for a turn.
        each.fill(0xa5);
      });
    }
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
  /** Answers requests for flows instead of keeping them. */
  onRequest: ((request: FlowRequest) => void) | undefined;
  ipcp: StackedIpcp | undefined;
  readonly #world: World;
  #timer: VirtualTimer | undefined;
  #changed = false;
  #depth = 0;

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
      events: {
        flowRequested: (request) => {
          if (this.onRequest === undefined) this.requests.push(request);
          else this.onRequest(request);
        },
      },
      deadlineChanged: () => {
        this.#changed = true;
      },
    });
    const { ipcp } = this;
    this.#timer = new VirtualTimer(time, {
      nextDeadline: () => ipcp.nextDeadline(),
      advance: (now) => this.run(() => ipcp.advance(now)),
    });
    return this;
  }

  /** Its IPCP is destroyed, and says so. */
  destroy(): void {
    this.run(() => this.ipcp?.close());
    this.crash(true);
  }

  /** Its IPCP dies: nothing is said any more, and nobody is told unless the layer below tells. */
  crash(told: boolean): void {
    this.ipcp = undefined;
    this.#timer?.close();
    this.requests.length = 0;
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
    this.#depth += 1;
    what();
    this.#depth -= 1;
    // A call from another node that this one called belongs to the turn that is under way.
    if (this.#depth > 0) return;
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
