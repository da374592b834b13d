/** What several sources tell, in the order in which it comes. */
export class EventQueue<T> {
  readonly #events: T[] = [];
  #wake: () => void = () => {};
  #isEnded = false;
  #failure: unknown;

  push(event: T): void {
    this.#events.push(event);
    this.#wake();
  }

  /** Nothing comes any more; what is there is still given, then the failure thrown, if there is one. */
  end(failure?: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#failure = failure;
    this.#wake();
  }

  /** Takes all of a source. */
  async take(source: AsyncIterable<T>): Promise<void> {
    for await (const event of source) this.push(event);
  }

  /** What comes, until the end or until the signal aborts. */
  async *events(signal: AbortSignal): AsyncGenerator<T, void, void> {
    while (!signal.aborted) {
      const event = this.#events.shift();
      if (event !== undefined) yield event;
      else if (this.#isEnded) break;
      else await this.#waking(signal);
    }
    if (this.#failure !== undefined && !signal.aborted) throw this.#failure as Error;
  }

  async #waking(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const resume = (): void => resolve();
    this.#wake = resume;
    signal.addEventListener('abort', resume, { once: true });
    if (signal.aborted) resume();
    await promise;
    signal.removeEventListener('abort', resume);
  }
}
