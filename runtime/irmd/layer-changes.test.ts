import { expect, test } from 'vitest';
import type { Adjacency, Route } from '../lib/rpc/events.ts';
import { layerChanges, noFacts, type OwnFacts } from './layer-changes.ts';

const adjacency = (id: number, up: boolean): Adjacency => ({
  id,
  component: 'dt',
  peer: `${id}`,
  destination: null,
  up,
  prototype: false,
});
const route = (address: string, links: number, ...via: string[]): Route => ({ address, links, via });
const changes = (before: Partial<OwnFacts>, after: Partial<OwnFacts>): unknown[] =>
  layerChanges(5, 'x', { ...noFacts, ...before }, { ...noFacts, ...after }).map((change) => {
    expect(change).toMatchObject({ pid: 5, name: 'x' });
    const { pid: _, name: __, ...rest } = change as typeof change & { pid: number; name: string };
    return rest;
  });

test('nothing changed', () => {
  const facts = { linkUp: false, adjacencies: [adjacency(1, true)], routes: [route('a', 2, 'b', 'c')] };
  expect(changes(facts, structuredClone(facts))).toEqual([]);
});

test('a device counts as up until it is told otherwise', () => {
  expect(changes({}, { linkUp: true })).toEqual([]);
  expect(changes({}, { linkUp: false })).toEqual([{ event: 'link.down' }]);
  expect(changes({ linkUp: false }, { linkUp: true })).toEqual([{ event: 'link.up' }]);
});

test('adjacencies come, go down, come up and go', () => {
  const before = { adjacencies: [adjacency(1, true), adjacency(2, false), adjacency(3, true)] };
  const after = { adjacencies: [adjacency(1, false), adjacency(2, true), adjacency(4, false)] };
  expect(changes(before, after)).toEqual([
    { event: 'adjacency.removed', adjacency: adjacency(3, false) },
    { event: 'adjacency.down', adjacency: adjacency(1, false) },
    { event: 'adjacency.up', adjacency: adjacency(2, true) },
    { event: 'adjacency.added', adjacency: adjacency(4, false) },
  ]);
});

test('routes that are new, longer, by other neighbours, and gone', () => {
  const before = { routes: [route('a', 1, 'a'), route('b', 2, 'a'), route('c', 2, 'a'), route('d', 2, 'a')] };
  const after = {
    routes: [route('a', 1, 'a'), route('b', 3, 'a'), route('c', 2, 'a', 'b'), route('e', 1, 'e')],
  };
  expect(changes(before, after)).toEqual([
    { event: 'routes.changed', set: after.routes.slice(1), gone: ['d'] },
  ]);
});

test('many routes are told in several events', () => {
  const routes = Array.from({ length: 600 }, (_, index) => route(`${index}`, 1, 'a'));
  const told = changes({}, { routes }) as { set: Route[]; gone: string[] }[];
  expect(told.map(({ set }) => set.length)).toEqual([256, 256, 88]);
  expect(told.flatMap(({ set }) => set)).toEqual(routes);
});
