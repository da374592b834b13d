/** The look-ups under way. */
import type { Millis } from '../../../../lib/time/clock.ts';
import type { Address } from '../../address.ts';
import type { Agenda, Task } from './agenda.ts';
import type { Contacts } from './contacts.ts';
import type { Exchange } from './exchange.ts';
import { Lookup } from './lookup.ts';
import { messageCode, type Peer } from './message.ts';
import type { Answer, RequestCode, Requests } from './requests.ts';

/** What is looked up, and for whom. */
export interface Search {
  readonly key: Buffer;
  readonly code: RequestCode;
  /** Members asked after the nearest, whatever their distance. */
  readonly others: Iterable<Address>;
  /** Hears each answer; true when that was enough. */
  readonly heard?: (answer: Answer, now: Millis) => boolean;
  /** Called once, with those who answered, the nearest first. */
  readonly done: (closest: readonly Peer[], now: Millis) => void;
}

interface Running {
  readonly search: Search;
  readonly lookup: Lookup;
  isOver: boolean;
  deadline: Task | undefined;
}

export class Lookups {
  readonly #exchange: Exchange;
  readonly #agenda: Agenda;
  readonly #requests: Requests;
  readonly #contacts: Contacts;
  readonly #parallel: number;
  readonly #width: number;
  readonly #errands = new Map<string, Search>();
  #errandsRunning = 0;
  #isStartingErrands = false;

  constructor(
    exchange: Exchange,
    agenda: Agenda,
    requests: Requests,
    contacts: Contacts,
    config: { readonly alpha: number; readonly k: number },
  ) {
    this.#exchange = exchange;
    this.#agenda = agenda;
    this.#requests = requests;
    this.#contacts = contacts;
    this.#parallel = config.alpha;
    this.#width = config.k;
  }

  /** Errands that wait or run. */
  get errands(): number {
    return this.#errands.size + this.#errandsRunning;
  }

  start(search: Search, now: Millis): void {
    this.#exchange.count('lookups');
    const { askedMax, candidatesMax } = this.#exchange.limits;
    const lookup = new Lookup({
      key: search.key,
      width: this.#width,
      parallel: this.#parallel,
      askedMax,
      candidatesMax,
    });
    for (const contact of this.#contacts.closest(search.key, 2 * this.#width)) lookup.add(contact);
    for (const address of search.others) lookup.addOther(address);
    const running: Running = { search, lookup, isOver: false, deadline: undefined };
    running.deadline = this.#agenda.at(now + this.#exchange.limits.lookupMs, (at) => this.#end(running, at));
    this.#step(running, now);
  }

  /** Looks something up for the directory itself, a few at a time. One that waits under the same name is replaced. */
  queue(name: string, search: Search, now: Millis): void {
    if (this.#errands.size >= this.#exchange.limits.errandsWaitingMax && !this.#errands.has(name)) {
      return this.#exchange.count('droppedTooManyLookups');
    }
    this.#errands.set(name, search);
    this.#startErrands(now);
  }

  clear(): void {
    this.#errands.clear();
  }

  #startErrands(now: Millis): void {
    // Those that end at once, for want of a route, come back here: the loop that started them goes on.
    if (this.#isStartingErrands) return;
    this.#isStartingErrands = true;
    try {
      for (const [name, search] of this.#errands) {
        if (this.#errandsRunning >= this.#exchange.limits.errandsMax) return;
        this.#errands.delete(name);
        this.#startErrand(search, now);
      }
    } finally {
      this.#isStartingErrands = false;
    }
  }

  #startErrand(search: Search, now: Millis): void {
    this.#errandsRunning += 1;
    const done = (closest: readonly Peer[], at: Millis): void => {
      this.#errandsRunning -= 1;
      search.done(closest, at);
      this.#startErrands(at);
    };
    this.start({ ...search, done }, now);
  }

  #step(running: Running, now: Millis): void {
    const { search, lookup } = running;
    while (!running.isOver) {
      const to = lookup.next();
      if (to === undefined) break;
      const hasRoute = this.#requests.ask(
        to,
        search.code,
        search.key,
        {
          answered: (answer, at) => this.#answered(running, answer, at),
          late: (at) => {
            lookup.late(to);
            this.#step(running, at);
          },
          failed: (at) => {
            lookup.failed(to);
            this.#step(running, at);
          },
        },
        now,
      );
      if (!hasRoute) lookup.failed(to);
    }
    if (!running.isOver && lookup.isComplete) this.#end(running, now);
  }

  #answered(running: Running, answer: Answer, now: Millis): void {
    const { search, lookup } = running;
    if (running.isOver) return;
    lookup.answered(answer.from);
    if (search.heard?.(answer, now) === true) return this.#end(running, now);
    const { self, limits } = this.#exchange;
    for (const [index, peer] of answer.contacts.slice(0, limits.contactsOfAnswerMax).entries()) {
      if (peer.address === self.address || peer.id.equals(self.id)) continue;
      lookup.add(peer);
      // Whom a prototype lists first is whom it asks and stores at, whatever the distance.
      const isFirst = answer.extensions === 0 && index < this.#parallel;
      if (isFirst && answer.code === messageCode.valueAnswer) lookup.addOther(peer.address);
    }
    this.#step(running, now);
  }

  #end(running: Running, now: Millis): void {
    running.isOver = true;
    running.deadline?.cancel();
    running.search.done(running.lookup.closest(), now);
  }
}
