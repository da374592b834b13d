/** What a view shows of a lab: a pure reducer over its events. Times are ms since 1970, rates bits a second. */
import type {
  Adjacency,
  FlowCounts,
  FlowInfo,
  IpcpCounts,
  IpcpInfo,
  IrmSnapshot,
  NameInfo,
  ProcessInfo,
  Route,
} from '../runtime/lib/index.ts';
import type { LiveEvent, Topology } from '../rumba/index.ts';

export interface Model {
  /** When the last event happened. */
  readonly now: number;
  readonly lab: { readonly name: string; readonly testbed: string; readonly condition: LabCondition };
  readonly topology: Topology | undefined;
  readonly nodes: ReadonlyMap<string, NodeModel>;
  /** By node and interface. */
  readonly rates: ReadonlyMap<string, Rates>;
  /** What links are made to do, in words, by name. */
  readonly impairments: ReadonlyMap<string, string>;
  /** The capture that runs, or was the last. */
  readonly capture: CaptureModel | undefined;
  readonly phases: ReadonlyMap<string, { readonly done: number; readonly total: number }>;
  readonly events: Recent<EventRow>;
  readonly logs: Recent<LogRow>;
  readonly commands: Recent<CommandRow>;
}

export type LabCondition = 'starting' | 'running' | 'unmanaged' | 'ended';
/** `lost`: the node runs, its irmd does not answer. */
export type NodeCondition = 'starting' | 'running' | 'lost' | 'ended';

export interface CaptureModel {
  readonly link: string;
  readonly file: string;
  readonly isOver: boolean;
  readonly complaint: string | null;
}

export interface NodeModel {
  readonly name: string;
  readonly condition: NodeCondition;
  /** By pid. */
  readonly ipcps: ReadonlyMap<number, IpcpModel>;
  readonly names: ReadonlyMap<string, NameInfo>;
  readonly processes: ReadonlyMap<number, ProcessInfo>;
  readonly flows: ReadonlyMap<number, FlowModel>;
}

export interface IpcpModel extends IpcpInfo {
  readonly crashed: boolean;
  /** Names that are registered with it. */
  readonly registered: readonly string[];
  /** Whether the device of a link layer is up; null for the other types. */
  readonly linkUp: boolean | null;
  /** By id. */
  readonly adjacencies: ReadonlyMap<number, Adjacency>;
  /** By address. */
  readonly routes: ReadonlyMap<string, Route>;
  readonly counts: IpcpCounts | undefined;
}

export interface FlowModel extends FlowInfo {
  readonly counts: FlowCounts | undefined;
  /** When the counts were told. */
  readonly countedAt: number;
  /** What its process on this node sent and received lately; undefined where nothing was measured. */
  readonly sent: number | undefined;
  readonly received: number | undefined;
}

/** The newest of many, and how many there were. */
export interface Recent<T> {
  readonly rows: readonly T[];
  readonly total: number;
}

export interface EventRow {
  readonly at: number;
  readonly node: string;
  readonly kind: string;
  readonly text: string;
  readonly level: Level;
}

export type Level = 'good' | 'bad' | 'plain';

export interface LogRow {
  readonly at: number;
  readonly node: string;
  readonly log: string;
  readonly level: string;
  readonly text: string;
}

export interface CommandRow {
  readonly at: number;
  readonly node: string;
  readonly command: string;
  readonly ms: number | null;
  readonly error: string | null;
}

export interface Rates {
  readonly at: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxDropped: number;
  readonly txDropped: number;
  /** Newest last. */
  readonly rx: readonly number[];
  readonly tx: readonly number[];
}

export const eventsMax = 2_000;
const logsMax = 5_000;
const commandsMax = 2_000;
/** Samples of a rate that are kept. */
const samplesMax = 120;

const nothing = <T>(): Recent<T> => ({ rows: [], total: 0 });

export const emptyModel: Model = {
  now: 0,
  lab: { name: '', testbed: '', condition: 'starting' },
  topology: undefined,
  nodes: new Map(),
  rates: new Map(),
  impairments: new Map(),
  capture: undefined,
  phases: new Map(),
  events: nothing(),
  logs: nothing(),
  commands: nothing(),
};

/** Key of what belongs to a part of a node. */
export const keyOf = (node: string, part: string): string => `${node}\t${part}`;

/** The model after an event. An event of a kind that is not known changes its time alone. */
export function reduce(model: Model, event: LiveEvent): Model {
  const next = told(applied(model, event), event);
  return event.at > next.now ? { ...next, now: event.at } : next;
}

function applied(model: Model, event: LiveEvent): Model {
  switch (event.event) {
    case 'lab': {
      const lab = { name: event.lab, testbed: event.testbed, condition: 'running' as const };
      const nodes = new Map(model.nodes);
      for (const name of event.nodes) nodes.set(name, nodeOf(model, name));
      return { ...model, lab, nodes };
    }
    case 'node.started':
      return withNode(model, event.node, (node) => ({ ...node, condition: 'starting' }));
    case 'topology': {
      const names = event.topology.nodes.map(({ name }) => name);
      const nodes = new Map(names.map((name) => [name, nodeOf(model, name)]));
      return { ...model, topology: event.topology, nodes };
    }
    case 'lab.ended': {
      const nodes = new Map([...model.nodes].map(([name, node]) => [name, ended(node)]));
      return { ...model, nodes, lab: { ...model.lab, condition: 'ended' } };
    }
    case 'helper.ended':
      return { ...model, lab: { ...model.lab, condition: 'unmanaged' } };
    case 'node.ended':
      // The lab may have been changed into one without it before its end is heard of.
      return isMeant(model, event.node)
        ? withNode(model, event.node, ended)
        : { ...model, nodes: without(model.nodes, event.node) };
    case 'irmd.ended':
      if (!isMeant(model, event.node)) return model;
      return withNode(model, event.node, (node) =>
        node.condition === 'ended' ? node : { ...ended(node), condition: 'lost' },
      );
    case 'phase': {
      const { phase, done, total } = event;
      return { ...model, phases: new Map(model.phases).set(phase, { done, total }) };
    }
    case 'command': {
      const { at, command, ms, error } = event;
      const row: CommandRow = { at, node: event.node ?? '', command, ms, error };
      return { ...model, commands: pushed(model.commands, row, commandsMax) };
    }
    case 'log': {
      const { at, node, log, level = '', text } = event;
      return { ...model, logs: pushed(model.logs, { at, node, log, level, text }, logsMax) };
    }
    case 'impairment':
      return { ...model, impairments: new Map(model.impairments).set(event.link, event.text) };
    case 'capture': {
      const { link, file, isOver, complaint } = event;
      return { ...model, capture: { link, file, isOver, complaint } };
    }
    case 'interfaces': {
      const rates = new Map(model.rates);
      for (const [name, counters] of Object.entries(event.interfaces)) {
        const key = keyOf(event.node, name);
        rates.set(key, measured(rates.get(key), event.at, counters));
      }
      return { ...model, rates };
    }
    case 'snapshot':
      return withNode(model, event.node, (node) => asTold(node, event));
    case 'ipcp.created':
    case 'ipcp.bootstrapped':
    case 'ipcp.enrolled':
      return withNode(model, event.node, (node) => ({
        ...node,
        ipcps: new Map(node.ipcps).set(event.ipcp.pid, {
          ...freshIpcp,
          ...node.ipcps.get(event.ipcp.pid),
          ...event.ipcp,
        }),
      }));
    case 'ipcp.destroyed':
      return withNode(model, event.node, (node) => ({ ...node, ipcps: without(node.ipcps, event.pid) }));
    case 'ipcp.crashed':
      return withIpcp(model, event, (ipcp) => ({ ...ipcp, ...freshIpcp, crashed: true }));
    case 'link.up':
    case 'link.down':
      return withIpcp(model, event, (ipcp) => ({ ...ipcp, linkUp: event.event === 'link.up' }));
    case 'adjacency.added':
    case 'adjacency.up':
    case 'adjacency.down':
      return withIpcp(model, event, (ipcp) => ({
        ...ipcp,
        adjacencies: new Map(ipcp.adjacencies).set(event.adjacency.id, event.adjacency),
      }));
    case 'adjacency.removed':
      return withIpcp(model, event, (ipcp) => ({
        ...ipcp,
        adjacencies: without(ipcp.adjacencies, event.adjacency.id),
      }));
    case 'routes.changed':
      return withIpcp(model, event, (ipcp) => {
        const routes = new Map(ipcp.routes);
        for (const address of event.gone) routes.delete(address);
        for (const route of event.set) routes.set(route.address, route);
        return { ...ipcp, routes };
      });
    case 'name.registered':
    case 'name.unregistered':
      return withIpcp(model, event, (ipcp) => {
        const registered = ipcp.registered.filter((name) => name !== event.name);
        if (event.event === 'name.registered') registered.push(event.name);
        return { ...ipcp, registered };
      });
    case 'name.created':
      return withNode(model, event.node, (node) => ({
        ...node,
        names: new Map(node.names).set(event.name, { name: event.name, policy: event.policy }),
      }));
    case 'name.destroyed':
      return withNode(model, event.node, (node) => ({ ...node, names: without(node.names, event.name) }));
    case 'name.bound':
    case 'name.unbound':
      return withNode(model, event.node, (node) => {
        const pid = Number(event.by);
        const process = node.processes.get(pid);
        if (process === undefined) return node;
        const others = event.name === '*' ? [] : process.names.filter((name) => name !== event.name);
        const names = event.event === 'name.bound' ? [...others, event.name] : others;
        return { ...node, processes: new Map(node.processes).set(pid, { ...process, names }) };
      });
    case 'process.added':
      return withNode(model, event.node, (node) => ({
        ...node,
        processes: new Map(node.processes).set(event.pid, {
          pid: event.pid,
          uid: 0,
          program: event.program,
          names: [],
        }),
      }));
    case 'process.removed':
      return withNode(model, event.node, (node) => ({
        ...node,
        processes: without(node.processes, event.pid),
      }));
    case 'flow.allocated':
      return withNode(model, event.node, (node) => ({
        ...node,
        flows: new Map(node.flows).set(event.flow.flowId, { ...event.flow, ...uncounted }),
      }));
    case 'flow.up':
    case 'flow.down':
      return withNode(model, event.node, (node) => {
        const flow = node.flows.get(event.flowId);
        if (flow === undefined) return node;
        const up = event.event === 'flow.up';
        return { ...node, flows: new Map(node.flows).set(event.flowId, { ...flow, up }) };
      });
    case 'flow.deallocated':
      return withNode(model, event.node, (node) => ({ ...node, flows: without(node.flows, event.flowId) }));
    case 'counters':
      return withNode(model, event.node, (node) => counted(node, event));
    default:
      return model;
  }
}

/** What is not a measurement has a row among the events. */
function told(model: Model, event: LiveEvent): Model {
  const row = rowOf(event);
  return row === undefined ? model : { ...model, events: pushed(model.events, row, eventsMax) };
}

function rowOf(event: LiveEvent): EventRow | undefined {
  const node = 'node' in event && event.node !== null ? event.node : '';
  const row = (text: string, level: Level = 'plain'): EventRow => ({
    at: event.at,
    node,
    kind: event.event,
    text,
    level,
  });
  switch (event.event) {
    case 'interfaces':
    case 'counters':
    case 'log':
    case 'phase':
    case 'command':
      return undefined;
    case 'topology':
      return row(
        `${numbered(event.topology.nodes.length, 'node')}, ${numbered(event.topology.links.length, 'link')}`,
      );
    case 'lab':
      return row(`${event.lab} on ${event.testbed}`);
    case 'lab.ended':
      return row('the lab has ended', 'bad');
    case 'helper.ended':
      return row('the helper of the lab has ended', 'bad');
    case 'node.started':
      return row('the node is there');
    case 'node.ended':
      return row('the node has ended', 'bad');
    case 'irmd.ended':
      return row('irmd does not answer', 'bad');
    case 'impairment':
      return row(`${event.link}: ${event.text || 'as it was made'}`, event.text === '' ? 'good' : 'bad');
    case 'capture':
      return row(captureText(event), event.complaint === null ? 'plain' : 'bad');
    case 'snapshot': {
      const { ipcps, flows, processes } = event;
      const counts = [
        numbered(ipcps.length, 'IPCP'),
        numbered(processes.length, 'process', 'processes'),
        numbered(flows.length, 'flow'),
      ];
      return row(counts.join(', '), 'good');
    }
    case 'ipcp.created':
    case 'ipcp.bootstrapped':
    case 'ipcp.enrolled': {
      const { name, type, layer } = event.ipcp;
      const level = event.event === 'ipcp.created' ? 'plain' : 'good';
      return row(`${name} (${type})${layer === null ? '' : ` in layer ${layer}`}`, level);
    }
    case 'ipcp.connected':
    case 'ipcp.disconnected':
      return row(`${event.name} ${event.component} to ${event.destination}`);
    case 'ipcp.destroyed':
      return row(event.name);
    case 'ipcp.crashed':
    case 'link.down':
      return row(event.name, 'bad');
    case 'link.up':
      return row(event.name, 'good');
    case 'adjacency.added':
    case 'adjacency.up':
    case 'adjacency.down':
    case 'adjacency.removed': {
      const { component, peer, destination, up } = event.adjacency;
      const text = `${event.name} ${component} to ${peer ?? destination ?? 'another member'}`;
      return row(text, event.event === 'adjacency.removed' || !up ? 'bad' : 'good');
    }
    case 'routes.changed': {
      const gone = event.gone.length === 0 ? '' : `, none any more to ${event.gone.join(' ')}`;
      return row(`${event.name}: ${event.set.length} new or other${gone}`, gone === '' ? 'plain' : 'bad');
    }
    case 'name.created':
    case 'name.destroyed':
      return row(event.name);
    case 'name.registered':
    case 'name.unregistered':
      return row(`${event.name} with pid ${event.pid}`);
    case 'name.bound':
    case 'name.unbound':
      return row(`${event.name} by ${event.by}`);
    case 'process.added':
    case 'process.removed':
      return row(`${event.pid} ${event.program}`);
    case 'flow.allocated':
      return row(`${event.flow.flowId} to ${event.flow.name}`);
    case 'flow.up':
      return row(`${event.flowId} to ${event.name}`, 'good');
    case 'flow.down':
      return row(`${event.flowId} to ${event.name}`, 'bad');
    case 'flow.deallocated':
      return row(`${event.flowId} to ${event.name}`);
    default:
      return row('');
  }
}

function numbered(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}

/** How a capture is, in words. */
export function captureText({ link, file, isOver, complaint }: CaptureModel): string {
  if (!isOver) return `capturing link ${link} into ${file}`;
  return `capture on link ${link} has ended${complaint === null ? '' : `, ${complaint}`}: ${file}`;
}

function nodeOf(model: Model, name: string): NodeModel {
  return (
    model.nodes.get(name) ?? {
      name,
      condition: 'starting',
      ipcps: new Map(),
      names: new Map(),
      processes: new Map(),
      flows: new Map(),
    }
  );
}

const freshIpcp = {
  crashed: false,
  registered: [],
  linkUp: null,
  adjacencies: new Map<number, Adjacency>(),
  routes: new Map<string, Route>(),
  counts: undefined,
};

const uncounted = { counts: undefined, countedAt: 0, sent: undefined, received: undefined };

function asTold(node: NodeModel, snapshot: IrmSnapshot): NodeModel {
  const facts = new Map(snapshot.layers.map((layer) => [layer.pid, layer]));
  const ipcps = snapshot.ipcps.map((ipcp): [number, IpcpModel] => {
    const { names = [], linkUp = null, adjacencies = [], routes = [] } = facts.get(ipcp.pid) ?? {};
    return [
      ipcp.pid,
      {
        ...ipcp,
        crashed: false,
        registered: names,
        linkUp,
        adjacencies: new Map(adjacencies.map((each) => [each.id, each])),
        routes: new Map(routes.map((each) => [each.address, each])),
        counts: node.ipcps.get(ipcp.pid)?.counts,
      },
    ];
  });
  return {
    ...node,
    condition: 'running',
    ipcps: new Map(ipcps),
    names: new Map(snapshot.names.map((name) => [name.name, name])),
    processes: new Map(snapshot.processes.map((process) => [process.pid, process])),
    flows: new Map(
      snapshot.flows.map((flow) => [flow.flowId, { ...uncounted, ...node.flows.get(flow.flowId), ...flow }]),
    ),
  };
}

/** What is not told has not moved since it was told last. */
function counted(
  node: NodeModel,
  event: {
    readonly at: number;
    readonly ipcps: readonly IpcpCounts[];
    readonly flows: readonly FlowCounts[];
  },
): NodeModel {
  const ipcps = new Map(node.ipcps);
  for (const counts of event.ipcps) {
    const ipcp = ipcps.get(counts.pid);
    if (ipcp !== undefined) ipcps.set(counts.pid, { ...ipcp, counts });
  }
  const moved = new Map(event.flows.map((counts) => [counts.flowId, counts]));
  const flows = new Map(node.flows);
  for (const [flowId, flow] of node.flows) {
    const counts = moved.get(flowId);
    if (counts !== undefined) flows.set(flowId, withCounts(flow, counts, event.at));
    else if (flow.countedAt > 0) flows.set(flowId, { ...flow, countedAt: event.at, sent: 0, received: 0 });
  }
  return { ...node, ipcps, flows };
}

function withCounts(flow: FlowModel, counts: FlowCounts, at: number): FlowModel {
  const before = flow.counts?.port;
  const { port } = counts;
  if (!port || !before || at <= flow.countedAt) return { ...flow, counts, countedAt: at };
  const rate = (now: number, then: number): number =>
    (Math.max(0, now - then) * 8_000) / (at - flow.countedAt);
  return {
    ...flow,
    counts,
    countedAt: at,
    sent: rate(port.bytesSent, before.bytesSent),
    received: rate(port.bytesReceived, before.bytesReceived),
  };
}

function withIpcp(
  model: Model,
  { node: name, pid }: { readonly node: string; readonly pid: number },
  change: (ipcp: IpcpModel) => IpcpModel,
): Model {
  return withNode(model, name, (node) => {
    const ipcp = node.ipcps.get(pid);
    return ipcp === undefined ? node : { ...node, ipcps: new Map(node.ipcps).set(pid, change(ipcp)) };
  });
}

function withNode(model: Model, name: string, change: (node: NodeModel) => NodeModel): Model {
  const before = nodeOf(model, name);
  const after = change(before);
  return after === before ? model : { ...model, nodes: new Map(model.nodes).set(name, after) };
}

/** Whether the lab is to have a node of that name, as far as is known. */
function isMeant({ topology }: Model, name: string): boolean {
  return topology === undefined || topology.nodes.some((node) => node.name === name);
}

/** Nothing of what it held is left. */
function ended({ name }: NodeModel): NodeModel {
  return { ...nodeOf(emptyModel, name), condition: 'ended' };
}

function without<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  if (!map.has(key)) return map;
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}

function pushed<T>({ rows, total }: Recent<T>, row: T, max: number): Recent<T> {
  return { rows: rows.length < max ? [...rows, row] : [...rows.slice(1 - max), row], total: total + 1 };
}

function measured(
  before: Rates | undefined,
  at: number,
  counters: { rxBytes: number; txBytes: number; rxDropped: number; txDropped: number },
): Rates {
  const { rxBytes, txBytes, rxDropped, txDropped } = counters;
  const totals = { at, rxBytes, txBytes, rxDropped, txDropped };
  // A counter that went back is that of an interface made anew.
  if (before === undefined || at <= before.at || rxBytes < before.rxBytes || txBytes < before.txBytes) {
    return { ...totals, rx: before?.rx ?? [], tx: before?.tx ?? [] };
  }
  const rate = (bytes: number): number => (bytes * 8_000) / (at - before.at);
  const sampled = (samples: readonly number[], value: number): readonly number[] => [
    ...samples.slice(1 - samplesMax),
    value,
  ];
  return {
    ...totals,
    rx: sampled(before.rx, rate(rxBytes - before.rxBytes)),
    tx: sampled(before.tx, rate(txBytes - before.txBytes)),
  };
}
