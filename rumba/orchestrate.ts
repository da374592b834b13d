/** What is done with whole labs: building them, changing them, stopping and starting their nodes. */
import { release } from 'node:os';
import { O7sError } from '../runtime/lib/index.ts';
import { deploy, type DeployEvent } from './deploy/deploy.ts';
import { IrmManager } from './deploy/irm-manager.ts';
import type { RunningIpcp } from './deploy/manager.ts';
import { RpcManager } from './deploy/rpc-manager.ts';
import { TestbedError, undone } from './errors.ts';
import { packageVersion } from './installation.ts';
import type { Topology, TopologyNode } from './model/topology.ts';
import { type Difference, difference, fromNothing } from './plan/difference.ts';
import type { Step } from './plan/action.ts';
import { plan } from './plan/plan.ts';
import type { Lab, LabNode, LabRecord, Testbed } from './testbeds/testbed.ts';

/** How long the programs of a node that is stopped have to end by themselves, in milliseconds. */
const graceMs = 5_000;

export interface WorkOptions {
  signal: AbortSignal;
  /** Steps at a time that take a processor; as many as there are by default. */
  workers?: number | undefined;
  onEvent?: ((event: DeployEvent) => void) | undefined;
}

/** What the record of a lab says of how it was asked for. */
export interface LabSource {
  /** Absolute path of the topology file. */
  readonly file: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly image: string | undefined;
}

/** Builds a lab that stays. Leaves nothing behind where that fails, or the signal aborts. */
export async function build(
  testbed: Testbed,
  name: string,
  topology: Topology,
  source: LabSource,
  options: WorkOptions & { onLab?: ((lab: Lab) => void) | undefined; onRemove?: () => void },
): Promise<Lab> {
  const { signal, onLab = () => {}, onRemove = () => {} } = options;
  const steps = plan(topology);
  const lab = await testbed.createLab(name, signal, { topology: topology.name, image: source.image });
  onLab(lab);
  try {
    await deploy(fromNothing(steps), lab, { ...options, nodes: topology.nodes });
    signal.throwIfAborted();
    await lab.keep({
      lab: name,
      ...source,
      createdAt: new Date().toISOString(),
      topology,
      versions: versions(),
    });
    return lab;
  } catch (error) {
    onRemove();
    throw await undone(await orTakenDown(lab, error, signal), () => lab.destroy());
  }
}

/** Does something to a lab that stays. Where that fails since another command took the lab down, it says so. */
export async function whileThere<T>(lab: Lab, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw await orTakenDown(lab, error, signal);
  }
}

/** The error to tell where something failed that was done to a lab. */
async function orTakenDown(lab: Lab, error: unknown, signal: AbortSignal): Promise<unknown> {
  if (signal.aborted || (await lab.isThere().catch(() => true))) return error;
  return new TestbedError('EFAILED', `lab ${lab.name} was taken down while this command changed it`, {
    hint: 'bring it up again',
    cause: error,
  });
}

/** What is between a lab and a topology. */
export interface Change {
  readonly lab: Lab;
  readonly record: LabRecord;
  readonly topology: Topology;
  readonly difference: Difference;
  /** What the lab is found to lack of what it should have, in words. */
  readonly lost: readonly string[];
}

/** Looks at a lab that stays, and tells what has to be done for it to be this topology, and whole. */
export async function compare(lab: Lab, topology: Topology, signal: AbortSignal): Promise<Change> {
  const record = await recordOf(lab);
  const { lost, words } = await lostSteps(lab, record, signal);
  const before = [record.topology, ...(record.pending === undefined ? [] : [record.pending])];
  const absent = new Set(
    (record.stopped ?? []).filter((name) => topology.nodes.some((node) => node.name === name)),
  );
  return {
    lab,
    record,
    topology,
    difference: difference(before.map(plan), { plan: plan(topology), topology }, { lost, absent }),
    lost: words,
  };
}

/**
 * Carries a change out. The lab stays as far as it came where that fails or the signal aborts: the same topology
 * brought up again completes it.
 */
export async function apply(change: Change, source: LabSource, options: WorkOptions): Promise<void> {
  const { lab, record, topology } = change;
  const nodes = nodesOf([record.topology, record.pending, topology]);
  const stopped = (record.stopped ?? []).filter((name) => topology.nodes.some((node) => node.name === name));
  await lab.save({ ...record, pending: topology });
  await deploy(change.difference, lab, { ...options, nodes });
  await lab.save({ ...record, ...source, topology, pending: undefined, stopped, versions: versions() });
}

/** Ends all that runs on nodes and takes their carriers away; their links stay. */
export async function stop(lab: Lab, names: readonly string[], signal: AbortSignal): Promise<void> {
  await turnOff(lab, names, (node) => switchOff(node, signal));
}

/** Ends all that runs on a node and takes its carriers away; its links stay. */
export async function switchOff(node: LabNode, signal: AbortSignal): Promise<void> {
  await node.endAll(graceMs, signal);
  await node.setInterfaces('down', signal);
}

/** As if its power were cut: nothing on the node has a last word. */
export async function cutPower(node: LabNode, signal: AbortSignal): Promise<void> {
  await node.setInterfaces('down', signal);
  await node.signalAll('SIGKILL', signal);
  await node.endAll(0, signal);
}

/** Cuts the power of nodes; `start` starts them again. */
export async function kill(lab: Lab, names: readonly string[], signal: AbortSignal): Promise<void> {
  await turnOff(lab, names, (node) => cutPower(node, signal));
}

/** Notes in the record that nodes do not run, and lets `off` see to it. */
async function turnOff(
  lab: Lab,
  names: readonly string[],
  off: (node: LabNode) => Promise<void>,
): Promise<void> {
  const record = await recordOf(lab);
  const nodes = names.map((name) => lab.node(name));
  await lab.save({ ...record, stopped: [...new Set([...(record.stopped ?? []), ...names])] });
  await Promise.all(nodes.map(off));
}

/** Lets nothing on nodes run, or lets it run on; their links stay as they are. */
export async function pause(
  lab: Lab,
  names: readonly string[],
  name: 'SIGSTOP' | 'SIGCONT',
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(names.map((each) => lab.node(each)).map((node) => node.signalAll(name, signal)));
}

/** Starts nodes that were stopped, or ended by themselves, and lets them join their layers again. */
export async function start(lab: Lab, names: readonly string[], options: WorkOptions): Promise<void> {
  const record = await recordOf(lab);
  const { topology } = record;
  for (const name of names) if (!topology.nodes.some((node) => node.name === name)) lab.node(name);
  const stopped = (record.stopped ?? []).filter((name) => !names.includes(name));
  await lab.save({ ...record, stopped });
  await switchOn(lab, topology, { names, stopped }, options);
}

/** Starts nodes of a lab, of which others are stopped and stay so. */
export async function switchOn(
  lab: Lab,
  topology: Topology,
  { names, stopped }: { names: readonly string[]; stopped: readonly string[] },
  options: WorkOptions,
): Promise<void> {
  const there = new Set(lab.nodes().map((node) => node.name));
  const lost = new Set(
    names.flatMap((name) => (there.has(name) ? [`irmd ${name}`] : [`node ${name}`, `irmd ${name}`])),
  );
  const steps = plan(topology);
  const change = difference([steps], { plan: steps, topology }, { lost, absent: new Set(stopped) });
  await deploy(change, lab, { ...options, nodes: topology.nodes });
}

/** The record of a lab that stays. */
export async function recordOf(lab: Lab): Promise<LabRecord> {
  const record = await lab.record();
  if (record !== undefined) return record;
  throw new TestbedError('EFAILED', `lab ${lab.name} is still being made, or was given up`, {
    hint: `wait for its "up", or remove it: o7s-testbed down --lab ${lab.name}`,
  });
}

/** The steps of a lab's plan whose work is gone, and what is missing, in words. */
async function lostSteps(
  lab: Lab,
  { topology, stopped = [] }: LabRecord,
  signal: AbortSignal,
): Promise<{ lost: Set<string>; words: string[] }> {
  const there = new Map(lab.nodes().map((node) => [node.name, node]));
  const steps = plan(topology).steps.filter(({ action }) => action.kind === 'serve');
  const found = await Promise.all(
    topology.nodes.map(async (description) => {
      const { name } = description;
      const node = there.get(name);
      if (node === undefined) return { ids: [`node ${name}`], words: [`node ${name} has ended`] };
      if (stopped.includes(name)) return { ids: [], words: [] };
      return await lostOn(node, description, { topology, steps }, signal);
    }),
  );
  return { lost: new Set(found.flatMap(({ ids }) => ids)), words: found.flatMap(({ words }) => words) };
}

async function lostOn(
  node: LabNode,
  description: TopologyNode,
  { topology, steps }: { topology: Topology; steps: readonly Step[] },
  signal: AbortSignal,
): Promise<{ ids: string[]; words: string[] }> {
  const { name } = node;
  const ipcps = await ipcpsOf(node, description, signal);
  if (ipcps === undefined) return { ids: [`irmd ${name}`], words: [`irmd of node ${name} does not answer`] };
  const missing = topology.layers.flatMap((layer) =>
    layer.members.flatMap(({ node: at, ipcp }) =>
      at === name && ipcps.get(ipcp)?.layer !== layer.name ? [ipcp] : [],
    ),
  );
  // The prototype's irmd is not rid of an IPCP that was killed: its layers below keep what it held (irmd-and-irm.md 8.3).
  if (missing.length > 0 && description.runtime !== undefined) {
    const words = missing.map(
      (ipcp) => `IPCP ${ipcp} on node ${name} is gone; its irmd is to be started anew`,
    );
    return { ids: [`irmd ${name}`], words };
  }
  const running = new Set(await node.programs());
  const ended = steps.flatMap(({ id, action }) =>
    action.kind === 'serve' && action.node === name && !running.has(action.log)
      ? [{ id, name: action.name }]
      : [],
  );
  return {
    ids: [...missing.map((ipcp) => `ipcp ${ipcp}`), ...ended.map(({ id }) => id)],
    words: [
      ...missing.map((ipcp) => `IPCP ${ipcp} on node ${name} is gone`),
      ...ended.map((server) => `server ${server.name} on node ${name} has ended`),
    ],
  };
}

/** The IPCPs of a node by name; undefined where its irmd does not answer. */
async function ipcpsOf(
  node: LabNode,
  { runtime }: TopologyNode,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, RunningIpcp> | undefined> {
  if (runtime !== undefined) {
    const manager = new IrmManager(node, signal);
    return (await manager.isReady()) ? await manager.ipcps() : undefined;
  }
  try {
    await using manager = await RpcManager.over(() => node.irm(signal));
    return await manager.ipcps();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof O7sError && error.code === 'EIRMD') return undefined;
    throw error;
  }
}

function nodesOf(topologies: readonly (Topology | undefined)[]): TopologyNode[] {
  // The last topology that has a node describes it.
  return [
    ...new Map(topologies.flatMap((each) => each?.nodes ?? []).map((node) => [node.name, node])).values(),
  ];
}

export function versions(): Record<string, string> {
  return { 'o7s-testbed': packageVersion, node: process.versions.node, kernel: release() };
}
