/** What became different between two moments of what an IPCP knows of its layer. Pure. */
import type { Adjacency, IrmChange, LayerFacts, Route } from '../lib/rpc/events.ts';

export type OwnFacts = Omit<LayerFacts, 'pid' | 'names'>;

/** What an IPCP knows that has just joined a layer. Its device, if it has one, counts as up until it is told otherwise. */
export const noFacts: OwnFacts = { linkUp: null, adjacencies: [], routes: [] };

/** Routes one event tells of at most; more become more events. */
const routesMax = 256;

/** The changes that lead from `before` to `after`, of the IPCP with this pid and name. */
export function layerChanges(pid: number, name: string, before: OwnFacts, after: OwnFacts): IrmChange[] {
  return [
    ...linkChanges(before, after).map((event) => ({ event, pid, name }) as const),
    ...adjacencyChanges(before.adjacencies, after.adjacencies).map(([event, adjacency]) => {
      return { event, pid, name, adjacency } as const;
    }),
    ...routeChanges(before.routes, after.routes).map((routes) => {
      return { event: 'routes.changed', pid, name, ...routes } as const;
    }),
  ];
}

function linkChanges(before: OwnFacts, after: OwnFacts): ('link.up' | 'link.down')[] {
  if (after.linkUp === null || after.linkUp === (before.linkUp ?? true)) return [];
  return [after.linkUp ? 'link.up' : 'link.down'];
}

type AdjacencyEvent = Extract<IrmChange, { readonly adjacency: Adjacency }>['event'];

function adjacencyChanges(
  before: readonly Adjacency[],
  after: readonly Adjacency[],
): [AdjacencyEvent, Adjacency][] {
  const known = new Map(before.map((adjacency) => [adjacency.id, adjacency]));
  const left = new Set(after.map(({ id }) => id));
  const changes: [AdjacencyEvent, Adjacency][] = before
    .filter(({ id }) => !left.has(id))
    .map((adjacency) => ['adjacency.removed', { ...adjacency, up: false }]);
  for (const adjacency of after) {
    const was = known.get(adjacency.id);
    if (was === undefined) changes.push(['adjacency.added', adjacency]);
    else if (was.up !== adjacency.up)
      changes.push([adjacency.up ? 'adjacency.up' : 'adjacency.down', adjacency]);
  }
  return changes;
}

function routeChanges(
  before: readonly Route[],
  after: readonly Route[],
): { readonly set: readonly Route[]; readonly gone: readonly string[] }[] {
  const known = new Map(before.map((route) => [route.address, route]));
  const set = after.filter((route) => !isSame(route, known.get(route.address)));
  const left = new Set(after.map(({ address }) => address));
  const gone = before.filter(({ address }) => !left.has(address)).map(({ address }) => address);
  const parts = Math.ceil(Math.max(set.length, gone.length) / routesMax);
  return Array.from({ length: parts }, (_, part) => {
    const [from, to] = [part * routesMax, (part + 1) * routesMax];
    return { set: set.slice(from, to), gone: gone.slice(from, to) };
  });
}

function isSame(route: Route, other: Route | undefined): boolean {
  return (
    route.links === other?.links &&
    route.via.length === other.via.length &&
    route.via.every((hop, index) => hop === other.via[index])
  );
}
