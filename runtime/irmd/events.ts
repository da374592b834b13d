/** Tells whoever listens what changes on the node. */
import type { IrmChange, IrmEvent } from '../lib/rpc/events.ts';

export type EventListener = (event: IrmEvent) => void;

export class EventHub {
  readonly #listeners = new Set<EventListener>();
  readonly #clock: () => number;

  /** @param clock ms since 1970. */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  get now(): number {
    return this.#clock();
  }

  emit(change: IrmChange): void {
    if (this.#listeners.size === 0) return;
    const event: IrmEvent = { at: this.#clock(), ...change };
    for (const listener of this.#listeners) listener(event);
  }

  /** Listens until the function it returns is called. */
  subscribe(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
