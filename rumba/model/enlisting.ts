/** Which names are registered where. */
import { TestbedError } from '../errors.ts';
import type { Layer } from './layer.ts';
import type { Node } from './node.ts';
import type { Registration, Server } from './service.ts';
import { isStackedLayer, type TopologyLayer, type TopologyRegistration } from './topology.ts';

/** All registrations: those asked for, and those that follow from servers and layers; each once. */
export function enlist(
  registrations: readonly Registration[],
  servers: readonly Server[],
  layered: ReadonlyMap<Layer, TopologyLayer>,
  nodes: ReadonlySet<Node>,
): TopologyRegistration[] {
  const found = new Map<string, TopologyRegistration>();
  const enter = (name: string, node: Node, layer: Layer, user: string): void => {
    const ipcp = registrar(layer, node, layered, user);
    found.set(`${ipcp} ${name}`, { name, node: node.name, ipcp });
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
    if (!isStackedLayer(layer)) continue;
    for (const { node, ipcp, lower } of layer.members) {
      for (const below of lower) found.set(`${below} ${ipcp}`, { name: ipcp, node, ipcp: below });
    }
  }
  for (const { name, node, layer } of registrations) {
    known(node, `name ${name}`);
    enter(name, node, layer, `name ${name}`);
  }
  const layersOf = Map.groupBy(
    [...layered].flatMap(([layer, { members }]) =>
      layer.kind === 'broadcast' ? [] : members.map(({ node }) => ({ node, layer })),
    ),
    ({ node }) => node,
  );
  for (const { name, node, layers } of servers) {
    known(node, `server ${name}`);
    const all = layersOf.get(node.name)?.map(({ layer }) => layer) ?? [];
    for (const layer of layers ?? all) enter(name, node, layer, `server ${name}`);
  }
  return [...found.values()];
}

/** The IPCP by which a node registers names in a layer. */
function registrar(
  layer: Layer,
  node: Node,
  layered: ReadonlyMap<Layer, TopologyLayer>,
  user: string,
): string {
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
      { hint: `choose a layer that reaches ${node.name}` },
    );
  }
  return member.ipcp;
}
