/**
 * A layer of many members under virtual time: their routing, the flows between them, and nothing else. Members are
 * ours or models of prototypes. Delay, loss and order of messages come from one seed.
 */
import type { Forwarding, Neighbour } from '../../runtime/ipcpd/unicast/pff/forwarding.ts';
import { forwardingOf } from '../../runtime/ipcpd/unicast/pff/policies.ts';
import {
  type DataTransferLink,
  LinkState,
  type LinkStateLimits,
  type ManagementFlow,
} from '../../runtime/ipcpd/unicast/routing/link-state.ts';
import type { RoutingPolicy } from '../../runtime/lib/rpc/api.ts';
import { type PrototypeFlow, PrototypeRouting } from './prototype-routing.ts';
import { Seeded } from './seeded.ts';

export interface NetOptions {
  readonly seed?: number;
  readonly policy?: RoutingPolicy;
  /** Share of messages that are lost. */
  readonly loss?: number;
  /** Bounds of the delay of a message, in ms; messages overtake each other within them. */
  readonly delayMs?: readonly [number, number];
  /** Whether member number n is a prototype. */
  readonly isPrototype?: (index: number) => boolean;
  readonly tUpdate?: number;
  readonly tTimeo?: number;
  readonly limits?: Partial<LinkStateLimits>;
}

/** What members wait before their first message to a prototype, in ms (unicast-layer.md 2.4). */
const settleMs = 300;
const maxMessageBytes = 1496;

/** A neighbour's end of a flow; the other end is `back`. */
interface End extends ManagementFlow, DataTransferLink, PrototypeFlow {
  readonly owner: SimMember;
  back: End | undefined;
  isUp: boolean;
}

export interface SimMember {
  readonly index: number;
  readonly address: number;
  /** Undefined for a prototype. */
  readonly routing: LinkState<End> | undefined;
  readonly prototype: PrototypeRouting | undefined;
  readonly forwarding: Forwarding<SimNeighbour> | undefined;
  readonly neighbours: Map<number, SimNeighbour>;
  /** When its routes were last calculated. */
  routedAt: number;
  messagesOut: number;
  bytesOut: number;
  isDead: boolean;
}

interface SimNeighbour extends Neighbour {
  isUp: boolean;
}

interface Adjacency {
  readonly a: End;
  readonly b: End;
}

type Event =
  | { readonly kind: 'message'; readonly to: End; readonly message: Buffer }
  | { readonly kind: 'wake'; readonly member: SimMember }
  | { readonly kind: 'call'; readonly call: () => void };

export class RoutingNet {
  now = 0;
  /** Messages between these two are lost. */
  isBlocked: (from: SimMember, to: SimMember) => boolean = () => false;
  readonly members: SimMember[] = [];
  readonly random: Seeded;
  readonly #options: Required<NetOptions>;
  readonly #queue = new EventQueue();
  readonly #adjacencies = new Map<string, Adjacency>();
  readonly #wakeAt = new Map<SimMember, number>();
  readonly #byAddress = new Map<number, SimMember>();
  #inFlight = 0;

  constructor(count: number, options: NetOptions = {}) {
    this.#options = {
      seed: 1,
      policy: 'link_state',
      loss: 0,
      delayMs: [0.1, 1],
      isPrototype: () => false,
      tUpdate: 15,
      tTimeo: 60,
      limits: {},
      ...options,
    };
    this.random = new Seeded(this.#options.seed);
    for (let index = 0; index < count; index += 1) this.addMember();
  }

  /** Links that are up, as pairs of numbers of members. */
  get links(): [number, number][] {
    return [...this.#adjacencies.values()].map(({ a, b }) => [a.owner.index, b.owner.index]);
  }

  member(index: number): SimMember {
    const member = this.members[index];
    if (member === undefined) throw new Error(`no member ${index}`);
    return member;
  }

  /** Connects the two, management first, as `irm ipcp connect` does. */
  connect(a: number, b: number): void {
    const [one, other] = [this.member(a), this.member(b)];
    if (one.isDead || other.isDead || this.#adjacencies.has(pairKey(a, b))) return;
    const isExtended = one.routing !== undefined && other.routing !== undefined;
    const readyAt = this.now + (isExtended ? 0 : settleMs);
    const end = (owner: SimMember, peer: SimMember): End => ({
      owner,
      peer: peer.address,
      isExtended,
      isOurs: peer.routing !== undefined,
      readyAt,
      maxMessageBytes,
      back: undefined,
      isUp: true,
    });
    const adjacency = { a: end(one, other), b: end(other, one) };
    adjacency.a.back = adjacency.b;
    adjacency.b.back = adjacency.a;
    this.#adjacencies.set(pairKey(a, b), adjacency);
    for (const flow of [adjacency.a, adjacency.b]) {
      flow.owner.routing?.managementUp(flow, this.now);
      flow.owner.prototype?.managementUp(flow, this.now);
    }
    for (const link of [adjacency.a, adjacency.b]) this.#linkUp(link);
    for (const member of [one, other]) this.#schedule(member);
  }

  /** Takes both flows between the two away. Members notice after `noticeMs`; prototypes never do. */
  cut(a: number, b: number, noticeMs = 0): void {
    const adjacency = this.#adjacencies.get(pairKey(a, b));
    if (adjacency === undefined) return;
    this.#adjacencies.delete(pairKey(a, b));
    for (const end of [adjacency.a, adjacency.b]) {
      end.isUp = false;
      if (noticeMs === 0) this.#notice(end);
      else this.call(noticeMs, () => this.#notice(end));
    }
  }

  /** As `cut`, by `irm ipcp disconnect` on a prototype: it notices itself, and tells nobody (6.9). */
  disconnect(prototype: number, other: number): void {
    this.cut(prototype, other);
    this.member(prototype).prototype?.linkDown(this.member(other).address);
  }

  /** The member dies; its neighbours notice after `noticeMs`. */
  kill(index: number, noticeMs = 0): void {
    this.member(index).isDead = true;
    for (const [a, b] of this.links) if (a === index || b === index) this.cut(a, b, noticeMs);
  }

  call(afterMs: number, call: () => void): void {
    this.#queue.push(this.now + afterMs, { kind: 'call', call });
  }

  /** Lets time pass. */
  run(ms: number): void {
    const until = this.now + ms;
    while (this.#queue.nextAt <= until) this.#step();
    this.now = until;
  }

  /** Runs until nothing is on its way, waits to be sent, or to be calculated; at most so long. */
  settle(atMostMs: number): number {
    const from = this.now;
    while (this.#queue.nextAt <= from + atMostMs) {
      if (this.#inFlight === 0 && this.members.every(isQuiet)) return this.now - from;
      this.#step();
    }
    throw new Error(`not quiet after ${atMostMs} ms`);
  }

  /** The neighbour a member sends a packet by. */
  nextHop(member: SimMember, destination: SimMember): SimMember | undefined {
    const address =
      member.forwarding?.nextHop(destination.address)?.address ??
      member.prototype?.nextHop(destination.address);
    return address === undefined ? undefined : this.#byAddress.get(address);
  }

  /** Links to a destination as a packet goes; what went wrong otherwise. */
  walk(from: SimMember, to: SimMember): number | 'no route' | 'dead link' | 'loop' {
    let at = from;
    for (let steps = 0; steps <= this.members.length; steps += 1) {
      if (at === to) return steps;
      const next = this.nextHop(at, to);
      if (next === undefined) return 'no route';
      if (!this.#adjacencies.has(pairKey(at.index, next.index))) return 'dead link';
      at = next;
    }
    return 'loop';
  }

  /** Pairs of living members whose packets do not arrive though there is a path, with what happens to them. */
  unreachable(): string[] {
    const wrong: string[] = [];
    for (const from of this.members) {
      if (from.isDead) continue;
      for (const [to, distance] of this.#distances(from)) {
        if (to === from) continue;
        const walked = this.walk(from, to);
        const isShort = walked === distance || (typeof walked === 'number' && this.#hasPrototypes);
        if (!isShort) wrong.push(`${from.index} to ${to.index}: ${walked}, ${distance} links`);
      }
    }
    return wrong;
  }

  /** Members whose database differs from that of the first member they have a path to; by links alone, if so wished. */
  disagreements(by: 'all' | 'links' = 'all'): string[] {
    const wrong: string[] = [];
    for (const member of this.members) {
      if (member.isDead || member.routing === undefined) continue;
      const others = [...this.#distances(member).keys()].filter(({ routing }) => routing !== undefined);
      const first = others.toSorted((a, b) => a.index - b.index)[0];
      if (first === undefined || first === member) continue;
      const [own, expected] = [this.#databaseOf(member, by), this.#databaseOf(first, by)];
      const differing = [...own].filter((row) => !expected.has(row));
      const missing = [...expected].filter((row) => !own.has(row));
      if (differing.length + missing.length > 0) {
        wrong.push(`${member.index} and ${first.index}: ${differing.join(', ')} / ${missing.join(', ')}`);
      }
    }
    return wrong;
  }

  /** Entries in databases that are not of a link that is there; the largest count of any member. */
  surplus(): number {
    return Math.max(
      ...this.members
        .filter(({ isDead }) => !isDead)
        .map((member) => (member.routing?.database(this.now).length ?? 0) - 2 * this.#linksFrom(member)),
    );
  }

  get messagesOut(): number {
    return this.members.reduce((sum, { messagesOut }) => sum + messagesOut, 0);
  }

  get bytesOut(): number {
    return this.members.reduce((sum, { bytesOut }) => sum + bytesOut, 0);
  }

  #databaseOf(member: SimMember, by: 'all' | 'links'): Set<string> {
    const rows = member.routing?.database(this.now) ?? [];
    return new Set(
      rows.map(({ source, destination, seqno, isWithdrawn, maxMessageBytes: limit }) => {
        const link = `${this.#nameOf(source)}>${this.#nameOf(destination)}`;
        return by === 'links' ? link : `${link} #${seqno} ${isWithdrawn ? 'gone' : limit}`;
      }),
    );
  }

  /** Links between members that a member has a path to. */
  #linksFrom(member: SimMember): number {
    const reached = this.#distances(member);
    return this.links.filter(([a]) => reached.has(this.member(a))).length;
  }

  get #hasPrototypes(): boolean {
    return this.members.some(({ prototype }) => prototype !== undefined);
  }

  #nameOf(address: number): string {
    return String(this.#byAddress.get(address)?.index ?? `0x${address.toString(16)}`);
  }

  #distances(from: SimMember): Map<SimMember, number> {
    const distances = new Map([[from, 0]]);
    const neighbours = this.#truth();
    for (const [member, distance] of distances) {
      for (const end of neighbours.get(member) ?? [])
        if (!distances.has(end)) distances.set(end, distance + 1);
    }
    return distances;
  }

  #truth(): Map<SimMember, SimMember[]> {
    const neighbours = new Map<SimMember, SimMember[]>();
    for (const { a, b } of this.#adjacencies.values()) {
      for (const [one, other] of [
        [a.owner, b.owner],
        [b.owner, a.owner],
      ] as const) {
        const ends = neighbours.get(one);
        if (ends === undefined) neighbours.set(one, [other]);
        else ends.push(other);
      }
    }
    return neighbours;
  }

  /** Adds a member without links and returns its number. */
  addMember(): number {
    const index = this.members.length;
    const { policy, isPrototype, tUpdate, tTimeo, limits } = this.#options;
    const address = this.random.address();
    const neighbours = new Map<number, SimNeighbour>();
    const times = { tRecalc: 4, tUpdate, tTimeo };
    // Members start one after another, so that their intervals lie apart.
    const startedAt = this.now - this.random.next() * tUpdate * 1000;
    const send = (flow: PrototypeFlow, message: Buffer): void => this.#send(member, flow as End, message);
    const forwarding = isPrototype(index) ? undefined : forwardingOf<SimNeighbour>(policy);
    const routing =
      forwarding === undefined
        ? undefined
        : new LinkState<End>(
            {
              address,
              policy,
              ...times,
              limits,
              random: () => this.random.address(),
              port: {
                send,
                routesChanged: (routes) => {
                  member.routedAt = this.now;
                  forwarding.install(routes, (hop) => neighbours.get(hop));
                },
                reachable: () => {},
              },
            },
            startedAt,
          );
    const prototype =
      routing === undefined ? new PrototypeRouting(address, times, send, startedAt) : undefined;
    const member: SimMember = {
      index,
      address,
      routing,
      prototype,
      forwarding,
      neighbours,
      routedAt: 0,
      messagesOut: 0,
      bytesOut: 0,
      isDead: false,
    };
    this.members.push(member);
    this.#byAddress.set(address, member);
    this.#schedule(member);
    return index;
  }

  #linkUp(link: End): void {
    const { owner, peer } = link;
    owner.neighbours.set(peer, { address: peer, isUp: true });
    owner.routing?.linkUp(link, this.now);
    owner.prototype?.linkUp(peer, this.now);
  }

  #notice(end: End): void {
    const { owner } = end;
    if (owner.isDead || owner.routing === undefined) return;
    const neighbour = owner.neighbours.get(end.peer);
    if (neighbour !== undefined && !this.#isLinked(owner, end.peer)) neighbour.isUp = false;
    owner.routing.managementDown(end, this.now);
    owner.routing.linkDown(end, this.now);
    this.#schedule(owner);
  }

  #isLinked(owner: SimMember, peer: number): boolean {
    return this.#adjacencies.has(pairKey(owner.index, this.#byAddress.get(peer)?.index ?? -1));
  }

  #send(from: SimMember, flow: End, message: Buffer): void {
    from.messagesOut += 1;
    from.bytesOut += message.length;
    const { back } = flow;
    const isLost = this.random.next() < this.#options.loss;
    if (back === undefined || isLost || this.isBlocked(from, back.owner)) return;
    const [least, most] = this.#options.delayMs;
    const at = this.now + least + this.random.next() * (most - least);
    this.#inFlight += 1;
    this.#queue.push(at, { kind: 'message', to: back, message: Buffer.from(message) });
  }

  #schedule(member: SimMember): void {
    if (member.isDead) return;
    const at = member.routing?.nextDeadline() ?? member.prototype?.nextDeadline() ?? Infinity;
    const planned = this.#wakeAt.get(member);
    if (planned !== undefined && planned <= at) return;
    this.#wakeAt.set(member, at);
    this.#queue.push(Math.max(at, this.now), { kind: 'wake', member });
  }

  #step(): void {
    this.now = Math.max(this.now, this.#queue.nextAt);
    const event = this.#queue.pop();
    switch (event?.kind) {
      case undefined:
        return;
      case 'call':
        return event.call();
      case 'message': {
        const { to, message } = event;
        this.#inFlight -= 1;
        if (!to.isUp || to.owner.isDead) return;
        to.owner.routing?.receive(to, message, 0, message.length, this.now);
        to.owner.prototype?.receive(to, message, this.now);
        return this.#schedule(to.owner);
      }
      case 'wake': {
        const { member } = event;
        if (member.isDead) return;
        const planned = this.#wakeAt.get(member) ?? Infinity;
        // An earlier wake-up was planned since, or this one is done.
        if (planned > this.now) return;
        this.#wakeAt.delete(member);
        const { routing, prototype } = member;
        if ((routing?.nextDeadline() ?? Infinity) <= this.now) routing?.advance(this.now);
        if ((prototype?.nextDeadline() ?? Infinity) <= this.now) prototype?.advance(this.now);
        if ((routing?.nextDeadline() ?? Infinity) <= this.now)
          throw new Error('a deadline that does not pass');
        return this.#schedule(member);
      }
    }
  }
}

function isQuiet({ routing, isDead }: SimMember): boolean {
  return isDead || routing === undefined || routing.isQuiet;
}

const pairKey = (a: number, b: number): string => `${Math.min(a, b)} ${Math.max(a, b)}`;

/** Events by time, of one time in order of arrival: a binary heap. */
class EventQueue {
  readonly #heap: { readonly at: number; readonly number: number; readonly event: Event }[] = [];
  #number = 0;

  get nextAt(): number {
    return this.#heap[0]?.at ?? Infinity;
  }

  push(at: number, event: Event): void {
    const heap = this.#heap;
    const item = { at, number: this.#number++, event };
    let index = heap.push(item) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(item, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = item;
  }

  pop(): Event | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first?.event;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first.event;
  }
}

interface Order {
  readonly at: number;
  readonly number: number;
}
const isBefore = (a: Order, b: Order): boolean => a.at < b.at || (a.at === b.at && a.number < b.number);

/** Shapes of layers, as pairs of numbers of members. */
export const shapes = {
  line: (count: number): [number, number][] => range(1, count).map((index) => [index - 1, index]),
  ring: (count: number): [number, number][] => range(0, count).map((index) => [index, (index + 1) % count]),
  tree: (count: number): [number, number][] => range(1, count).map((index) => [(index - 1) >> 1, index]),
  star: (count: number): [number, number][] => range(1, count).map((index) => [0, index]),
  grid(count: number): [number, number][] {
    const width = Math.ceil(Math.sqrt(count));
    return range(1, count).flatMap((index) => {
      const ends = [index % width > 0 ? index - 1 : -1, index - width];
      return ends.filter((end) => end >= 0).map((end): [number, number] => [end, index]);
    });
  },
  /** A random tree, and once more as many links as members at random. */
  random(count: number): [number, number][] {
    const random = new Seeded(count);
    const links = new Map<string, [number, number]>();
    for (const index of range(1, count)) {
      const end = random.below(index);
      links.set(pairKey(end, index), [end, index]);
    }
    while (links.size < Math.min(2 * count - 1, (count * (count - 1)) / 2)) {
      const [a, b] = [random.below(count), random.below(count)];
      if (a !== b) links.set(pairKey(a, b), [Math.min(a, b), Math.max(a, b)]);
    }
    return [...links.values()];
  },
} as const;
export type Shape = keyof typeof shapes;

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}
