import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  allDistances,
  anyLinks,
  dijkstra,
  graphOf,
  type Links,
  neighboursOf,
} from '../../../../tests/support/random-graph.ts';
import { routingPolicies, type RoutingPolicy } from '../../../lib/rpc/api.ts';
import { Routes } from './routes.ts';

/** The hops to each destination, as a member calculates them. */
function routesOf(links: Links, self: number, policy: RoutingPolicy): Map<number, number[]> {
  const routes = new Routes(policy);
  const neighbours = (neighboursOf(links).get(self) ?? []).toReversed();
  routes.calculate(graphOf(links), self, neighbours);
  return listOf(routes);
}

function listOf(routes: Routes): Map<number, number[]> {
  return new Map(
    Array.from({ length: routes.size }, (_, index) => [
      routes.destination(index),
      Array.from({ length: routes.hopCount(index) }, (_unused, number) => routes.hop(index, number)),
    ]),
  );
}

/** Everybody's routes. */
function allRoutes(links: Links, policy: RoutingPolicy): Map<number, Map<number, number[]>> {
  return new Map([...neighboursOf(links).keys()].map((self) => [self, routesOf(links, self, policy)]));
}

test.each(routingPolicies)('%s: destinations are all members that have a path', (policy) => {
  fc.assert(
    fc.property(anyLinks(20), (links) => {
      for (const [self, routes] of allRoutes(links, policy)) {
        const reached = [...dijkstra(links, self).keys()].filter((address) => address !== self);
        expect(new Set(routes.keys())).toEqual(new Set(reached));
        for (const hops of routes.values()) expect(hops.length).toBeGreaterThan(0);
      }
    }),
  );
});

test.each(['link_state', 'lfa'] as const)('%s: the first hop is that of the shortest path', (policy) => {
  fc.assert(
    fc.property(anyLinks(20), (links) => {
      for (const [self, routes] of allRoutes(links, policy)) {
        const paths = dijkstra(links, self);
        for (const [destination, hops] of routes) expect(hops[0]).toBe(paths.get(destination)?.hop);
      }
    }),
  );
});

/** Neighbours that pass a test on distances, in the order of preference. */
type Distance = (from: number, to: number) => number;
function chosen(
  links: Links,
  self: number,
  test: (neighbour: number, distance: Distance) => boolean,
): number[] {
  const all = allDistances(links);
  const distance: Distance = (from, to) => all.get(from)?.get(to) ?? Infinity;
  return (neighboursOf(links).get(self) ?? []).toReversed().filter((neighbour) => test(neighbour, distance));
}

describe('ecmp', () => {
  test('the hops are all neighbours that are one link closer, the last learned first', () => {
    fc.assert(
      fc.property(anyLinks(16), (links) => {
        for (const [self, routes] of allRoutes(links, 'ecmp')) {
          for (const [destination, hops] of routes) {
            const expected = chosen(
              links,
              self,
              (neighbour, distance) => distance(neighbour, destination) + 1 === distance(self, destination),
            );
            expect(hops).toEqual(expected);
          }
        }
      }),
    );
  });

  test('whatever hop is taken, each is closer to the destination', () => {
    fc.assert(
      fc.property(anyLinks(16), fc.infiniteStream(fc.nat()), (links, choices) => {
        const routes = allRoutes(links, 'ecmp');
        const distances = allDistances(links);
        for (const [self, own] of routes) {
          for (const destination of own.keys()) {
            let at = self;
            while (at !== destination) {
              const hops = routes.get(at)?.get(destination) ?? [];
              const next = hops[choices.next().value! % hops.length]!;
              expect(distances.get(next)!.get(destination)!).toBe(distances.get(at)!.get(destination)! - 1);
              at = next;
            }
          }
        }
      }),
    );
  });
});

describe('lfa', () => {
  test('alternates are the neighbours of 6.8, those on a shortest path before the others', () => {
    fc.assert(
      fc.property(anyLinks(14), (links) => {
        for (const [self, routes] of allRoutes(links, 'lfa')) {
          for (const [destination, [primary, ...alternates]] of routes) {
            const isAlternate = (neighbour: number, distance: Distance): boolean =>
              neighbour !== destination &&
              distance(neighbour, destination) < distance(neighbour, self) + distance(self, destination);
            const expected = chosen(
              links,
              self,
              (neighbour, distance) => neighbour !== primary && isAlternate(neighbour, distance),
            );
            const distances = allDistances(links);
            const ordered = expected.toSorted(
              (a, b) => distances.get(a)!.get(destination)! - distances.get(b)!.get(destination)!,
            );
            expect(alternates).toEqual(ordered.slice(0, 7));
          }
        }
      }),
    );
  });

  test('a packet that takes an alternate around a link that failed arrives, and passes no member twice', () => {
    fc.assert(
      fc.property(anyLinks(14), (links) => {
        const routes = allRoutes(links, 'lfa');
        for (const [a, b] of links) {
          // Both ends know that the link is down, nobody else does, and nothing was calculated since.
          const isDown = (from: number, to: number): boolean =>
            (from === a && to === b) || (from === b && to === a);
          for (const self of [a, b]) {
            for (const [destination, hops] of routes.get(self)!) {
              if (!isDown(self, hops[0]!) || hops.length === 1) continue;
              const visited = new Set<number>();
              let at = self;
              while (at !== destination) {
                expect(visited.has(at), `${at} twice on the way from ${self} to ${destination}`).toBe(false);
                visited.add(at);
                const here = at;
                const next = routes
                  .get(at)!
                  .get(destination)!
                  .find((hop) => !isDown(here, hop));
                expect(next).toBeDefined();
                at = next!;
              }
            }
          }
        }
      }),
    );
  });

  test('in a ring of five the neighbour of the destination has none, those farther off have one', () => {
    const ring: Links = [
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
      [5, 1],
    ];
    expect(routesOf(ring, 1, 'lfa')).toEqual(
      new Map([
        [2, [2]],
        [5, [5]],
        [3, [2, 5]],
        [4, [5, 2]],
      ]),
    );
  });
});

test('no more hops are kept than the policy has room for', () => {
  // From 1 to 2 over a hundred members side by side.
  const links = Array.from({ length: 100 }, (_, index) => 10 + index).flatMap((middle): Links => [
    [1, middle],
    [middle, 2],
  ]);
  expect(routesOf(links, 1, 'link_state').get(2)).toEqual([10]);
  expect(routesOf(links, 1, 'ecmp').get(2)).toHaveLength(64);
  expect(routesOf(links, 1, 'ecmp').get(2)?.slice(0, 3)).toEqual([109, 108, 107]);
  expect(routesOf(links, 1, 'lfa').get(2)).toEqual([10, 109, 108, 107, 106, 105, 104, 103]);
});

test('a calculation forgets the one before', () => {
  const routes = new Routes('lfa');
  routes.calculate(graphOf([[1, 2]]), 1, [2]);
  expect(listOf(routes)).toEqual(new Map([[2, [2]]]));
  routes.calculate(graphOf([[1, 3]]), 1, [3]);
  expect(listOf(routes)).toEqual(new Map([[3, [3]]]));
  routes.calculate(graphOf([[2, 3]]), 1, []);
  expect(listOf(routes)).toEqual(new Map());
});
