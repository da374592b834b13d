/** `topology()`: checks that the parts fit together, and turns references into names. */
import { TestbedError } from '../errors.ts';
import { ethertypeDefault, type Layer } from './layer.ts';
import type { EthLink } from './link.ts';
import { checkName } from './names.ts';
import type { Node, Port } from './node.ts';
import type { Registration, Server } from './service.ts';
import {
  brandTopology,
  type Topology,
  type TopologyLayer,
  type TopologyLink,
  type TopologyLinkEnd,
  type TopologyMember,
  type TopologyRegistration,
} from './topology.ts';

export interface TopologyParts {
  /** Name of the lab; the file's base name when absent. */
  name?: string;
  nodes: readonly Node[];
  links?: readonly EthLink[];
  layers?: readonly Layer[];
  registrations?: readonly Registration[];
  servers?: readonly Server[];
}

/** A topology of these parts. Throws ETOPOLOGY at the first that does not fit. */
export function topology(parts: TopologyParts): Topology {
  const { name, nodes, links = [], layers = [], registrations = [], servers = [] } = parts;
  if (name !== undefined) checkName('lab', name);
  if (!Array.isArray(nodes) || nodes.length === 0) {
    throw new TestbedError('ETOPOLOGY', 'the topology has no nodes', { hint: "write nodes: [node('a')]" });
  }
  listed(nodes, 'node', 'nodes');
  listed(links, 'eth-link', 'links');
  listed(layers, 'eth-dix', 'layers');
  listed(registrations, 'registration', 'registrations');
  listed(servers, 'server', 'servers');

  distinct(nodes, 'node');
  const wired = wire(links, new Set(nodes));
  const layered = stack(layers, wired);
  return brandTopology({
    name,
    nodes: nodes.map((each) => ({ name: each.name })),
    links: [...wired.values()],
    layers: [...layered.values()],
    registrations: enlist(registrations, servers, layered, new Set(nodes)),
    servers: servers.map((each) => ({ node: each.node.name, name: each.name, command: [...each.command] })),
  });
}

/** Refuses a list that holds something else than it should, or one thing twice. */
function listed(list: readonly { kind: string }[], kind: string, what: string): void {
  if (!Array.isArray(list)) throw new TestbedError('ETOPOLOGY', `${what} of the topology is not a list`);
  list.forEach((each, index) => {
    if (each?.kind !== kind)
      throw new TestbedError('ETOPOLOGY', `${what}[${index}] of the topology is not one of its ${what}`);
    if (list.indexOf(each) !== index) {
      const name = 'name' in each && typeof each.name === 'string' ? ` (${each.name})` : '';
      throw new TestbedError('ETOPOLOGY', `${what}[${index}]${name} is listed twice`, {
        hint: 'list each once',
      });
    }
  });
}

function distinct(list: readonly { name: string }[], what: string): void {
  const seen = new Set<string>();
  for (const { name } of list) {
    if (seen.has(name)) {
      throw new TestbedError('ETOPOLOGY', `two ${what}s are named ${name}`, {
        hint: 'give each its own name',
      });
    }
    seen.add(name);
  }
}

function nodeOf(end: Node | Port): Node {
  return end.kind === 'port' ? end.node : end;
}

/** Names interfaces, links and MAC addresses; an interface takes one link. */
function wire(links: readonly EthLink[], nodes: ReadonlySet<Node>): Map<EthLink, TopologyLink> {
  const taken = new Map<string, string>();
  const nextIndex = new Map<Node, number>();
  const titles = nameLinks(links);
  const title = (link: EthLink): string => titles.get(link) ?? '';

  for (const link of links) {
    for (const end of link.ends) {
      if (!nodes.has(nodeOf(end))) {
        throw new TestbedError(
          'ETOPOLOGY',
          `link ${title(link)} ends in node ${nodeOf(end).name}, which is not listed`,
          {
            hint: `add it to nodes of the topology`,
          },
        );
      }
      if (end.kind === 'port') take(`${end.node.name} ${end.interface}`, title(link));
    }
  }
  function take(key: string, user: string): void {
    const [node, name] = key.split(' ');
    const other = taken.get(key);
    if (other !== undefined) {
      throw new TestbedError(
        'ETOPOLOGY',
        `interface ${name} of node ${node} ends link ${other} and link ${user}`,
        {
          hint: 'give each link an interface of its own',
        },
      );
    }
    if (name === 'lo') {
      throw new TestbedError('ETOPOLOGY', `link ${user} ends in interface lo of node ${node}, the loopback`, {
        hint: 'choose another name',
      });
    }
    taken.set(key, user);
  }
  function freeInterface(node: Node, user: string): string {
    for (let index = nextIndex.get(node) ?? 1; ; index++) {
      if (taken.has(`${node.name} e${index}`)) continue;
      nextIndex.set(node, index + 1);
      taken.set(`${node.name} e${index}`, user);
      return `e${index}`;
    }
  }
  const wireEnd = (end: Node | Port, link: EthLink, number: number): TopologyLinkEnd => ({
    node: nodeOf(end).name,
    interface: end.kind === 'port' ? end.interface : freeInterface(end, title(link)),
    mac: (end.kind === 'port' ? end.mac : undefined) ?? macOf(number),
  });
  return new Map(
    links.map((link, index) => [
      link,
      {
        kind: 'eth',
        name: title(link),
        mtu: link.mtu,
        ends: [wireEnd(link.ends[0], link, 2 * index), wireEnd(link.ends[1], link, 2 * index + 1)],
      },
    ]),
  );
}

function nameLinks(links: readonly EthLink[]): Map<EthLink, string> {
  const named = links.filter((link) => link.name !== undefined).map((link) => ({ name: link.name ?? '' }));
  distinct(named, 'link');
  const used = new Set(named.map((each) => each.name));
  const titles = new Map<EthLink, string>();
  for (const link of links) {
    const base = link.ends.map((end) => nodeOf(end).name).join('-');
    let title = link.name ?? base;
    for (let count = 2; link.name === undefined && used.has(title); count++) title = `${base}-${count}`;
    used.add(title);
    titles.set(link, title);
  }
  return titles;
}

/** The same topology has the same addresses every time: locally administered, "o7", and the end's number. */
function macOf(number: number): string {
  const low = number.toString(16).padStart(6, '0');
  return `02:6f:37:${low.slice(0, 2)}:${low.slice(2, 4)}:${low.slice(4, 6)}`;
}

/** Places the IPCPs of each layer; one link carries several layers only by different ethertypes. */
function stack(
  layers: readonly Layer[],
  wired: ReadonlyMap<EthLink, TopologyLink>,
): Map<Layer, TopologyLayer> {
  distinct(layers, 'layer');
  const users = new Map<string, string>();
  return new Map(
    layers.map((layer) => {
      const link = wired.get(layer.link);
      if (link === undefined) {
        throw new TestbedError('ETOPOLOGY', `layer ${layer.name} is over a link that is not listed`, {
          hint: 'add it to links of the topology',
        });
      }
      const ethertype = layer.ethertype ?? ethertypeDefault;
      const key = `${link.name} ${ethertype}`;
      const other = users.get(key);
      if (other !== undefined) {
        const shown = `0x${ethertype.toString(16).toUpperCase()}`;
        throw new TestbedError(
          'ETOPOLOGY',
          `layers ${other} and ${layer.name} both use ethertype ${shown} on link ${link.name}`,
          {
            hint: 'give one of them another ethertype',
          },
        );
      }
      users.set(key, layer.name);
      const members = link.ends.map((end): TopologyMember => ({
        node: end.node,
        ipcp: checkName('IPCP', `${layer.name}.${end.node}`),
        interface: end.interface,
      }));
      const { kind, name, hash } = layer;
      return [layer, { kind, name, link: link.name, ethertype: layer.ethertype, hash, members }];
    }),
  );
}

/** All registrations: those asked for, and those that follow from the servers; each once. */
function enlist(
  registrations: readonly Registration[],
  servers: readonly Server[],
  layered: ReadonlyMap<Layer, TopologyLayer>,
  nodes: ReadonlySet<Node>,
): TopologyRegistration[] {
  const found = new Map<string, TopologyRegistration>();
  const enter = (name: string, node: Node, layer: Layer, user: string): void => {
    const placed = layered.get(layer);
    if (placed === undefined) {
      throw new TestbedError('ETOPOLOGY', `${user} is in layer ${layer.name}, which is not listed`, {
        hint: 'add it to layers of the topology',
      });
    }
    const member = placed.members.find((each) => each.node === node.name);
    if (member === undefined) {
      throw new TestbedError(
        'ETOPOLOGY',
        `${user} is in layer ${layer.name}, which node ${node.name} is no member of`,
        {
          hint: `choose a layer that reaches ${node.name}`,
        },
      );
    }
    found.set(`${member.ipcp} ${name}`, { name, node: node.name, ipcp: member.ipcp });
  };
  const known = (node: Node, user: string): void => {
    if (!nodes.has(node)) {
      throw new TestbedError('ETOPOLOGY', `${user} is on node ${node.name}, which is not listed`, {
        hint: 'add it to nodes of the topology',
      });
    }
  };
  for (const { name, node, layer } of registrations) {
    known(node, `name ${name}`);
    enter(name, node, layer, `name ${name}`);
  }
  for (const { name, node, layers } of servers) {
    known(node, `server ${name}`);
    const reached = [...layered].filter(([, placed]) =>
      placed.members.some((member) => member.node === node.name),
    );
    for (const layer of layers ?? reached.map(([each]) => each)) enter(name, node, layer, `server ${name}`);
  }
  return [...found.values()];
}
