/** Places the IPCPs of each layer. */
import { TestbedError } from '../errors.ts';
import { layerAddresses, type LinkAddresses } from './addressing.ts';
import { familyNames } from './ip-address.ts';
import {
  ethertypeDefault,
  familyOfLayer,
  isStacked,
  type Layer,
  type LinkLayer,
  type LinkPolicies,
  type Local,
  udpPortDefault,
} from './layer.ts';
import type { Link } from './link.ts';
import { distinct } from './listed.ts';
import { stackLayer } from './membership.ts';
import { checkName } from './names.ts';
import type { Node } from './node.ts';
import type { Broadcast, Unicast } from './stacked-layer.ts';
import type { TopologyLayer, TopologyLink, TopologyLinkLayer, TopologyLinkMember } from './topology.ts';

export interface Placed {
  readonly wired: ReadonlyMap<Link, TopologyLink>;
  readonly addressed: ReadonlyMap<Link, LinkAddresses>;
  readonly nodes: ReadonlySet<Node>;
}

/** The IPCPs of all layers; an interface takes several only where their packets differ. */
export function stack(layers: readonly Layer[], places: Placed): Map<Layer, TopologyLayer> {
  distinct(layers, 'layer');
  const listed = new Set(layers);
  const users = new Map<string, string>();
  const placed = new Map<Layer, TopologyLayer>();
  const above: Layer[] = [];
  const place = (layer: Layer): TopologyLayer => {
    const made = isStacked(layer)
      ? placeStacked(layer)
      : layer.kind === 'local'
        ? placeLocal(layer, places.nodes)
        : placeOnLink(layer, places, users);
    placed.set(layer, made);
    return made;
  };
  const placeStacked = (layer: Unicast | Broadcast): TopologyLayer => {
    if (above.includes(layer)) {
      const circle = [...above.slice(above.indexOf(layer)), layer].map(({ name }) => name).join(' over ');
      throw new TestbedError('ETOPOLOGY', `layers are over each other: ${circle}`, {
        hint: 'the lowest has to be over a link',
      });
    }
    above.push(layer);
    const below = layer.over.map((each) => {
      if (!listed.has(each)) {
        throw new TestbedError(
          'ETOPOLOGY',
          `layer ${layer.name} is over layer ${each.name}, which is not listed`,
          { hint: 'add it to layers of the topology' },
        );
      }
      return placed.get(each) ?? place(each);
    });
    above.pop();
    return stackLayer(layer, below, places.nodes);
  };
  // Those below come first, however they are listed.
  for (const layer of layers) if (!placed.has(layer)) place(layer);
  return placed;
}

function placeLocal({ name, node, hash }: Local, nodes: ReadonlySet<Node>): TopologyLayer {
  if (!nodes.has(node)) {
    throw new TestbedError('ETOPOLOGY', `layer ${name} is on node ${node.name}, which is not listed`, {
      hint: 'add it to nodes of the topology',
    });
  }
  const member = { node: node.name, ipcp: checkName('IPCP', `${name}.${node.name}`), config: { hash } };
  return { kind: 'local', name, members: [member] };
}

function placeOnLink(
  layer: LinkLayer,
  { wired, addressed }: Placed,
  users: Map<string, string>,
): TopologyLinkLayer {
  const { kind, name } = layer;
  const link = wired.get(layer.link);
  if (link === undefined) {
    throw new TestbedError('ETOPOLOGY', `layer ${name} is over a link that is not listed`, {
      hint: 'add it to links of the topology',
    });
  }
  const nodeNames = new Map(layer.members.map((node) => [node.name, node]));
  const ends = link.ends.flatMap((end, side) => {
    const node = nodeNames.get(end.node);
    return node === undefined ? [] : [{ end, node, addresses: addressed.get(layer.link)?.[side] ?? [] }];
  });
  const family = familyOfLayer(layer);
  const ips = family === undefined ? undefined : layerAddresses(name, family, link.name, ends);
  const members = ends.map(({ end, node }): TopologyLinkMember => {
    const policies = layer.policies.get(node) ?? {};
    const { what, hint } = shareOf(layer, policies);
    const key = `${link.name} ${end.node} ${what}`;
    const other = users.get(key);
    if (other !== undefined) {
      throw new TestbedError(
        'ETOPOLOGY',
        `layers ${other} and ${name} both use ${what} on link ${link.name}`,
        { hint },
      );
    }
    users.set(key, name);
    const { ethertype, hash, port, dns } = policies;
    const config =
      ips === undefined ? { dev: end.interface, ethertype, hash } : { ip: ips.get(end)?.ip, port, dns };
    const ipcp = checkName('IPCP', `${name}.${end.node}`);
    return { node: end.node, ipcp, interface: end.interface, config };
  });
  return { kind, name, link: link.name, members };
}

/** What a layer has for itself on an interface, and what to do about a second layer that wants the same. */
function shareOf(layer: LinkLayer, policies: LinkPolicies): { what: string; hint: string } {
  switch (layer.kind) {
    case 'eth-dix': {
      const { ethertype = ethertypeDefault } = policies;
      const shown = ethertype.toString(16).toUpperCase().padStart(4, '0');
      return { what: `ethertype 0x${shown}`, hint: 'give one of them another ethertype' };
    }
    case 'eth-llc':
      return { what: 'LLC frames', hint: 'make one of them an eth-dix layer, or give it a link of its own' };
    case 'udp4':
    case 'udp6': {
      const { port = udpPortDefault } = policies;
      const family = familyNames[layer.kind === 'udp4' ? 4 : 6];
      return { what: `port ${port} over ${family}`, hint: 'give one of them another port' };
    }
  }
}
