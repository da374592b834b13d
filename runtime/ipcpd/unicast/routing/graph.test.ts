import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addressOf,
  allDistances,
  anyLinks,
  dijkstra,
  graphOf,
  type Links,
  neighboursOf,
} from '../../../../tests/support/random-graph.ts';
import { type Graph, ShortestPaths } from './graph.ts';

function solved(graph: Graph, root: number): Map<number, { distance: number; hop: number }> {
  const paths = new ShortestPaths();
  paths.solve(graph, root);
  return pathsOf(graph, paths);
}

function pathsOf(graph: Graph, paths: ShortestPaths): Map<number, { distance: number; hop: number }> {
  const found = new Map<number, { distance: number; hop: number }>();
  let last = 0;
  for (const vertex of paths.order.subarray(0, paths.reached)) {
    const distance = paths.distance(vertex);
    expect(distance).toBeGreaterThanOrEqual(last);
    last = distance;
    found.set(graph.addresses[vertex]!, { distance, hop: graph.addresses[paths.hops[vertex]!]! });
  }
  return found;
}

test('paths are those of the plain search, from every member', () => {
  fc.assert(
    fc.property(anyLinks(24), (links) => {
      const graph = graphOf(links);
      for (const root of neighboursOf(links).keys()) {
        expect(solved(graph, root)).toEqual(dijkstra(links, root));
      }
    }),
  );
});

test('distances are those between all pairs', () => {
  fc.assert(
    fc.property(anyLinks(24), (links) => {
      const graph = graphOf(links);
      const paths = new ShortestPaths();
      for (const [root, distances] of allDistances(links)) {
        paths.solve(graph, root);
        for (let member = 0; member < 24; member += 1) {
          const address = addressOf(member);
          const expected = distances.get(address) ?? -1;
          expect(paths.distance(graph.vertex(address))).toBe(expected);
        }
      }
    }),
  );
});

test('of equal paths the one over the lowest address is taken', () => {
  //   1 - 5 - 9        At two hops the lowest neighbour decides, farther off the lowest last hop:
  //   | \     |        to 9 there are 1-5-9, 1-4-9 and 1-6-9; to 7, beyond 6 and 8, the way over 6 is taken
  //   6  4 ---+        though 8 is reached by 3, which is lower than 6.
  const links: Links = [
    [1, 5],
    [1, 4],
    [1, 6],
    [5, 9],
    [4, 9],
    [6, 9],
    [1, 3],
    [3, 88],
    [6, 66],
    [88, 7],
    [66, 7],
  ];
  const paths = solved(graphOf(links), 1);
  expect(paths.get(9)).toEqual({ distance: 2, hop: 4 });
  expect(paths.get(7)).toEqual({ distance: 3, hop: 6 });
  expect(paths).toEqual(dijkstra(links, 1));
});

test('addresses count as unsigned', () => {
  const high = 0xffff_fff0;
  const links: Links = [
    [1, high],
    [1, 2],
    [high, 3],
    [2, 3],
  ];
  expect(solved(graphOf(links), 1).get(3)).toEqual({ distance: 2, hop: 2 });
});

test('a member without links reaches nobody, and nothing of the last search is left', () => {
  const graph = graphOf([[1, 2]]);
  const paths = new ShortestPaths();
  paths.solve(graph, 1);
  expect(paths.reached).toBe(2);
  paths.solve(graph, 3);
  expect(paths.reached).toBe(0);
  expect(paths.distance(graph.vertex(2))).toBe(-1);
  expect(paths.distance(graph.vertex(3))).toBe(-1);
});

test('links come and go in any order, and the graph is that of those that are there', () => {
  fc.assert(
    fc.property(anyLinks(16), fc.array(fc.nat(), { maxLength: 200 }), (links, choices) => {
      fc.pre(links.length > 0);
      const graph = graphOf([]);
      const paths = new ShortestPaths();
      const there = new Set<(typeof links)[number]>();
      for (const choice of choices) {
        const link = links[choice % links.length]!;
        const [a, b] = link;
        if (there.delete(link)) graph.disconnect(b, a);
        else {
          there.add(link);
          graph.connect(a, b);
        }
        expect(graph.links).toBe(there.size);
      }
      const members = neighboursOf([...there]);
      expect(graph.size).toBe(members.size);
      // Numbers are used again: no more of them than there ever were members at once.
      expect(graph.capacity).toBeLessThanOrEqual(16);
      for (const root of members.keys()) {
        paths.solve(graph, root);
        expect(pathsOf(graph, paths)).toEqual(dijkstra([...there], root));
      }
    }),
  );
});

test('members beyond the first memory', () => {
  const links: Links = Array.from({ length: 300 }, (_, index) => [addressOf(index), addressOf(index + 1)]);
  const graph = graphOf(links);
  const paths = new ShortestPaths();
  paths.solve(graphOf(links.slice(0, 3)), addressOf(0));
  paths.solve(graph, addressOf(0));
  expect(paths.reached).toBe(301);
  expect(paths.distance(graph.vertex(addressOf(300)))).toBe(300);
});
