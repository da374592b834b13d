/**
 * The directory as a distributed hash table that the members keep together. A core: messages and `now` in, messages out
 * through the port it was given. Towards prototypes it follows their rules; among its own kind it finds what is nearest
 * to a key, acknowledges and withdraws. Source: unicast-layer.md 7; docs/adr/0019-directory.md.
 */
import { numberOf } from '../../../../lib/pb/int64.ts';
import type { Millis } from '../../../../lib/time/clock.ts';
import { type Address, formatAddress, type Reachability } from '../../address.ts';
import type { Directory, DirectoryFacts, DirectoryPort, Resolution } from '../directory.ts';
import { Agenda, type Task } from './agenda.ts';
import { type Contact, isPrototype } from './contacts.ts';
import { type DhtCounts, faultCounter, kindCounters } from './counters.ts';
import { Custody } from './custody.ts';
import { Deliveries } from './deliveries.ts';
import { idOf } from './distance.ts';
import { Exchange } from './exchange.ts';
import { type DhtLimits, dhtLimits } from './limits.ts';
import { Membership } from './membership.ts';
import {
  addressOf,
  decodeMessage,
  type DirectoryMessage,
  type FindMessage,
  type LeaveMessage,
  messageCode,
  type UnknownMessage,
  valueOf,
  valuesOfAnswerMax,
} from './message.ts';
import { OwnNames } from './own-names.ts';
import { type Answer, Requests } from './requests.ts';

/** What all members have in common, times in s (unicast-layer.md 7.1). Odd numbers are brought into range. */
export interface DhtConfig {
  /** Members asked at once. */
  readonly alpha: number;
  /** Members that hold a name in a large layer, and contacts of an answer. */
  readonly k: number;
  /** Longest life of a value. */
  readonly tExpire: number;
  /** How often contacts that were silent are looked after. */
  readonly tRefresh: number;
  /** How often names are stored anew. */
  readonly tReplicate: number;
}

export interface DhtOptions {
  readonly address: Address;
  /** The id of a member of our kind, as long as a hash of the layer. */
  readonly idOf?: (address: Address) => Buffer;
  readonly hashBytes: number;
  /** Who to join through: the member that enrolled this one, `noAddress` of the first. */
  readonly peer: Address;
  readonly config: DhtConfig;
  readonly port: DirectoryPort;
  readonly random: (bytes: number) => Buffer;
  /** s since 1970. */
  readonly wallClock: () => number;
  readonly limits?: DhtLimits;
}

/** Least life of a value in s: clocks of members may differ. */
const lifeMin = 60;

type Waiting = (resolution: Resolution, now: Millis) => void;

interface Query {
  readonly waiting: Waiting[];
}

interface Cached {
  readonly addresses: readonly Address[];
  readonly expires: Millis;
}

export class Dht implements Directory {
  readonly #config: DhtConfig;
  readonly #hashBytes: number;
  readonly #limits: DhtLimits;
  /** s since 1970. */
  readonly #created: number;
  readonly #exchange: Exchange;
  readonly #agenda = new Agenda();
  readonly #requests: Requests;
  readonly #deliveries: Deliveries;
  readonly #membership: Membership;
  readonly #ownNames: OwnNames;
  readonly #custody: Custody;
  readonly #queries = new Map<string, Query>();
  readonly #cache = new Map<string, Cached>();
  /** Queries that wait until there is somebody to ask, with the end of the wait. */
  readonly #joining = new Map<(now: Millis) => void, Task>();
  /** Callers that wait for a query; questions of prototypes among them. */
  #waiting = 0;
  #held = 0;
  /** Shifts which of many values an answer has. */
  #shift = 0;
  #hasLeft = false;

  constructor(options: DhtOptions, now: Millis) {
    const { address, hashBytes, port, random, wallClock } = options;
    const config = inRange(options.config);
    const { k, alpha, tExpire, tRefresh, tReplicate } = config;
    const limits = options.limits ?? dhtLimits;
    this.#config = config;
    this.#hashBytes = hashBytes;
    this.#limits = limits;
    this.#created = wallClock();
    const lifeMs = 1000 * Math.min(tExpire, Math.max(3 * tReplicate, lifeMin));
    // Two may be lost before a value expires.
    const storeMs = Math.min(1000 * tReplicate, lifeMs / 3);

    const ids = options.idOf ?? ((of) => idOf(of, hashBytes));
    const exchange = new Exchange({ address, idOf: ids, port, random, limits });
    const agenda = this.#agenda;
    const requests = new Requests(exchange, agenda, (by, at) => this.#membership.unanswered(by, at));
    const deliveries = new Deliveries(exchange, agenda);
    const membership = new Membership(
      {
        exchange,
        agenda,
        requests,
        peer: options.peer,
        alpha,
        k,
        refreshMs: 1000 * tRefresh,
        events: {
          appeared: (contacts, at) => this.#appeared(contacts, at),
          lost: (lost, at) => this.#lost(lost, at),
          joined: (at) => this.#ownNames.joined(at),
          outgrown: (at) => this.#ownNames.outgrown(at),
        },
      },
      now,
    );
    const parts = { exchange, agenda, requests, deliveries, membership, k, wallClock };
    const ownNames = new OwnNames({ ...parts, lifeMs, storeMs });
    this.#exchange = exchange;
    this.#requests = requests;
    this.#deliveries = deliveries;
    this.#membership = membership;
    this.#ownNames = ownNames;
    this.#custody = new Custody(
      { ...parts, ownNames, expireMs: 1000 * tExpire, careMs: storeMs, graveMs: lifeMs },
      now,
    );
    this.#scheduleSweep(now);
  }

  get counters(): Readonly<DhtCounts> {
    return { ...this.#exchange.counts };
  }

  register(key: Buffer, now: Millis): void {
    if (!this.#hasLeft) this.#ownNames.register(key, now);
  }

  unregister(key: Buffer, now: Millis): void {
    if (!this.#hasLeft) this.#ownNames.unregister(key, now);
  }

  query(key: Buffer, now: Millis, done: (resolution: Resolution) => void): void {
    this.#exchange.count('queries');
    this.#resolve(key, now, (resolution) => {
      if (resolution.addresses.length === 0) this.#exchange.count('queriesUnresolved');
      done(resolution);
    });
  }

  doubt(key: Buffer, address: Address, now: Millis): void {
    const name = key.toString('hex');
    const cached = this.#cache.get(name);
    if (cached === undefined) return;
    const addresses = cached.addresses.filter((one) => one !== address);
    if (addresses.length === 0 || cached.expires <= now) this.#cache.delete(name);
    else this.#cache.set(name, { ...cached, addresses });
  }

  reachable(changes: readonly Reachability[], now: Millis): void {
    if (!this.#hasLeft) this.#membership.reachable(changes, now);
  }

  leave(now: Millis): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    const { contacts } = this.#membership;
    const told = this.#ownNames.holders();
    for (const { address } of contacts.closest(this.#exchange.self.id, this.#config.k)) told.add(address);
    for (const address of told) {
      const contact = contacts.get(address);
      if (contact !== undefined && !isPrototype(contact)) {
        this.#exchange.send(address, { code: messageCode.leave });
      }
    }
    this.#membership.lookups.clear();
    this.#requests.clear();
    this.#deliveries.clear();
    this.#agenda.clear();
    this.#joining.clear();
    for (const name of [...this.#queries.keys()]) this.#finish(name, [], now);
  }

  receive(memory: Buffer, start: number, end: number, now: Millis): void {
    if (this.#hasLeft) return;
    const exchange = this.#exchange;
    exchange.count('messagesIn');
    if (end - start > this.#limits.receivedBytesMax) return exchange.count('droppedTooLong');
    const decoded = decodeMessage(memory, start, end, this.#hashBytes);
    if (typeof decoded === 'string') return exchange.count(faultCounter[decoded]);
    const { message, oddContacts } = decoded;
    exchange.counts.droppedOddContact += oddContacts;
    const { from } = message;
    if (from.address === exchange.self.address || from.id.equals(exchange.self.id)) {
      return exchange.count('droppedOwnSource');
    }
    if (message.code !== 'unknown') exchange.count(kindCounters[message.code][0]);
    if (message.code === messageCode.leave) return this.#receiveLeave(message, now);
    if (this.#membership.isClaimed(from)) return exchange.count('droppedForeignSource');
    const newcomer = this.#membership.learn(message, now);
    this.#handle(message, now);
    // Answers first: what else there is to tell him can wait.
    if (newcomer !== undefined) this.#membership.welcome([newcomer], now);
  }

  nextDeadline(): Millis {
    return this.#agenda.nextDeadline();
  }

  advance(now: Millis): void {
    this.#agenda.advance(now);
  }

  get gauges(): Readonly<Record<string, number>> {
    const { values } = this.#custody;
    return {
      members: this.#membership.size,
      contacts: this.#membership.contacts.size,
      ownValues: this.#ownNames.size,
      foreignValues: values.size - values.withdrawn,
      queries: this.#queries.size,
    };
  }

  /** What the prototype's RIB tells (unicast-layer.md 11), with own and foreign values under their right names. */
  metrics(): DirectoryFacts {
    const { self } = this.#exchange;
    const { values } = this.#custody;
    const keys = new Set([...this.#ownNames.keys(), ...values.names()]);
    return {
      id: self.id.toString('hex'),
      address: formatAddress(self.address),
      created: this.#created,
      ...this.#config,
      isJoined: this.#membership.isJoined,
      members: this.#membership.size,
      contacts: this.#membership.contacts.size,
      prototypes: this.#membership.prototypes,
      keys: keys.size,
      ownValues: this.#ownNames.size,
      foreignValues: values.size - values.withdrawn,
      withdrawnValues: values.withdrawn,
      owedWithdrawals: this.#ownNames.owed,
      queries: this.#queries.size,
      cached: this.#cache.size,
      lookups: this.#membership.lookups.errands,
      requests: this.#requests.size,
      deliveries: this.#deliveries.size,
      tasks: this.#agenda.size,
      database: [...keys].slice(0, this.#limits.keysShownMax).map((key) => ({
        key,
        own: this.#ownNames.facts(key) ?? null,
        foreign: [...values.ofName(key)].map(({ address, expires, isWithdrawn }) => ({
          address: formatAddress(address),
          expires,
          isWithdrawn,
          isReachable: this.#membership.isReachable(address),
        })),
      })),
    };
  }

  #appeared(contacts: readonly Contact[], now: Millis): void {
    this.#ownNames.appeared(contacts, now);
    this.#custody.appeared(contacts, now);
    for (const [start, end] of this.#joining) {
      end.cancel();
      start(now);
    }
  }

  #lost(address: Address, now: Millis): void {
    this.#requests.giveUp(address, now);
    this.#deliveries.giveUp(address, now);
    this.#ownNames.lost(address, now);
  }

  #handle(message: DirectoryMessage | UnknownMessage, now: Millis): void {
    const exchange = this.#exchange;
    switch (message.code) {
      case messageCode.findNode:
        return this.#answer(message, []);
      case messageCode.findValue:
        return this.#receiveFindValue(message, now);
      case messageCode.nodeAnswer:
      case messageCode.valueAnswer: {
        const accept = this.#requests.match(message);
        if (accept === undefined) return exchange.count('droppedUnexpectedAnswer');
        this.#membership.noteListed(message);
        return accept(now);
      }
      case messageCode.store:
        return this.#custody.receiveStore(message, now);
      case messageCode.withdrawal:
        this.doubt(message.key, message.from.address, now);
        return this.#custody.receiveWithdrawal(message, now);
      case messageCode.acknowledgement: {
        const { cookie, from } = message;
        if (this.#deliveries.acknowledged(numberOf(cookie), from.address, now)) return;
        return exchange.count('droppedUnexpectedAnswer');
      }
      case messageCode.leave:
        return;
      case 'unknown':
        return exchange.count('droppedUnknownCode');
    }
  }

  #receiveLeave({ from }: LeaveMessage, now: Millis): void {
    const contact = this.#membership.contacts.get(from.address);
    if (contact === undefined || !contact.id.equals(from.id)) {
      return this.#exchange.count('droppedForeignSource');
    }
    this.#custody.values.dropOwner(from.address);
    this.#membership.left(from, now);
    this.#lost(from.address, now);
    this.#ownNames.forgot(from.address);
  }

  #receiveFindValue(message: FindMessage, now: Millis): void {
    const name = message.key.toString('hex');
    const addresses = this.#custody.values.addresses(name, now);
    if (this.#ownNames.has(name)) addresses.unshift(this.#exchange.self.address);
    // A prototype asks three members, and nobody whom they name. Where those are ours it is looked up for it, as long as
    // its user waits. Ours are answered at once, so this goes no further.
    const isAtOnce = addresses.length > 0 || message.extensions !== 0 || this.#held >= this.#limits.heldMax;
    if (isAtOnce) return this.#answer(message, addresses);
    this.#held += 1;
    let isAnswered = false;
    const answer = (found: readonly Address[]): void => {
      if (isAnswered) return;
      isAnswered = true;
      this.#held -= 1;
      this.#answer(message, found);
    };
    const held = this.#agenda.at(now + this.#limits.holdMs, () => answer([]));
    this.#resolve(message.key, now, (resolution) => {
      held.cancel();
      answer(resolution.addresses);
    });
  }

  #answer(message: FindMessage, addresses: readonly Address[]): void {
    const { cookie, key, from } = message;
    const { k } = this.#config;
    const near = this.#membership.contacts.closest(key, k + 1);
    const contacts = near.filter(({ address }) => address !== from.address).slice(0, k);
    if (message.code === messageCode.findNode) {
      this.#exchange.sendAnswer(from.address, { code: messageCode.nodeAnswer, cookie, key, contacts });
      return;
    }
    const values = this.#someOf(addresses, from.address).map(valueOf);
    this.#exchange.sendAnswer(from.address, { code: messageCode.valueAnswer, cookie, key, contacts, values });
  }

  /** As many as an answer holds; of more, others each time. Whoever asked cannot use himself, so he comes last. */
  #someOf(addresses: readonly Address[], asker: Address): Address[] {
    let some = [...addresses];
    if (some.length > valuesOfAnswerMax) {
      const from = this.#shift++ % some.length;
      some = [...some.slice(from), ...some.slice(0, from)].slice(0, valuesOfAnswerMax);
    }
    return some.includes(asker) ? [...some.filter((one) => one !== asker), asker] : some;
  }

  #resolve(key: Buffer, now: Millis, done: Waiting): void {
    const name = key.toString('hex');
    const resolution = (addresses: readonly Address[]): Resolution => ({
      addresses,
      own: this.#ownNames.has(name),
    });
    const stored = this.#custody.values.addresses(name, now);
    if (stored.length > 0) {
      this.#exchange.count('queriesFromStore');
      return done(resolution(stored), now);
    }
    const cached = this.#cached(name, now);
    if (cached.length > 0) {
      this.#exchange.count('queriesFromCache');
      return done(resolution(cached), now);
    }
    const running = this.#queries.get(name);
    if (this.#hasLeft || this.#waiting >= this.#limits.waitingMax) {
      this.#exchange.count('refusedTooManyQueries');
      return done(resolution([]), now);
    }
    if (running === undefined && this.#queries.size >= this.#limits.queriesMax) {
      this.#exchange.count('refusedTooManyQueries');
      return done(resolution([]), now);
    }
    this.#waiting += 1;
    if (running !== undefined) {
      running.waiting.push(done);
      return;
    }
    this.#queries.set(name, { waiting: [done] });
    if (!this.#membership.isJoining) return this.#lookUp(key, name, now);
    const start = (at: Millis): void => {
      this.#joining.delete(start);
      if (this.#queries.has(name)) this.#lookUp(key, name, at);
    };
    this.#joining.set(start, this.#agenda.at(now + this.#limits.joiningMs, start));
  }

  #lookUp(key: Buffer, name: string, now: Millis): void {
    this.#membership.lookups.start(
      {
        key: Buffer.from(key),
        code: messageCode.findValue,
        others: [
          ...this.#membership.forPrototypes(this.#limits.prototypesAskedMax),
          ...this.#membership.strangers(now),
        ],
        heard: (answer, at) => {
          const found = this.#usable(name, answer, at);
          if (found.length === 0) return false;
          this.#remember(name, found, at);
          this.#finish(name, found, at);
          return true;
        },
        done: (_closest, at) => this.#finish(name, [], at),
      },
      now,
    );
  }

  /** Addresses of an answer that a flow could be allocated to. */
  #usable(name: string, answer: Answer, now: Millis): Address[] {
    if (answer.code !== messageCode.valueAnswer) return [];
    const found = new Set<Address>();
    for (const value of answer.values.slice(0, this.#limits.contactsOfAnswerMax)) {
      const address = addressOf(value);
      // Prototypes keep what was withdrawn, and what died, for up to a day. Ours may know better than a tombstone here.
      if (address === undefined || !this.#membership.isReachable(address)) continue;
      if (answer.extensions === 0 && this.#custody.values.isWithdrawn(name, address, now)) continue;
      found.add(address);
    }
    return [...found];
  }

  #finish(name: string, addresses: readonly Address[], now: Millis): void {
    const query = this.#queries.get(name);
    if (query === undefined) return;
    this.#queries.delete(name);
    this.#waiting -= query.waiting.length;
    const resolution = { addresses, own: this.#ownNames.has(name) };
    for (const done of query.waiting) done(resolution, now);
  }

  #remember(name: string, addresses: readonly Address[], now: Millis): void {
    this.#cache.delete(name);
    this.#cache.set(name, { addresses, expires: now + this.#limits.cacheMs });
    if (this.#cache.size <= this.#limits.cacheEntriesMax) return;
    const [oldest] = this.#cache.keys();
    if (oldest !== undefined) this.#cache.delete(oldest);
  }

  #cached(name: string, now: Millis): readonly Address[] {
    const cached = this.#cache.get(name);
    if (cached === undefined) return [];
    if (cached.expires > now) return cached.addresses.filter(this.#membership.isReachable);
    this.#cache.delete(name);
    return [];
  }

  #scheduleSweep(now: Millis): void {
    this.#agenda.at(now + this.#limits.sweepMs, (at) => {
      this.#custody.sweep(at);
      this.#ownNames.sweep(at);
      for (const [name, { expires }] of this.#cache) if (expires <= at) this.#cache.delete(name);
      this.#scheduleSweep(at);
    });
  }
}

function inRange({ alpha, k, tExpire, tRefresh, tReplicate }: DhtConfig): DhtConfig {
  const clamp = (value: number, min: number, max: number): number =>
    Math.min(Math.max(Math.trunc(value), min), max);
  return {
    alpha: clamp(alpha, 1, 10),
    k: clamp(k, 1, 20),
    tExpire: clamp(tExpire, 10, 86_400),
    tRefresh: clamp(tRefresh, 3, 3600),
    tReplicate: clamp(tReplicate, 3, 3600),
  };
}
