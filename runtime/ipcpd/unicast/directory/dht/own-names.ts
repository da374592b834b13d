/** The names that this member serves: stored at others, kept alive there, withdrawn. Source: unicast-layer.md 7.7 to 7.13. */
import { type Millis } from '../../../../lib/time/clock.ts';
import type { Address } from '../../address.ts';
import type { Agenda, Task } from './agenda.ts';
import { type Contact, isPrototype } from './contacts.ts';
import type { Deliveries } from './deliveries.ts';
import type { Exchange, Unsigned } from './exchange.ts';
import type { Membership } from './membership.ts';
import { messageCode, type StoreMessage, valueOf, type WithdrawalMessage } from './message.ts';

export interface OwnNamesOptions {
  readonly exchange: Exchange;
  readonly agenda: Agenda;
  readonly membership: Membership;
  readonly deliveries: Deliveries;
  readonly k: number;
  /** Life of a value, and how often it is stored anew. */
  readonly lifeMs: Millis;
  readonly storeMs: Millis;
  /** s since 1970. */
  readonly wallClock: () => number;
}

interface OwnName {
  readonly name: string;
  readonly key: Buffer;
  /** Which word about it this is: later ones have higher numbers. */
  readonly version: number;
  /** Where it was stored, and until when it stays there. */
  readonly holders: Map<Address, Millis>;
  /** When it is stored anew; when it was last, in s since 1970. */
  storeAt: Millis;
  storedAt: number;
  task: Task | undefined;
  /** Who last said that he holds it, and when. */
  acknowledged: { readonly by: Address; readonly at: Millis } | undefined;
}

interface Withdrawn {
  readonly name: string;
  readonly key: Buffer;
  readonly version: number;
  /** Until when copies may be about. */
  readonly until: Millis;
}

/** Prototypes asked whom they list first, when a name is stored in a large layer. */
const listersMax = 8;
/** Repetitions of a delivery: to whom may be a prototype, and acknowledge nothing; and to ours. */
const repeats = 2;
const repeatsToOurs = 4;

export class OwnNames {
  readonly #options: OwnNamesOptions;
  readonly #exchange: Exchange;
  readonly #membership: Membership;
  readonly #deliveries: Deliveries;
  readonly #value: Buffer;
  readonly #names = new Map<string, OwnName>();
  /** Withdrawals for members that cannot be told now, by member and name. */
  readonly #owed = new Map<Address, Map<string, Withdrawn>>();
  #owedCount = 0;
  #version = 0;

  constructor(options: OwnNamesOptions) {
    this.#options = options;
    this.#exchange = options.exchange;
    this.#membership = options.membership;
    this.#deliveries = options.deliveries;
    this.#value = valueOf(options.exchange.self.address);
  }

  get size(): number {
    return this.#names.size;
  }

  /** Withdrawals that wait until somebody can be told. */
  get owed(): number {
    return this.#owedCount;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  keys(): Iterable<string> {
    return this.#names.keys();
  }

  /** At how many members a name is stored, and when that was last done, in s since 1970; undefined of others' names. */
  facts(name: string): { readonly holders: number; readonly storedAt: number } | undefined {
    const own = this.#names.get(name);
    return own && { holders: own.holders.size, storedAt: own.storedAt };
  }

  /** Members at which something is stored. */
  holders(): Set<Address> {
    const found = new Set<Address>();
    for (const { holders } of this.#names.values()) for (const holder of holders.keys()) found.add(holder);
    return found;
  }

  register(key: Buffer, now: Millis): void {
    const name = key.toString('hex');
    if (this.#names.has(name)) return;
    if (this.#names.size >= this.#exchange.limits.namesMax) {
      return this.#exchange.count('refusedTooManyNames');
    }
    const own: OwnName = {
      name,
      key: Buffer.from(key),
      version: this.#nextVersion(),
      holders: new Map(),
      storeAt: now,
      storedAt: 0,
      task: undefined,
      acknowledged: undefined,
    };
    this.#names.set(name, own);
    for (const member of [...this.#owed.keys()]) this.#forgive(member, name);
    this.#store(own, now);
  }

  unregister(key: Buffer, now: Millis): void {
    const name = key.toString('hex');
    const own = this.#names.get(name);
    if (own === undefined) return;
    this.#names.delete(name);
    own.task?.cancel();
    this.#deliveries.recall(name, this.#exchange.self.address);
    const until = now + this.#options.lifeMs;
    const withdrawn: Withdrawn = { name, key: own.key, version: this.#nextVersion(), until };
    for (const [holder, heldUntil] of own.holders) {
      if (heldUntil > now) this.#withdraw(withdrawn, holder, now);
    }
    if (this.#membership.isSmall) return;
    // Holders hand values over to newcomers that are nearer to the key.
    const done = (closest: readonly { readonly address: Address }[], at: Millis): void => {
      if (this.#names.has(name)) return;
      for (const { address } of closest) {
        if (!own.holders.has(address)) this.#withdraw(withdrawn, address, at);
      }
    };
    this.#membership.findNearest(`name ${name}`, { key: own.key, others: [], done }, now);
  }

  /** Somebody holds a name of this member that it does not serve: he is told. */
  disown(key: Buffer, holder: Address, now: Millis): void {
    const until = now + this.#options.lifeMs;
    const withdrawn = {
      name: key.toString('hex'),
      key: Buffer.from(key),
      version: this.#nextVersion(),
      until,
    };
    this.#withdraw(withdrawn, holder, now);
  }

  /** Members can be spoken to that could not before. */
  appeared(contacts: readonly Contact[], now: Millis): void {
    for (const { address } of contacts) this.#payOwed(address, now);
    const { isSmall, contacts: all } = this.#membership;
    for (const own of this.#names.values()) {
      const near = isSmall ? [] : all.closest(own.key, this.#options.k);
      for (const contact of contacts) {
        const isPlace = isSmall || near.includes(contact) || this.#isForPrototype(contact);
        if (isPlace) this.#deliverTo(contact, own, now);
      }
    }
  }

  /** There is no route to a member any more, or it left. */
  lost(address: Address, now: Millis): void {
    if (this.#membership.isSmall) return;
    for (const own of this.#names.values()) if (own.holders.has(address)) this.#repair(own, now);
  }

  /** A member forgot all that it held. */
  forgot(address: Address): void {
    for (const { holders } of this.#names.values()) holders.delete(address);
  }

  /** There is somebody to store at, after there was nobody. */
  joined(now: Millis): void {
    for (const own of this.#names.values()) {
      // Those who were met on the way have been told; in a large layer they are not the nearest to the key.
      if (!this.#membership.isSmall || own.holders.size === 0) this.#store(own, now);
    }
  }

  /** The layer has become a large one: names are no longer looked for at everybody. */
  outgrown(now: Millis): void {
    for (const own of this.#names.values()) this.#repair(own, now);
  }

  /** Forgets holders whose value has expired, and withdrawals that matter no more. */
  sweep(now: Millis): void {
    for (const { holders } of this.#names.values()) {
      for (const [holder, until] of holders) if (until <= now) holders.delete(holder);
    }
    for (const [member, owed] of [...this.#owed]) {
      for (const { name, until } of [...owed.values()]) if (until <= now) this.#forgive(member, name);
    }
  }

  /** Later than all before, also those of an earlier run with the same address. */
  #nextVersion(): number {
    this.#version = Math.max(this.#version + 1, Math.trunc(this.#options.wallClock()) >>> 0);
    return this.#version;
  }

  /** Stores a name anew soon, however much happens meanwhile. */
  #repair(own: OwnName, now: Millis): void {
    const at = now + this.#exchange.spread(this.#exchange.limits.repairMs);
    if (at < own.storeAt) this.#schedule(own, at);
  }

  #schedule(own: OwnName, at: Millis): void {
    own.task?.cancel();
    own.storeAt = at;
    own.task = this.#options.agenda.at(at, (now) => this.#store(own, now));
  }

  /** Stores a name: everywhere in a small layer; otherwise nearest to its key, and where prototypes look for it. */
  #store(own: OwnName, now: Millis): void {
    this.#schedule(own, now + this.#exchange.spread(this.#options.storeMs));
    if (this.#membership.isSmall) {
      const all = [...this.#membership.contacts.reachable()];
      return this.#storeAt(
        all.map(({ address }) => address),
        own,
        now,
      );
    }
    const done = (closest: readonly { readonly address: Address }[], at: Millis): void => {
      if (this.#names.get(own.name) !== own) return;
      const { prototypesStoredMax } = this.#exchange.limits;
      const places = [
        ...closest.map(({ address }) => address),
        ...this.#membership.forPrototypes(prototypesStoredMax),
      ];
      this.#storeAt(places, own, at);
    };
    const others = this.#membership.forPrototypes(listersMax);
    this.#membership.findNearest(`name ${own.name}`, { key: own.key, others, done }, now);
  }

  /** Those that do not have it yet come first: not all may find room. */
  #storeAt(places: readonly Address[], own: OwnName, now: Millis): void {
    const all = [...new Set(places)];
    const old = all.filter((one) => own.holders.has(one));
    const others = all.filter((one) => !own.holders.has(one));
    for (const address of [...others, ...old]) this.#deliver(own, address, now, now);
  }

  /** Stores a name at a member that has just appeared. */
  #deliverTo(contact: Contact, own: OwnName, now: Millis): void {
    const { address: to } = contact;
    const { address: owner } = this.#exchange.self;
    if (this.#deliveries.isUnderWay({ to, name: own.name, owner })) return;
    // What brought it here may be its acknowledgement.
    if (own.acknowledged?.by === to && own.acknowledged.at === now) return;
    this.#deliver(own, to, isPrototype(contact) ? now + this.#exchange.limits.settleMs : now, now);
  }

  /** Sends a member the withdrawals that waited for a route to it. */
  #payOwed(to: Address, now: Millis): void {
    for (const withdrawn of [...(this.#owed.get(to)?.values() ?? [])]) {
      this.#forgive(to, withdrawn.name);
      if (withdrawn.until > now) this.#withdraw(withdrawn, to, now);
    }
  }

  #deliver(own: OwnName, to: Address, after: Millis, now: Millis): void {
    const message = (at: Millis): Unsigned<StoreMessage> => {
      own.holders.set(to, at + this.#options.lifeMs);
      own.storedAt = Math.trunc(this.#options.wallClock());
      const life = Math.round(this.#options.lifeMs / 1000);
      const expires = (own.storedAt + life) >>> 0;
      const { key, version } = own;
      return { code: messageCode.store, key, value: this.#value, expires, life, version };
    };
    const isTaken = this.#deliveries.push(
      {
        to,
        name: own.name,
        owner: this.#exchange.self.address,
        isWithdrawal: false,
        repeats: this.#repeats(own, to),
        message,
        settled: (outcome, at) => {
          if (outcome === 'acknowledged') own.acknowledged = { by: to, at };
          if (outcome !== 'unanswered' || !this.#mayAnswerYet(to, at)) return;
          if (this.#names.get(own.name) === own) this.#deliver(own, to, at, at);
        },
      },
      after,
      now,
    );
    if (!isTaken) this.#repair(own, now);
  }

  #repeats(own: OwnName, to: Address): number {
    const contact = this.#membership.contacts.get(to);
    if (contact === undefined) return repeats;
    if (!isPrototype(contact)) return repeatsToOurs;
    // It forgets nothing.
    return own.holders.has(to) ? 0 : repeats;
  }

  #withdraw(withdrawn: Withdrawn, from: Address, now: Millis): void {
    const contact = this.#membership.contacts.get(from);
    if (contact !== undefined && isPrototype(contact)) return;
    if (!this.#membership.isReachable(from)) return this.#owe(withdrawn, from);
    const { name, key, version } = withdrawn;
    const message = (): Unsigned<WithdrawalMessage> => ({
      code: messageCode.withdrawal,
      key,
      value: this.#value,
      version,
    });
    this.#deliveries.push(
      {
        to: from,
        name,
        owner: this.#exchange.self.address,
        isWithdrawal: true,
        repeats: repeatsToOurs,
        message,
        settled: (outcome, at) => {
          if (outcome === 'acknowledged') return;
          if (outcome === 'unanswered' && this.#mayAnswerYet(from, at)) this.#withdraw(withdrawn, from, at);
          else this.#owe(withdrawn, from);
        },
      },
      now,
      now,
    );
  }

  /** Notes that a member did not acknowledge; false of one that does so no more, or never does. */
  #mayAnswerYet(to: Address, now: Millis): boolean {
    const { contacts } = this.#membership;
    const contact = contacts.get(to);
    if (contact === undefined || isPrototype(contact)) return false;
    this.#membership.unanswered(to, now);
    return contacts.get(to) === contact;
  }

  #owe(withdrawn: Withdrawn, to: Address): void {
    if (this.#names.has(withdrawn.name)) return;
    if (this.#owedCount >= this.#exchange.limits.owedMax) {
      const [oldest] = this.#owed;
      const [name] = oldest?.[1].keys() ?? [];
      if (oldest !== undefined && name !== undefined) this.#forgive(oldest[0], name);
    }
    let owed = this.#owed.get(to);
    if (owed === undefined) this.#owed.set(to, (owed = new Map()));
    if (!owed.has(withdrawn.name)) this.#owedCount += 1;
    owed.set(withdrawn.name, withdrawn);
  }

  #forgive(member: Address, name: string): void {
    const owed = this.#owed.get(member);
    if (owed?.delete(name) !== true) return;
    this.#owedCount -= 1;
    if (owed.size === 0) this.#owed.delete(member);
  }

  #isForPrototype(contact: Contact): boolean {
    return isPrototype(contact) && this.#membership.prototypes <= this.#exchange.limits.prototypesStoredMax;
  }
}
