/** Takes events as they come, and tells of them as often as a screen is drawn. */
import type { LiveEvent } from '../rumba/index.ts';
import { emptyModel, type Model, reduce } from './model.ts';

/** Least time between two frames for what comes by itself, in milliseconds. */
const frameMs = 200;

/** Events that one frame takes at most; the rest waits for the next. */
const batchMax = 5_000;

export class Store {
  #model: Model = emptyModel;
  #waiting: LiveEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isHeld = false;
  readonly #listeners = new Set<() => void>();

  readonly model = (): Model => this.#model;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  push(event: LiveEvent): void {
    this.#waiting.push(event);
    this.#schedule();
  }

  /** While it is held, nothing is told: the terminal is somebody else's. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#tell();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  #schedule(): void {
    if (this.#waiting.length === 0) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      for (const event of this.#waiting.splice(0, batchMax)) this.#model = reduce(this.#model, event);
      this.#tell();
      this.#schedule();
    }, frameMs);
  }

  #tell(): void {
    if (this.#isHeld) return;
    for (const listener of this.#listeners) listener();
  }
}
