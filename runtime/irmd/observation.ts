/**
 * What those that listen are told and irmd does not know by itself: what IPCPs know of their layers, and counters. As
 * long as nobody listens nothing is asked for.
 */
import { O7sError } from '../lib/errors.ts';
import type { RibFile } from '../lib/rpc/api.ts';
import type { FlowSample } from '../lib/rpc/data-plane-api.ts';
import type {
  EndReport,
  FlowCounts,
  FlowReport,
  IpcpCounts,
  IrmCounters,
  IrmSnapshot,
  LayerFacts,
} from '../lib/rpc/events.ts';
import type { EventHub } from './events.ts';
import type { Flows } from './flows.ts';
import type { Management } from './management.ts';
import { layerChanges, noFacts, type OwnFacts } from './layer-changes.ts';
import { type IpcpEntry, ipcpInfo, type Registry } from './registry.ts';
import { ribBelow, ribFiles, type RibMetrics } from './rib.ts';
import type { Shares } from './shares.ts';

/** The counters of a node at one moment. */
export interface Sample {
  readonly at: number;
  readonly ipcps: readonly IpcpCounts[];
  readonly flows: readonly FlowCounts[];
  readonly refused: Readonly<Record<string, number>>;
}

/** What processes tell of their ends, by flow. */
export type EndReports = ReadonlyMap<number, readonly EndReport[]>;

export interface ObservationSetup {
  readonly registry: Registry;
  readonly flows: Flows;
  readonly management: Management;
  readonly events: EventHub;
  /** Asks the applications; resolves soon, without those that do not answer. */
  readonly reports: () => Promise<EndReports>;
  readonly shares: Shares;
}

/** How long an answer of a data plane is waited for, ms. */
const answerMs = 1000;
/** A sample that is not older serves again, ms. */
const sampleMs = 50;
/** What no data plane told of is seen after this time at the latest, ms. */
const renewMs = 10_000;

/** What the tree of the RIB is made from. */
const ribParts = [
  'address',
  'settings',
  'neighbours',
  'components',
  'adjacencies',
  'lsdb',
  'directory',
  'flows',
] as const satisfies (keyof RibMetrics)[];

const noSample = { ipcps: [], flows: [] };

export class Observation {
  readonly #setup: ObservationSetup;
  readonly #facts = new Map<number, OwnFacts>();
  /** IPCPs that are being asked, and whether they are to be asked once more. */
  readonly #asking = new Map<number, { again: boolean; readonly done: Promise<void> }>();
  #watchers = 0;
  #unwatch = (): void => {};
  #sample: { readonly at: number; readonly result: Promise<Sample> } | undefined;

  constructor(setup: ObservationSetup) {
    this.#setup = setup;
  }

  /** Begins to look; resolves when what there is, is known. What it returns ends it. */
  async watch(): Promise<() => void> {
    this.#watchers += 1;
    if (this.#watchers === 1) this.#begin();
    const asked = this.#setup.registry.ipcps().map((ipcp) => this.#ask(ipcp));
    await inTime(Promise.all(asked), undefined);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#watchers -= 1;
      if (this.#watchers === 0) this.#end();
    };
  }

  /** A data plane tells what may be other than before. */
  changed(pids: readonly number[]): void {
    if (this.#watchers === 0) return;
    for (const ipcp of this.#setup.registry.ipcps()) if (pids.includes(ipcp.pid)) void this.#ask(ipcp);
  }

  /** All there is on the node. To be called while it watches. */
  snapshot(dropped: number): IrmSnapshot {
    const { management, registry } = this.#setup;
    const layers = registry.ipcps().flatMap(({ pid, layer }): LayerFacts[] => {
      if (layer === undefined) return [];
      const { linkUp, adjacencies, routes } = this.#facts.get(pid) ?? noFacts;
      return [{ pid, names: [...layer.names].toSorted(), linkUp, adjacencies, routes }];
    });
    return { ...management.snapshot(), dropped, layers };
  }

  /** The same for somebody who does not watch. */
  async once(): Promise<IrmSnapshot> {
    using watching = new DisposableStack();
    watching.defer(await this.watch());
    return this.snapshot(0);
  }

  /** All counters, as an event. */
  async counters(): Promise<IrmCounters> {
    return { event: 'counters', ...(await this.sample()) };
  }

  /** The counters now. */
  sample(): Promise<Sample> {
    const { now } = this.#setup.events;
    if (this.#sample === undefined || now - this.#sample.at > sampleMs || now < this.#sample.at) {
      this.#sample = { at: now, result: this.#take() };
    }
    return this.#sample.result;
  }

  /** The tree of the RIB now, at and below a path. */
  async rib(path: string): Promise<RibFile[]> {
    const { registry, events, reports } = this.#setup;
    const ipcps = registry.ipcps().map(async (ipcp) => {
      const { pid, plane, layer } = ipcp;
      const asked =
        layer === undefined ? {} : plane.call('ipcp.metrics', { pid, parts: ribParts }).catch(() => ({}));
      return {
        info: ipcpInfo(ipcp),
        metrics: await inTime<RibMetrics, RibMetrics>(Promise.resolve(asked), {}),
      };
    });
    const [ends, ...described] = await Promise.all([reports(), ...ipcps]);
    const processes = new Map<number, FlowReport[]>();
    for (const [flowId, ofFlow] of ends) {
      for (const { pid, ...report } of ofFlow) {
        processes.set(pid, [...(processes.get(pid) ?? []), { flowId, ...report }]);
      }
    }
    const files = ribFiles({
      at: events.now,
      ipcps: described,
      processes: [...processes].map(([pid, flows]) => ({ pid, flows })),
    });
    const found = ribBelow(files, path);
    if (found.length > 0 || path === '') return found;
    throw new O7sError('ENOENT', `there is no ${path} in the tree`, {
      hint: '`irm rib` lists what there is',
    });
  }

  async #take(): Promise<Sample> {
    const { registry, flows, events, reports, shares } = this.#setup;
    const planes = [...new Set(registry.ipcps().map(({ plane }) => plane))];
    const sampled = planes.map((plane) =>
      inTime(
        plane.call('counters.sample', {}).catch(() => noSample),
        noSample,
      ),
    );
    const [ends, ...samples] = await Promise.all([reports(), ...sampled]);
    const ports = new Map(samples.flatMap((sample) => sample.flows).map((port) => [port.flowId, port]));
    return {
      at: events.now,
      ipcps: samples.flatMap(({ ipcps }) => ipcps),
      flows: flows.list().map(({ flowId }) => ({
        flowId,
        port: portOf(ports.get(flowId)),
        ends: ends.get(flowId) ?? [],
      })),
      refused: { ...shares.refused },
    };
  }

  #begin(): void {
    const { events, registry } = this.#setup;
    const unsubscribe = events.subscribe((event) => {
      if (event.event === 'ipcp.destroyed' || event.event === 'ipcp.crashed') this.#facts.delete(event.pid);
      if (event.event !== 'ipcp.bootstrapped' && event.event !== 'ipcp.enrolled') return;
      const { pid } = event.ipcp;
      for (const ipcp of registry.ipcps()) if (ipcp.pid === pid) void this.#ask(ipcp);
    });
    const timer = setInterval(() => {
      for (const ipcp of registry.ipcps()) void this.#ask(ipcp);
    }, renewMs);
    timer.unref();
    this.#unwatch = () => {
      unsubscribe();
      clearInterval(timer);
    };
  }

  #end(): void {
    this.#unwatch();
    this.#facts.clear();
  }

  /** Asks an IPCP what it knows, and tells what is different from before. One question at a time. */
  #ask(ipcp: IpcpEntry): Promise<void> {
    if (ipcp.layer === undefined) return Promise.resolve();
    const running = this.#asking.get(ipcp.pid);
    if (running !== undefined) {
      running.again = true;
      return running.done;
    }
    const asking = { again: false, done: Promise.resolve() };
    const ask = async (): Promise<void> => {
      do {
        asking.again = false;
        const facts = await ipcp.plane.call('ipcp.facts', { pid: ipcp.pid });
        this.#learned(ipcp, facts);
      } while (asking.again);
    };
    asking.done = ask()
      // One that is gone has nothing to tell.
      .catch(() => {})
      .finally(() => this.#asking.delete(ipcp.pid));
    this.#asking.set(ipcp.pid, asking);
    return asking.done;
  }

  #learned(ipcp: IpcpEntry, facts: OwnFacts): void {
    const { registry, events } = this.#setup;
    if (this.#watchers === 0 || !registry.hasIpcp(ipcp)) return;
    const before = this.#facts.get(ipcp.pid);
    this.#facts.set(ipcp.pid, facts);
    for (const change of layerChanges(ipcp.pid, ipcp.name, before ?? noFacts, facts)) events.emit(change);
  }
}

function portOf(sample: FlowSample | undefined): FlowCounts['port'] {
  if (sample === undefined) return null;
  const { flowId: _, ...port } = sample;
  return port;
}

/** What a promise brings, or something else if it takes too long. */
async function inTime<T, U>(promise: Promise<T>, otherwise: U): Promise<T | U> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<U>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), answerMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
