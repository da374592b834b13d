/** Serves many flows at once, many messages a wake-up. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { acceptFlow, type Flow, FlowSet, O7sError } from '../lib/index.ts';

/** Messages after which the event loop has a turn. */
const messagesPerTurn = 64;
/** Messages of one flow before another has its turn. */
const messagesPerFlow = 1024;

/** What a server does with a flow. */
export interface FlowHandler {
  /** A message that came over it, which belongs to the handler. The next one waits until a promise is kept. */
  readonly message: (message: Buffer) => Promise<void> | undefined | void;
  /** The messages that came together are all handled. */
  readonly settled?: () => void;
  /** The other end or the layer released it, or the other end sends nothing more or fell silent; it is closed already. */
  readonly ended?: () => void;
}

export class FlowServer {
  readonly #flows = new FlowSet();
  readonly #handlers = new Map<Flow, FlowHandler>();
  /** Flows whose handler is not done with a message. */
  readonly #busy = new Set<Flow>();

  /** Flows that are served. */
  get size(): number {
    return this.#handlers.size;
  }

  add(flow: Flow, handler: FlowHandler): void {
    this.#handlers.set(flow, handler);
    this.#flows.add(flow);
  }

  /** Releases a flow. Its handler is told of nothing more. */
  drop(flow: Flow): void {
    if (!this.#handlers.delete(flow)) return;
    this.#busy.delete(flow);
    this.#flows.delete(flow);
    void flow.close();
  }

  /**
   * Serves without end. `lingerMs` is how long to wait for another message right where the last was handled, without a
   * turn of the event loop, which saves time where each message is an answer to the one before.
   */
  async run(lingerMs = 0): Promise<never> {
    for (;;) {
      let events = await this.#flows.wait();
      for (let handled = 0; events.length > 0 && handled < messagesPerTurn;) {
        for (const { flow, type } of events) {
          if (type === 'dealloc' || type === 'end' || type === 'peer') this.#end(flow);
          else handled += this.#read(flow, messagesPerFlow);
        }
        events = this.#flows.waitBlocking(lingerMs);
      }
      await nextTurn();
    }
  }

  /** Handles up to `most` messages of a flow; how many there were. */
  #read(flow: Flow, most: number): number {
    const handler = this.#handlers.get(flow);
    let count = 0;
    if (handler === undefined || this.#busy.has(flow)) return count;
    try {
      while (count < most) {
        const message = flow.tryRead();
        if (message === undefined) break;
        const done = handler.message(message);
        count += 1;
        if (!this.#handlers.has(flow)) return count;
        if (done === undefined) continue;
        this.#busy.add(flow);
        // Meanwhile it would have the same event again and again.
        this.#flows.delete(flow);
        void done.then(() => {
          if (this.#busy.delete(flow)) this.#flows.add(flow);
        });
        break;
      }
    } catch (error) {
      if (!(error instanceof O7sError)) throw error;
      // A flow whose device is down goes on when it is up again.
      if (flow.released) this.drop(flow);
    }
    handler.settled?.();
    if (!this.#handlers.has(flow)) handler.ended?.();
    return count;
  }

  /** Handles what came before a flow ended, and then its end. */
  #end(flow: Flow): void {
    const handler = this.#handlers.get(flow);
    // Of a flow whose handler is not done, the end is told again once it is.
    if (handler === undefined || this.#busy.has(flow)) return;
    this.#read(flow, Number.POSITIVE_INFINITY);
    if (!this.#handlers.has(flow) || this.#busy.has(flow)) return;
    this.drop(flow);
    handler.ended?.();
  }
}

/**
 * Sends a message over a flow, now, or when the promise is kept because the flow has no room for it yet. `lost` hears
 * when it cannot be sent at all.
 */
export function sendOver(flow: Flow, message: Uint8Array, lost: () => void): Promise<void> | undefined {
  const failed = (error: unknown): void => {
    if (!(error instanceof O7sError)) throw error;
    lost();
  };
  try {
    return flow.tryWrite(message) ? undefined : flow.write(message).catch(failed);
  } catch (error) {
    failed(error);
    return undefined;
  }
}

/** Flows as they are asked for, until there is no irmd to bring any. `failed` hears why one could not be taken. */
export async function* acceptFlows(failed: (error: O7sError) => void): AsyncGenerator<Flow, void, void> {
  for (;;) {
    try {
      yield await acceptFlow();
    } catch (error) {
      if (!(error instanceof O7sError)) throw error;
      failed(error);
      if (error.code === 'EIRMD') return;
    }
  }
}
