/**
 * Routing by link states: every member announces its links to all others, and each computes the shortest paths for
 * itself. Speaks LSUs with prototypes and more with members of our kind, in one layer.
 * Source: unicast-layer.md 6, docs/adr/0022-link-state-extensions.md.
 */
import type { RoutingPolicy } from '../../../lib/rpc/api.ts';
import { type Deadlines, type Millis, never } from '../../../lib/time/clock.ts';
import { zeroCounts } from '../../shell/counts.ts';
import type { Address } from '../address.ts';
import { inOrder, LinkDatabase, type DatabaseLimits, type LinkEntry } from './database.ts';
import {
  packetKind,
  readAcknowledgement,
  readUpdateRecord,
  updatesIn,
  updatesNumber,
} from './extended-updates.ts';
import { Graph } from './graph.ts';
import { emptyUpdate, type LinkUpdate, lsuBytes, readLsu, updateState } from './lsu.ts';
import { type ManagementFlow, Outbox, type OutboxLimits, outboxLimits } from './outbox.ts';
import { type RouteList, Routes } from './routes.ts';

export type { ManagementFlow } from './outbox.ts';

/** A flow to a neighbour's data transfer. Its identity tells it from others to the same neighbour. */
export interface DataTransferLink {
  readonly peer: Address;
  /** Whether the peer is of our kind. */
  readonly isExtended: boolean;
  /** Longest message it carries, in bytes. */
  readonly maxMessageBytes: number;
}

/** What routing does and tells. These may read from it, and report nothing to it. */
export interface RoutingPort<Flow extends ManagementFlow> {
  /** Sends a message; its memory is used again afterwards. */
  send(flow: Flow, message: Buffer): void;
  /** The routes, the members or the limit of the layer were calculated anew. */
  routesChanged(routes: RouteList): void;
  /** A path to a member was found, or there is none any more. */
  reachable(address: Address, isReachable: boolean): void;
}

/** The way to a member. */
export interface Way {
  readonly address: Address;
  readonly links: number;
  /** Neighbours to forward to, the first choice first. */
  readonly via: readonly Address[];
}

/** Times in ms and counts. Parameters, so that a test need not wait for them. */
export interface LinkStateLimits extends DatabaseLimits, OutboxLimits {
  /** How long a change waits for others before the routes are calculated. */
  readonly recalculateMs: Millis;
  /** From one calculation to the next at least: a layer that is never calm is not to take all the processor's time. */
  readonly recalculatePauseMs: Millis;
  /** How long an announcement that says nothing new waits for others, among ours. */
  readonly gatherMs: Millis;
  /** A management flow carries something at least this often. */
  readonly repeatMs: Millis;
  /** Wrong words of others about links of this member that are contradicted in a second. */
  readonly contradictionsPerSecond: number;
  /** How long a prototype is given to take note of a new flow before it is made to calculate its routes. */
  readonly cureMs: Millis;
}

const linkStateLimits: LinkStateLimits = {
  ...outboxLimits,
  entriesMax: 65_536,
  entriesOfSourceMax: 4096,
  recalculateMs: 2,
  recalculatePauseMs: 10,
  gatherMs: 200,
  repeatMs: 15_000,
  contradictionsPerSecond: 16,
  cureMs: 1000,
};

const counterNames = [
  'messagesIn',
  'keepalivesIn',
  'acknowledgementsIn',
  'updatesAccepted',
  'updatesKnown',
  'updatesOld',
  'updatesContradicted',
  'agedOut',
  'calculations',
  'cures',
  'repeats',
  'droppedUnknownFlow',
  'droppedUnknownKind',
  'droppedMalformed',
  'droppedImplausible',
  'droppedExpired',
  'droppedNoRoom',
  'droppedContradiction',
] as const;
type Counter = (typeof counterNames)[number];

export interface LinkStateOptions<Flow extends ManagementFlow> {
  readonly address: Address;
  readonly policy: RoutingPolicy;
  /** Longest time from a change to the calculation of the routes, in s. */
  readonly tRecalc: number;
  /** How often own links are announced, in s. */
  readonly tUpdate: number;
  /** Life of a link that is not announced, in s. */
  readonly tTimeo: number;
  readonly port: RoutingPort<Flow>;
  /** A random number of 32 bits. */
  readonly random: () => number;
  readonly limits?: Partial<LinkStateLimits>;
}

/** An entry as people see it. */
export interface DatabaseRow {
  readonly source: Address;
  readonly destination: Address;
  readonly seqno: number;
  /** Since its source said so, in ms. */
  readonly ageMs: Millis;
  readonly isWithdrawn: boolean;
  /** Longest message of the link, in bytes; undefined if not known. */
  readonly maxMessageBytes: number | undefined;
}

export interface NeighbourRow {
  readonly address: Address;
  readonly component: 'dt' | 'mgmt';
}

/** Pairs that served to make prototypes calculate, remembered to be known again. */
const markersMax = 64;
/** How much longer than the announcements of a link its lifetime is at least, in ms (unicast-layer.md 6.6). */
const lifetimeMarginMs = 2000;
/** On a long way, too, an announcement comes about once an interval: it waits for others only so small a part of that. */
const gathersOfInterval = 64;
/** The prototype counts in whole seconds, and its messages take their time. */
const tickMarginMs = 2000;
/** Cures are due at multiples of this, in ms, so that few of them wait. */
const cureSpacingMs = 1000;

/** How an entry is passed on. */
interface Flood<Flow extends ManagementFlow> {
  /** It changes what others know of the link, beyond that it is still there. */
  readonly isNews: boolean;
  readonly isNewNumber: boolean;
  /** The flow it came in on. */
  readonly from?: Outbox<Flow>;
}

export class LinkState<Flow extends ManagementFlow> implements Deadlines {
  readonly #self: Address;
  readonly #port: RoutingPort<Flow>;
  readonly #random: () => number;
  readonly #limits: LinkStateLimits;
  readonly #recalculateMaxMs: Millis;
  readonly #updateMs: Millis;
  readonly #gatherMs: Millis;
  readonly #timeoutMs: Millis;
  /** How long a withdrawn link is remembered: longer than any older word about it lives. */
  readonly #withdrawnMs: Millis;
  readonly #graph = new Graph();
  readonly #database: LinkDatabase;
  readonly #routes: Routes;
  /** The calculation that found a member last. */
  readonly #members = new Map<Address, number>();
  readonly #outboxes = new Map<Flow, Outbox<Flow>>();
  /** Those that have something to send. */
  readonly #busy = new Set<Outbox<Flow>>();
  readonly #links = new Map<Address, DataTransferLink[]>();
  readonly #counts: Record<Counter, number> = zeroCounts(counterNames);
  readonly #outCounts = { messagesOut: 0, updatesOut: 0, resent: 0 };
  readonly #memory: Buffer;
  readonly #update: LinkUpdate = emptyUpdate();
  /** Announcements of own links so far, less one. */
  #issued = -1;
  #tickAt: Millis;
  #recalculateAt: Millis = never;
  #recalculatedAt: Millis = -never;
  /** When prototypes are to be made to calculate, in order. */
  readonly #curesAt: Millis[] = [];
  readonly #markers = new Set<Address>();
  #contradictions = 0;
  #contradictionsAt: Millis;
  #limit: number | undefined;
  /** The next deadline, unless something happened since. */
  #deadline: Millis | undefined;

  constructor(options: LinkStateOptions<Flow>, now: Millis) {
    this.#self = options.address;
    this.#port = options.port;
    this.#random = options.random;
    this.#limits = { ...linkStateLimits, ...options.limits };
    this.#recalculateMaxMs = options.tRecalc * 1000;
    this.#updateMs = Math.max(1, options.tUpdate) * 1000;
    this.#gatherMs = Math.min(this.#limits.gatherMs, this.#updateMs / gathersOfInterval);
    this.#timeoutMs = Math.max(options.tTimeo * 1000, this.#updateMs + lifetimeMarginMs);
    this.#withdrawnMs = this.#timeoutMs + 2 * this.#updateMs;
    this.#tickAt = now + this.#updateMs;
    this.#contradictionsAt = now;
    this.#memory = Buffer.allocUnsafeSlow(this.#limits.packetBytesMax);
    this.#routes = new Routes(options.policy);
    this.#database = new LinkDatabase(this.#self, this.#graph, this.#limits, (address) =>
      this.#members.has(address),
    );
  }

  get counters(): Readonly<Record<string, number>> {
    return { ...this.#counts, ...this.#outCounts, evicted: this.#database.evictions };
  }

  /** The result of the last calculation. */
  get routes(): RouteList {
    return this.#routes;
  }

  /** Members that have a path, without the member itself. */
  members(): Iterable<Address> {
    return this.#members.keys();
  }

  /** Longest message that every path of the layer carries, as far as the limits of its links are known, in bytes. */
  layerMaxMessageBytes(): number | undefined {
    return this.#limit;
  }

  /** Whether a member is known to be of our kind. */
  isOurs(address: Address): boolean {
    return this.#database.toldLimits(address);
  }

  /** Links to a member; undefined where there is no path. */
  distance(address: Address): number | undefined {
    const distance = this.#routes.paths.distance(this.#graph.vertex(address));
    return distance < 0 || !this.#members.has(address) ? undefined : distance;
  }

  /** Where packets to each member leave, as of the last calculation. */
  *ways(): Generator<Way, void, void> {
    const routes = this.#routes;
    for (let index = 0; index < routes.size; index += 1) {
      const address = routes.destination(index);
      const links = this.distance(address);
      if (links === undefined) continue;
      const via = Array.from({ length: routes.hopCount(index) }, (_, number) => routes.hop(index, number));
      yield { address, links, via };
    }
  }

  database(now: Millis): DatabaseRow[] {
    return this.#database.entries.toSorted(inOrder).map((entry) => ({
      source: entry.source,
      destination: entry.destination,
      seqno: entry.seqno,
      ageMs: now - entry.stampedAt,
      isWithdrawn: entry.isWithdrawn,
      maxMessageBytes: entry.maxMessageBytes === 0 ? undefined : entry.maxMessageBytes,
    }));
  }

  /** Links known of. */
  get databaseSize(): number {
    return this.#database.entries.length;
  }

  neighbours(): NeighbourRow[] {
    const managed = new Set([...this.#outboxes.keys()].map(({ peer }) => peer));
    return [
      ...[...this.#links.keys()].map((address) => ({ address, component: 'dt' }) as const),
      ...[...managed].map((address) => ({ address, component: 'mgmt' }) as const),
    ];
  }

  /** Whether everything known was sent, and acknowledged where that is done. */
  get isQuiet(): boolean {
    for (const outbox of this.#outboxes.values()) if (outbox.size > 0 || outbox.underWay > 0) return false;
    return this.#recalculateAt === never;
  }

  managementUp(flow: Flow, now: Millis): void {
    for (const outbox of this.#outboxes.values()) if (outbox.flow.peer === flow.peer) outbox.retire();
    const send = (to: Flow, message: Buffer): void => this.#port.send(to, message);
    const outbox = new Outbox(flow, this.#limits, this.#outCounts, this.#memory, send, now);
    this.#outboxes.set(flow, outbox);
    this.#begin(outbox, now);
    this.#settle(now);
  }

  /** A management flow carries again: what was sent meanwhile is lost. */
  managementBack(flow: Flow, now: Millis): void {
    const outbox = this.#outboxes.get(flow);
    if (outbox === undefined) return;
    outbox.sendAgain(now);
    this.#busy.add(outbox);
    this.#settle(now);
  }

  managementDown(flow: Flow, now: Millis): void {
    const outbox = this.#outboxes.get(flow);
    if (outbox === undefined) return;
    this.#outboxes.delete(flow);
    this.#busy.delete(outbox);
    const other = [...this.#outboxes.values()].findLast(({ flow: { peer } }) => peer === flow.peer);
    if (outbox.isInUse && other !== undefined) {
      other.isInUse = true;
      this.#sendAll(other, now);
    }
    this.#settle(now);
  }

  linkUp(link: DataTransferLink, now: Millis): void {
    const { peer } = link;
    const links = this.#links.get(peer);
    if (links === undefined) this.#links.set(peer, [link]);
    else links.push(link);
    if (links === undefined || links.at(-2)?.maxMessageBytes !== link.maxMessageBytes)
      this.#announce(peer, now);
    // It may have kept the link that was before, and then goes on using the flow that is dead (6.9, 6.10).
    const listed = this.#database.find(peer, this.#self);
    if (!link.isExtended && listed?.isWithdrawn === false) this.#cureAt(now + this.#limits.cureMs);
    this.#settle(now);
  }

  linkDown(link: DataTransferLink, now: Millis): void {
    const { peer } = link;
    const links = this.#links.get(peer);
    const index = links?.indexOf(link) ?? -1;
    if (links === undefined || index < 0) return;
    const used = links.at(-1);
    links.splice(index, 1);
    const uses = links.at(-1);
    if (uses === undefined) {
      this.#links.delete(peer);
      this.#withdraw(peer, -1, now);
      // Prototypes still believe the last announcement for that long, and calculate nothing when they no longer do.
      this.#cureAt(now + this.#timeoutMs + this.#updateMs + tickMarginMs);
    } else if (uses.maxMessageBytes !== used?.maxMessageBytes) {
      this.#announce(peer, now);
    }
    this.#settle(now);
  }

  /** Takes a message of a management flow. */
  receive(flow: Flow, memory: Buffer, start: number, end: number, now: Millis): void {
    const outbox = this.#outboxes.get(flow);
    if (outbox === undefined) return this.#count('droppedUnknownFlow');
    const length = end - start;
    if (length === 0) return this.#count('keepalivesIn');
    this.#counts.messagesIn += 1;
    if (length === lsuBytes) {
      if (readLsu(memory, start, this.#update)) this.#learn(outbox, now);
      else this.#count('droppedImplausible');
    } else if (flow.isExtended && memory[start] === packetKind.updates) {
      this.#receiveUpdates(outbox, memory, start, end, now);
    } else if (flow.isExtended && memory[start] === packetKind.acknowledgement) {
      this.#count('acknowledgementsIn');
      const acknowledged = (number: number): void => outbox.acknowledged(number, now);
      if (!readAcknowledgement(memory, start, end, acknowledged)) this.#count('droppedMalformed');
      this.#busy.add(outbox);
    } else {
      return this.#count('droppedUnknownKind');
    }
    this.#settle(now);
  }

  nextDeadline(): Millis {
    if (this.#deadline !== undefined) return this.#deadline;
    let earliest = Math.min(this.#tickAt, this.#recalculateAt, this.#curesAt[0] ?? never);
    for (const outbox of this.#outboxes.values()) {
      earliest = Math.min(earliest, outbox.nextDeadline(), this.#repeatAt(outbox));
    }
    this.#deadline = earliest;
    return earliest;
  }

  advance(now: Millis): void {
    if (this.#tickAt <= now) this.#tick(now);
    for (const outbox of this.#outboxes.values()) {
      this.#begin(outbox, now);
      if (outbox.nextDeadline() <= now) this.#busy.add(outbox);
      if (this.#repeatAt(outbox) <= now) this.#repeat(outbox, now);
    }
    const due = this.#curesAt.findLastIndex((at) => at <= now) + 1;
    if (due > 0) {
      this.#curesAt.splice(0, due);
      this.#cure(now);
    }
    if (this.#recalculateAt <= now) this.#recalculate(now);
    this.#settle(now);
  }

  #count(reason: Counter): void {
    this.#counts[reason] += 1;
  }

  /** Ends whatever happened: sends what is to be sent. */
  #settle(now: Millis): void {
    this.#deadline = undefined;
    for (const outbox of this.#busy) outbox.flush(now);
    this.#busy.clear();
  }

  #receiveUpdates(outbox: Outbox<Flow>, memory: Buffer, start: number, end: number, now: Millis): void {
    const count = updatesIn(start, end);
    if (count === undefined) return this.#count('droppedMalformed');
    for (let index = 0; index < count; index += 1) {
      if (readUpdateRecord(memory, start, index, this.#update)) this.#learn(outbox, now);
      else this.#count('droppedImplausible');
    }
    outbox.received(updatesNumber(memory, start), now);
    this.#busy.add(outbox);
  }

  /** Judges the update that was read. */
  #learn(from: Outbox<Flow>, now: Millis): void {
    const { source, destination, seqno, state, age } = this.#update;
    if (source === this.#self) return this.#learnOfSelf(from, now);
    const isWithdrawn = state === updateState.withdrawn;
    if (age * 1000 > (isWithdrawn ? this.#withdrawnMs : this.#timeoutMs))
      return this.#count('droppedExpired');
    const known = this.#database.find(source, destination);
    if (known !== undefined && (seqno < known.seqno || (seqno === known.seqno && state <= known.state))) {
      return this.#learnNothing(from, known, now);
    }
    const entry = known ?? this.#database.add(source, destination);
    if (entry === undefined) return this.#count('droppedNoRoom');
    this.#count('updatesAccepted');
    const isNewNumber = known === undefined || seqno > known.seqno;
    const hasLimit = state === updateState.detailed;
    const isNews =
      known === undefined ||
      isWithdrawn ||
      known.isWithdrawn ||
      (hasLimit && known.maxMessageBytes !== this.#update.maxMessageBytes);
    // The same announcement with more words is as old as it was.
    this.#put(entry, seqno, state, isNewNumber ? now - age * 1000 : entry.stampedAt, now);
    if (hasLimit) this.#setLimit(entry, this.#update.maxMessageBytes, now);
    this.#flood(entry, { isNews, isNewNumber, from }, now);
  }

  /** The peer has what is known already, or something older. */
  #learnNothing(from: Outbox<Flow>, entry: LinkEntry, now: Millis): void {
    const { seqno, state, source } = this.#update;
    const { peer, isExtended } = from.flow;
    if (seqno === entry.seqno && (state === entry.state || (!isExtended && !entry.isWithdrawn))) {
      this.#count('updatesKnown');
      return from.isKnown(entry);
    }
    this.#count('updatesOld');
    if (isExtended) from.add(entry, now);
    // A prototype whose link came again counts from 0 and is not heard before it is past the old number (6.5). It goes
    // on above any number it is told.
    else if (source === peer && seqno < entry.seqno) from.answer(entry);
    this.#busy.add(from);
  }

  /** Somebody repeats what this member said once, or says what it never did. */
  #learnOfSelf(from: Outbox<Flow>, now: Millis): void {
    const { destination, seqno, state } = this.#update;
    if (this.#markers.has(destination)) return this.#count('updatesKnown');
    const entry = this.#database.find(this.#self, destination);
    if (entry !== undefined && seqno < entry.seqno) return this.#learnNothing(from, entry, now);
    const isOurs = this.#links.has(destination);
    const isTrue = isOurs === (state !== updateState.withdrawn);
    if (isTrue && entry?.seqno === seqno) return this.#learnNothing(from, entry, now);
    // The next announcement goes on above it.
    if (entry !== undefined) entry.seqno = seqno;
    if (isTrue) return this.#count('updatesKnown');
    if (!this.#mayContradict(now)) return this.#count('droppedContradiction');
    this.#count('updatesContradicted');
    if (isOurs) this.#announce(destination, now, seqno);
    else this.#withdraw(destination, seqno, now);
  }

  /** Wrong words come once from an error, and without end from an enemy or from a second member of the same address. */
  #mayContradict(now: Millis): boolean {
    if (now >= this.#contradictionsAt + 1000) {
      this.#contradictions = 0;
      this.#contradictionsAt = now;
    }
    this.#contradictions += 1;
    return this.#contradictions <= this.#limits.contradictionsPerSecond;
  }

  /**
   * Announces a link of this member with a new number, above all that were used before and above `seqno`. Numbers are
   * counted for all links together: one that comes again goes on above its old number though nobody remembers that.
   */
  #announce(peer: Address, now: Millis, seqno = -1): void {
    const entry = this.#database.find(this.#self, peer) ?? this.#database.add(this.#self, peer);
    const limit = this.#links.get(peer)?.at(-1)?.maxMessageBytes ?? 0;
    if (entry === undefined) return;
    const number = this.#nextNumber(entry, seqno);
    const state = limit > 0 ? updateState.detailed : updateState.announced;
    const isNews = seqno >= 0 || entry.isWithdrawn || entry.maxMessageBytes !== limit;
    this.#put(entry, number, state, now, now);
    this.#setLimit(entry, limit, now);
    this.#flood(entry, { isNews, isNewNumber: true }, now);
  }

  /** Takes a link of this member back, with a number above `seqno`. Prototypes are not told: they have no word for it. */
  #withdraw(peer: Address, seqno: number, now: Millis): void {
    const entry = this.#database.find(this.#self, peer) ?? this.#database.add(this.#self, peer);
    if (entry === undefined) return;
    this.#put(entry, this.#nextNumber(entry, seqno), updateState.withdrawn, now, now);
    this.#flood(entry, { isNews: true, isNewNumber: true }, now);
  }

  #nextNumber(entry: LinkEntry, seqno: number): number {
    this.#issued += 1;
    return Math.min(Number.MAX_SAFE_INTEGER, Math.max(this.#issued, seqno + 1, entry.seqno + 1));
  }

  #put(entry: LinkEntry, seqno: number, state: LinkUpdate['state'], stampedAt: Millis, now: Millis): void {
    if (this.#database.set(entry, seqno, state, stampedAt)) this.#recalculateSoon(now);
  }

  #setLimit(entry: LinkEntry, maxMessageBytes: number, now: Millis): void {
    if (entry.maxMessageBytes === maxMessageBytes) return;
    entry.maxMessageBytes = maxMessageBytes;
    this.#recalculateSoon(now);
  }

  /** Passes an entry on to all neighbours but the one it came from. What has no new number is nothing new to an LSU. */
  #flood(entry: LinkEntry, { isNews, isNewNumber, from }: Flood<Flow>, now: Millis): void {
    const leaveAt = isNews ? now : now + this.#gatherMs;
    for (const outbox of this.#outboxes.values()) {
      if (outbox.flow.peer === from?.flow.peer) {
        outbox.isKnown(entry);
      } else if (isNewNumber || outbox.flow.isExtended) {
        outbox.add(entry, leaveAt);
        this.#busy.add(outbox);
      }
    }
  }

  /** Sends the whole database once the settling time of a flow is over. */
  #begin(outbox: Outbox<Flow>, now: Millis): void {
    if (outbox.isReady || outbox.flow.readyAt > now) return;
    outbox.isReady = true;
    outbox.lastSentAt = now;
    this.#sendAll(outbox, now);
  }

  #sendAll(outbox: Outbox<Flow>, now: Millis): void {
    outbox.addAll(this.#database.entries, now);
    this.#busy.add(outbox);
  }

  #tick(now: Millis): void {
    // After a long sleep one tick does for all that were missed.
    this.#tickAt += this.#updateMs * (1 + Math.floor((now - this.#tickAt) / this.#updateMs));
    for (const peer of [...this.#links.keys()].toSorted((a, b) => a - b)) this.#announce(peer, now);
    let aged = false;
    for (const entry of [...this.#database.entries]) {
      const lifetime = entry.isWithdrawn ? this.#withdrawnMs : this.#timeoutMs;
      if (now <= entry.stampedAt + lifetime || (entry.source === this.#self && !entry.isWithdrawn)) continue;
      if (this.#database.remove(entry)) {
        aged = true;
        this.#recalculateSoon(now);
      }
      if (!entry.isWithdrawn) this.#count('agedOut');
    }
    if (!aged) return;
    // Prototypes remove it within one interval, and calculate nothing (6.10).
    this.#cure(now);
    this.#cureAt(now + this.#updateMs + tickMarginMs);
  }

  #repeatAt(outbox: Outbox<Flow>): Millis {
    // What waits breaks the silence just as well.
    const isSilent = outbox.isReady && outbox.isInUse && outbox.size === 0;
    return isSilent ? outbox.lastSentAt + this.#limits.repeatMs : never;
  }

  /** Says something on a flow that was silent, where a keepalive would stop a prototype's routing (6.10). */
  #repeat(outbox: Outbox<Flow>, now: Millis): void {
    this.#count('repeats');
    if (outbox.flow.isExtended) return outbox.sendEmpty(now);
    const { peer } = outbox.flow;
    const entry = this.#database.entries.find(({ isWithdrawn, source }) => !isWithdrawn && source !== peer);
    const [marker] = this.#markers;
    if (entry !== undefined) outbox.sendLsu(entry.destination, entry.source, entry.seqno, now);
    else outbox.sendLsu(marker ?? this.#newMarker(), this.#self, 0, now);
  }

  /** Has prototypes calculate, and again an interval later: either message may be lost. */
  #cureAt(at: Millis): void {
    for (const each of [at, at + this.#updateMs]) {
      const due = Math.ceil(each / cureSpacingMs) * cureSpacingMs;
      if (!this.#curesAt.includes(due)) this.#curesAt.push(due);
    }
    this.#curesAt.sort((a, b) => a - b);
  }

  /** Makes prototypes calculate their routes, by an announcement of a link that never was (6.10). */
  #cure(now: Millis): void {
    const outboxes = [...this.#outboxes.values()].filter(
      ({ flow, isReady, isInUse }) => !flow.isExtended && isReady && isInUse,
    );
    if (outboxes.length === 0) return;
    this.#count('cures');
    const marker = this.#newMarker();
    for (const outbox of outboxes) outbox.sendLsu(marker, this.#self, 0, now);
  }

  #newMarker(): Address {
    let marker = this.#random();
    while (marker === 0 || marker === this.#self || this.#graph.vertex(marker) >= 0) marker = this.#random();
    const [oldest] = this.#markers;
    if (this.#markers.size >= markersMax && oldest !== undefined) this.#markers.delete(oldest);
    this.#markers.add(marker);
    return marker;
  }

  #recalculateSoon(now: Millis): void {
    const { recalculateMs, recalculatePauseMs } = this.#limits;
    const at = Math.max(now + recalculateMs, this.#recalculatedAt + recalculatePauseMs);
    this.#recalculateAt = Math.min(this.#recalculateAt, at, now + this.#recalculateMaxMs);
  }

  #recalculate(now: Millis): void {
    this.#recalculateAt = never;
    this.#recalculatedAt = now;
    this.#count('calculations');
    const calculation = this.#counts.calculations;
    // Among equals the link learned last comes first (6.8).
    this.#routes.calculate(this.#graph, this.#self, [...this.#links.keys()].toReversed());
    const { size } = this.#routes;
    const found: Address[] = [];
    for (let index = 0; index < size; index += 1) {
      const address = this.#routes.destination(index);
      if (!this.#members.has(address)) found.push(address);
      this.#members.set(address, calculation);
    }
    const lost: Address[] = [];
    for (const [address, last] of this.#members) {
      if (last === calculation) continue;
      this.#members.delete(address);
      lost.push(address);
    }
    this.#limit = this.#database.smallestLimit();
    this.#port.routesChanged(this.#routes);
    for (const address of lost) this.#port.reachable(address, false);
    for (const address of found) this.#port.reachable(address, true);
  }
}
