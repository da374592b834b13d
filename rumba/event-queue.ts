/** What several sources tell, in the order in which it comes. */

/** How much waits for a slow reader before sources are told to wait. */
const roomMax = 1_000;

export class EventQueue<T> {
  readonly #events: T[] = [];
  #wake: () => void = () => {};
  #isEnded = false;
  #failure: unknown;
  /** Sources that wait for the reader. */
  #waiting: (() => void)[] = [];

  /**
   * Resolves when there is room for another: a source that can wait does so. What comes after the end, or after the reader
   * has gone, is nobody's.
   */
  async push(event: T): Promise<void> {
    if (this.#isEnded) return;
    this.#events.push(event);
    this.#wake();
    if (this.#events.length < roomMax) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Nothing comes any more; what is there is still given, then the failure thrown, if there is one. */
  end(failure?: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#failure = failure;
    this.#wake();
    this.#goOn();
  }

  /** Takes all of a source, as fast as it is read. */
  async take(source: AsyncIterable<T>): Promise<void> {
    for await (const event of source) await this.push(event);
  }

  /** What comes, until the end or until the signal aborts. There is one reader. */
  async *events(signal: AbortSignal): AsyncGenerator<T, void, void> {
    try {
      while (!signal.aborted) {
        const event = this.#events.shift();
        if (this.#events.length < roomMax / 2) this.#goOn();
        if (event !== undefined) yield event;
        else if (this.#isEnded) break;
        else await this.#waking(signal);
      }
      if (this.#failure !== undefined && !signal.aborted) throw this.#failure as Error;
    } finally {
      this.#isEnded = true;
      this.#goOn();
    }
  }

  #goOn(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
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
