/** The steps that make layers: IPCPs, enrolments, connections, and the wait for all of it. */
import type { BootstrapConfig } from '../../runtime/lib/index.ts';
import { reachOf } from '../model/membership.ts';
import {
  isStackedLayer,
  type Topology,
  type TopologyEnrolment,
  type TopologyLayer,
  type TopologyMember,
  type TopologyRegistration,
  type TopologyStackedLayer,
  type TopologyStackedMember,
} from '../model/topology.ts';
import { type Step, step } from './action.ts';
import { commandLine } from './command-line.ts';
import { addressId, interfaceId } from './wiring-steps.ts';

export function layerSteps(topology: Topology): Step[] {
  const places = new Places(topology);
  return topology.layers.flatMap((layer) => {
    switch (layer.kind) {
      case 'local':
        return layer.members.map(({ config, ...member }) =>
          bootstrapStep(layer, member, { config, after: [] }),
        );
      case 'eth-dix':
      case 'eth-llc':
      case 'udp4':
      case 'udp6': {
        const link = topology.links.find(({ name }) => name === layer.link);
        return layer.members.map(({ node, ipcp, interface: device, config }) => {
          const wire = link === undefined ? [] : [interfaceId(link, node, device)];
          const after = config.ip === undefined ? wire : [addressId(node, device, config.ip)];
          return bootstrapStep(layer, { node, ipcp }, { config, after });
        });
      }
      case 'unicast':
      case 'broadcast':
        return stackedSteps(layer, places);
    }
  });
}

/** What steps of layers ask of a topology, each found at once. */
class Places {
  readonly layers: ReadonlyMap<string, TopologyLayer>;
  /** Registrations by name. */
  readonly registrations: ReadonlyMap<string, readonly TopologyRegistration[]>;

  constructor(topology: Topology) {
    this.layers = new Map(topology.layers.map((layer) => [layer.name, layer]));
    this.registrations = Map.groupBy(topology.registrations, ({ name }) => name);
  }

  below(layer: TopologyStackedLayer): TopologyLayer[] {
    return layer.over.flatMap((name) => this.layers.get(name) ?? []);
  }
}

/** The first member of a layer over others, those that enrol, their connections, and the wait for the layer. */
function stackedSteps(layer: TopologyStackedLayer, places: Places): Step[] {
  const { kind: type, name } = layer;
  const phase = `layer ${name}`;
  const members = new Map(layer.members.map((member) => [member.node, member]));
  const memberAt = (node: string): TopologyStackedMember => {
    const found = members.get(node);
    if (found === undefined) throw new Error(`layer ${name} has no member at ${node}`);
    return found;
  };
  const nodeOfIpcp = new Map(layer.members.map(({ node, ipcp }) => [ipcp, node]));
  const below = places.below(layer);
  const lowerIpcps = new Map<string, Map<string, string>>(layer.members.map(({ node }) => [node, new Map()]));
  for (const { name: lowerLayer, members: lower } of below) {
    for (const { node, ipcp } of lower) lowerIpcps.get(node)?.set(lowerLayer, ipcp);
  }
  // A name in a layer over others is found once that layer is complete.
  const complete = below.filter(isStackedLayer).map((each) => `complete ${each.name}`);
  const ipcps = (list: readonly string[]): string[] => list.map((ipcp) => `ipcp ${ipcp}`);
  const namesOf = ({ ipcp, lower }: TopologyStackedMember): string[] =>
    lower.map((each) => `register ${ipcp} ${each}`);

  const bootstrap = firstMemberStep(layer, memberAt(layer.bootstrap));
  const registrations = layer.members
    .flatMap(({ ipcp }) => places.registrations.get(ipcp) ?? [])
    .map((each) => registerStep(each, phase));
  const enrolments = layer.enrolments.map((each) => enrolStep(layer, each));
  const connections = layer.adjacencies.map(({ node, ipcp, to }): Step => {
    const far = memberAt(nodeOfIpcp.get(to) ?? '');
    // The flow goes through a layer below that both are in; where there are several, through any.
    const farBelow = lowerIpcps.get(far.node);
    const carriers = [...(lowerIpcps.get(node) ?? [])].flatMap(([lowerLayer, own]) => {
      const other = farBelow?.get(lowerLayer);
      return other === undefined ? [] : [own, other];
    });
    const needs = ipcps([ipcp, to, ...carriers]);
    return step({
      id: `connect ${ipcp} ${to}`,
      after: [...needs, ...namesOf(far), ...complete],
      needs,
      within: ipcps([ipcp, to]),
      phase,
      node,
      text: `IPCP ${ipcp} on ${node} connects to ${to}`,
      command: `irm ipcp connect name ${ipcp} dst ${to}${type === 'unicast' ? '' : ' component dt'}`,
      action: { kind: 'connect', node, ipcp, type, to },
    });
  });
  const parts = [...ipcps(layer.members.map(({ ipcp }) => ipcp)), ...connections.map(({ id }) => id)];
  const wait = step({
    id: `complete ${name}`,
    after: parts,
    needs: parts,
    phase,
    text: `layer ${name} is complete: ${layer.members.length} members`,
    action: { kind: 'converge', layer },
  });
  return [bootstrap, ...registrations, ...enrolments.map((enrol) => enrol(places)), ...connections, wait];
}

/**
 * The step by which a member enrols. What lasts of it is the membership, with whomever it enrolled: the first member
 * and one that enrolled are alike.
 */
export function enrolmentStep(
  layer: TopologyStackedLayer,
  enrolment: TopologyEnrolment,
  topology: Topology,
): Step {
  return enrolStep(layer, enrolment)(new Places(topology));
}

function enrolStep(layer: TopologyStackedLayer, enrolment: TopologyEnrolment): (places: Places) => Step {
  const { kind: type, name } = layer;
  const find = (node: string): TopologyStackedMember => {
    const found = layer.members.find((member) => member.node === node);
    if (found === undefined) throw new Error(`layer ${name} has no member at ${node}`);
    return found;
  };
  const [{ node, ipcp, lower }, at] = [find(enrolment.node), find(enrolment.with)];
  return (places) => {
    const complete = places
      .below(layer)
      .filter(isStackedLayer)
      .map((each) => `complete ${each.name}`);
    return step({
      id: `ipcp ${ipcp}`,
      after: [
        `irmd ${node}`,
        ...lower.map((each) => `ipcp ${each}`),
        `ipcp ${at.ipcp}`,
        ...at.lower.map((each) => `register ${at.ipcp} ${each}`),
        ...complete,
      ],
      needs: [`irmd ${node}`],
      phase: `layer ${name}`,
      node,
      text: `IPCP ${ipcp} on ${node} enrols with ${at.ipcp}`,
      command: `irm ipcp enroll name ${ipcp}${type === 'unicast' ? '' : ` type ${type}`} layer ${name} dst ${at.ipcp} autobind`,
      content: memberContent(layer),
      action: { kind: 'enroll', node, ipcp, type, layer: name, with: at.ipcp },
    });
  };
}

function memberContent({ kind, name, config }: TopologyStackedLayer): string {
  return JSON.stringify([kind, name, config]);
}

/** The step that makes a member the first one of its layer. */
export function firstMemberStep(layer: TopologyStackedLayer, member: TopologyStackedMember): Step {
  const before = member.lower.map((ipcp) => `ipcp ${ipcp}`);
  return bootstrapStep(layer, member, { config: layer.config, after: [], before });
}

/** Whom the members of a layer reach in the layers below, those at some nodes. */
export function reachIn(
  layer: TopologyStackedLayer,
  topology: Topology,
  isThere: (node: string) => boolean,
): ReturnType<typeof reachOf> {
  const members = layer.members.filter(({ node }) => isThere(node));
  return reachOf(members, new Places(topology).below(layer));
}

function bootstrapStep(
  layer: TopologyLayer,
  { node, ipcp }: TopologyMember,
  {
    config,
    after,
    before = [],
  }: { config: BootstrapConfig; after: readonly string[]; before?: readonly string[] },
): Step {
  const options = Object.entries(config).flatMap(([word, value]: [string, string | number | undefined]) => {
    if (value === undefined) return [];
    return [word, word === 'ethertype' ? `0x${value.toString(16).toUpperCase()}` : String(value)];
  });
  const isStacked = isStackedLayer(layer);
  const words = [
    'irm',
    'ipcp',
    'bootstrap',
    'name',
    ipcp,
    'layer',
    layer.name,
    'type',
    layer.kind,
    ...options,
  ];
  const needs = [`irmd ${node}`, ...after];
  const { kind: type, name } = layer;
  return step({
    id: `ipcp ${ipcp}`,
    after: [...needs, ...before],
    needs,
    within: [`irmd ${node}`],
    phase: `layer ${name}`,
    node,
    text: `IPCP ${ipcp} on ${node}`,
    command: [...words, ...(isStacked ? ['autobind'] : [])].join(' '),
    ...(isStacked ? { content: memberContent(layer) } : {}),
    action: { kind: 'bootstrap', node, ipcp, type, layer: name, config, autobind: isStacked },
  });
}

export function registerStep({ name, node, ipcp }: TopologyRegistration, phase: string): Step {
  return step({
    id: `register ${name} ${ipcp}`,
    after: [`ipcp ${ipcp}`],
    needs: [`ipcp ${ipcp}`],
    phase,
    node,
    text: `name ${name} at ${ipcp}`,
    command: `irm name register ${commandLine([name])} ipcp ${ipcp}`,
    action: { kind: 'register', node, name, ipcp },
  });
}
