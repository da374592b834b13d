/** The values that a directory keeps for others. Source: unicast-layer.md 7.5, 7.10. */
import type { Millis } from '../../../../lib/time/clock.ts';
import type { Address } from '../../address.ts';

export interface StoredValue {
  /** The name's hash, in hexadecimal. */
  readonly name: string;
  /** Who serves it. */
  readonly address: Address;
  /** Who brought it first. */
  readonly source: Address;
  /** When it ends here; as it was given, in s since 1970. */
  deadline: Millis;
  expires: number;
  /** Which word of the owner this is; 0 of a prototype. */
  version: number;
  /** A tombstone: the owner no longer serves the name, and older words about it are not believed. */
  isWithdrawn: boolean;
}

/** Values looked at for one that can go, so that a full store costs no more than that for each newcomer. */
const idleScanMax = 256;

export interface ValueLimits {
  readonly valuesMax: number;
  readonly valuesOfKeyMax: number;
  readonly valuesOfSourceMax: number;
}

/** What became of a value: `older` when a later word is known, `full` when there is no room for it. */
export type Put = 'new' | 'known' | 'older' | 'full';

export class Values {
  readonly #limits: ValueLimits;
  readonly #isReachable: (address: Address) => boolean;
  /** By name, then by owner. */
  readonly #names = new Map<string, Map<Address, StoredValue>>();
  readonly #owners = new Map<Address, Set<StoredValue>>();
  readonly #sources = new Map<Address, number>();
  #size = 0;
  #withdrawn = 0;

  constructor(limits: ValueLimits, isReachable: (address: Address) => boolean) {
    this.#limits = limits;
    this.#isReachable = isReachable;
  }

  /** Values and tombstones. */
  get size(): number {
    return this.#size;
  }

  get withdrawn(): number {
    return this.#withdrawn;
  }

  /** Names with a value or tombstone. */
  names(): Iterable<string> {
    return this.#names.keys();
  }

  ofName(name: string): Iterable<StoredValue> {
    return this.#names.get(name)?.values() ?? [];
  }

  ofOwner(address: Address): Iterable<StoredValue> {
    return this.#owners.get(address) ?? [];
  }

  *all(): Iterable<StoredValue> {
    for (const values of this.#names.values()) yield* values.values();
  }

  get(name: string, address: Address): StoredValue | undefined {
    return this.#names.get(name)?.get(address);
  }

  /** Owners of a name that can be reached, who was named last in front. */
  addresses(name: string, now: Millis): Address[] {
    const found: Address[] = [];
    for (const value of this.ofName(name)) {
      if (this.#isBelieved(value, now)) found.push(value.address);
    }
    return found.toReversed();
  }

  /** Whether an owner is known to no longer serve a name. */
  isWithdrawn(name: string, address: Address, now: Millis): boolean {
    const value = this.get(name, address);
    return value !== undefined && value.isWithdrawn && value.deadline > now;
  }

  /** Keeps a value; one that is known is prolonged, never shortened (unicast-layer.md 7.5). */
  put(value: Omit<StoredValue, 'isWithdrawn'>, now: Millis): Put {
    const known = this.get(value.name, value.address);
    if (known !== undefined && known.deadline > now) {
      // Copies of a withdrawn value may still come, from prototypes that repeat what they hold for one.
      if (known.isWithdrawn && value.version <= known.version) return 'older';
      const isNew = known.isWithdrawn;
      this.#bury(known, false);
      known.version = Math.max(known.version, value.version);
      if (isNew || value.deadline > known.deadline) {
        known.deadline = value.deadline;
        known.expires = value.expires;
      }
      return isNew ? 'new' : 'known';
    }
    if (known !== undefined) this.#remove(known);
    return this.#add({ ...value, isWithdrawn: false }, now) ? 'new' : 'full';
  }

  /**
   * Notes that an owner no longer serves a name. The tombstone stays as long as copies of the value may be about.
   * Returns whether there was such a value.
   */
  withdraw(value: Omit<StoredValue, 'isWithdrawn'>, now: Millis): boolean {
    const known = this.get(value.name, value.address);
    if (known === undefined || known.deadline <= now) {
      if (known !== undefined) this.#remove(known);
      this.#add({ ...value, isWithdrawn: true }, now);
      return false;
    }
    if (value.version < known.version) return false;
    const was = !known.isWithdrawn;
    this.#bury(known, true);
    known.version = value.version;
    known.deadline = Math.max(known.deadline, value.deadline);
    return was;
  }

  /** Drops all values of an owner. */
  dropOwner(address: Address): void {
    for (const value of [...this.ofOwner(address)]) this.#remove(value);
  }

  drop(value: StoredValue): void {
    if (this.get(value.name, value.address) === value) this.#remove(value);
  }

  /** Drops what has expired. */
  sweep(now: Millis): void {
    for (const value of [...this.all()]) if (value.deadline <= now) this.#remove(value);
  }

  #isBelieved(value: StoredValue, now: Millis): boolean {
    return !value.isWithdrawn && value.deadline > now && this.#isReachable(value.address);
  }

  #add(value: StoredValue, now: Millis): boolean {
    const { valuesMax, valuesOfKeyMax, valuesOfSourceMax } = this.#limits;
    if ((this.#sources.get(value.source) ?? 0) >= valuesOfSourceMax) return false;
    const ofName = this.#names.get(value.name);
    if (ofName !== undefined && ofName.size >= valuesOfKeyMax && !this.#dropIdle(ofName.values(), now)) {
      return false;
    }
    if (this.#size >= valuesMax && !this.#dropIdle(this.all(), now)) return false;
    // The room made may have been the name's last.
    let values = this.#names.get(value.name);
    if (values === undefined) this.#names.set(value.name, (values = new Map()));
    values.set(value.address, value);
    let owned = this.#owners.get(value.address);
    if (owned === undefined) this.#owners.set(value.address, (owned = new Set()));
    owned.add(value);
    this.#sources.set(value.source, (this.#sources.get(value.source) ?? 0) + 1);
    this.#size += 1;
    if (value.isWithdrawn) this.#withdrawn += 1;
    return true;
  }

  /** Drops one that nobody would be told, where one of the oldest is such. */
  #dropIdle(values: Iterable<StoredValue>, now: Millis): boolean {
    let seen = 0;
    for (const value of values) {
      if (!this.#isBelieved(value, now)) {
        this.#remove(value);
        return true;
      }
      if (++seen >= idleScanMax) break;
    }
    return false;
  }

  #bury(value: StoredValue, isWithdrawn: boolean): void {
    if (value.isWithdrawn === isWithdrawn) return;
    value.isWithdrawn = isWithdrawn;
    this.#withdrawn += isWithdrawn ? 1 : -1;
  }

  #remove(value: StoredValue): void {
    const values = this.#names.get(value.name);
    values?.delete(value.address);
    if (values?.size === 0) this.#names.delete(value.name);
    const owned = this.#owners.get(value.address);
    owned?.delete(value);
    if (owned?.size === 0) this.#owners.delete(value.address);
    const left = (this.#sources.get(value.source) ?? 1) - 1;
    if (left === 0) this.#sources.delete(value.source);
    else this.#sources.set(value.source, left);
    this.#size -= 1;
    if (value.isWithdrawn) this.#withdrawn -= 1;
  }
}
