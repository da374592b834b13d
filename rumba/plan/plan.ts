/**
 * The plan: a topology as a graph of steps. Each step can be done again without harm, names the steps it
 * has to wait for, and says how a person would do it.
 */
import { basename } from 'node:path';
import type { BootstrapConfig, IpcpType } from '../../runtime/lib/index.ts';
import type {
  Topology,
  TopologyLayer,
  TopologyLink,
  TopologyNode,
  TopologyStackedLayer,
  TopologyStackedMember,
} from '../model/topology.ts';
import { commandLine } from './command-line.ts';
import { hostsFile, hostsLines } from './hosts.ts';

/** What a step does, as data. */
export type Action =
  | { readonly kind: 'node'; readonly node: TopologyNode }
  | { readonly kind: 'link'; readonly link: TopologyLink }
  | {
      readonly kind: 'address';
      readonly node: string;
      readonly interface: string;
      /** With the length of its prefix. */
      readonly address: string;
    }
  /** Lines that the node's own hosts file is to have. */
  | { readonly kind: 'hosts'; readonly node: string; readonly lines: readonly string[] }
  | { readonly kind: 'irmd'; readonly node: string }
  | {
      readonly kind: 'bootstrap';
      readonly node: string;
      readonly ipcp: string;
      readonly type: IpcpType;
      readonly layer: string;
      readonly config: BootstrapConfig;
      /** Whether it serves its own name and that of its layer. */
      readonly autobind: boolean;
    }
  | {
      readonly kind: 'enroll';
      readonly node: string;
      readonly ipcp: string;
      readonly type: IpcpType;
      readonly layer: string;
      /** The IPCP it enrols with. */
      readonly with: string;
    }
  | {
      readonly kind: 'connect';
      readonly node: string;
      readonly ipcp: string;
      readonly type: IpcpType;
      readonly to: string;
    }
  /** Waits until the members of a layer have what they need of each other. */
  | { readonly kind: 'converge'; readonly layer: TopologyStackedLayer }
  | { readonly kind: 'register'; readonly node: string; readonly name: string; readonly ipcp: string }
  | {
      readonly kind: 'serve';
      readonly node: string;
      readonly name: string;
      readonly command: readonly string[];
      /** Name of the server's log, one for each server of a node. */
      readonly log: string;
    };

export interface Step {
  readonly id: string;
  /** Steps that must be done before. */
  readonly after: readonly string[];
  readonly phase: string;
  /** The node it happens on; absent for what lies between nodes. */
  readonly node?: string;
  readonly text: string;
  /** The command line that does it on the node, where there is one. */
  readonly command?: string;
  readonly action: Action;
}

export interface Plan {
  /** In the order in which they are shown; their steps may overlap. */
  readonly phases: readonly string[];
  readonly steps: readonly Step[];
}

/** The steps that build a topology from nothing. */
export function plan(topology: Topology): Plan {
  const hosts = topology.nodes.flatMap((node) => hostsSteps(topology, node.name));
  const steps = [
    ...topology.nodes.map(nodeStep),
    ...topology.links.map(linkStep),
    ...topology.links.flatMap(addressSteps),
    ...hosts,
    ...topology.nodes.map(({ name }) => irmdStep(name, hosts)),
    ...topology.layers.flatMap((layer) => layerSteps(layer, topology)),
    ...topology.registrations.filter((each) => !isIpcpName(topology, each.name)).map(registerStep),
    ...serveSteps(topology),
  ];
  return { phases: [...new Set(steps.map((step) => step.phase))], steps };
}

function nodeStep(node: TopologyNode): Step {
  return {
    id: `node ${node.name}`,
    after: [],
    phase: 'nodes',
    node: node.name,
    text: `node ${node.name}`,
    action: { kind: 'node', node },
  };
}

function linkStep(link: TopologyLink): Step {
  const [from, to] = link.ends;
  return {
    id: `link ${link.name}`,
    after: [`node ${from.node}`, `node ${to.node}`],
    phase: 'links',
    text: `link ${link.name}: ${from.node} ${from.interface} to ${to.node} ${to.interface}, MTU ${link.mtu}`,
    action: { kind: 'link', link },
  };
}

function addressSteps(link: TopologyLink): Step[] {
  return link.ends.flatMap(({ node, interface: device, addresses = [] }) =>
    addresses.map((address) => ({
      id: addressId(node, device, address.slice(0, address.indexOf('/'))),
      after: [`link ${link.name}`],
      phase: 'addresses',
      node,
      text: `address ${address} at ${device} of ${node}`,
      command: `ip address add ${addressWords(device, address).join(' ')}`,
      action: { kind: 'address', node, interface: device, address },
    })),
  );
}

function addressId(node: string, device: string, ip: string): string {
  return `address ${node} ${device} ${ip}`;
}

/** What `ip address add` is told. An IPv6 address is used at once: who else should have it? */
export function addressWords(device: string, address: string): string[] {
  return [address, 'dev', device, ...(address.includes(':') ? ['nodad'] : [])];
}

function hostsSteps(topology: Topology, node: string): Step[] {
  const lines = hostsLines(topology, node);
  if (lines.length === 0) return [];
  return [
    {
      id: `hosts ${node}`,
      after: [`node ${node}`],
      phase: 'hosts files',
      node,
      text: `hosts file of ${node}`,
      command: `printf '%s\\n' ${commandLine(lines)} >>${hostsFile}`,
      action: { kind: 'hosts', node, lines },
    },
  ];
}

function irmdStep(node: string, hosts: readonly Step[]): Step {
  return {
    id: `irmd ${node}`,
    // Whatever looks names up on the node comes after irmd.
    after: [`node ${node}`, ...hosts.filter((step) => step.node === node).map((step) => step.id)],
    phase: 'irmd',
    node,
    text: `irmd on ${node}`,
    command: 'irmd --stdout',
    action: { kind: 'irmd', node },
  };
}

function layerSteps(layer: TopologyLayer, topology: Topology): Step[] {
  switch (layer.kind) {
    case 'eth-dix':
    case 'eth-llc': {
      const { ethertype, hash } = layer;
      return layer.members.map((member) =>
        bootstrapStep(layer, member, {
          config: { dev: member.interface, ethertype, hash },
          after: [`link ${layer.link}`],
        }),
      );
    }
    case 'udp4':
    case 'udp6': {
      const { port, dns } = layer;
      return layer.members.map((member) =>
        bootstrapStep(layer, member, {
          config: { ip: member.ip, port, dns },
          after: [addressId(member.node, member.interface, member.ip)],
        }),
      );
    }
    case 'unicast':
    case 'broadcast':
      return stackedSteps(layer, topology);
  }
}

/** The first member of a layer over others, those that enrol, their connections, and the wait for the layer. */
function stackedSteps(layer: TopologyStackedLayer, topology: Topology): Step[] {
  const phase = `layer ${layer.name}`;
  const { kind: type, name } = layer;
  const memberAt = (node: string): TopologyStackedMember => {
    const found = layer.members.find((member) => member.node === node);
    if (found === undefined) throw new Error(`layer ${name} has no member at ${node}`);
    return found;
  };
  const isOver = (id: string): boolean => layer.over.includes(id);
  // A name in a layer over others is found once that layer is complete.
  const complete = topology.layers
    .filter((each) => isOver(each.name) && 'enrolments' in each)
    .map((each) => `complete ${each.name}`);
  const lower = ({ lower: ipcps }: TopologyStackedMember): string[] => ipcps.map((ipcp) => `ipcp ${ipcp}`);
  const names = ({ ipcp, lower: ipcps }: TopologyStackedMember): string[] =>
    ipcps.map((below) => `register ${ipcp} ${below}`);
  const first = memberAt(layer.bootstrap);
  const bootstrap = bootstrapStep(layer, first, { config: layer.config, after: lower(first) });
  const registrations = topology.registrations
    .filter((each) => layer.members.some(({ ipcp }) => ipcp === each.name))
    .map((each) => ({ ...registerStep(each), phase, after: [`ipcp ${each.ipcp}`, `irmd ${each.node}`] }));
  const enrolments = layer.enrolments.map((each): Step => {
    const { node, ipcp, ...member } = memberAt(each.node);
    const at = memberAt(each.with);
    const typeWords = type === 'unicast' ? '' : ` type ${type}`;
    return {
      id: `ipcp ${ipcp}`,
      after: [
        `irmd ${node}`,
        ...lower({ node, ipcp, ...member }),
        `ipcp ${at.ipcp}`,
        ...names(at),
        ...complete,
      ],
      phase,
      node,
      text: `IPCP ${ipcp} on ${node} enrols with ${at.ipcp}`,
      command: `irm ipcp enroll name ${ipcp}${typeWords} layer ${name} dst ${at.ipcp} autobind`,
      action: { kind: 'enroll', node, ipcp, type, layer: name, with: at.ipcp },
    };
  });
  const connections = layer.adjacencies.map(({ node, ipcp, to }): Step => {
    const far = layer.members.find((member) => member.ipcp === to);
    const componentWords = type === 'unicast' ? '' : ' component dt';
    return {
      id: `connect ${ipcp} ${to}`,
      after: [`ipcp ${ipcp}`, `ipcp ${to}`, ...(far === undefined ? [] : names(far))],
      phase,
      node,
      text: `IPCP ${ipcp} on ${node} connects to ${to}`,
      command: `irm ipcp connect name ${ipcp} dst ${to}${componentWords}`,
      action: { kind: 'connect', node, ipcp, type, to },
    };
  });
  const wait: Step = {
    id: `complete ${name}`,
    after: [...layer.members.map(({ ipcp }) => `ipcp ${ipcp}`), ...connections.map(({ id }) => id)],
    phase,
    text: `layer ${name} is complete: ${layer.members.length} members`,
    action: { kind: 'converge', layer },
  };
  return [bootstrap, ...registrations, ...enrolments, ...connections, wait];
}

/** Whether a name is that of an IPCP: it is registered with the layer it is for. */
function isIpcpName(topology: Topology, name: string): boolean {
  return topology.layers.some(
    (layer) => 'enrolments' in layer && layer.members.some(({ ipcp }) => ipcp === name),
  );
}

function bootstrapStep(
  layer: TopologyLayer,
  member: { readonly node: string; readonly ipcp: string },
  { config, after }: { config: BootstrapConfig; after: readonly string[] },
): Step {
  const { node, ipcp } = member;
  const options = Object.entries(config).flatMap(([word, value]: [string, string | number | undefined]) => {
    if (value === undefined) return [];
    return [word, word === 'ethertype' ? `0x${value.toString(16).toUpperCase()}` : String(value)];
  });
  const autobind = 'enrolments' in layer;
  const flags = autobind ? ['autobind'] : [];
  return {
    id: `ipcp ${ipcp}`,
    after: [`irmd ${node}`, ...after],
    phase: `layer ${layer.name}`,
    node,
    text: `IPCP ${ipcp} on ${node}`,
    command: [
      'irm ipcp bootstrap name',
      ipcp,
      'layer',
      layer.name,
      'type',
      layer.kind,
      ...options,
      ...flags,
    ].join(' '),
    action: { kind: 'bootstrap', node, ipcp, type: layer.kind, layer: layer.name, config, autobind },
  };
}

function registerStep(registration: Topology['registrations'][number]): Step {
  const { name, node, ipcp } = registration;
  return {
    id: `register ${name} ${ipcp}`,
    after: [`ipcp ${ipcp}`],
    phase: 'names',
    node,
    text: `name ${name} at ${ipcp}`,
    command: `irm name register ${commandLine([name])} ipcp ${ipcp}`,
    action: { kind: 'register', node, name, ipcp },
  };
}

function serveSteps(topology: Topology): Step[] {
  const logs = new Set<string>();
  return topology.servers.map(({ node, name, command }, index) => {
    const program = basename(command[0] ?? '').replaceAll(/[^\w.-]/g, '_');
    let log = program;
    for (let count = 2; logs.has(`${node} ${log}`); count++) log = `${program}-${count}`;
    logs.add(`${node} ${log}`);
    const names = topology.registrations.filter((each) => each.node === node && each.name === name);
    return {
      id: `server ${index + 1} ${name} ${node}`,
      after: [`irmd ${node}`, ...names.map((each) => `register ${name} ${each.ipcp}`)],
      phase: 'servers',
      node,
      text: `server ${name} on ${node}`,
      command: `${commandLine(command)} & irm bind process $! name ${commandLine([name])}`,
      action: { kind: 'serve', node, name, command, log },
    };
  });
}
