/**
 * What one listener is told. It is told everything, in order, for as long as it takes it; what does not fit is left out
 * and counted, and made good by a snapshot once it has caught up: irmd holds no more for it than `waitingBytesMax` and
 * one event.
 */
import type { FlowCounts, IpcpCounts, IrmEvent, IrmSnapshot } from '../lib/rpc/events.ts';
import type { EventHub } from './events.ts';
import type { Sample } from './observation.ts';

/** Where events go. */
export interface EventSink {
  /** Bytes that the listener has not taken. */
  readonly waitingBytes: number;
  send(event: IrmEvent | IrmSnapshot): void;
}

export interface SubscriptionSetup {
  readonly events: EventHub;
  readonly sink: EventSink;
  /** How often counters are told, ms; null for never. */
  readonly countersMs: number | null;
  readonly snapshot: (dropped: number) => IrmSnapshot;
  readonly sample: () => Promise<Sample>;
}

/** Bytes that may wait for a listener. */
const waitingBytesMax: number = 1 << 20;
/** How often a listener that was too slow is looked at, ms. */
const resumeMs = 100;
/** Flows that one event tells the counters of; those that do not fit come next. */
const flowsMax = 256;

export class Subscription implements Disposable {
  readonly #setup: SubscriptionSetup;
  readonly #unsubscribe: () => void;
  /** Events that were left out since the listener was last told all. */
  #dropped = 0;
  #resume: NodeJS.Timeout | undefined;
  #counting: NodeJS.Timeout | undefined;
  #toldRefused: Sample['refused'] | undefined;
  /** What was told last, by pid and by flow, the latter as text. */
  #toldIpcps = new Map<number, IpcpCounts>();
  #toldFlows = new Map<number, string>();
  /** Events that came before the listener has the first snapshot. */
  #early: IrmEvent[] | undefined = [];

  constructor(setup: SubscriptionSetup) {
    this.#setup = setup;
    this.#unsubscribe = setup.events.subscribe((event) => this.#happened(event));
    // The answer to the subscription leaves before anything else does.
    setImmediate(() => {
      const early = this.#early ?? [];
      this.#early = undefined;
      for (const event of early) this.#happened(event);
    });
    const { countersMs } = setup;
    if (countersMs === null) return;
    let busy = false;
    this.#counting = setInterval(() => {
      if (busy) return;
      busy = true;
      void this.#count().finally(() => (busy = false));
    }, countersMs);
    this.#counting.unref();
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
    clearInterval(this.#counting);
    clearInterval(this.#resume);
  }

  #happened(event: IrmEvent): void {
    if (this.#early !== undefined) {
      this.#early.push(event);
      return;
    }
    const { sink } = this.#setup;
    if (this.#dropped === 0 && sink.waitingBytes <= waitingBytesMax) return sink.send(event);
    this.#dropped += 1;
    this.#resume ??= setInterval(() => this.#tryAgain(), resumeMs).unref();
  }

  #tryAgain(): void {
    const { sink, snapshot } = this.#setup;
    if (sink.waitingBytes > waitingBytesMax / 4) return;
    clearInterval(this.#resume);
    this.#resume = undefined;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#toldIpcps.clear();
    this.#toldFlows.clear();
    sink.send(snapshot(dropped));
  }

  async #count(): Promise<void> {
    const { sink, sample } = this.#setup;
    // Totals are not lost by being told later.
    if (this.#dropped > 0 || sink.waitingBytes > waitingBytesMax / 2) return;
    const { at, ipcps, flows, refused } = await sample();
    const changedIpcps = this.#changedIpcps(ipcps);
    const changedFlows = this.#changedFlows(flows);
    const refusals = changedNumbers(this.#toldRefused, refused);
    this.#toldRefused = refused;
    const changes = changedIpcps.length + changedFlows.length + Object.keys(refusals).length;
    if (changes === 0) return;
    for (let from = 0; from === 0 || from < changedFlows.length; from += flowsMax) {
      const part = changedFlows.slice(from, from + flowsMax);
      if (sink.waitingBytes > waitingBytesMax) {
        for (const { flowId } of changedFlows.slice(from)) this.#toldFlows.delete(flowId);
        return;
      }
      sink.send({ event: 'counters', at, ipcps: from === 0 ? changedIpcps : [], flows: part, refused });
    }
  }

  #changedIpcps(ipcps: readonly IpcpCounts[]): IpcpCounts[] {
    const before = this.#toldIpcps;
    this.#toldIpcps = new Map(ipcps.map((each) => [each.pid, each]));
    return ipcps.flatMap(({ pid, counters, gauges }) => {
      const told = before.get(pid);
      const changed = {
        counters: changedNumbers(told?.counters, counters),
        gauges: changedNumbers(told?.gauges, gauges),
      };
      const isSame = Object.keys(changed.counters).length + Object.keys(changed.gauges).length === 0;
      return isSame ? [] : [{ pid, ...changed }];
    });
  }

  #changedFlows(flows: readonly FlowCounts[]): FlowCounts[] {
    const before = this.#toldFlows;
    this.#toldFlows = new Map(flows.map((each) => [each.flowId, JSON.stringify(each)]));
    return flows.filter(({ flowId }) => before.get(flowId) !== this.#toldFlows.get(flowId));
  }
}

/** The numbers that are other than before; those that were never told were 0. */
function changedNumbers(
  before: Readonly<Record<string, number>> = {},
  now: Readonly<Record<string, number>>,
): Record<string, number> {
  return Object.fromEntries(Object.entries(now).filter(([name, value]) => value !== (before[name] ?? 0)));
}
