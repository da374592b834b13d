/** Events of many flows, awaited at once. Source: application-api.md 5. */
import { O7sError } from '../errors.ts';
import { handleEvents, untilDue } from '../os/hot-loop.ts';
import type { Flow, FlowEventType } from './flow.ts';
import { flushNow } from './flush-queue.ts';
import { patienceOf, type WaitOptions, Waiters } from './waiters.ts';

/** Something that happened to a flow of a set. */
export interface FlowEvent {
  readonly flow: Flow;
  readonly type: FlowEventType;
}

interface Member {
  readonly flow: Flow;
  /** Its events that wait, one of a type at most: however long nobody takes them, they are bounded, and none is lost. */
  readonly waiting: Set<FlowEventType>;
}

/**
 * A set of flows whose events are taken together. A flow is in at most one set.
 *
 * A `packet` event says that messages can be read: it comes again as long as the reader leaves any behind. Of what happens
 * to a flow again before its event is taken, only the latest counts: behind `up`, a `down` says how it is now.
 */
export class FlowSet implements Disposable {
  readonly #members = new Map<Flow, Member>();
  #events: FlowEvent[] = [];
  /** Flows whose `packet` event was taken last: more may be left to read. */
  #taken: Member[] = [];
  readonly #waiters = new Waiters();

  /** Flows in the set. */
  get size(): number {
    return this.#members.size;
  }

  /**
   * Adds a flow. Of messages that wait already, and of an end that came before, there are events at once. A flow that is
   * closed leaves by itself.
   *
   * @throws O7sError EPERM when it is in a set already, this one included, ENOTALLOC when it is closed.
   */
  add(flow: Flow): void {
    const member: Member = { flow, waiting: new Set() };
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
    const patience = patienceOf(options);
    if (patience.signal?.aborted === true) throw new O7sError('ECANCELED');
    this.#lookAgain();
    while (this.#events.length === 0) await this.#waiters.wait(patience);
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

  /** Events as they come, without end; the options are of each wait, which rejects as `wait` does. */
  async *events(options: WaitOptions = {}): AsyncGenerator<FlowEvent, void, void> {
    for (;;) yield* await this.wait(options);
  }

  /** As `events` without options. */
  [Symbol.asyncIterator](): AsyncGenerator<FlowEvent, void, void> {
    return this.events();
  }

  #happened(member: Member, type: FlowEventType): void {
    const { flow, waiting } = member;
    if (waiting.has(type)) {
      if (type === 'packet') return;
      this.#events = this.#events.filter((event) => event.flow !== flow || event.type !== type);
    }
    waiting.add(type);
    this.#events.push({ flow, type });
    this.#waiters.wakeAll();
  }

  #take(): FlowEvent[] {
    const events = this.#events;
    this.#events = [];
    for (const { flow, type } of events) {
      const member = this.#members.get(flow);
      member?.waiting.delete(type);
      if (member !== undefined && type === 'packet') this.#taken.push(member);
    }
    return events;
  }

  #lookAgain(): void {
    for (const member of this.#taken) {
      if (member.flow.waiting > 0 && this.#members.has(member.flow)) this.#happened(member, 'packet');
    }
    if (this.#taken.length > 0) this.#taken = [];
  }
}
