import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TestbedError } from '../errors.ts';
import {
  clos,
  ethDix,
  fullMesh,
  grid,
  line,
  node,
  randomNetwork,
  ring,
  type Shape,
  star,
  topology,
  torus,
  tree,
  unicast,
} from '../index.ts';

const shown = ({ nodes, links }: Shape): string =>
  `${nodes.map(({ name }) => name).join(' ')}: ${links.map(({ name }) => name).join(' ')}`;

test('every shape, by its nodes and cables', () => {
  expect(shown(line(3))).toBe('n1 n2 n3: n1-n2 n2-n3');
  expect(shown(line(1))).toBe('n1: ');
  expect(shown(ring(3, { prefix: 'r' }))).toBe('r1 r2 r3: r1-r2 r2-r3 r3-r1');
  expect(shown(star(2))).toBe('n1 n2 n3: n1-n2 n1-n3');
  expect(shown(tree({ depth: 2, fanout: 2 }))).toBe(
    'n1 n2 n3 n4 n5 n6 n7: n1-n2 n1-n3 n2-n4 n2-n5 n3-n6 n3-n7',
  );
  expect(shown(grid(2, 2))).toBe('n1-1 n1-2 n2-1 n2-2: n1-1-n1-2 n1-1-n2-1 n1-2-n2-2 n2-1-n2-2');
  expect(torus(3, 4).links).toHaveLength(24);
  expect(shown(fullMesh(4))).toBe('n1 n2 n3 n4: n1-n2 n1-n3 n1-n4 n2-n3 n2-n4 n3-n4');
  expect(shown(clos({ spines: 2, leaves: 2, servers: 1 }))).toBe(
    'spine1 spine2 leaf1 leaf2 server1-1 server2-1: ' +
      'spine1-leaf1 spine2-leaf1 spine1-leaf2 spine2-leaf2 leaf1-server1-1 leaf2-server2-1',
  );
});

test('parts of a star and of a Clos network are at hand', () => {
  const { hub, leaves } = star(3);
  expect([hub.name, ...leaves.map(({ name }) => name)]).toEqual(['n1', 'n2', 'n3', 'n4']);
  const { spines, leaves: switches, servers } = clos({ spines: 2, leaves: 3, servers: 2 });
  expect([spines.length, switches.length, servers.length]).toEqual([2, 3, 6]);
});

test('nodes and cables get options, each node its own where wanted', () => {
  const { nodes, links } = line(2, { link: { mtu: 9000 }, node: (index) => ({ cpus: index + 1 }) });
  expect(nodes.map(({ options }) => options.cpus)).toEqual([1, 2]);
  expect(links[0]?.mtu).toBe(9000);
});

test('a random network is the same for the same seed, hangs together, and has the cables that were asked for', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 4, max: 60 }),
      fc.integer(),
      fc.integer({ min: 2, max: 3 }),
      (count, seed, degree) => {
        const made = randomNetwork(count, { seed, degree });
        expect(shown(made)).toBe(shown(randomNetwork(count, { seed, degree })));
        expect(made.links).toHaveLength(Math.max(count - 1, Math.round((count * degree) / 2)));
        const layers = made.links.map((link) => ethDix(link.name, link));
        // A layer over all of them is refused where it would be in pieces.
        topology({ ...made, layers: [...layers, unicast('n', layers)] });
      },
    ),
    { numRuns: 50 },
  );
  expect(shown(randomNetwork(20, { seed: 1 }))).not.toBe(shown(randomNetwork(20, { seed: 2 })));
});

test.each([
  ['the number of nodes of line() is 0; use 1 to 10000', () => line(0)],
  ['the number of nodes of ring() is 2; use 3 to 10000', () => ring(2)],
  ['the number of nodes of line() is 2.5; use 1 to 10000', () => line(2.5)],
  ['the number of leaves of star() is -1; use 1 to 10000', () => star(-1)],
  ['the number of depth of tree() is undefined; use 0 to 10000', () => tree({ fanout: 2 } as never)],
  ['the number of nodes of tree() is 11111; use 1 to 10000', () => tree({ depth: 4, fanout: 10 })],
  ['the number of rows of torus() is 2; use 3 to 10000', () => torus(2, 3)],
  [
    'the number of nodes of clos() is 10099; use 1 to 10000',
    () => clos({ spines: 1, leaves: 99, servers: 101 }),
  ],
  [
    'the seed of randomNetwork() is undefined; give a whole number; the same one gives the same network',
    () => randomNetwork(4, {} as never),
  ],
  ['the degree of randomNetwork() is 9; use 2 to 4', () => randomNetwork(5, { seed: 1, degree: 9 })],
  ['unknown key "count" of line(); known: prefix, node, link', () => line(2, { count: 2 } as never)],
])('is refused: %s', (text, build) => {
  const said = (): string => {
    try {
      build();
    } catch (error) {
      if (error instanceof TestbedError) return `${error.message}; ${error.hint}`;
    }
    return 'accepted';
  };
  expect(said()).toBe(text);
});

test('a node may be given a name that a generator uses, and is then refused as double', () => {
  const { nodes } = line(2);
  expect(() => topology({ nodes: [...nodes, node('n1')] })).toThrow('two nodes are named n1');
});
