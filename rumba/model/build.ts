/** `topology()`: checks that the parts fit together, and turns references into names. */
import { TestbedError } from '../errors.ts';
import { assignAddresses, layerAddresses, type LinkAddresses } from './addressing.ts';
import { addressText, familyNames } from './ip-address.ts';
import {
  ethertypeDefault,
  isLayer,
  isStacked,
  type Layer,
  type LinkLayer,
  udpFamilies,
  udpPortDefault,
} from './layer.ts';
import type { EthLink } from './link.ts';
import { checkKeys } from './keys.ts';
import { stackLayer } from './membership.ts';
import { checkName } from './names.ts';
import type { Node, Port } from './node.ts';
import type { Registration, Server } from './service.ts';
import type { Broadcast, Unicast } from './stacked-layer.ts';
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

const partKeys = {
  name: true,
  nodes: true,
  links: true,
  layers: true,
  registrations: true,
  servers: true,
} as const;

/** A topology of these parts. Throws ETOPOLOGY at the first that does not fit. */
export function topology(parts: TopologyParts): Topology {
  checkKeys(parts, partKeys);
  const { name, nodes, links = [], layers = [], registrations = [], servers = [] } = parts;
  if (name !== undefined) checkName('lab', name);
  if (!Array.isArray(nodes) || nodes.length === 0) {
    throw new TestbedError('ETOPOLOGY', 'the topology has no nodes', { hint: "write nodes: [node('a')]" });
  }
  const isKind =
    (kind: string) =>
    (each: { kind: string }): boolean =>
      each?.kind === kind;
  listed(nodes, isKind('node'), 'nodes');
  listed(links, isKind('eth-link'), 'links');
  listed(layers, isLayer, 'layers');
  listed(registrations, isKind('registration'), 'registrations');
  listed(servers, isKind('server'), 'servers');

  distinct(nodes, 'node');
  const wired = wire(links, new Set(nodes));
  const addressed = assignAddresses(wired, layers);
  const layered = stack(layers, wired, addressed, new Set(nodes));
  return brandTopology({
    name,
    nodes: nodes.map(({ name: each, tun }) => (tun ? { name: each, tun } : { name: each })),
    links: [...wired].map(([link, placed]) => withAddresses(placed, addressed.get(link))),
    layers: [...layered.values()],
    registrations: enlist(registrations, servers, layered, new Set(nodes)),
    servers: servers.map((each) => ({ node: each.node.name, name: each.name, command: [...each.command] })),
  });
}

/** Refuses a list that holds something else than it should, or one thing twice. */
function listed<T extends { kind: string }>(
  list: readonly T[],
  fits: (each: T) => boolean,
  what: string,
): void {
  if (!Array.isArray(list)) throw new TestbedError('ETOPOLOGY', `${what} of the topology is not a list`);
  list.forEach((each, index) => {
    if (!fits(each))
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
    links.map((link, index) => {
      const from = wireEnd(link.ends[0], link, 2 * index);
      const to = wireEnd(link.ends[1], link, 2 * index + 1);
      if (from.mac === to.mac) {
        throw new TestbedError(
          'ETOPOLOGY',
          `both ends of link ${title(link)} have the MAC address ${to.mac}`,
          {
            hint: 'give each one of its own',
          },
        );
      }
      return [link, { kind: 'eth', name: title(link), mtu: link.mtu, ends: [from, to] }];
    }),
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

function withAddresses(link: TopologyLink, addresses: LinkAddresses | undefined): TopologyLink {
  const end = (side: 0 | 1): TopologyLinkEnd => {
    const texts = addresses?.[side].map(addressText) ?? [];
    return texts.length === 0 ? link.ends[side] : { ...link.ends[side], addresses: texts };
  };
  return { ...link, ends: [end(0), end(1)] };
}

/** Places the IPCPs of each layer; one link carries several layers only where their packets differ. */
function stack(
  layers: readonly Layer[],
  wired: ReadonlyMap<EthLink, TopologyLink>,
  addressed: ReadonlyMap<EthLink, LinkAddresses>,
  nodes: ReadonlySet<Node>,
): Map<Layer, TopologyLayer> {
  distinct(layers, 'layer');
  const users = new Map<string, string>();
  const placed = new Map<Layer, TopologyLayer>();
  const placeStacked = (layer: Unicast | Broadcast): TopologyLayer => {
    const below = layer.over.map((each) => {
      if (!layers.includes(each)) {
        throw new TestbedError(
          'ETOPOLOGY',
          `layer ${layer.name} is over layer ${each.name}, which is not listed`,
          {
            hint: 'add it to layers of the topology',
          },
        );
      }
      return placed.get(each) ?? place(each);
    });
    return stackLayer(layer, below, nodes);
  };
  const place = (layer: Layer): TopologyLayer => {
    const made = isStacked(layer) ? placeStacked(layer) : placeOnLink(layer);
    placed.set(layer, made);
    return made;
  };
  const placeOnLink = (layer: LinkLayer): TopologyLayer => {
    const link = wired.get(layer.link);
    if (link === undefined) {
      throw new TestbedError('ETOPOLOGY', `layer ${layer.name} is over a link that is not listed`, {
        hint: 'add it to links of the topology',
      });
    }
    const { what, hint } = shareOf(layer);
    const other = users.get(`${link.name} ${what}`);
    if (other !== undefined) {
      throw new TestbedError(
        'ETOPOLOGY',
        `layers ${other} and ${layer.name} both use ${what} on link ${link.name}`,
        { hint },
      );
    }
    users.set(`${link.name} ${what}`, layer.name);
    return placeLayer(layer, link, addressed.get(layer.link) ?? [[], []]);
  };
  // Those below come first, however they are listed.
  for (const layer of layers) if (!placed.has(layer)) place(layer);
  return placed;
}

/** What a layer has for itself on its link, and what to do about a second layer that wants the same. */
function shareOf(layer: LinkLayer): { what: string; hint: string } {
  switch (layer.kind) {
    case 'eth-dix': {
      const { ethertype = ethertypeDefault } = layer;
      const shown = ethertype.toString(16).toUpperCase().padStart(4, '0');
      return { what: `ethertype 0x${shown}`, hint: 'give one of them another ethertype' };
    }
    case 'eth-llc':
      return { what: 'LLC frames', hint: 'make one of them an eth-dix layer, or give it a link of its own' };
    case 'udp4':
    case 'udp6': {
      const { port = udpPortDefault, kind } = layer;
      const family = familyNames[udpFamilies[kind]];
      return { what: `port ${port} over ${family}`, hint: 'give one of them another port' };
    }
  }
}

function placeLayer(layer: LinkLayer, link: TopologyLink, addresses: LinkAddresses): TopologyLayer {
  const { name } = layer;
  const member = (side: 0 | 1): TopologyMember => {
    const { node, interface: device } = link.ends[side];
    return { node, ipcp: checkName('IPCP', `${name}.${node}`), interface: device };
  };
  const members = [member(0), member(1)];
  switch (layer.kind) {
    case 'eth-dix': {
      const { kind, ethertype, hash } = layer;
      return { kind, name, link: link.name, ethertype, hash, members };
    }
    case 'eth-llc': {
      const { kind, hash } = layer;
      return { kind, name, link: link.name, hash, members };
    }
    case 'udp4':
    case 'udp6': {
      const { kind, port, dns } = layer;
      const [from, to] = layerAddresses(layer, link, addresses);
      const udpMembers = [
        { ...member(0), ip: from.ip },
        { ...member(1), ip: to.ip },
      ];
      return { kind, name, link: link.name, port, dns, members: udpMembers };
    }
  }
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
    if (layer.kind === 'broadcast') {
      throw new TestbedError('ETOPOLOGY', `${user} is in layer ${layer.name}, a broadcast layer`, {
        hint: 'applications join such a layer by its own name; no names are registered there',
      });
    }
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
  // An IPCP of a layer over others is found by its name in those below.
  for (const layer of layered.values()) {
    if (layer.kind !== 'unicast' && layer.kind !== 'broadcast') continue;
    for (const { node, ipcp, lower } of layer.members) {
      for (const below of lower) found.set(`${below} ${ipcp}`, { name: ipcp, node, ipcp: below });
    }
  }
  for (const { name, node, layer } of registrations) {
    known(node, `name ${name}`);
    enter(name, node, layer, `name ${name}`);
  }
  for (const { name, node, layers } of servers) {
    known(node, `server ${name}`);
    const reached = [...layered].filter(([, placed]) =>
      placed.members.some((member) => member.node === node.name),
    );
    const able = reached.map(([each]) => each).filter(({ kind }) => kind !== 'broadcast');
    for (const layer of layers ?? able) enter(name, node, layer, `server ${name}`);
  }
  return [...found.values()];
}
