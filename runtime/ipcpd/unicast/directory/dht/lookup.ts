/**
 * A look-up: asks the members nearest to a key, and those that they name, until the nearest of all have answered.
 * Source: unicast-layer.md 7.8, 7.13.
 */
import { type Address, noAddress } from '../../address.ts';
import { compareDistance } from './distance.ts';
import type { Peer } from './message.ts';

export interface LookupOptions {
  readonly key: Buffer;
  /** How many of the nearest must have answered. */
  readonly width: number;
  /** Requests under way at once, those that are overdue not counted. */
  readonly parallel: number;
  readonly askedMax: number;
  readonly candidatesMax: number;
}

/** `late` is overdue: others are asked in its place, and its answer is still welcome. */
type State = 'fresh' | 'asked' | 'late' | 'answered' | 'failed';

interface Candidate {
  readonly address: Address;
  /** Undefined of one that is asked without being known, or whatever its distance. */
  readonly id: Buffer | undefined;
  state: State;
}

export class Lookup {
  readonly key: Buffer;
  readonly #options: LookupOptions;
  readonly #byAddress = new Map<Address, Candidate>();
  /** The nearest first. */
  readonly #near: Candidate[] = [];
  /** Asked besides, whatever their distance, once the nearest have answered. */
  readonly #others: Candidate[] = [];
  #asked = 0;

  constructor(options: LookupOptions) {
    this.key = options.key;
    this.#options = options;
  }

  /** Adds somebody to ask. */
  add(peer: Peer): void {
    if (this.#byAddress.has(peer.address)) return;
    let at = this.#near.length;
    while (at > 0) {
      const id = this.#near[at - 1]?.id;
      if (id === undefined || compareDistance(id, peer.id, this.key) <= 0) break;
      at -= 1;
    }
    if (at >= this.#options.candidatesMax) return;
    const candidate: Candidate = { address: peer.address, id: peer.id, state: 'fresh' };
    this.#near.splice(at, 0, candidate);
    this.#byAddress.set(peer.address, candidate);
    const last = this.#near.at(-1);
    if (this.#near.length > this.#options.candidatesMax && last?.state === 'fresh') {
      this.#near.pop();
      this.#byAddress.delete(last.address);
    }
  }

  /** Adds somebody to ask after the nearest. */
  addOther(address: Address): void {
    if (address === noAddress || this.#others.length >= this.#options.candidatesMax) return;
    const near = this.#byAddress.get(address);
    if (near !== undefined && near.state !== 'fresh') return;
    if (this.#others.some((one) => one.address === address)) return;
    const candidate: Candidate = near ?? { address, id: undefined, state: 'fresh' };
    this.#byAddress.set(address, candidate);
    this.#others.push(candidate);
  }

  /** The next to ask; undefined when none is to be asked now. Whoever is returned counts as asked. */
  next(): Address | undefined {
    if (this.#asked >= this.#options.askedMax) return undefined;
    const candidate = this.#nextNear() ?? this.#nextOther();
    if (candidate === undefined) return undefined;
    candidate.state = 'asked';
    this.#asked += 1;
    return candidate.address;
  }

  /** A member answered; `peer` tells its id, which may not have been known. */
  answered(peer: Peer): void {
    const candidate = this.#byAddress.get(peer.address);
    if (candidate === undefined) return;
    if (candidate.id !== undefined && candidate.id.equals(peer.id)) {
      candidate.state = 'answered';
      return;
    }
    // It was not known, or is another than it was.
    candidate.state = 'failed';
    this.#byAddress.delete(peer.address);
    this.add(peer);
    const same = this.#byAddress.get(peer.address);
    if (same === undefined) this.#byAddress.set(peer.address, candidate);
    else same.state = 'answered';
  }

  late(address: Address): void {
    const candidate = this.#byAddress.get(address);
    if (candidate?.state === 'asked') candidate.state = 'late';
  }

  failed(address: Address): void {
    const candidate = this.#byAddress.get(address);
    if (candidate !== undefined) candidate.state = 'failed';
  }

  /** Nobody is left to ask or to wait for, or the nearest have all answered. */
  get isComplete(): boolean {
    const exhausted = this.#asked >= this.#options.askedMax;
    return this.#isNearDone(exhausted) && this.#isOthersDone(exhausted);
  }

  /** Those who answered, the nearest first, at most as many as were wanted. */
  closest(): Peer[] {
    const found: Peer[] = [];
    for (const { id, address, state } of this.#near) {
      if (state === 'answered' && id !== undefined) found.push({ id, address });
      if (found.length >= this.#options.width) break;
    }
    return found;
  }

  #nextNear(): Candidate | undefined {
    let inFlight = 0;
    let seen = 0;
    let next: Candidate | undefined;
    for (const candidate of this.#near) {
      if (seen >= this.#options.width) break;
      if (candidate.state === 'failed' || candidate.state === 'late') continue;
      seen += 1;
      if (candidate.state === 'asked') inFlight += 1;
      else if (candidate.state === 'fresh') next ??= candidate;
    }
    return inFlight < this.#options.parallel ? next : undefined;
  }

  #nextOther(): Candidate | undefined {
    if (!this.#isNearDone(false)) return undefined;
    return this.#others.find(({ state }) => state === 'fresh');
  }

  /** As many as were wanted have answered, nobody nearer is to be asked; where there are fewer, nobody is awaited. */
  #isNearDone(exhausted: boolean): boolean {
    let answered = 0;
    let isLate = false;
    for (const { state } of this.#near) {
      if (answered >= this.#options.width) return true;
      if (state === 'asked' || (state === 'fresh' && !exhausted)) return false;
      if (state === 'answered') answered += 1;
      if (state === 'late') isLate = true;
    }
    return answered >= this.#options.width || !isLate;
  }

  #isOthersDone(exhausted: boolean): boolean {
    return this.#others.every(
      ({ state }) => state === 'answered' || state === 'failed' || (exhausted && state === 'fresh'),
    );
  }
}
