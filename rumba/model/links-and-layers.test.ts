/** LANs, layers over them, layers over layers, and everything that is refused about them. */
import { describe, expect, test } from 'vitest';
import { TestbedError } from '../errors.ts';
import {
  broadcast,
  ethDix,
  ethLink,
  ethLlc,
  lan,
  local,
  node,
  port,
  register,
  ring,
  server,
  topology,
  udp4,
  udp6,
  unicast,
} from '../index.ts';
import type { TopologyStackedLayer } from './topology.ts';

const [a, b, c, d] = [node('a'), node('b'), node('c'), node('d')];
const nodes = [a, b, c, d];

function refusal(build: () => unknown): string {
  try {
    build();
  } catch (error) {
    if (!(error instanceof TestbedError)) throw error;
    expect(error.code).toBe('ETOPOLOGY');
    return error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
  }
  return 'accepted';
}

describe('a LAN', () => {
  const office = lan('office', [a, port(b, 'eth0'), c]);

  test('has an interface in each of its nodes, and layers have a member at each, or at some', () => {
    const cable = ethLink(a, b);
    const made = topology({
      nodes,
      links: [cable, office],
      layers: [
        ethDix('all', office),
        ethDix('two', office, { ethertype: 0xa001, members: [c, a] }),
        ethLlc('llc', office),
      ],
    });
    expect(made.links[1]).toMatchObject({
      kind: 'lan',
      name: 'office',
      mtu: 1500,
      ends: [
        { node: 'a', interface: 'e2' },
        { node: 'b', interface: 'eth0' },
        { node: 'c', interface: 'e1' },
      ],
    });
    const members = made.layers.map((layer) => layer.members.map(({ ipcp }) => ipcp));
    expect(members).toEqual([
      ['all.a', 'all.b', 'all.c'],
      ['two.a', 'two.c'],
      ['llc.a', 'llc.b', 'llc.c'],
    ]);
  });

  test('under udp layers has addresses of one network, apart from those of cables', () => {
    const cable = ethLink(a, b);
    const { links, layers } = topology({
      nodes,
      links: [cable, office],
      layers: [udp4('cable4', cable), udp4('inet4', office), udp6('inet6', office, { members: [a, b] })],
    });
    expect(links.map(({ ends }) => ends.map(({ addresses }) => addresses))).toEqual([
      [['10.0.0.1/30'], ['10.0.0.2/30']],
      [
        ['10.128.4.1/22', 'fd6f:37:1:1::1/64'],
        ['10.128.4.2/22', 'fd6f:37:1:1::2/64'],
        ['10.128.4.3/22', 'fd6f:37:1:1::3/64'],
      ],
    ]);
    expect(layers[2]?.members).toMatchObject([
      { ipcp: 'inet6.a', config: { ip: 'fd6f:37:1:1::1' } },
      { ipcp: 'inet6.b', config: { ip: 'fd6f:37:1:1::2' } },
    ]);
  });

  test('of a thousand nodes still has an address for each', () => {
    const many = Array.from({ length: 1000 }, (_, index) => node(`n${index}`));
    const wide = lan('wide', many);
    const { layers } = topology({ nodes: many, links: [wide], layers: [udp4('inet', wide)] });
    expect(new Set(layers[0]?.members.map((member) => JSON.stringify(member))).size).toBe(1000);
    expect(layers[0]?.members.at(-1)).toMatchObject({ config: { ip: '10.128.3.232' } });
    expect(refusal(() => lan('wide', [...many, a]))).toBe(
      'LAN wide has 1001 nodes, 1000 is the most; make several, and a layer over them',
    );
  });

  test.each([
    ["LAN x has no nodes; write lan('x', [a, b, c])", () => lan('x', [])],
    ['node a is twice in LAN x; list each node once', () => lan('x', [a, port(a, 'e9')])],
    ["ends[1] of LAN x is not a node; make one with node('NAME')", () => lan('x', [a, 'b' as never])],
    ['the MTU 1 is out of range; use 256 to 65535 bytes', () => lan('x', [a, b], { mtu: 1 })],
    [
      'node d is a member of layer l and not of link office; choose of a, b, c',
      () => ethDix('l', office, { members: [d] }),
    ],
    [
      'layer l has no members; list nodes of office, or leave members out for all',
      () => ethDix('l', office, { members: [] }),
    ],
    [
      'a and b in LAN x have the MAC address 02:00:00:00:00:01; give each one of its own',
      () => {
        const mac = '02:00:00:00:00:01';
        return topology({ nodes, links: [lan('x', [port(a, 'x', { mac }), port(b, 'x', { mac })])] });
      },
    ],
  ])('is refused: %s', (text, build) => {
    expect(refusal(build)).toBe(text);
  });
});

describe('policies of single nodes', () => {
  const office = lan('office', [a, b, c]);

  test('take the place of those of the layer', () => {
    const { layers } = topology({
      nodes,
      links: [office],
      layers: [
        ethDix('dix', office, { hash: 'SHA3_224', at: [[b, { hash: 'SHA3_512' }]] }),
        udp4('inet', office, { dns: '10.0.0.53', at: [[c, { dns: '10.0.0.54', port: 4000 }]] }),
      ],
    });
    expect(layers[0]?.members).toMatchObject([
      { config: { hash: 'SHA3_224' } },
      { config: { hash: 'SHA3_512' } },
      { config: { hash: 'SHA3_224' } },
    ]);
    expect(layers[1]?.members).toMatchObject([
      { config: { dns: '10.0.0.53' } },
      { config: { dns: '10.0.0.53' } },
      { config: { dns: '10.0.0.54', port: 4000 } },
    ]);
  });

  test.each([
    [
      'node d has policies in layer l, which it is no member of; add it to the members, or leave it out',
      () => ethDix('l', office, { at: [[d, {}]] }),
    ],
    [
      'unknown key "dns" of node a in layer l; known: ethertype, hash',
      () => ethDix('l', office, { at: [[a, { dns: 'x' } as never]] }),
    ],
    [
      'at of layer l is not a list of nodes and their policies; write it like [[a, { ... }]]',
      () => ethDix('l', office, { at: { a: {} } as never }),
    ],
    [
      'layers one and two both use ethertype 0xA001 on link office; give one of them another ethertype',
      () =>
        topology({
          nodes,
          links: [office],
          layers: [
            ethDix('one', office, { ethertype: 0xa001 }),
            ethDix('two', office, { at: [[c, { ethertype: 0xa001 }]] }),
          ],
        }),
    ],
  ])('are refused: %s', (text, build) => {
    expect(refusal(build)).toBe(text);
  });
});

describe('a local layer', () => {
  test('has one IPCP, and the names of its node', () => {
    const here = local('here', a, { hash: 'SHA3_384' });
    const made = topology({ nodes, layers: [here], servers: [server(a, 'x', ['oping', '-l'])] });
    expect(made.layers).toEqual([
      { kind: 'local', name: 'here', members: [{ node: 'a', ipcp: 'here.a', config: { hash: 'SHA3_384' } }] },
    ]);
    expect(made.registrations).toEqual([{ name: 'x', node: 'a', ipcp: 'here.a' }]);
  });

  test('is refused on a node that is not listed', () => {
    expect(refusal(() => topology({ nodes: [b], layers: [local('here', a)] }))).toBe(
      'layer here is on node a, which is not listed; add it to nodes of the topology',
    );
  });
});

describe('a layer over others', () => {
  const cables = [ethLink(a, b), ethLink(b, c), ethLink(c, d)];
  const lans = cables.map((cable) => ethDix(cable.name, cable));
  const stacked = (options: Parameters<typeof unicast>[2]): TopologyStackedLayer => {
    const made = topology({ nodes, links: cables, layers: [...lans, unicast('n', lans, options)] });
    return made.layers.at(-1) as TopologyStackedLayer;
  };

  test('bootstraps in the middle, so that as few rounds of enrolment as possible reach all', () => {
    const { bootstrap, enrolments } = stacked({});
    expect(bootstrap).toBe('b');
    expect(enrolments).toEqual([
      { node: 'a', with: 'b' },
      { node: 'c', with: 'b' },
      { node: 'd', with: 'c' },
    ]);
    const circle = ring(7);
    const layers = circle.links.map((link) => ethDix(link.name, link));
    const made = topology({ ...circle, layers: [...layers, unicast('n', layers)] });
    const tree = made.layers.at(-1) as TopologyStackedLayer;
    const depth = (at: string): number => {
      const above = tree.enrolments.find((each) => each.node === at)?.with;
      return above === undefined ? 0 : 1 + depth(above);
    };
    expect(Math.max(...tree.members.map((member) => depth(member.node)))).toBe(3);
  });

  test('enrols as listed', () => {
    const { bootstrap, enrolments } = stacked({
      enrolments: [
        [a, b],
        [b, c],
        [c, d],
      ],
    });
    expect(bootstrap).toBe('d');
    expect(enrolments).toEqual([
      { node: 'c', with: 'd' },
      { node: 'b', with: 'c' },
      { node: 'a', with: 'b' },
    ]);
  });

  test.each([
    ['layer n has no members; list nodes, or leave members out for all of the layers below', { members: [] }],
    [
      'enrolments of layer n is neither tree nor a list of pairs; write them like [[a, b], [b, c]]',
      { enrolments: 'mesh' as never },
    ],
    [
      'node a enrols twice in layer n; an IPCP enrols once',
      {
        enrolments: [
          [a, b],
          [a, b],
        ] as const,
      },
    ],
    [
      'node a enrols with c, which it does not reach in layer n; add a layer below that joins them',
      { enrolments: [[a, c]] as const },
    ],
    [
      'node b enrols and bootstraps in layer n; leave its enrolment out',
      { bootstrap: b, enrolments: [[b, a]] as const },
    ],
    [
      'node c enrols with nobody in layer n; add its enrolment',
      { bootstrap: a, enrolments: [[b, a]] as const },
    ],
    [
      'node c enrols in a circle in layer n; let each lead to a, which bootstraps',
      {
        bootstrap: a,
        enrolments: [
          [b, a],
          [c, d],
          [d, c],
        ] as const,
      },
    ],
    [
      'adjacencies of layer n is neither mesh nor tree nor a list of pairs; write them like [[a, b], [b, c]]',
      { adjacencies: 'star' as never },
    ],
    [
      "a node in adjacencies of layer n is not a node; make one with node('NAME')",
      { adjacencies: [[a, 'b' as never]] as const },
    ],
    [
      'nodes a and c are to be neighbours in layer n and have no layer below in common; add one that both are in to those below',
      { adjacencies: [[a, c]] as const },
    ],
    [
      'layer n is in pieces: no adjacency joins c to a; add one that does',
      { adjacencies: [[a, b]] as const },
    ],
    ['layer n is in pieces: c is not reached from a; add layers below that join them', { members: [a, c] }],
    ['lsUpdate 0 of layer n is out of range; use 1 to 86400', { lsUpdate: 0 }],
  ])('is refused: %s', (text, options) => {
    expect(refusal(() => stacked(options))).toBe(text);
  });

  test('is refused where layers lead to each other', () => {
    const over = [...lans];
    const low = unicast('low', over);
    const high = unicast('high', [low]);
    // What a file written in JavaScript may do.
    (low.over as unknown[]).push(high);
    expect(refusal(() => topology({ nodes, links: cables, layers: [...lans, low, high] }))).toBe(
      'layers are over each other: low over high over low; the lowest has to be over a link',
    );
  });

  test('is refused where what is below is not listed', () => {
    expect(refusal(() => topology({ nodes, links: cables, layers: [unicast('n', lans)] }))).toBe(
      'layer n is over layer a-b, which is not listed; add it to layers of the topology',
    );
  });

  test('of the kind broadcast takes no names and is no mesh', () => {
    const news = broadcast('news', lans);
    expect(
      refusal(() =>
        topology({
          nodes,
          links: cables,
          layers: [...lans, news],
          registrations: [register('x', { node: a, layer: news })],
        }),
      ),
    ).toBe(
      'name x is in layer news, a broadcast layer; applications join such a layer by its own name; no names are registered there',
    );
    expect(refusal(() => broadcast('news', lans, { adjacencies: 'mesh' }))).toContain('cannot be a mesh');
    expect(refusal(() => unicast('n', news))).toContain('layer n is over layer news, a broadcast layer');
  });
});
