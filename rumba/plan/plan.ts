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
  TopologyMember,
  TopologyNode,
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
    }
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
    ...topology.layers.flatMap(bootstrapSteps),
    ...topology.registrations.map(registerStep),
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

function bootstrapSteps(layer: TopologyLayer): Step[] {
  switch (layer.kind) {
    case 'eth-dix':
    case 'eth-llc': {
      const { ethertype, hash } = layer;
      return layer.members.map((member) =>
        bootstrapStep(layer, member, {
          config: { dev: member.interface, ethertype, hash },
          after: `link ${layer.link}`,
        }),
      );
    }
    case 'udp4':
    case 'udp6': {
      const { port, dns } = layer;
      return layer.members.map((member) =>
        bootstrapStep(layer, member, {
          config: { ip: member.ip, port, dns },
          after: addressId(member.node, member.interface, member.ip),
        }),
      );
    }
  }
}

function bootstrapStep(
  layer: TopologyLayer,
  member: TopologyMember,
  { config, after }: { config: BootstrapConfig; after: string },
): Step {
  const { node, ipcp } = member;
  const options = Object.entries(config).flatMap(([word, value]: [string, string | number | undefined]) => {
    if (value === undefined) return [];
    return [word, word === 'ethertype' ? `0x${value.toString(16).toUpperCase()}` : String(value)];
  });
  return {
    id: `ipcp ${ipcp}`,
    after: [`irmd ${node}`, after],
    phase: `layer ${layer.name}`,
    node,
    text: `IPCP ${ipcp} on ${node}`,
    command: `irm ipcp bootstrap name ${ipcp} layer ${layer.name} type ${layer.kind} ${options.join(' ')}`,
    action: { kind: 'bootstrap', node, ipcp, type: layer.kind, layer: layer.name, config },
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
