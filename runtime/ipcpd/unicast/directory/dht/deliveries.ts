/**
 * Stores and withdrawals on their way: a few at a time, repeated until they are acknowledged. A prototype acknowledges
 * nothing, so it gets all repetitions. Source: docs/adr/0019-directory.md.
 */
import type { Millis } from '../../../../lib/time/clock.ts';
import type { Address } from '../../address.ts';
import type { Agenda, Task } from './agenda.ts';
import type { Exchange, Unsigned } from './exchange.ts';
import type { StoreMessage, WithdrawalMessage } from './message.ts';

/** What became of a delivery. A prototype's is always unanswered. */
export type DeliveryOutcome = 'acknowledged' | 'unanswered' | 'no route';

export interface Delivery {
  readonly to: Address;
  /** The name it is about, in hexadecimal, and who serves it. A later delivery of both to a member takes its place. */
  readonly name: string;
  readonly owner: Address;
  readonly isWithdrawal: boolean;
  /** Times it is repeated at most. */
  readonly repeats: number;
  /** The message as it is now; undefined when there is nothing to say any more. */
  readonly message: (now: Millis) => Unsigned<StoreMessage | WithdrawalMessage> | undefined;
  /** Called once, unless another delivery takes its place. */
  readonly settled: (outcome: DeliveryOutcome, now: Millis) => void;
}

interface Item {
  readonly delivery: Delivery;
  readonly cookie: number;
  sent: number;
  task: Task | undefined;
}

export class Deliveries {
  readonly #exchange: Exchange;
  readonly #agenda: Agenda;
  readonly #byCookie = new Map<number, Item>();
  readonly #byAim = new Map<string, Item>();
  /** Those that wait for their turn. */
  #queue: Item[] = [];
  /** How many were sent in this turn; undefined when none were for as long. */
  #sentInTurn: number | undefined;

  constructor(exchange: Exchange, agenda: Agenda) {
    this.#exchange = exchange;
    this.#agenda = agenda;
  }

  get size(): number {
    return this.#byCookie.size;
  }

  /** True while something is on its way that has not been acknowledged. */
  isUnderWay(aim: Pick<Delivery, 'to' | 'name' | 'owner'>): boolean {
    return this.#byAim.has(aimOf(aim));
  }

  /** Sends something, not before a time; false when too much is under way, which is counted. */
  push(delivery: Delivery, after: Millis, now: Millis): boolean {
    const before = this.#byAim.get(aimOf(delivery));
    if (before !== undefined) this.#end(before);
    if (this.#byCookie.size >= this.#exchange.limits.deliveriesMax) {
      this.#exchange.count('droppedTooManyDeliveries');
      return false;
    }
    let cookie = this.#exchange.cookie();
    while (this.#byCookie.has(cookie)) cookie = this.#exchange.cookie();
    const item: Item = { delivery, cookie, sent: 0, task: undefined };
    this.#byCookie.set(cookie, item);
    this.#byAim.set(aimOf(delivery), item);
    if (after > now) item.task = this.#agenda.at(after, (at) => this.#enqueue(item, at));
    else this.#enqueue(item, now);
    return true;
  }

  /** Takes an acknowledgement; false when nothing waits for it from this member. */
  acknowledged(cookie: number, from: Address, now: Millis): boolean {
    const item = this.#byCookie.get(cookie);
    if (item === undefined || item.delivery.to !== from) return false;
    this.#settle(item, 'acknowledged', now);
    return true;
  }

  /** Gives up what is on its way to a member that cannot be reached any more. */
  giveUp(to: Address, now: Millis): void {
    for (const item of [...this.#byCookie.values()]) {
      if (item.delivery.to === to) this.#settle(item, 'no route', now);
    }
  }

  /** Gives up the stores of a value that are on their way. */
  recall(name: string, owner: Address): void {
    for (const item of [...this.#byCookie.values()]) {
      const { delivery } = item;
      if (delivery.name === name && delivery.owner === owner && !delivery.isWithdrawal) this.#end(item);
    }
  }

  clear(): void {
    this.#byCookie.clear();
    this.#byAim.clear();
    this.#queue = [];
  }

  #enqueue(item: Item, now: Millis): void {
    if (this.#sentInTurn === undefined) this.#beginTurn(now);
    if ((this.#sentInTurn ?? 0) < this.#exchange.limits.deliveriesOfTurn) return this.#send(item, now);
    // Those that were given up while they waited are in it still.
    if (this.#queue.length > 2 * this.#byCookie.size) {
      this.#queue = this.#queue.filter((one) => this.#byCookie.get(one.cookie) === one);
    }
    this.#queue.push(item);
  }

  #beginTurn(now: Millis): void {
    const { deliveriesOfTurn, turnMs } = this.#exchange.limits;
    this.#sentInTurn = 0;
    this.#agenda.at(now + turnMs, (at) => {
      this.#sentInTurn = undefined;
      if (this.#queue.length === 0) return;
      this.#beginTurn(at);
      for (const item of this.#queue.splice(0, deliveriesOfTurn)) {
        if (this.#byCookie.get(item.cookie) === item) this.#send(item, at);
      }
    });
  }

  #send(item: Item, now: Millis): void {
    const { delivery, cookie } = item;
    const message = delivery.message(now);
    if (message === undefined) return this.#end(item);
    this.#sentInTurn = (this.#sentInTurn ?? 0) + 1;
    const hasRoute = this.#exchange.send(delivery.to, { ...message, cookie });
    item.sent += 1;
    // A member on the same node may have acknowledged it by now.
    if (this.#byCookie.get(cookie) !== item) return;
    const isLast = item.sent > delivery.repeats;
    if (!hasRoute && isLast) return this.#settle(item, 'no route', now);
    const { deliverMs } = this.#exchange.limits;
    const pause = deliverMs[Math.min(item.sent, deliverMs.length) - 1] ?? 1000;
    item.task = this.#agenda.at(now + pause, (at) => {
      if (!isLast) return this.#enqueue(item, at);
      this.#exchange.count('deliveriesUnanswered');
      this.#settle(item, 'unanswered', at);
    });
  }

  #settle(item: Item, outcome: DeliveryOutcome, now: Millis): void {
    this.#end(item);
    item.delivery.settled(outcome, now);
  }

  #end(item: Item): void {
    this.#byCookie.delete(item.cookie);
    const aim = aimOf(item.delivery);
    if (this.#byAim.get(aim) === item) this.#byAim.delete(aim);
    item.task?.cancel();
  }
}

function aimOf({ to, name, owner }: Pick<Delivery, 'to' | 'name' | 'owner'>): string {
  return `${to} ${name} ${owner}`;
}
