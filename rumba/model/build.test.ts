import { describe, expect, test } from 'vitest';
import { TestbedError } from '../errors.ts';
import {
  ethDix,
  ethLink,
  type EthLink,
  type Layer,
  node,
  type Node,
  port,
  register,
  server,
  topology,
  type TopologyParts,
} from '../index.ts';
import { isTopology } from './topology.ts';

const a = node('a');
const b = node('b');
const c = node('c');
const cable = ethLink(a, b);
const lan = ethDix('lan', cable);
const base: TopologyParts = { nodes: [a, b], links: [cable], layers: [lan] };

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

test('a topology is plain data with nothing left to default', () => {
  const made = topology({ ...base, servers: [server(b, 'ping.b', ['oping', '-l'])] });
  expect(isTopology(made)).toBe(true);
  expect(JSON.parse(JSON.stringify(made))).toEqual({
    nodes: [{ name: 'a' }, { name: 'b' }],
    links: [
      {
        kind: 'eth',
        name: 'a-b',
        mtu: 1500,
        ends: [
          { node: 'a', interface: 'e1', mac: '02:6f:37:00:00:00' },
          { node: 'b', interface: 'e1', mac: '02:6f:37:00:00:01' },
        ],
      },
    ],
    layers: [
      {
        kind: 'eth-dix',
        name: 'lan',
        link: 'a-b',
        members: [
          { node: 'a', ipcp: 'lan.a', interface: 'e1' },
          { node: 'b', ipcp: 'lan.b', interface: 'e1' },
        ],
      },
    ],
    registrations: [{ name: 'ping.b', node: 'b', ipcp: 'lan.b' }],
    servers: [{ node: 'b', name: 'ping.b', command: ['oping', '-l'] }],
  });
});

test('a topology made by another copy of the package is one too', () => {
  expect(isTopology({ [Symbol.for('o7s-testbed.topology')]: 1 })).toBe(true);
  expect(isTopology({ nodes: [] })).toBe(false);
  expect(isTopology(null)).toBe(false);
});

test('interfaces and links get names that are free', () => {
  const links = [ethLink(a, b), ethLink(port(a, 'e2'), b, { name: 'a-b-2' }), ethLink(a, b, { mtu: 9000 })];
  const made = topology({ nodes: [a, b], links });
  expect(made.links.map((link) => link.name)).toEqual(['a-b', 'a-b-2', 'a-b-3']);
  expect(made.links.map((link) => link.ends.map((end) => end.interface))).toEqual([
    ['e1', 'e1'],
    ['e2', 'e2'],
    ['e3', 'e3'],
  ]);
});

test('a name that is registered and served is registered once', () => {
  const made = topology({
    ...base,
    registrations: [register('ping.b', { node: b, layer: lan }), register('ping.a', { node: a, layer: lan })],
    servers: [server(b, 'ping.b', ['oping', '-l'], { layers: [lan] })],
  });
  expect(made.registrations.map((each) => each.name)).toEqual(['ping.b', 'ping.a']);
});

test('a server registers its name in every layer of its node, unless told which', () => {
  const second = ethDix('second', cable, { ethertype: 0xa001 });
  const layers = [lan, second];
  const count = (options: { layers?: readonly Layer[] }): number =>
    topology({ ...base, layers, servers: [server(b, 'x', ['oping', '-l'], options)] }).registrations.length;
  expect([count({}), count({ layers: [second] }), count({ layers: [] })]).toEqual([2, 1, 0]);
});

describe('refuses', () => {
  const wrong = <T>(value: unknown): T => value as T;
  const cases: [string, () => unknown][] = [
    [
      'the node name "A" has a character or a place it may not have; allowed are a to z, 0 to 9 and inner hyphens',
      () => node('A'),
    ],
    ['the node name "" is empty', () => node('')],
    ['the node name is not a string but number', () => node(wrong<string>(7))],
    [`the node name "${'n'.repeat(33)}" has 33 bytes, 32 is the most`, () => node('n'.repeat(33))],
    [
      'the interface name "interface-sixteen" has 17 bytes, 15 is the most',
      () => port(a, 'interface-sixteen'),
    ],
    [
      'the MAC address "02:00" of x is not six bytes; write it like 02:00:00:00:00:01',
      () => port(a, 'x', { mac: '02:00' }),
    ],
    [
      'the MAC address 03:00:00:00:00:01 of x is a group address; make its first byte even, for example 02',
      () => port(a, 'x', { mac: '03:00:00:00:00:01' }),
    ],
    ["end 2 of ethLink() is not a node; make one with node('NAME')", () => ethLink(a, wrong<Node>('b'))],
    ['the link has both ends in node a; join two different nodes', () => ethLink(a, port(a, 'x'))],
    ['the MTU 10 is out of range; use 256 to 65535 bytes', () => ethLink(a, b, { mtu: 10 })],
    ['the MTU NaN is out of range; use 256 to 65535 bytes', () => ethLink(a, b, { mtu: Number.NaN })],
    [
      "layer lan is not over an Ethernet link; write ethDix('lan', LINK) with LINK = ethLink(a, b)",
      () => ethDix('lan', wrong<EthLink>(a)),
    ],
    [
      'the ethertype 1535 of layer lan is out of range; use 0x0600 to 0xFFFE, best 0xA000 to 0xEFFF',
      () => ethDix('lan', cable, { ethertype: 0x5ff }),
    ],
    [
      'the ethertype 65535 of layer lan is out of range; use 0x0600 to 0xFFFE, best 0xA000 to 0xEFFF',
      () => ethDix('lan', cable, { ethertype: 0xffff }),
    ],
    [
      'the hash "MD5" of layer lan is unknown; use one of SHA3_224, SHA3_256, SHA3_384, SHA3_512',
      () => ethDix('lan', cable, { hash: wrong<'SHA3_256'>('MD5') }),
    ],
    [
      `the layer name "${'l'.repeat(37)}..." has 256 bytes, 255 is the most`,
      () => ethDix('l'.repeat(256), cable),
    ],
    [
      'the service name "a b" has a character or a place it may not have; allowed are no blanks, control characters and "*"',
      () => register('a b', { node: a, layer: lan }),
    ],
    [
      "the layer of name x is not a layer; make one with ethDix('NAME', LINK)",
      () => register('x', { node: a, layer: wrong<Layer>('lan') }),
    ],
    [
      "the command of server x is not a list of words; write it like ['oping', '-l']",
      () => server(a, 'x', wrong<string[]>('oping -l')),
    ],
    ["the topology has no nodes; write nodes: [node('a')]", () => topology({ nodes: [] })],
    ['nodes[1] (a) is listed twice; list each once', () => topology({ nodes: [a, a] })],
    ['two nodes are named a; give each its own name', () => topology({ nodes: [a, node('a')] })],
    ['nodes[1] of the topology is not one of its nodes', () => topology({ nodes: [a, wrong<Node>(cable)] })],
    [
      'link a-c ends in node c, which is not listed; add it to nodes of the topology',
      () => topology({ nodes: [a], links: [ethLink(a, c)] }),
    ],
    [
      'interface x of node a ends link a-b and link a-c; give each link an interface of its own',
      () => topology({ nodes: [a, b, c], links: [ethLink(port(a, 'x'), b), ethLink(port(a, 'x'), c)] }),
    ],
    [
      'link a-b ends in interface lo of node a, the loopback; choose another name',
      () => topology({ nodes: [a, b], links: [ethLink(port(a, 'lo'), b)] }),
    ],
    ['links[1] is listed twice; list each once', () => topology({ nodes: [a, b], links: [cable, cable] })],
    [
      'two links are named x; give each its own name',
      () => topology({ nodes: [a, b], links: [ethLink(a, b, { name: 'x' }), ethLink(a, b, { name: 'x' })] }),
    ],
    [
      'layer lan is over a link that is not listed; add it to links of the topology',
      () => topology({ nodes: [a, b], layers: [lan] }),
    ],
    [
      'two layers are named lan; give each its own name',
      () => topology({ ...base, layers: [lan, ethDix('lan', cable, { ethertype: 0xa001 })] }),
    ],
    [
      'layers lan and other both use ethertype 0xA000 on link a-b; give one of them another ethertype',
      () => topology({ ...base, layers: [lan, ethDix('other', cable, { ethertype: 0xa000 })] }),
    ],
    [
      `the IPCP name "${'l'.repeat(37)}..." has 257 bytes, 255 is the most`,
      () => topology({ ...base, layers: [ethDix('l'.repeat(255), cable)] }),
    ],
    [
      'server x is on node c, which is not listed; add it to nodes of the topology',
      () => topology({ ...base, servers: [server(c, 'x', ['oping'])] }),
    ],
    [
      'name x is on node c, which is not listed; add it to nodes of the topology',
      () => topology({ ...base, registrations: [register('x', { node: c, layer: lan })] }),
    ],
    [
      'server x is in layer lan, which node c is no member of; choose a layer that reaches c',
      () => topology({ ...base, nodes: [a, b, c], servers: [server(c, 'x', ['oping'], { layers: [lan] })] }),
    ],
    [
      'name x is in layer lan, which is not listed; add it to layers of the topology',
      () =>
        topology({ nodes: [a, b], links: [cable], registrations: [register('x', { node: a, layer: lan })] }),
    ],
    [
      'the lab name "a/b" has a character or a place it may not have; allowed are letters, digits, ".", "_" and "-"',
      () => topology({ ...base, name: 'a/b' }),
    ],
  ];
  test.each(cases)('%s', (text, build) => {
    expect(refusal(build)).toBe(text);
  });
});
