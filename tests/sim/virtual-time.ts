/** Time that passes only when there is nothing left to do at it. */
import { type Deadlines, type Millis, never } from '../../runtime/lib/time/clock.ts';

interface Event {
  readonly at: Millis;
  readonly order: number;
  readonly run: () => void;
}

export class VirtualTime {
  now: Millis = 0;
  /** A heap: each event is due no later than those below it. */
  readonly #events: Event[] = [];
  #order = 0;

  /** Events that wait. */
  get waiting(): number {
    return this.#events.length;
  }

  /** Runs something at a time, after all that was asked for at the same time before. */
  at(time: Millis, run: () => void): void {
    const event = { at: Math.max(time, this.now), order: this.#order++, run };
    let index = this.#events.length;
    this.#events.push(event);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const other = this.#events[above]!;
      if (!isBefore(event, other)) break;
      this.#events[index] = other;
      this.#events[above] = event;
      index = above;
    }
  }

  after(ms: Millis, run: () => void): void {
    this.at(this.now + ms, run);
  }

  /** Lets time pass until a moment. */
  runTo(end: Millis): void {
    for (let next = this.#events[0]; next !== undefined && next.at <= end; next = this.#events[0])
      this.#step();
    this.now = Math.max(this.now, end);
  }

  /** Lets time pass until something is so; how long that took, ms. Fails after `limit` ms. */
  runUntil(what: string, isSo: () => boolean, limit: Millis): Millis {
    const start = this.now;
    while (!isSo()) {
      const next = this.#events[0];
      if (next === undefined || next.at > start + limit) {
        throw new Error(`${what}: not within ${limit} ms of virtual time`);
      }
      this.#step();
    }
    return this.now - start;
  }

  #step(): void {
    const next = this.#events[0]!;
    const last = this.#events.pop()!;
    if (this.#events.length > 0) {
      let index = 0;
      for (;;) {
        let below = 2 * index + 1;
        const right = this.#events[below + 1];
        if (right !== undefined && isBefore(right, this.#events[below]!)) below += 1;
        const other = this.#events[below];
        if (other === undefined || !isBefore(other, last)) break;
        this.#events[index] = other;
        index = below;
      }
      this.#events[index] = last;
    }
    this.now = next.at;
    next.run();
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Calls something at its deadlines. */
export class VirtualTimer {
  readonly #time: VirtualTime;
  readonly #subject: Deadlines;
  #armedFor: Millis = never;
  #closed = false;

  constructor(time: VirtualTime, subject: Deadlines) {
    this.#time = time;
    this.#subject = subject;
    this.update();
  }

  /** To be called when the deadline may have come nearer. */
  update(): void {
    const deadline = this.#subject.nextDeadline();
    if (this.#closed || deadline >= this.#armedFor) return;
    this.#armedFor = deadline;
    this.#time.at(deadline, () => {
      if (this.#closed || this.#armedFor !== deadline) return;
      this.#armedFor = never;
      if (this.#subject.nextDeadline() <= this.#time.now) this.#subject.advance(this.#time.now);
      this.update();
    });
  }

  close(): void {
    this.#closed = true;
  }
}
