/** The values kept for other members. Source: unicast-layer.md 7.5, 7.10, 7.13; docs/adr/0019-directory.md. */
import type { Millis } from '../../../../lib/time/clock.ts';
import type { Address } from '../../address.ts';
import type { Agenda } from './agenda.ts';
import { type Contact, isPrototype } from './contacts.ts';
import type { Deliveries } from './deliveries.ts';
import { compareDistance } from './distance.ts';
import type { Exchange, Unsigned } from './exchange.ts';
import type { Membership } from './membership.ts';
import {
  addressOf,
  extension,
  messageCode,
  type Peer,
  type StoreMessage,
  valueOf,
  valuesOfAnswerMax,
  type WithdrawalMessage,
} from './message.ts';
import type { OwnNames } from './own-names.ts';
import type { Requests } from './requests.ts';
import { type StoredValue, Values } from './values.ts';

export interface CustodyOptions {
  readonly exchange: Exchange;
  readonly agenda: Agenda;
  readonly membership: Membership;
  readonly requests: Requests;
  readonly deliveries: Deliveries;
  readonly ownNames: OwnNames;
  readonly k: number;
  /** Longest life of a value, and how often those of prototypes are looked after. */
  readonly expireMs: Millis;
  readonly careMs: Millis;
  /** How long copies of a withdrawn value may be about. */
  readonly graveMs: Millis;
  /** s since 1970. */
  readonly wallClock: () => number;
}

/** Values of prototypes looked after in one go. */
const caredMax = 256;

export class Custody {
  readonly values: Values;
  readonly #options: CustodyOptions;
  readonly #exchange: Exchange;
  readonly #membership: Membership;
  /** How many values, in their order, have had their turn in this round of care. */
  #cared = 0;

  constructor(options: CustodyOptions, now: Millis) {
    this.#options = options;
    this.#exchange = options.exchange;
    this.#membership = options.membership;
    this.values = new Values(options.exchange.limits, options.membership.isReachable);
    this.#scheduleCare(now);
  }

  receiveStore(message: StoreMessage, now: Millis): void {
    const { from, key, expires, version } = message;
    const address = addressOf(message.value);
    if (address === undefined) return this.#exchange.count('droppedOddValue');
    this.#acknowledge(message);
    if (address === this.#exchange.self.address) return this.#receiveOwn(message, now);
    const { expireMs, wallClock } = this.#options;
    // Clocks may differ; ours tell how long a value has to live besides when it ends.
    const life = message.life === 0 ? expires - wallClock() : message.life;
    if (life <= 0) return this.#exchange.count('droppedExpired');
    const name = key.toString('hex');
    const deadline = now + Math.min(life * 1000, expireMs);
    const put = this.values.put({ name, address, source: from.address, deadline, expires, version }, now);
    if (put === 'full') return this.#exchange.count('droppedTooManyValues');
    if (put === 'older') return this.#exchange.count('droppedWithdrawn');
    const stored = this.values.get(name, address);
    if (put === 'new' && stored !== undefined && version === 0) this.#adopt(stored, now);
  }

  receiveWithdrawal(message: WithdrawalMessage, now: Millis): void {
    const { from, key, version } = message;
    const address = addressOf(message.value);
    // Nobody withdraws what is another's.
    if (address !== from.address) return this.#exchange.count('droppedForeignSource');
    this.#acknowledge(message);
    const name = key.toString('hex');
    const deadline = now + this.#options.graveMs;
    const expires = Math.trunc(this.#options.wallClock() + this.#options.graveMs / 1000);
    this.values.withdraw({ name, address, source: address, deadline, expires, version }, now);
  }

  /** Members can be spoken to that could not before: in a large layer they get the values they are nearest to. */
  appeared(come: readonly Contact[], now: Millis): void {
    if (this.#membership.isSmall) return;
    const { contacts } = this.#membership;
    const { self } = this.#exchange;
    const newcomers = new Set(come);
    for (const name of [...this.values.names()]) {
      const key = Buffer.from(name, 'hex');
      // Of those that hold it, the nearest hands it over: nobody is nearer but who has just come.
      if (contacts.countNearer(key, self.id, come.length + 1) > come.length) continue;
      const nearest = contacts.closest(key, this.#options.k);
      const holder = nearest.find((contact) => !newcomers.has(contact));
      if (holder !== undefined && compareDistance(holder.id, self.id, key) < 0) continue;
      for (const contact of nearest) {
        if (!newcomers.has(contact) || isPrototype(contact)) continue;
        for (const value of this.values.ofName(name)) this.#handOver(value, contact.address, now);
      }
    }
  }

  sweep(now: Millis): void {
    this.values.sweep(now);
  }

  #acknowledge(message: StoreMessage | WithdrawalMessage): void {
    if (message.cookie === undefined || (message.extensions & extension.acknowledgements) === 0) return;
    this.#exchange.send(message.from.address, {
      code: messageCode.acknowledgement,
      cookie: message.cookie,
    });
  }

  /** Somebody repeats what this member said itself, or what it no longer says. */
  #receiveOwn({ from, key, extensions }: StoreMessage, now: Millis): void {
    if (this.#options.ownNames.has(key.toString('hex'))) return;
    this.#exchange.count('droppedStray');
    if ((extensions & extension.withdrawals) !== 0) this.#options.ownNames.disown(key, from.address, now);
  }

  /** Passes a value on as it is. */
  #handOver(value: StoredValue, to: Address, now: Millis): void {
    const { name, address } = value;
    if (to === address || value.isWithdrawn) return;
    const message = (at: Millis): Unsigned<StoreMessage> | undefined => {
      if (value.isWithdrawn || this.values.get(name, address) !== value || value.deadline <= at)
        return undefined;
      return {
        code: messageCode.store,
        key: Buffer.from(name, 'hex'),
        value: valueOf(address),
        expires: value.expires,
        life: Math.max(1, Math.floor((value.deadline - at) / 1000)),
        version: value.version,
      };
    };
    this.#options.deliveries.push(
      { to, name, owner: address, isWithdrawal: false, repeats: 2, message, settled: () => {} },
      now,
      now,
    );
  }

  /** In a large layer a prototype's value is put where others look for it: the prototype does not. */
  #adopt(value: StoredValue, now: Millis): void {
    if (this.#membership.isSmall || !this.#isPrototypes(value)) return;
    const done = (closest: readonly Peer[], at: Millis): void => {
      for (const { address } of closest) this.#handOver(value, address, at);
    };
    const key = Buffer.from(value.name, 'hex');
    this.#membership.findNearest(`adopt ${value.name} ${value.address}`, { key, others: [], done }, now);
  }

  #isPrototypes({ address }: StoredValue): boolean {
    const contact = this.#membership.contacts.get(address);
    return contact !== undefined && isPrototype(contact);
  }

  #scheduleCare(now: Millis): void {
    this.#options.agenda.at(now + this.#exchange.spread(this.#options.careMs), (at) => {
      this.#care(at);
      this.#scheduleCare(at);
    });
  }

  /**
   * Asks prototypes whether they still serve what is kept for them: they withdraw nothing, and store most names once a
   * day only. Where they are more than one go takes, the next goes on behind them.
   */
  #care(now: Millis): void {
    const all = [...this.values.all()];
    const first = this.#cared < all.length ? this.#cared : 0;
    this.#cared = first;
    let count = 0;
    for (const value of [...all.slice(first), ...all.slice(0, first)]) {
      if (count === caredMax) return;
      this.#cared = (this.#cared + 1) % all.length;
      if (value.isWithdrawn || !this.#isPrototypes(value) || !this.#membership.isReachable(value.address))
        continue;
      count += 1;
      const key = Buffer.from(value.name, 'hex');
      this.#options.requests.ask(
        value.address,
        messageCode.findValue,
        key,
        {
          answered: (answer, at) => {
            const values = answer.code === messageCode.valueAnswer ? answer.values : [];
            const serves = values.some((one) => addressOf(one) === value.address);
            if (serves) return this.#adopt(value, at);
            // With fewer, a prototype has no others.
            if (values.length < valuesOfAnswerMax) this.values.drop(value);
          },
          late: () => {},
          failed: () => {},
        },
        now,
      );
    }
  }
}
