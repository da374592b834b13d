/**
 * What a member knows of all links of its layer: one entry for each directed link. A link counts once both of its
 * directions are here. Source: unicast-layer.md 6.2.
 */
import type { Millis } from '../../../lib/time/clock.ts';
import type { Address } from '../address.ts';
import type { Graph } from './graph.ts';
import { type UpdateState, updateState } from './lsu.ts';

export interface DatabaseLimits {
  /** Entries in all. Links of the member itself come on top. */
  readonly entriesMax: number;
  /** Entries of one source. */
  readonly entriesOfSourceMax: number;
}

export class LinkEntry {
  readonly source: Address;
  readonly destination: Address;
  /** Negative until the first announcement. */
  seqno = -1;
  state: UpdateState = updateState.withdrawn;
  /** Longest message of the link as last heard, in bytes; 0 if never. */
  maxMessageBytes = 0;
  /** When its source said so. */
  stampedAt: Millis = 0;
  /** Its place among all entries; negative once it is out of the database. */
  index: number;

  constructor(source: Address, destination: Address, index: number) {
    this.source = source;
    this.destination = destination;
    this.index = index;
  }

  get isWithdrawn(): boolean {
    return this.state === updateState.withdrawn;
  }
}

/** The order of the prototype's database, by destination and source. */
export function inOrder(a: LinkEntry, b: LinkEntry): number {
  return a.destination - b.destination || a.source - b.source;
}

/** Entries looked at to find one that can make room. */
const looksMax = 64;

export class LinkDatabase {
  readonly #self: Address;
  readonly #graph: Graph;
  readonly #limits: DatabaseLimits;
  readonly #isMember: (address: Address) => boolean;
  readonly #bySource = new Map<Address, Map<Address, LinkEntry>>();
  readonly #entries: LinkEntry[] = [];
  #hand = 0;
  #evictions = 0;

  /** The graph is kept as the entries say; `isMember` tells whether the last calculation found a path to an address. */
  constructor(self: Address, graph: Graph, limits: DatabaseLimits, isMember: (address: Address) => boolean) {
    this.#self = self;
    this.#graph = graph;
    this.#limits = limits;
    this.#isMember = isMember;
  }

  get entries(): readonly LinkEntry[] {
    return this.#entries;
  }

  /** Entries that made room for others. */
  get evictions(): number {
    return this.#evictions;
  }

  find(source: Address, destination: Address): LinkEntry | undefined {
    return this.#bySource.get(source)?.get(destination);
  }

  /** Adds an entry, withdrawn until `set`, for a link that has none; undefined when there is no room. */
  add(source: Address, destination: Address): LinkEntry | undefined {
    if (!this.#makeRoom(source, destination)) return undefined;
    const entry = new LinkEntry(source, destination, this.#entries.length);
    this.#entries.push(entry);
    const ofSource = this.#bySource.get(source);
    if (ofSource === undefined) this.#bySource.set(source, new Map([[destination, entry]]));
    else ofSource.set(destination, entry);
    return entry;
  }

  /** Takes over an update. True when with it a link came to count, or ceased to. */
  set(entry: LinkEntry, seqno: number, state: UpdateState, stampedAt: Millis): boolean {
    entry.seqno = seqno;
    entry.stampedAt = stampedAt;
    if (entry.isWithdrawn === (state === updateState.withdrawn)) {
      entry.state = state;
      return false;
    }
    const was = this.#counts(entry);
    entry.state = state;
    return this.#reconnect(entry, was);
  }

  /** Removes an entry. True when a link ceased to count with it. */
  remove(entry: LinkEntry): boolean {
    const was = this.#counts(entry);
    const last = this.#entries.pop();
    if (last !== undefined && last !== entry) {
      this.#entries[entry.index] = last;
      last.index = entry.index;
    }
    entry.index = -1;
    const ofSource = this.#bySource.get(entry.source);
    ofSource?.delete(entry.destination);
    if (ofSource?.size === 0) this.#bySource.delete(entry.source);
    return this.#reconnect(entry, was);
  }

  /** Smallest of the limits known of links that lead from one member to another; undefined when none is. */
  smallestLimit(): number | undefined {
    let smallest: number | undefined;
    for (const entry of this.#entries) {
      const { maxMessageBytes } = entry;
      if (maxMessageBytes === 0 || (smallest !== undefined && maxMessageBytes >= smallest)) continue;
      if (this.#counts(entry) && this.#isReached(entry)) smallest = maxMessageBytes;
    }
    return smallest;
  }

  /** Whether a member has told the limit of a link of its own: only one of our kind does. */
  toldLimits(source: Address): boolean {
    for (const { maxMessageBytes } of this.#bySource.get(source)?.values() ?? []) {
      if (maxMessageBytes > 0) return true;
    }
    return false;
  }

  #counts(entry: LinkEntry): boolean {
    if (entry.isWithdrawn || entry.index < 0) return false;
    const reverse = this.find(entry.destination, entry.source);
    return reverse !== undefined && !reverse.isWithdrawn;
  }

  #reconnect(entry: LinkEntry, was: boolean): boolean {
    const is = this.#counts(entry);
    if (is && !was) this.#graph.connect(entry.source, entry.destination);
    if (was && !is) this.#graph.disconnect(entry.source, entry.destination);
    return is !== was;
  }

  /**
   * Whether a new entry has room, made if need be. Nobody who sends updates of links that do not exist can push out
   * those that lead to members, nor keep out those of this member itself and of its neighbours.
   */
  #makeRoom(source: Address, destination: Address): boolean {
    if (source === this.#self) return true;
    const ofSource = this.#bySource.get(source);
    if (ofSource !== undefined && ofSource.size >= this.#limits.entriesOfSourceMax) {
      for (const entry of ofSource.values()) if (this.#evict(entry)) return true;
      return this.#isOwnLink(source, destination);
    }
    if (this.#entries.length < this.#limits.entriesMax) return true;
    for (let looks = Math.min(looksMax, this.#entries.length); looks > 0; looks -= 1) {
      this.#hand = (this.#hand + 1) % this.#entries.length;
      const entry = this.#entries[this.#hand];
      if (entry !== undefined && this.#evict(entry)) return true;
    }
    return this.#isOwnLink(source, destination);
  }

  /** Removes an entry that no path to a member needs. */
  #evict(entry: LinkEntry): boolean {
    if (entry.source === this.#self || (this.#counts(entry) && this.#isReached(entry))) return false;
    this.remove(entry);
    this.#evictions += 1;
    return true;
  }

  #isReached({ source, destination }: LinkEntry): boolean {
    return this.#isEnd(source) || this.#isEnd(destination);
  }

  #isEnd(address: Address): boolean {
    return address === this.#self || this.#isMember(address);
  }

  #isOwnLink(source: Address, destination: Address): boolean {
    return destination === this.#self && this.find(this.#self, source)?.isWithdrawn === false;
  }
}
