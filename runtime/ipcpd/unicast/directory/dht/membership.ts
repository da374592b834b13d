/** Who is in the layer: members that routing tells of, and those of them that the directory can speak to. */
import type { Millis } from '../../../../lib/time/clock.ts';
import { type Address, noAddress, type Reachability } from '../../address.ts';
import type { Agenda, Task } from './agenda.ts';
import { type Contact, Contacts, isPrototype } from './contacts.ts';
import { withSharedBits } from './distance.ts';
import { type Exchange, ownExtensions } from './exchange.ts';
import { Lookups, type Search } from './lookups.ts';
import { type DirectoryMessage, messageCode, type Peer, type UnknownMessage } from './message.ts';
import type { Answer, Requests } from './requests.ts';

export interface MembershipOptions {
  readonly exchange: Exchange;
  readonly agenda: Agenda;
  readonly requests: Requests;
  /** Who to join through, `noAddress` for nobody in particular. */
  readonly peer: Address;
  readonly alpha: number;
  readonly k: number;
  readonly refreshMs: Millis;
  readonly events: MembershipEvents;
}

export interface MembershipEvents {
  /** Members can be spoken to that could not before. */
  appeared(contacts: readonly Contact[], now: Millis): void;
  /** There is no route to a member any more. */
  lost(address: Address, now: Millis): void;
  /** The surroundings of the own id are known, after there was nobody. */
  joined(now: Millis): void;
  /** The layer has become a large one. */
  outgrown(now: Millis): void;
}

export type NearestSearch = Pick<Search, 'key' | 'others' | 'done'>;

/** Members asked at once without being known. */
const strangersMax = 8;

export class Membership {
  readonly contacts: Contacts;
  readonly lookups: Lookups;
  readonly #exchange: Exchange;
  readonly #agenda: Agenda;
  readonly #requests: Requests;
  readonly #options: MembershipOptions;
  /** Since when routing has a route to each. */
  readonly #members = new Map<Address, Millis>();
  readonly #probes = new Map<Address, Task>();
  /** Members that did not answer. */
  readonly #silent = new Set<Address>();
  /** Whom prototypes list first; who was listed last is last. */
  readonly #listedFirst = new Set<Address>();
  #isSmall = true;
  #isJoined = false;
  #joinPause: Millis;
  #joinTask: Task | undefined;

  constructor(options: MembershipOptions, now: Millis) {
    this.#options = options;
    this.#exchange = options.exchange;
    this.#agenda = options.agenda;
    this.#requests = options.requests;
    const { limits, self } = options.exchange;
    this.contacts = new Contacts(self.id, limits.contactsMax, this.isReachable);
    this.lookups = new Lookups(options.exchange, options.agenda, options.requests, this.contacts, options);
    this.#joinPause = limits.joinMs[0];
    this.#scheduleJoin(now);
    this.#scheduleRefresh(now);
  }

  readonly isReachable = (address: Address): boolean => this.#members.has(address);

  get size(): number {
    return this.#members.size;
  }

  get isJoined(): boolean {
    return this.#isJoined;
  }

  /** There are members, and none of them can be spoken to yet. */
  get isJoining(): boolean {
    return !this.#isJoined && this.#members.size > 0;
  }

  /** In a small layer everybody knows and holds everything. */
  get isSmall(): boolean {
    return this.#isSmall;
  }

  /** Routing found or lost members. */
  reachable(changes: readonly Reachability[], now: Millis): void {
    const come: Contact[] = [];
    for (const { address, isReachable } of changes) {
      if (address === this.#exchange.self.address || address === noAddress) continue;
      if (isReachable === this.#members.has(address)) continue;
      const contact = isReachable ? this.#came(address, now) : this.#went(address, now);
      if (contact !== undefined) come.push(contact);
    }
    // Whoever is nearest to something is seen when all are known.
    this.#seeHowLarge(now);
    this.welcome(come, now);
  }

  /**
   * True of a sender that cannot be who it says: one of our kind has the id that its address makes, and nobody else has that
   * while it can be reached.
   */
  isClaimed({ address, id }: Peer): boolean {
    if (this.contacts.get(address)?.id.equals(id) === true) return false;
    if (this.#exchange.isOurs(address)) return !id.equals(this.#exchange.idOf(address));
    const known = this.contacts.withId(id);
    return known !== undefined && this.isReachable(known.address) && this.#exchange.isOurs(known.address);
  }

  /** Notes who sent a message; returns the contact when it is to be welcomed. */
  learn({ from, extensions }: DirectoryMessage | UnknownMessage, now: Millis): Contact | undefined {
    const { contact, isNew } = this.contacts.heard(from, extensions, now);
    if (contact === undefined) this.#exchange.count('droppedTooManyContacts');
    return isNew && this.isReachable(from.address) ? contact : undefined;
  }

  /** Contacts are new, or are back. */
  welcome(contacts: readonly Contact[], now: Millis): void {
    if (contacts.length === 0) return;
    for (const { address } of contacts) {
      this.#probes.get(address)?.cancel();
      this.#probes.delete(address);
      this.#silent.delete(address);
    }
    if (!this.#isJoined) {
      this.#isJoined = true;
      this.#joinTask?.cancel();
      this.#joinTask = undefined;
      this.#joinPause = this.#exchange.limits.joinMs[0];
      this.#lookAround('join', [], (at) => this.#options.events.joined(at), now);
    }
    this.#options.events.appeared(contacts, now);
  }

  /** A member said goodbye. */
  left(peer: Peer, now: Millis): void {
    const contact = this.contacts.get(peer.address);
    if (contact === undefined || !contact.id.equals(peer.id)) return;
    this.#fallSilent(contact, now);
  }

  /** A member has a route and does not answer. */
  unanswered(by: Address, now: Millis): void {
    const contact = this.contacts.get(by);
    if (contact === undefined) {
      if (this.isReachable(by)) this.#silent.add(by);
      return;
    }
    contact.failures += 1;
    if (contact.failures < this.#exchange.limits.failuresMax) return;
    this.#fallSilent(contact, now);
  }

  /** Notes whom a prototype lists first: there it stores and asks (unicast-layer.md 7.13). */
  noteListed({ from, extensions, contacts }: Answer): void {
    if (extensions !== 0) return;
    for (const { address } of contacts.slice(0, this.#options.alpha)) {
      if (address === this.#exchange.self.address || address === from.address) continue;
      this.#listedFirst.delete(address);
      this.#listedFirst.add(address);
    }
    for (const address of this.#listedFirst) {
      if (this.#listedFirst.size <= this.#exchange.limits.listedFirstMax) break;
      this.#listedFirst.delete(address);
    }
  }

  /** Members that prototypes ask, those that they list first in front: at most so many. */
  forPrototypes(max: number): Address[] {
    const prototypes = [...this.contacts.prototypes()].map(({ address }) => address);
    if (prototypes.length === 0) return prototypes;
    const first = [...this.#listedFirst].toReversed().filter(this.isReachable);
    return [...new Set([...first, ...prototypes])].slice(0, max);
  }

  /** Members that were not heard yet, where that leaves too few to ask; not those that were asked and are silent. */
  strangers(now: Millis): Address[] {
    const found: Address[] = [];
    if (this.contacts.size >= this.#options.k && !this.isSmall) return found;
    for (const [address, since] of this.#members) {
      if (found.length >= strangersMax) break;
      if (since + this.#exchange.limits.settleMs > now || this.#silent.has(address)) continue;
      if (this.contacts.get(address) === undefined) found.push(address);
    }
    return found;
  }

  /** Finds the members nearest to a key; where that takes questions, `others` are asked, too. */
  findNearest(name: string, { key, others, done }: NearestSearch, now: Millis): void {
    // With nobody to speak to, those who are silent may be asked after all.
    if (this.#knowsAll && !this.contacts.isAlone)
      return done(this.contacts.closest(key, this.#options.k), now);
    this.lookups.queue(name, { key, code: messageCode.findNode, others, done }, now);
  }

  /** There is a route to a member; gives its contact, unless it is to be spoken to first. */
  #came(address: Address, now: Millis): Contact | undefined {
    if (this.#members.size >= this.#exchange.limits.membersMax) return undefined;
    this.#members.set(address, now);
    const contact = this.contacts.get(address) ?? this.#expected(address, now);
    if (contact !== undefined) return contact;
    const { settleMs, probeMs } = this.#exchange.limits;
    if (address === this.#options.peer && !this.#isJoined) this.#scheduleJoin(now);
    else {
      if (!this.#isJoined && this.#joinTask === undefined) this.#scheduleJoin(now + settleMs);
      this.#scheduleProbe(address, this.#exchange.spread(settleMs * 1.5), probeMs[0], now);
    }
    return undefined;
  }

  #seeHowLarge(now: Millis): void {
    const { everywhereMax } = this.#exchange.limits;
    // A few members that come and go do not make it small and large in turns.
    if (this.#members.size < 0.75 * everywhereMax) this.#isSmall = true;
    if (!this.#isSmall || this.#members.size < everywhereMax) return;
    this.#isSmall = false;
    if (!this.#isJoined) return;
    this.#lookAround('outgrow', [], () => {}, now);
    this.#options.events.outgrown(now);
  }

  /** A member that could be spoken to answers no more, or has left: it is tried again as long as it has a route. */
  #fallSilent(contact: Contact, now: Millis): void {
    const { address } = contact;
    this.contacts.remove(contact);
    if (this.isReachable(address)) {
      const [first] = this.#exchange.limits.probeMs;
      this.#silent.add(address);
      this.#scheduleProbe(address, first, first, now);
    }
    this.#seeWhetherAlone(now);
  }

  #went(address: Address, now: Millis): undefined {
    this.#members.delete(address);
    this.#silent.delete(address);
    this.#probes.get(address)?.cancel();
    this.#probes.delete(address);
    this.#options.events.lost(address, now);
    this.#seeWhetherAlone(now);
  }

  #seeWhetherAlone(now: Millis): void {
    if (!this.#isJoined || !this.contacts.isAlone) return;
    this.#isJoined = false;
    this.#scheduleJoin(now + this.#joinPause);
  }

  #scheduleJoin(at: Millis): void {
    this.#joinTask?.cancel();
    this.#joinTask = this.#agenda.at(at, (now) => {
      this.#joinTask = undefined;
      this.#join(now);
    });
  }

  #join(now: Millis): void {
    // With nobody to ask, routing will tell when somebody comes.
    if (this.#isJoined || (this.#options.peer === noAddress && this.#members.size === 0)) return;
    const done = (at: Millis): void => {
      if (this.#isJoined) return;
      this.#scheduleJoin(at + this.#exchange.spread(this.#joinPause));
      this.#joinPause = Math.min(2 * this.#joinPause, this.#exchange.limits.joinMs[1]);
    };
    this.#lookAround('join', [this.#options.peer, ...this.strangers(now)], done, now);
  }

  /** Looks for the members nearest to the own id. */
  #lookAround(name: string, others: readonly Address[], done: (now: Millis) => void, now: Millis): void {
    const key = this.#exchange.self.id;
    this.findNearest(name, { key, others, done: (_closest, at) => done(at) }, now);
  }

  /** True where routing has told of all members, and nobody has to be found by asking. */
  get #knowsAll(): boolean {
    const isKnown = (address: Address): boolean =>
      (this.contacts.get(address) !== undefined || this.#silent.has(address)) &&
      this.#exchange.isOurs(address);
    return this.#members.size > 0 && this.#members.keys().every(isKnown);
  }

  /** A member of our kind that was not heard yet, and need not be: its id is known, and what is sent to it arrives. */
  #expected(address: Address, now: Millis): Contact | undefined {
    if (!this.#exchange.isOurs(address) || this.#silent.has(address)) return undefined;
    return this.contacts.heard({ address, id: this.#exchange.idOf(address) }, ownExtensions, now).contact;
  }

  /** Speaks to a member that was not heard yet, after a time; again and again, less and less often. */
  #scheduleProbe(address: Address, after: Millis, pause: Millis, now: Millis): void {
    this.#probes.get(address)?.cancel();
    const task = this.#agenda.at(now + after, (at) => {
      this.#probes.delete(address);
      this.#probe(address, pause, at);
    });
    this.#probes.set(address, task);
  }

  #probe(address: Address, pause: Millis, now: Millis): void {
    if (this.contacts.get(address) !== undefined) return;
    const expected = this.#expected(address, now);
    if (expected !== undefined) return this.welcome([expected], now);
    const { limits, self } = this.#exchange;
    if (!this.isSmall && !this.#silent.has(address)) {
      // In a large layer some greet a newcomer, and look who is near themselves meanwhile: so parted halves find together.
      const isGreeter = this.#exchange.chance() * this.#members.size < limits.greetersMax;
      if (isGreeter) this.#lookAround('greet', [address], () => {}, now);
      return;
    }
    const again = (at: Millis): void => {
      if (!this.isReachable(address) || this.contacts.get(address) !== undefined) return;
      const next = Math.min(2 * pause, limits.probeMs[1]);
      this.#scheduleProbe(address, this.#exchange.spread(pause), next, at);
    };
    const asker = { answered: () => {}, late: () => {}, failed: again };
    if (!this.#requests.ask(address, messageCode.findNode, self.id, asker, now)) again(now);
  }

  #scheduleRefresh(now: Millis): void {
    const after = this.#exchange.spread(this.#options.refreshMs);
    this.#agenda.at(now + after, (at) => {
      this.#refresh(at);
      this.#scheduleRefresh(at);
    });
  }

  /** Looks after what was silent for long. */
  #refresh(now: Millis): void {
    const { limits, self } = this.#exchange;
    const since = now - this.#options.refreshMs;
    this.contacts.dropAbsent(now - limits.absentMs);
    this.#lookAround('refresh', [], () => {}, now);
    if (this.isSmall) {
      const asker = { answered: () => {}, late: () => {}, failed: () => {} };
      for (const { address, heardAt } of [...this.contacts.reachable()]) {
        if (heardAt > since || this.#exchange.isOurs(address)) continue;
        this.#requests.ask(address, messageCode.findNode, self.id, asker, now);
      }
    }
    for (const address of this.#members.keys()) {
      if (this.contacts.get(address) !== undefined || this.#probes.has(address)) continue;
      if (!this.isSmall && !this.#exchange.isOurs(address)) continue;
      this.#scheduleProbe(address, this.#exchange.spread(limits.settleMs), limits.probeMs[0], now);
    }
    if (this.isSmall || this.#knowsAll) return;
    for (const bucket of this.contacts.silentBuckets(since)) {
      const key = withSharedBits(self.id, bucket, this.#exchange.random(self.id.length));
      const search = { key, code: messageCode.findNode, others: [], done: () => {} };
      this.lookups.queue(`bucket ${bucket}`, search, now);
    }
  }

  /** Contacts that speak no extension. */
  get prototypes(): number {
    let count = 0;
    for (const contact of this.contacts.values()) if (isPrototype(contact)) count += 1;
    return count;
  }
}
