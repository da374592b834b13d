/** `topology()`: checks that the parts fit together, and turns references into names. */
import { TestbedError } from '../errors.ts';
import { assignAddresses, type LinkAddresses } from './addressing.ts';
import { enlist } from './enlisting.ts';
import { addressText } from './ip-address.ts';
import { checkKeys } from './keys.ts';
import { isLayer, type Layer } from './layer.ts';
import { isLink, type Link } from './link.ts';
import { distinct, listed } from './listed.ts';
import { checkName } from './names.ts';
import type { Node } from './node.ts';
import type { Registration, Server } from './service.ts';
import { stack } from './stacking.ts';
import { wantedParts } from './subset.ts';
import {
  brandTopology,
  type Topology,
  type TopologyLink,
  type TopologyLinkEnd,
  type TopologyNode,
} from './topology.ts';
import { wire } from './wiring.ts';

export interface TopologyParts {
  /** Name of the lab; the file's base name when absent. */
  name?: string;
  nodes: readonly Node[];
  links?: readonly Link[];
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
  listed(nodes, (each) => each?.kind === 'node', 'nodes');
  listed(links, isLink, 'links');
  listed(layers, isLayer, 'layers');
  listed(registrations, (each) => each?.kind === 'registration', 'registrations');
  listed(servers, (each) => each?.kind === 'server', 'servers');

  distinct(nodes, 'node');
  return built(name, wantedParts({ nodes, links, layers, registrations, servers }));
}

function built(
  name: string | undefined,
  { nodes, links, layers, registrations, servers }: ReturnType<typeof wantedParts>,
): Topology {
  const own = new Set<Node>(nodes);
  const wired = wire(links, own);
  const addressed = assignAddresses(wired, layers);
  const layered = stack(layers, { wired, addressed, nodes: own });
  return brandTopology({
    name,
    nodes: nodes.map(describeNode),
    links: [...wired].map(([link, placed]) => withAddresses(placed, addressed.get(link) ?? [])),
    layers: [...layered.values()],
    registrations: enlist(registrations, servers, layered, own),
    servers: servers.map(({ node, name: served, command, balance }) => ({
      node: node.name,
      name: served,
      command: [...command],
      ...(balance === undefined ? {} : { balance }),
    })),
  });
}

function describeNode({ name, options, memoryBytes }: Node): TopologyNode {
  const { tun = false, runtime, image, cpus, irmd, config } = options;
  return {
    name,
    ...(tun ? { tun } : {}),
    ...(runtime === undefined
      ? {}
      : {
          runtime: {
            name: runtime.name,
            ...(runtime.prefix === undefined ? {} : { prefix: runtime.prefix }),
            ...(runtime.image === undefined ? {} : { image: runtime.image }),
            config: runtime.config,
            variables: runtime.variables,
          },
        }),
    ...(image === undefined ? {} : { image }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(irmd === undefined ? {} : { irmd: [...irmd] }),
    ...(config === undefined ? {} : { config }),
  };
}

function withAddresses(link: TopologyLink, addresses: LinkAddresses): TopologyLink {
  const addressed = (end: TopologyLinkEnd, side: number): TopologyLinkEnd => {
    const texts = (addresses[side] ?? []).map(addressText);
    return texts.length === 0 ? end : { ...end, addresses: texts };
  };
  return link.kind === 'lan'
    ? { ...link, ends: link.ends.map(addressed) }
    : { ...link, ends: [addressed(link.ends[0], 0), addressed(link.ends[1], 1)] };
}
