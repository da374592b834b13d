/**
 * The members that a directory can speak to. Where they are more than it keeps, these are many near its own id and few far
 * away. Source: unicast-layer.md 7.4.
 */
import type { Millis } from '../../../../lib/time/clock.ts';
import type { Address } from '../../address.ts';
import { compareDistance, sharedBits } from './distance.ts';
import type { Peer } from './message.ts';

export interface Contact extends Peer {
  /** What it speaks besides; 0 of a prototype. */
  extensions: number;
  heardAt: Millis;
  /** Requests in a row that it left unanswered. */
  failures: number;
  /** First bytes of the id as a number, to compare distances by. */
  readonly head: number;
  /** Leading bits it shares with the own id. */
  readonly bucket: number;
}

/** Ours say so in every message. */
export function isPrototype(contact: Contact): boolean {
  return contact.extensions === 0;
}

export class Contacts {
  readonly #ownId: Buffer;
  readonly #max: number;
  readonly #isReachable: (address: Address) => boolean;
  readonly #byId = new Map<string, Contact>();
  readonly #byAddress = new Map<Address, Contact>();
  readonly #buckets: Set<Contact>[] = [];

  constructor(ownId: Buffer, max: number, isReachable: (address: Address) => boolean) {
    this.#ownId = ownId;
    this.#max = max;
    this.#isReachable = isReachable;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** All of them, reachable or not. */
  values(): Iterable<Contact> {
    return this.#byId.values();
  }

  *reachable(): Iterable<Contact> {
    for (const contact of this.#byId.values()) if (this.#isReachable(contact.address)) yield contact;
  }

  *prototypes(): Iterable<Contact> {
    for (const contact of this.reachable()) if (isPrototype(contact)) yield contact;
  }

  get isAlone(): boolean {
    return this.reachable()[Symbol.iterator]().next().done === true;
  }

  get(address: Address): Contact | undefined {
    return this.#byAddress.get(address);
  }

  withId(id: Buffer): Contact | undefined {
    return this.#byId.get(id.toString('latin1'));
  }

  /**
   * Notes a message of a member. Returns its contact, undefined where there is no room for one so far away, and whether
   * it is new: a member with another id or address than before is another one.
   */
  heard(peer: Peer, extensions: number, now: Millis): { contact: Contact | undefined; isNew: boolean } {
    const name = peer.id.toString('latin1');
    const known = this.#byId.get(name);
    if (known?.address === peer.address) {
      known.extensions = extensions;
      known.heardAt = now;
      known.failures = 0;
      return { contact: known, isNew: false };
    }
    if (known !== undefined) this.remove(known);
    const before = this.#byAddress.get(peer.address);
    if (before !== undefined) this.remove(before);
    // Of its own, so that a message is not kept for the sake of an id in it.
    const id = Buffer.alloc(peer.id.length);
    peer.id.copy(id);
    const contact: Contact = {
      id,
      address: peer.address,
      extensions,
      heardAt: now,
      failures: 0,
      head: id.readUInt32BE(0),
      bucket: sharedBits(id, this.#ownId),
    };
    if (this.#byId.size >= this.#max && !this.#makeRoom(contact)) {
      return { contact: undefined, isNew: false };
    }
    this.#byId.set(name, contact);
    this.#byAddress.set(contact.address, contact);
    while (this.#buckets.length <= contact.bucket) this.#buckets.push(new Set());
    this.#buckets[contact.bucket]?.add(contact);
    return { contact, isNew: true };
  }

  remove(contact: Contact): void {
    if (this.#byAddress.get(contact.address) !== contact) return;
    this.#byAddress.delete(contact.address);
    this.#byId.delete(contact.id.toString('latin1'));
    this.#buckets[contact.bucket]?.delete(contact);
  }

  /** The reachable contacts nearest to a key, the nearest first. */
  closest(key: Buffer, count: number): Contact[] {
    const head = key.readUInt32BE(0);
    const found: Contact[] = [];
    for (const contact of this.reachable()) {
      let at = found.length;
      while (at > 0) {
        const other = found[at - 1];
        if (other === undefined || compareContacts(other, contact, key, head) <= 0) break;
        at -= 1;
      }
      if (at >= count) continue;
      found.splice(at, 0, contact);
      if (found.length > count) found.pop();
    }
    return found;
  }

  /** How many reachable contacts are nearer to a key than an id; counting stops at `enough`. */
  countNearer(key: Buffer, id: Buffer, enough: number): number {
    const head = (id.readUInt32BE(0) ^ key.readUInt32BE(0)) >>> 0;
    const keyHead = key.readUInt32BE(0);
    let count = 0;
    for (const contact of this.#byId.values()) {
      const distance = (contact.head ^ keyHead) >>> 0;
      if (distance > head || !this.#isReachable(contact.address)) continue;
      if (distance === head && compareDistance(contact.id, id, key) >= 0) continue;
      count += 1;
      if (count >= enough) break;
    }
    return count;
  }

  /** Buckets, by shared bits, up to the nearest that has anybody in it, in which nobody was heard since a time. */
  silentBuckets(since: Millis): number[] {
    const silent: number[] = [];
    let last = this.#buckets.length;
    while (last > 0 && this.#buckets[last - 1]?.size === 0) last -= 1;
    for (let bucket = 0; bucket < last; bucket += 1) {
      const heard = [...(this.#buckets[bucket] ?? [])].some((contact) => contact.heardAt > since);
      if (!heard) silent.push(bucket);
    }
    return silent;
  }

  /** Contacts of each bucket, the farthest first. */
  bucketSizes(): number[] {
    return this.#buckets.map((bucket) => bucket.size);
  }

  /** Drops contacts without a route that nobody has heard since a time. */
  dropAbsent(since: Millis): void {
    for (const contact of [...this.#byId.values()]) {
      if (contact.heardAt <= since && !this.#isReachable(contact.address)) this.remove(contact);
    }
  }

  /**
   * Makes room for a contact of a bucket: who has no route goes first, then the most silent of the fullest bucket. Near
   * buckets have few members, so those are never the ones to go. In a full bucket the old stay, as they did before.
   */
  #makeRoom({ address, bucket }: Contact): boolean {
    let absent: Contact | undefined;
    for (const contact of this.#byId.values()) {
      if (this.#isReachable(contact.address)) continue;
      if (absent === undefined || contact.heardAt < absent.heardAt) absent = contact;
    }
    if (absent !== undefined) {
      this.remove(absent);
      return true;
    }
    // Anybody can claim an address; only who has a route takes the place of one who has.
    if (!this.#isReachable(address)) return false;
    let fullest = 0;
    for (const [at, { size }] of this.#buckets.entries()) {
      if (size > (this.#buckets[fullest]?.size ?? 0)) fullest = at;
    }
    const candidates = this.#buckets[fullest];
    if (candidates === undefined || (this.#buckets[bucket]?.size ?? 0) >= candidates.size) return false;
    let silent: Contact | undefined;
    for (const contact of candidates) {
      if (silent === undefined || contact.heardAt < silent.heardAt) silent = contact;
    }
    if (silent !== undefined) this.remove(silent);
    return silent !== undefined;
  }
}

function compareContacts(a: Contact, b: Contact, key: Buffer, head: number): number {
  const difference = ((a.head ^ head) >>> 0) - ((b.head ^ head) >>> 0);
  return difference === 0 ? compareDistance(a.id, b.id, key) : difference;
}
