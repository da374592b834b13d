/** A part of a topology: only some of its nodes. */
import { TestbedError } from '../errors.ts';
import { isStacked, type Layer } from './layer.ts';
import type { Link } from './link.ts';
import { type Node, nodeOf } from './node.ts';
import type { Registration, Server } from './service.ts';
import type { Enrolments } from './stacked-layer.ts';

// A file may import another copy of this package than the one that loads it; both know this symbol.
const place = Symbol.for('o7s-testbed.only');
const store = globalThis as { [place]?: readonly string[] | undefined };

/** Does something, such as loading a topology file, in which `topology()` makes parts of topologies. */
export async function withOnly<T>(nodes: readonly string[] | undefined, use: () => Promise<T>): Promise<T> {
  const outer = store[place];
  store[place] = nodes;
  try {
    return await use();
  } finally {
    store[place] = outer;
  }
}

interface Parts {
  readonly nodes: readonly Node[];
  readonly links: readonly Link[];
  readonly layers: readonly Layer[];
  readonly registrations: readonly Registration[];
  readonly servers: readonly Server[];
}

/**
 * The parts that are left where only some nodes are wanted: links between those, layers over what is left, and what is
 * on them. Throws EUSAGE for a name that no node has.
 */
export function wantedParts(parts: Parts): Parts {
  const only = store[place];
  if (only === undefined) return parts;
  const known = parts.nodes.map(({ name }) => name);
  const unknown = only.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new TestbedError('EUSAGE', `the topology has no node ${JSON.stringify(unknown)}`, {
      hint: `it has ${known.join(', ')}`,
    });
  }
  const nodes = parts.nodes.filter(({ name }) => only.includes(name));
  const isIn = (node: Node): boolean => nodes.includes(node);
  const links = new Map<Link, Link>();
  for (const link of parts.links) {
    const ends = link.ends.filter((end) => isIn(nodeOf(end)));
    if (link.kind === 'lan' ? ends.length > 0 : ends.length === 2) {
      links.set(link, link.kind === 'lan' ? { ...link, ends } : link);
    }
  }
  const layers = new Map<Layer, Layer>();
  const keep = (layer: Layer): void => {
    if (layers.has(layer)) return;
    if (isStacked(layer)) for (const below of layer.over) keep(below);
    const left = reduced(layer, { links, layers, isIn });
    if (left !== undefined) layers.set(layer, left);
  };
  for (const layer of parts.layers) keep(layer);
  return {
    nodes,
    links: [...links.values()],
    layers: parts.layers.flatMap((layer) => layers.get(layer) ?? []),
    registrations: parts.registrations.flatMap((each) => {
      const layer = layers.get(each.layer);
      return layer === undefined || !isIn(each.node) ? [] : [{ ...each, layer }];
    }),
    servers: parts.servers
      .filter(({ node }) => isIn(node))
      .map((each) => ({ ...each, layers: each.layers?.flatMap((layer) => layers.get(layer) ?? []) })),
  };
}

function reduced(
  layer: Layer,
  left: {
    readonly links: ReadonlyMap<Link, Link>;
    readonly layers: ReadonlyMap<Layer, Layer>;
    readonly isIn: (node: Node) => boolean;
  },
): Layer | undefined {
  const { links, layers, isIn } = left;
  if (layer.kind === 'local') return isIn(layer.node) ? layer : undefined;
  if (!isStacked(layer)) {
    const link = links.get(layer.link);
    const members = layer.members.filter(isIn);
    return link === undefined || members.length === 0 ? undefined : { ...layer, link, members };
  }
  const over = layer.over.flatMap((below) => layers.get(below) ?? []);
  if (over.length === 0 || layer.options.members?.some(isIn) === false) return undefined;
  const { members, bootstrap, enrolments, adjacencies, ...policies } = layer.options;
  const pairs = (list: Enrolments): Enrolments =>
    typeof list === 'string' ? list : list.filter(([one, other]) => isIn(one) && isIn(other));
  const options = {
    ...policies,
    ...(members === undefined ? {} : { members: members.filter(isIn) }),
    ...(bootstrap === undefined || !isIn(bootstrap) ? {} : { bootstrap }),
    // A list that is cut short may lead nowhere; the tree of what is left does not.
    ...(enrolments === undefined ? {} : { enrolments: 'tree' as const }),
    ...(adjacencies === undefined || adjacencies === 'mesh'
      ? { adjacencies }
      : { adjacencies: pairs(adjacencies) }),
  };
  return { ...layer, over, options: options as typeof layer.options };
}
