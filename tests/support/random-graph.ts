/** Graphs of members for tests, and slow ways to compute on them that are plainly right. */
import fc from 'fast-check';
import { Graph } from '../../runtime/ipcpd/unicast/routing/graph.ts';

/** Links between members, each once, as pairs of addresses. */
export type Links = readonly (readonly [number, number])[];

/** Addresses that do not follow each other, some of them above 2^31. */
export function addressOf(index: number): number {
  return Math.imul(index + 1, 0x9e37_79b1) >>> 0;
}

/** Up to `membersMax` members with links at random, in one piece or several. */
export function anyLinks(membersMax: number): fc.Arbitrary<Links> {
  return fc
    .integer({ min: 2, max: membersMax })
    .chain((members) =>
      fc.array(fc.tuple(fc.nat(members - 1), fc.nat(members - 1)), { maxLength: 3 * members }),
    )
    .map((pairs) => {
      const links = new Map<string, readonly [number, number]>();
      for (const [a, b] of pairs) {
        if (a !== b) links.set(`${Math.min(a, b)} ${Math.max(a, b)}`, [addressOf(a), addressOf(b)]);
      }
      return [...links.values()];
    });
}

export function graphOf(links: Links): Graph {
  const graph = new Graph();
  for (const [a, b] of links) graph.connect(a, b);
  return graph;
}

/** The neighbours of each member that has any. */
export function neighboursOf(links: Links): Map<number, number[]> {
  const neighbours = new Map<number, number[]>();
  for (const [a, b] of links) {
    neighbours.set(a, [...(neighbours.get(a) ?? []), b]);
    neighbours.set(b, [...(neighbours.get(b) ?? []), a]);
  }
  return neighbours;
}

export interface Path {
  readonly distance: number;
  /** The first hop; of the root, the root. */
  readonly hop: number;
}

/** The search of the reference, word by word. Source: unicast-layer.md 6.7. */
export function dijkstra(links: Links, root: number): Map<number, Path> {
  const neighbours = neighboursOf(links);
  const paths = new Map<number, Path>(neighbours.has(root) ? [[root, { distance: 0, hop: root }]] : []);
  const settled = new Set<number>();
  for (;;) {
    const [next] = [...paths]
      .filter(([address]) => !settled.has(address))
      .toSorted(([a, one], [b, other]) => one.distance - other.distance || a - b);
    if (next === undefined) return paths;
    const [address, path] = next;
    settled.add(address);
    for (const end of neighbours.get(address) ?? []) {
      const distance = path.distance + 1;
      if (distance >= (paths.get(end)?.distance ?? Infinity)) continue;
      paths.set(end, { distance, hop: address === root ? end : path.hop });
    }
  }
}

/** Distances between all pairs (Floyd and Warshall); pairs without a path are missing. */
export function allDistances(links: Links): Map<number, Map<number, number>> {
  const members = [...neighboursOf(links).keys()];
  const distances = new Map(members.map((member) => [member, new Map([[member, 0]])]));
  for (const [a, b] of links) {
    distances.get(a)?.set(b, 1);
    distances.get(b)?.set(a, 1);
  }
  for (const via of members) {
    for (const a of members) {
      const first = distances.get(a)?.get(via);
      if (first === undefined) continue;
      for (const [b, second] of distances.get(via) ?? []) {
        const known = distances.get(a)?.get(b) ?? Infinity;
        if (first + second < known) distances.get(a)?.set(b, first + second);
      }
    }
  }
  return distances;
}
