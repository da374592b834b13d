/** Shapes that networks often have: nodes, and the cables between them. */
import { TestbedError } from '../errors.ts';
import { checkKeys } from './keys.ts';
import { type EthLink, ethLink, type LinkOptions } from './link.ts';
import { node, type Node, type NodeOptions } from './node.ts';

/** Nodes and the cables between them. Every cable has a name, that of its two nodes: `n1-n2`. */
export interface Shape {
  readonly nodes: readonly Node[];
  readonly links: readonly EthLink[];
}

export interface ShapeOptions {
  /** What the names of nodes begin with, `n` by default; their numbers follow, from 1. */
  prefix?: string;
  /** Options of all nodes, or of each by its index, from 0. */
  node?: NodeOptions | ((index: number) => NodeOptions);
  /** Options of all cables. */
  link?: LinkOptions;
}

export interface TreeOptions extends ShapeOptions {
  /** Levels below the root. */
  depth: number;
  /** Children of each node that is no leaf. */
  fanout: number;
}

export interface ClosOptions extends Omit<ShapeOptions, 'prefix'> {
  spines: number;
  leaves: number;
  /** Nodes at each leaf; none by default. */
  servers?: number;
}

export interface RandomOptions extends ShapeOptions {
  /** The same seed gives the same network. */
  seed: number;
  /** Cables at a node, on average: 3 by default, at least 2. */
  degree?: number;
}

/** A star and its parts. */
export interface Star extends Shape {
  readonly hub: Node;
  readonly leaves: readonly Node[];
}

/** A Clos network and its parts. */
export interface Clos extends Shape {
  readonly spines: readonly Node[];
  readonly leaves: readonly Node[];
  readonly servers: readonly Node[];
}

/** More than any machine takes: a slip of the finger. */
const nodesMax = 10_000;

/** n1 - n2 - ... */
export function line(count: number, options: ShapeOptions = {}): Shape {
  const nodes = makeNodes('line', count, 1, options);
  return joined(
    nodes,
    nodes.slice(1).map((_, index) => [index, index + 1]),
    options,
  );
}

/** A line whose last node is joined to the first. */
export function ring(count: number, options: ShapeOptions = {}): Shape {
  const nodes = makeNodes('ring', count, 3, options);
  return joined(
    nodes,
    nodes.map((_, index) => [index, (index + 1) % count]),
    options,
  );
}

/** A hub, n1, and so many leaves. */
export function star(leaves: number, options: ShapeOptions = {}): Star {
  checkCount('star', 'leaves', leaves, 1);
  const nodes = makeNodes('star', leaves + 1, 2, options);
  const [hub, ...rest] = nodes;
  if (hub === undefined) throw new Error('a star has a hub');
  return {
    ...joined(
      nodes,
      rest.map((_, index) => [0, index + 1]),
      options,
    ),
    hub,
    leaves: rest,
  };
}

/** A root, n1, its children, theirs, and so on. */
export function tree(options: TreeOptions): Shape {
  const { depth, fanout, ...rest } = options ?? {};
  checkCount('tree', 'depth', depth, 0);
  checkCount('tree', 'fanout', fanout, 1);
  let count = 0;
  for (let level = 0; level <= depth && count <= nodesMax; level++) count += fanout ** level;
  const nodes = makeNodes('tree', count, 1, rest);
  return joined(
    nodes,
    nodes.slice(1).map((_, index) => [Math.floor(index / fanout), index + 1]),
    rest,
  );
}

/** Rows and columns; the node in row 2 and column 3 is n2-3. */
export function grid(rows: number, columns: number, options: ShapeOptions = {}): Shape {
  return lattice('grid', { rows, columns, least: 1, around: false, options });
}

/** A grid in which the ends of each row, and of each column, are joined. */
export function torus(rows: number, columns: number, options: ShapeOptions = {}): Shape {
  return lattice('torus', { rows, columns, least: 3, around: true, options });
}

/** A cable between any two nodes. */
export function fullMesh(count: number, options: ShapeOptions = {}): Shape {
  const nodes = makeNodes('fullMesh', count, 1, options);
  return joined(
    nodes,
    nodes.flatMap((_, from) =>
      nodes.slice(from + 1).map((__, index): [number, number] => [from, from + 1 + index]),
    ),
    options,
  );
}

/** Leaves, each joined to every spine, and servers at the leaves: spine1, leaf1, server1-1. */
export function clos(options: ClosOptions): Clos {
  const { spines, leaves, servers = 0, ...rest } = options ?? {};
  checkKeys<object>(rest, { node: true, link: true }, 'clos()');
  checkCount('clos', 'spines', spines, 1);
  checkCount('clos', 'leaves', leaves, 1);
  checkCount('clos', 'servers', servers, 0);
  checkCount('clos', 'nodes', spines + leaves + leaves * servers, 1);
  const names = [
    ...Array.from({ length: spines }, (_, index) => `spine${index + 1}`),
    ...Array.from({ length: leaves }, (_, index) => `leaf${index + 1}`),
    ...Array.from({ length: leaves * servers }, (_, index) => {
      return `server${Math.floor(index / servers) + 1}-${(index % servers) + 1}`;
    }),
  ];
  const nodes = names.map((name, index) => node(name, nodeOptions(rest, index)));
  const pairs: [number, number][] = [];
  for (let leaf = spines; leaf < spines + leaves; leaf++) {
    for (let spine = 0; spine < spines; spine++) pairs.push([spine, leaf]);
  }
  for (let server = 0; server < leaves * servers; server++) {
    pairs.push([spines + Math.floor(server / servers), spines + leaves + server]);
  }
  return {
    ...joined(nodes, pairs, rest),
    spines: nodes.slice(0, spines),
    leaves: nodes.slice(spines, spines + leaves),
    servers: nodes.slice(spines + leaves),
  };
}

/** A network that hangs together, with cables drawn by chance from a seed. */
export function randomNetwork(count: number, options: RandomOptions): Shape {
  const { seed, degree = 3, ...rest } = options ?? {};
  if (!Number.isSafeInteger(seed)) {
    throw new TestbedError('ETOPOLOGY', `the seed of randomNetwork() is ${String(seed)}`, {
      hint: 'give a whole number; the same one gives the same network',
    });
  }
  if (typeof degree !== 'number' || !(degree >= 2) || !(degree <= count - 1 || count <= 3)) {
    throw new TestbedError('ETOPOLOGY', `the degree of randomNetwork() is ${String(degree)}`, {
      hint: `use 2 to ${count - 1}`,
    });
  }
  const nodes = makeNodes('randomNetwork', count, 1, rest);
  const chance = generator(seed);
  const below = (limit: number): number => Math.floor(chance() * limit);
  const pairs = new Map<number, [number, number]>();
  const add = (one: number, other: number): void => {
    const [from, to] = one < other ? [one, other] : [other, one];
    if (from !== to) pairs.set(from * count + to, [from, to]);
  };
  // Each node is joined to one before it, so all hang together.
  for (let index = 1; index < count; index++) add(below(index), index);
  const wanted = Math.min(Math.round((count * degree) / 2), (count * (count - 1)) / 2);
  while (pairs.size < wanted) add(below(count), below(count));
  const sorted = [...pairs.entries()].toSorted(([one], [other]) => one - other).map(([, pair]) => pair);
  return joined(nodes, sorted, rest);
}

function lattice(
  what: string,
  shape: { rows: number; columns: number; least: number; around: boolean; options: ShapeOptions },
): Shape {
  const { rows, columns, least, around, options } = shape;
  checkCount(what, 'rows', rows, least);
  checkCount(what, 'columns', columns, least);
  const nodes = makeNodes(what, rows * columns, 1, options, (index) => {
    return `${Math.floor(index / columns) + 1}-${(index % columns) + 1}`;
  });
  const pairs: [number, number][] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      if (column + 1 < columns) pairs.push([at, at + 1]);
      else if (around) pairs.push([at, row * columns]);
      if (row + 1 < rows) pairs.push([at, at + columns]);
      else if (around) pairs.push([at, column]);
    }
  }
  return joined(nodes, pairs, options);
}

function makeNodes(
  what: string,
  count: number,
  least: number,
  options: ShapeOptions,
  suffix: (index: number) => string = (index) => String(index + 1),
): readonly Node[] {
  checkCount(what, 'nodes', count, least);
  checkKeys<object>(options, { prefix: true, node: true, link: true }, `${what}()`);
  const { prefix = 'n' } = options;
  return Array.from({ length: count }, (_, index) =>
    node(`${prefix}${suffix(index)}`, nodeOptions(options, index)),
  );
}

function nodeOptions({ node: options = {} }: Pick<ShapeOptions, 'node'>, index: number): NodeOptions {
  return typeof options === 'function' ? options(index) : options;
}

function joined(
  nodes: readonly Node[],
  pairs: readonly (readonly [number, number] | readonly number[])[],
  { link = {} }: Pick<ShapeOptions, 'link'>,
): Shape {
  const links = pairs.map(([from = 0, to = 0]) => {
    const [one, other] = [nodes[from], nodes[to]];
    if (one === undefined || other === undefined) throw new Error(`there is no pair ${from}, ${to}`);
    return ethLink(one, other, link);
  });
  return { nodes, links };
}

function checkCount(what: string, of: string, count: unknown, least: number): void {
  if (typeof count === 'number' && Number.isInteger(count) && count >= least && count <= nodesMax) return;
  throw new TestbedError('ETOPOLOGY', `the number of ${of} of ${what}() is ${String(count)}`, {
    hint: `use ${least} to ${nodesMax}`,
  });
}

/** Numbers from 0 to 1, 1 excluded, that look drawn by chance: mulberry32. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
