/** Time that passes only from one event to the next. */

interface Event {
  readonly at: number;
  /** Events of one moment come in the order they were planned. */
  readonly order: number;
  readonly run: () => void;
}

export class VirtualTime {
  /** ms */
  now: number;
  /** A heap: no event is earlier than its parent. */
  readonly #events: Event[] = [];
  #order = 0;

  constructor(start = 0) {
    this.now = start;
  }

  /** When the next event is; infinity when there is none. */
  get next(): number {
    return this.#events[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Plans something; for a moment that is over, now. */
  at(time: number, run: () => void): void {
    const event = { at: Math.max(time, this.now), order: this.#order++, run };
    const events = this.#events;
    let index = events.length;
    events.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isEarlier(event, events[parent]!)) break;
      events[index] = events[parent]!;
      index = parent;
    }
    events[index] = event;
  }

  after(delay: number, run: () => void): void {
    this.at(this.now + delay, run);
  }

  /** Runs events until `isOver` says so, which is told by true, or until `end`. */
  run(end: number, isOver: () => boolean): boolean {
    while (!isOver()) {
      const event = this.#events[0];
      if (event === undefined || event.at > end) {
        this.now = Math.max(this.now, end);
        return false;
      }
      this.#removeFirst();
      this.now = event.at;
      event.run();
    }
    return true;
  }

  #removeFirst(): void {
    const events = this.#events;
    const last = events.pop()!;
    if (events.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= events.length) break;
      if (child + 1 < events.length && isEarlier(events[child + 1]!, events[child]!)) child += 1;
      if (!isEarlier(events[child]!, last)) break;
      events[index] = events[child]!;
      index = child;
    }
    events[index] = last;
  }
}

function isEarlier(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
