/** What is drawn of a topology: its nodes and links, one of its layers, or how its layers lie on each other. */
import { TestbedError } from '../errors.ts';
import {
  isStackedLayer,
  type Topology,
  type TopologyLayer,
  type TopologyStackedLayer,
} from '../model/topology.ts';

export interface Drawing {
  readonly title: string;
  /** Whether it is read from top to bottom. */
  readonly ranked: boolean;
  readonly shapes: readonly Shape[];
  readonly lines: readonly Line[];
}

export interface Shape {
  readonly id: string;
  readonly label: string;
  /** `node`: a machine; `lan`: a LAN; `member`: an IPCP; `first`: the one that bootstraps; `layer`: a whole layer. */
  readonly kind: 'node' | 'lan' | 'member' | 'first' | 'layer';
  /** Whether it is not as it should be: stopped, or ended. */
  readonly isOff: boolean;
}

export interface Line {
  readonly from: string;
  readonly to: string;
  /** `cable`; `adjacency`: members that are connected; `enrolment`: from a member to the one it enrols with; `over`. */
  readonly kind: 'cable' | 'adjacency' | 'enrolment' | 'over';
  readonly label?: string;
  /** Labels at its ends. */
  readonly fromLabel?: string;
  readonly toLabel?: string;
}

/** Nodes and links. `off` are those that do not run. */
export function drawPhysical(topology: Topology, off: ReadonlySet<string>): Drawing {
  const shapes = topology.nodes.map(({ name, runtime, image }): Shape => {
    const what = runtime?.name ?? image;
    return {
      id: `node ${name}`,
      label: what === undefined ? name : `${name}\n${what}`,
      kind: 'node',
      isOff: off.has(name),
    };
  });
  const lans = topology.links.filter(({ kind }) => kind === 'lan');
  const lines = topology.links.flatMap((link): Line[] => {
    const mtu = link.mtu === 1500 ? '' : ` (MTU ${link.mtu})`;
    if (link.kind === 'lan') {
      return link.ends.map((end) => ({
        from: `node ${end.node}`,
        to: `lan ${link.name}`,
        kind: 'cable',
        fromLabel: end.interface,
      }));
    }
    const [from, to] = link.ends;
    const isPlain = new RegExp(`^${from.node}-${to.node}(-\\d+)?$`).test(link.name);
    const label = isPlain ? mtu.trim() : `${link.name}${mtu}`;
    return [
      {
        from: `node ${from.node}`,
        to: `node ${to.node}`,
        kind: 'cable',
        fromLabel: from.interface,
        toLabel: to.interface,
        ...(label === '' ? {} : { label }),
      },
    ];
  });
  return {
    title: topology.name ?? 'links',
    ranked: false,
    shapes: [
      ...shapes,
      ...lans.map(({ name }): Shape => ({ id: `lan ${name}`, label: name, kind: 'lan', isOff: false })),
    ],
    lines,
  };
}

/** One layer: its members, who is connected to whom, and who enrols with whom. Throws EUSAGE for an unknown one. */
export function drawLayer(topology: Topology, name: string, off: ReadonlySet<string>): Drawing {
  const layer = topology.layers.find((each) => each.name === name);
  if (layer === undefined) {
    throw new TestbedError('EUSAGE', `the topology has no layer ${JSON.stringify(name)}`, {
      hint: `it has ${topology.layers.map((each) => each.name).join(', ') || 'none'}`,
    });
  }
  const first = isStackedLayer(layer) ? layer.bootstrap : undefined;
  const shapes = layer.members.map(({ node, ipcp }): Shape => ({
    id: ipcp,
    label: node,
    kind: node === first ? 'first' : 'member',
    isOff: off.has(node),
  }));
  return {
    title: `${layer.kind} layer ${name}`,
    ranked: false,
    ...(isStackedLayer(layer) ? { shapes, lines: stackedLines(layer) } : linkLines(layer, shapes)),
  };
}

function stackedLines({ members, adjacencies, enrolments }: TopologyStackedLayer): Line[] {
  const ipcpOf = new Map(members.map(({ node, ipcp }) => [node, ipcp]));
  return [
    ...adjacencies.map(({ ipcp, to }): Line => ({ from: ipcp, to, kind: 'adjacency' })),
    ...enrolments.map(({ node, with: target }): Line => ({
      from: ipcpOf.get(node) ?? node,
      to: ipcpOf.get(target) ?? target,
      kind: 'enrolment',
    })),
  ];
}

/** Members of a layer over a link: those of a cable are joined, those of a LAN are around it. */
function linkLines(
  layer: TopologyLayer,
  shapes: readonly Shape[],
): { shapes: readonly Shape[]; lines: Line[] } {
  const [one, other, ...more] = layer.members;
  if (!('link' in layer) || one === undefined || other === undefined) return { shapes, lines: [] };
  if (more.length === 0) {
    return { shapes, lines: [{ from: one.ipcp, to: other.ipcp, kind: 'adjacency', label: layer.link }] };
  }
  const lan: Shape = { id: `lan ${layer.link}`, label: layer.link, kind: 'lan', isOff: false };
  const lines = layer.members.map(({ ipcp }): Line => ({ from: ipcp, to: lan.id, kind: 'adjacency' }));
  return { shapes: [...shapes, lan], lines };
}

/** Which layer is over which, down to the links. */
export function drawStack(topology: Topology): Drawing {
  const links = new Set(topology.layers.flatMap((layer) => ('link' in layer ? [layer.link] : [])));
  return {
    title: `${topology.name ?? 'topology'}: layers`,
    ranked: true,
    shapes: [
      ...topology.layers.map(({ name, kind, members }): Shape => ({
        id: `layer ${name}`,
        label: `${name}\n${kind}, ${members.length}`,
        kind: 'layer',
        isOff: false,
      })),
      ...[...links].map((name): Shape => ({ id: `link ${name}`, label: name, kind: 'lan', isOff: false })),
    ],
    lines: topology.layers.flatMap((layer) => {
      const below = isStackedLayer(layer)
        ? layer.over.map((name) => `layer ${name}`)
        : 'link' in layer
          ? [`link ${layer.link}`]
          : [];
      return below.map((id): Line => ({ from: `layer ${layer.name}`, to: id, kind: 'over' }));
    }),
  };
}
