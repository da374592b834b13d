/** What is to be done later, in order of time: a heap. */
import { type Deadlines, type Millis, never } from '../../../../lib/time/clock.ts';

/** Something that is to be done once. */
export interface Task {
  /** Gives it up. Idempotent, and harmless when it is done. */
  cancel(): void;
}

interface Entry extends Task {
  readonly at: Millis;
  /** Who came first goes first. */
  readonly order: number;
  action: ((now: Millis) => void) | undefined;
}

export class Agenda implements Deadlines {
  #heap: Entry[] = [];
  #order = 0;
  #cancelled = 0;

  /** Tasks that are still to be done. */
  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  at(time: Millis, action: (now: Millis) => void): Task {
    const entry: Entry = {
      at: time,
      order: this.#order++,
      action,
      cancel: () => {
        if (entry.action === undefined) return;
        entry.action = undefined;
        this.#cancelled += 1;
        this.#compact();
      },
    };
    this.#push(entry);
    return entry;
  }

  nextDeadline(): Millis {
    for (;;) {
      const [first] = this.#heap;
      if (first === undefined) return never;
      if (first.action !== undefined) return first.at;
      this.#pop();
      this.#cancelled -= 1;
    }
  }

  /** Does what is due. What is added meanwhile for a time that has come is done too. */
  advance(now: Millis): void {
    while (this.nextDeadline() <= now) {
      const entry = this.#pop();
      const action = entry?.action;
      // Done is done: a later `cancel` counts nothing.
      if (entry !== undefined) entry.action = undefined;
      action?.(now);
    }
  }

  clear(): void {
    for (const entry of this.#heap) entry.action = undefined;
    this.#heap = [];
    this.#cancelled = 0;
  }

  /** Cancelled tasks may fill at most half of the heap. */
  #compact(): void {
    if (this.#cancelled < 64 || this.#cancelled * 2 < this.#heap.length) return;
    const kept = this.#heap.filter((entry) => entry.action !== undefined);
    kept.sort(compare);
    this.#heap = kept;
    this.#cancelled = 0;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || compare(parent, entry) <= 0) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      let child = heap[below];
      if (child === undefined) break;
      const right = heap[below + 1];
      if (right !== undefined && compare(right, child) < 0) {
        child = right;
        below += 1;
      }
      if (compare(last, child) <= 0) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

function compare(a: Entry, b: Entry): number {
  return a.at - b.at || a.order - b.order;
}
