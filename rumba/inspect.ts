/** What a lab is like at a moment: its nodes, and its layers, as their members see them. */
import {
  type FlowInfo,
  type IpcpInfo,
  type NameInfo,
  O7sError,
  type ProcessInfo,
} from '../runtime/lib/index.ts';
import { IrmManager } from './deploy/irm-manager.ts';
import { isStackedLayer, type Topology, type TopologyLayer, type TopologyNode } from './model/topology.ts';
import { recordOf } from './orchestrate.ts';
import type { Lab, LabNode, LabRecord } from './testbeds/testbed.ts';

/** `lost`: the node runs, and its irmd does not answer. */
export type NodeCondition = 'running' | 'stopped' | 'ended' | 'lost';

export interface NodeState {
  readonly node: string;
  readonly condition: NodeCondition;
  /** What it runs; undefined for our runtime. */
  readonly runtime: string | undefined;
  readonly interfaces: readonly InterfaceState[];
  readonly ipcps: readonly Pick<IpcpInfo, 'pid' | 'name' | 'type' | 'layer' | 'state'>[];
  readonly names: readonly NameInfo[];
  readonly processes: readonly ProcessInfo[];
  readonly flows: readonly FlowInfo[];
  /** IPCPs and servers it should have and has not, in words. */
  readonly missing: readonly string[];
}

/** An interface, as the topology has it. */
export interface InterfaceState {
  readonly interface: string;
  readonly link: string;
  readonly mac: string;
  readonly addresses: readonly string[];
  /** Who is at the other ends. */
  readonly peers: readonly string[];
}

export interface LayerState {
  readonly layer: string;
  readonly kind: TopologyLayer['kind'];
  readonly over: readonly string[];
  readonly members: readonly MemberState[];
}

export interface MemberState {
  readonly node: string;
  readonly ipcp: string;
  readonly isThere: boolean;
  /** Of a unicast layer. */
  readonly address?: string;
  readonly routes?: number;
  /** Of a layer over others: connections to neighbours that are up. */
  readonly connections?: number;
}

export interface LabState {
  readonly lab: string;
  readonly testbed: string;
  readonly file: string;
  readonly createdAt: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly nodes: readonly NodeState[];
  readonly layers: readonly LayerState[];
}

/** Looks at all nodes of a lab, or at some. Layers are those of the nodes that are looked at. */
export async function inspect(lab: Lab, names: readonly string[], signal: AbortSignal): Promise<LabState> {
  const record = await recordOf(lab);
  const { topology } = record;
  const wanted =
    names.length === 0 ? topology.nodes : topology.nodes.filter(({ name }) => names.includes(name));
  for (const name of names) if (!wanted.some((each) => each.name === name)) lab.node(name);
  const there = new Map(lab.nodes().map((node) => [node.name, node]));
  const looks = await Promise.all(
    wanted.map((description) => look(there.get(description.name), description, record, signal)),
  );
  const facts = new Map(looks.flatMap(({ members }) => [...members]));
  const isWanted = (node: string): boolean => wanted.some(({ name }) => name === node);
  return {
    lab: lab.name,
    testbed: lab.testbed,
    file: record.file,
    createdAt: record.createdAt,
    versions: record.versions ?? {},
    nodes: looks.map(({ state }) => state),
    layers: topology.layers
      .filter(({ members }) => members.some(({ node }) => isWanted(node)))
      .map((layer) => ({
        layer: layer.name,
        kind: layer.kind,
        over: isStackedLayer(layer) ? layer.over : 'link' in layer ? [layer.link] : [],
        members: layer.members
          .filter(({ node }) => isWanted(node))
          .map(({ node, ipcp }) => ({ node, ipcp, ...(facts.get(ipcp) ?? { isThere: false }) })),
      })),
  };
}

type Facts = Omit<MemberState, 'node' | 'ipcp'>;

interface Look {
  readonly state: NodeState;
  readonly members: ReadonlyMap<string, Facts>;
}

async function look(
  node: LabNode | undefined,
  description: TopologyNode,
  { topology, stopped = [] }: LabRecord,
  signal: AbortSignal,
): Promise<Look> {
  const { name, runtime } = description;
  const empty = { ipcps: [], names: [], processes: [], flows: [], missing: [] };
  const base = { node: name, runtime: runtime?.name, interfaces: interfacesOf(name, topology), ...empty };
  const off = (condition: NodeCondition): Look => ({ state: { ...base, condition }, members: new Map() });
  if (node === undefined) return off('ended');
  if (stopped.includes(name)) return off('stopped');
  const found = runtime === undefined ? await lookByRpc(node, signal) : await lookByIrm(node, signal);
  if (found === undefined) return off('lost');
  const missing = topology.layers.flatMap((layer) =>
    layer.members.flatMap(({ node: at, ipcp }) => {
      const isThere = found.ipcps.some((each) => each.name === ipcp && each.layer === layer.name);
      return at !== name || isThere ? [] : [`IPCP ${ipcp}`];
    }),
  );
  const { members, ...rest } = found;
  return { state: { ...base, condition: 'running', ...rest, missing }, members };
}

type Found = Pick<NodeState, 'ipcps' | 'names' | 'processes' | 'flows'> & { members: Map<string, Facts> };

async function lookByRpc(node: LabNode, signal: AbortSignal): Promise<Found | undefined> {
  try {
    await using irm = await node.irm(signal);
    const members = new Map<string, Facts>();
    for await (const snapshot of irm.events(signal)) {
      if (snapshot.event !== 'snapshot') continue;
      const { ipcps, names, processes, flows } = snapshot;
      for (const { pid, name, type, layer } of ipcps) {
        const stacked = layer !== null && (type === 'unicast' || type === 'broadcast');
        const metrics = stacked ? await irm.ipcpMetrics(pid, ['connections', 'routes', 'address']) : {};
        members.set(name, factsOf(layer !== null, metrics));
      }
      return { ipcps, names, processes, flows, members };
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof O7sError)) throw error;
  }
  return undefined;
}

function factsOf(
  isThere: boolean,
  { connections, routes, address }: Readonly<Record<string, unknown>>,
): Facts {
  return {
    isThere,
    ...(typeof address === 'string' ? { address } : {}),
    ...(Array.isArray(routes) ? { routes: routes.length } : {}),
    ...(Array.isArray(connections)
      ? {
          // The others are of management.
          connections: (connections as readonly { component: string; up: boolean }[]).filter(
            ({ component, up }) => component === 'Data Transfer' && up,
          ).length,
        }
      : {}),
  };
}

async function lookByIrm(node: LabNode, signal: AbortSignal): Promise<Found | undefined> {
  const ipcps = await new IrmManager(node, signal).infos();
  if (ipcps === undefined) return undefined;
  const members = new Map<string, Facts>(
    [...ipcps.values()].map(({ name, layer }) => [name, { isThere: layer !== null }]),
  );
  return { ipcps: [...ipcps.values()], names: [], processes: [], flows: [], members };
}

function interfacesOf(node: string, { links }: Topology): InterfaceState[] {
  return links.flatMap(({ name: link, ends }) =>
    ends
      .filter((end) => end.node === node)
      .map((end) => ({
        interface: end.interface,
        link,
        mac: end.mac,
        addresses: end.addresses ?? [],
        peers: ends.filter((other) => other !== end).map((other) => `${other.node}:${other.interface}`),
      })),
  );
}
