/** Events of many flows, awaited at once. Source: application-api.md 5. */
import { O7sError } from '../errors.ts';
import { handleEvents, leaveHotLoop, untilDue } from '../os/hot-loop.ts';
import type { Flow, FlowEventType } from './flow.ts';
import { flushNow } from './flush-queue.ts';
import type { WaitOptions } from './waiters.ts';

export interface FlowEvent {
  readonly flow: Flow;
  readonly type: FlowEventType;
}

interface Member {
  readonly flow: Flow;
  /** Whether a `packet` event of the flow is waiting. */
  packetWaits: boolean;
}

/** Events a set holds that nobody takes; what comes after is lost, except that messages can be read. */
const eventsMax = 1024;

/**
 * A set of flows whose events are taken together. A flow is in at most one set.
 *
 * A `packet` event says that messages can be read: it comes again as long as the reader leaves any behind.
 */
export class FlowSet implements Disposable {
  readonly #members = new Map<Flow, Member>();
  #events: FlowEvent[] = [];
  /** Flows whose `packet` event was taken last: more may be left to read. */
  #taken: Member[] = [];
  #wake: (() => void) | undefined;

  /** Flows in the set. */
  get size(): number {
    return this.#members.size;
  }

  /**
   * Adds a flow. Of messages that wait already, and of an end that came before, there are events at once. A flow that is
   * closed leaves by itself.
   *
   * @throws O7sError EPERM when it is in another set, ENOTALLOC when it is closed.
   */
  add(flow: Flow): void {
    if (this.#members.has(flow)) return;
    const member = { flow, packetWaits: false };
    flow.listen({
      happened: (_flow, type) => this.#happened(member, type),
      closed: () => void this.delete(flow),
    });
    this.#members.set(flow, member);
    for (const type of flow.pastEvents) this.#happened(member, type);
  }

  /** Takes a flow out, and its events with it. */
  delete(flow: Flow): boolean {
    if (!this.#members.delete(flow)) return false;
    flow.listen(undefined);
    this.#events = this.#events.filter((event) => event.flow !== flow);
    return true;
  }

  has(flow: Flow): boolean {
    return this.#members.has(flow);
  }

  /** Takes all flows out. */
  clear(): void {
    for (const flow of [...this.#members.keys()]) this.delete(flow);
  }

  /** As `clear`. */
  [Symbol.dispose](): void {
    this.clear();
  }

  /** Waits for events and takes all there are. Rejects with ETIMEDOUT and ECANCELED as its options say. */
  async wait(options: WaitOptions = {}): Promise<FlowEvent[]> {
    const { timeout, signal } = options;
    if (signal?.aborted === true) throw new O7sError('ECANCELED');
    this.#lookAgain();
    if (this.#events.length === 0) await this.#untilEvent(timeout, signal);
    return this.#take();
  }

  /**
   * Takes the events there are, or those of the next `ms`, for which this thread stops: until then, or until something
   * else in the process wants the event loop, which this does not give a turn. For a tight loop that does so now and
   * then.
   */
  waitBlocking(ms: number): FlowEvent[] {
    this.#lookAgain();
    if (this.#events.length === 0) {
      flushNow();
      handleEvents(untilDue(ms));
    }
    return this.#take();
  }

  /** Events as they come, without end. */
  async *[Symbol.asyncIterator](): AsyncGenerator<FlowEvent, void, void> {
    for (;;) yield* await this.wait();
  }

  #happened(member: Member, type: FlowEventType): void {
    if (type === 'packet') {
      if (member.packetWaits) return;
      member.packetWaits = true;
    } else if (this.#events.length >= eventsMax) return;
    this.#events.push({ flow: member.flow, type });
    this.#wake?.();
  }

  #take(): FlowEvent[] {
    const events = this.#events;
    this.#events = [];
    for (const { flow, type } of events) {
      const member = type === 'packet' ? this.#members.get(flow) : undefined;
      if (member === undefined) continue;
      member.packetWaits = false;
      this.#taken.push(member);
    }
    return events;
  }

  #lookAgain(): void {
    for (const member of this.#taken) {
      if (member.flow.waiting > 0 && this.#members.has(member.flow)) this.#happened(member, 'packet');
    }
    if (this.#taken.length > 0) this.#taken = [];
  }

  #untilEvent(timeout: number | undefined, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
        this.#wake = undefined;
      };
      const cancel = (): void => (settle(), reject(new O7sError('ECANCELED')));
      const timer =
        timeout === undefined
          ? undefined
          : setTimeout(() => (settle(), reject(new O7sError('ETIMEDOUT'))), timeout);
      signal?.addEventListener('abort', cancel, { once: true });
      this.#wake = () => (settle(), leaveHotLoop(), resolve());
    });
  }
}
