import { describe, expect, test } from 'vitest';
import { TestbedError } from '../errors.ts';
import {
  ethDix,
  ethLink,
  type EthLink,
  ethLlc,
  type Layer,
  node,
  type Node,
  port,
  register,
  server,
  topology,
  type TopologyParts,
  udp4,
  udp6,
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
          { node: 'a', interface: 'e1', mac: '02:6f:33:e4:08:16' },
          { node: 'b', interface: 'e1', mac: '02:6f:aa:d5:ee:d3' },
        ],
      },
    ],
    layers: [
      {
        kind: 'eth-dix',
        name: 'lan',
        link: 'a-b',
        members: [
          { node: 'a', ipcp: 'lan.a', interface: 'e1', config: { dev: 'e1' } },
          { node: 'b', ipcp: 'lan.b', interface: 'e1', config: { dev: 'e1' } },
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

describe('addresses', () => {
  const shown = (parts: Partial<TopologyParts>): (readonly string[] | undefined)[] =>
    topology({ ...base, layers: [], ...parts }).links.flatMap(({ ends }) => ends.map((end) => end.addresses));

  test('a layer of each kind in one link, each member with what its kind needs', () => {
    const layers = [ethLlc('llc', cable), udp4('inet4', cable, { port: 4000 }), udp6('inet6', cable)];
    const { links, layers: placed } = topology({ ...base, layers });
    expect(links[0]?.ends.map((end) => end.addresses)).toEqual([
      ['10.0.0.1/30', 'fd6f:37::1/64'],
      ['10.0.0.2/30', 'fd6f:37::2/64'],
    ]);
    const member = (layer: string, at: string, config: object = { dev: 'e1' }): object => ({
      node: at,
      ipcp: `${layer}.${at}`,
      interface: 'e1',
      config,
    });
    expect(placed).toEqual([
      { kind: 'eth-llc', name: 'llc', link: 'a-b', members: [member('llc', 'a'), member('llc', 'b')] },
      {
        kind: 'udp4',
        name: 'inet4',
        link: 'a-b',
        members: [
          member('inet4', 'a', { ip: '10.0.0.1', port: 4000 }),
          member('inet4', 'b', { ip: '10.0.0.2', port: 4000 }),
        ],
      },
      {
        kind: 'udp6',
        name: 'inet6',
        link: 'a-b',
        members: [member('inet6', 'a', { ip: 'fd6f:37::1' }), member('inet6', 'b', { ip: 'fd6f:37::2' })],
      },
    ]);
  });

  test('are those declared, with or without a layer, and the first of its family is the one a layer has', () => {
    const given = ethLink(
      port(a, 'x', { addresses: ['FD00:0::1/64', '192.168.0.1/24', '192.168.1.1/24'] }),
      port(b, 'x', { addresses: ['192.168.0.2/24', 'fd00::2/64'] }),
    );
    expect(shown({ links: [given] })).toEqual([
      ['fd00::1/64', '192.168.0.1/24', '192.168.1.1/24'],
      ['192.168.0.2/24', 'fd00::2/64'],
    ]);
    const made = topology({ ...base, links: [given], layers: [udp4('inet', given)] });
    expect(made.layers[0]?.members).toMatchObject([
      { config: { ip: '192.168.0.1' } },
      { config: { ip: '192.168.0.2' } },
    ]);
  });

  test('are made where a udp layer needs them, of networks by the number of the link that nothing covers', () => {
    const declared = ethLink(
      port(a, 'x', { addresses: ['10.0.1.9/29'] }),
      port(b, 'x', { addresses: ['10.0.1.10/29'] }),
    );
    const links = [ethLink(a, b), ethLink(a, b), declared, ethLink(a, b)];
    const wide = ethLink(port(a, 'y', { addresses: ['10.0.0.9/23'] }), b);
    const layers = [1, 3].flatMap((index) => {
      const link = links[index];
      return link === undefined ? [] : [udp4(`four${index}`, link), udp6(`six${index}`, link)];
    });
    const none = [undefined, undefined];
    const third = [
      ['10.0.3.1/30', 'fd6f:37:0:3::1/64'],
      ['10.0.3.2/30', 'fd6f:37:0:3::2/64'],
    ];
    expect(shown({ links, layers })).toEqual([
      ...none,
      ['10.0.1.1/30', 'fd6f:37:0:1::1/64'],
      ['10.0.1.2/30', 'fd6f:37:0:1::2/64'],
      ['10.0.1.9/29'],
      ['10.0.1.10/29'],
      ...third,
    ]);
    expect(shown({ links: [...links, wide], layers }).slice(2, 4)).toEqual([
      ['10.0.6.1/30', 'fd6f:37:0:1::1/64'],
      ['10.0.6.2/30', 'fd6f:37:0:1::2/64'],
    ]);
  });

  test('a port or a family of their own lets udp layers share a link', () => {
    const layers = [udp4('one', cable), udp4('two', cable, { port: 3436 }), udp6('three', cable)];
    expect(topology({ ...base, layers }).layers).toHaveLength(3);
  });
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
    [
      "layer lan is not over an Ethernet link; write ethLlc('lan', LINK) with LINK = ethLink(a, b)",
      () => ethLlc('lan', wrong<EthLink>(undefined)),
    ],
    [
      "layer net is not over an Ethernet link; write udp6('net', LINK) with LINK = ethLink(a, b)",
      () => udp6('net', wrong<EthLink>('a-b')),
    ],
    [
      'the hash "SHA1" of layer lan is unknown; use one of SHA3_224, SHA3_256, SHA3_384, SHA3_512',
      () => ethLlc('lan', cable, { hash: wrong<'SHA3_256'>('SHA1') }),
    ],
    [
      'the port 0 of layer net is out of range; use 1 to 65535; 3435 is the default',
      () => udp4('net', cable, { port: 0 }),
    ],
    [
      'the port 65536 of layer net is out of range; use 1 to 65535; 3435 is the default',
      () => udp6('net', cable, { port: 65_536 }),
    ],
    [
      'the DNS server "fd00::53" of layer net is no IPv4 address; write it like 10.0.0.53',
      () => udp4('net', cable, { dns: 'fd00::53' }),
    ],
    [
      'the DNS server "ns" of layer net is no IPv6 address; write it like fd00::53',
      () => udp6('net', cable, { dns: 'ns' }),
    ],
    ...(
      [
        ['10.0.0.256/24', 'is no IPv4 or IPv6 address; write it like 10.0.0.1/24 or fd00::1/64'],
        ['fe80::1%e1/64', 'is no IPv4 or IPv6 address; write it like 10.0.0.1/24 or fd00::1/64'],
        ['10.0.0.1/24/8', 'is no IPv4 or IPv6 address; write it like 10.0.0.1/24 or fd00::1/64'],
        ['', 'is no IPv4 or IPv6 address; write it like 10.0.0.1/24 or fd00::1/64'],
        ['10.0.0.1', "lacks its network's prefix length; write it like 10.0.0.1/24 or fd00::1/64"],
        ['10.0.0.1/33', 'has a prefix length that is out of range; use 1 to 32'],
        ['10.0.0.1/', 'has a prefix length that is out of range; use 1 to 32'],
        ['fd00::1/0', 'has a prefix length that is out of range; use 1 to 128'],
        ['127.0.0.2/8', 'is a loopback address; choose another one, of 10.0.0.0/8 or fd00::/8 for example'],
        ['224.0.0.1/8', 'is a multicast address; choose another one, of 10.0.0.0/8 or fd00::/8 for example'],
        [
          '0.0.0.0/8',
          'is no address of an interface; choose another one, of 10.0.0.0/8 or fd00::/8 for example',
        ],
        ['::/64', 'is no address of an interface; choose another one, of 10.0.0.0/8 or fd00::/8 for example'],
        ['fe80::1/64', 'is a link-local address; choose another one, of 10.0.0.0/8 or fd00::/8 for example'],
        [
          '::ffff:10.0.0.1/96',
          'is an IPv4 address in the form of IPv6; choose another one, of 10.0.0.0/8 or fd00::/8 for example',
        ],
        ['10.0.0.0/30', 'is the first of its network, which names the network; choose one in between'],
        ['10.0.0.3/30', 'is the last of its network, its broadcast address; choose one in between'],
      ] as const
    ).map(([text, fault]): [string, () => unknown] => [
      `the address "${text}" of x ${fault}`,
      () => port(a, 'x', { addresses: [text] }),
    ]),
    [
      "the addresses of x are not a list; write them like ['10.0.0.1/24', 'fd00::1/64']",
      () => port(a, 'x', { addresses: wrong<string[]>('10.0.0.1/24') }),
    ],
    [
      'the address fd00::1 of x is listed twice; list each once',
      () => port(a, 'x', { addresses: ['fd00::1/64', 'fd00:0::1/48'] }),
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
      'unknown key "layer"; known: name, nodes, links, layers, registrations, servers',
      () => topology(wrong({ ...base, layer: [lan] })),
    ],
    [
      'the argument of topology() is not an object; known keys: name, nodes, links, layers, registrations, servers',
      () => topology(wrong(undefined)),
    ],
    [
      'unknown key "tap" of node a; known: tun, runtime, image, cpus, memory, irmd, config',
      () => node('a', wrong({ tap: true })),
    ],
    [
      'the options of node a are not an object; known keys: tun, runtime, image, cpus, memory, irmd, config',
      () => node('a', wrong(null)),
    ],
    [
      'unknown key "MAC" of port x; known: mac, addresses',
      () => port(a, 'x', wrong({ MAC: '02:00:00:00:00:01' })),
    ],
    [
      'unknown key "MTU" of the link a-b; known: name, mtu, impair',
      () => ethLink(a, b, wrong({ MTU: 9000 })),
    ],
    [
      'unknown key "ethertyp" of layer lan; known: ethertype, hash, members, at',
      () => ethDix('lan', cable, wrong({ ethertyp: 0xa001 })),
    ],
    [
      'unknown key "ethertype" of layer lan; known: hash, members, at',
      () => ethLlc('lan', cable, wrong({ ethertype: 0xa001 })),
    ],
    [
      'unknown key "hash" of layer net; known: port, dns, members, at',
      () => udp4('net', cable, wrong({ hash: 'MD5' })),
    ],
    [
      'unknown key "ports" of layer net; known: port, dns, members, at',
      () => udp6('net', cable, wrong({ ports: 1 })),
    ],
    [
      'unknown key "layers" of name x; known: node, layer',
      () => register('x', wrong({ node: a, layer: lan, layers: [lan] })),
    ],
    [
      'the options of name x are not an object; known keys: node, layer',
      () => register('x', wrong(undefined)),
    ],
    [
      'unknown key "layer" of server x; known: layers, balance',
      () => server(a, 'x', ['oping'], wrong({ layer: lan })),
    ],
    [
      'both ends of link a-b have the MAC address 02:00:00:00:00:01; give each one of its own',
      () => {
        const mac = '02:00:00:00:00:01';
        return topology({ nodes: [a, b], links: [ethLink(port(a, 'x', { mac }), port(b, 'x', { mac }))] });
      },
    ],
    [
      'both ends of link a-b have the MAC address 02:6f:aa:d5:ee:d3; give each one of its own',
      () => topology({ nodes: [a, b], links: [ethLink(port(a, 'x', { mac: '02:6F:AA:D5:EE:D3' }), b)] }),
    ],
    [
      'link a-b ends in interface lo of node a, the loopback; choose another name',
      () => topology({ nodes: [a, b], links: [ethLink(port(a, 'lo'), b)] }),
    ],
    [
      'links[1] (a-b) is listed twice; list each once',
      () => topology({ nodes: [a, b], links: [cable, cable] }),
    ],
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
      'layers lan and other both use LLC frames on link a-b; make one of them an eth-dix layer, or give it a link of its own',
      () => topology({ ...base, layers: [ethLlc('lan', cable), ethLlc('other', cable)] }),
    ],
    [
      'layers net and other both use port 3435 over IPv6 on link a-b; give one of them another port',
      () => topology({ ...base, layers: [udp6('net', cable), udp6('other', cable, { port: 3435 })] }),
    ],
    [
      'layer net is over a link that is not listed; add it to links of the topology',
      () => topology({ ...base, links: [], layers: [udp4('net', cable)] }),
    ],
    [
      'the address 10.0.0.1 is both that of x of a and of e1 of c; give each interface addresses of its own',
      () => {
        const first = ethLink(port(a, 'x', { addresses: ['10.0.0.1/24'] }), b);
        const second = ethLink(b, port(c, 'e1', { addresses: ['10.0.0.1/30'] }));
        return topology({ nodes: [a, b, c], links: [first, second] });
      },
    ],
    [
      'interfaces x and y of node b are in one network by 10.0.0.1/24 and 10.0.0.2/24; the node would use the first for all of it; give each link a network of its own',
      () => {
        const first = ethLink(a, port(b, 'x', { addresses: ['10.0.0.1/24'] }));
        const second = ethLink(port(b, 'y', { addresses: ['10.0.0.2/24'] }), c);
        return topology({ nodes: [a, b, c], links: [first, second] });
      },
    ],
    [
      'layer net is over link a-b, where e1 of a has an IPv4 address and e1 of b has none; give all ends one, or none',
      () => {
        const link = ethLink(port(a, 'e1', { addresses: ['10.0.0.1/24'] }), b);
        return topology({ nodes: [a, b], links: [link], layers: [udp4('net', link)] });
      },
    ],
    [
      'layer net is over link a-b, whose ends fd00::1/64 and fd01::1/64 are not in one network; give all ends addresses of one network, with the same prefix length',
      () => {
        const link = ethLink(
          port(a, 'x', { addresses: ['fd00::1/64'] }),
          port(b, 'x', { addresses: ['fd01::1/64'] }),
        );
        return topology({ nodes: [a, b], links: [link], layers: [udp6('net', link)] });
      },
    ],
    [
      "no IPv4 network is left for link a-b: addresses that were declared cover all that are automatic; give its ends addresses too: port(a, 'e1', { addresses: [...] })",
      () => {
        const wide = ethLink(port(b, 'x', { addresses: ['10.0.0.1/8'] }), c);
        return topology({ nodes: [a, b, c], links: [cable, wide], layers: [udp4('net', cable)] });
      },
    ],
    [
      'link a-b has IPv6 address fd6f:37::1/64 and an MTU of 1279; IPv6 needs an MTU of 1280 or more',
      () => {
        const link = ethLink(a, b, { mtu: 1279 });
        return topology({ nodes: [a, b], links: [link], layers: [udp6('net', link)] });
      },
    ],
    [
      'layers[0] of the topology is not one of its layers',
      () => topology({ ...base, layers: [wrong<Layer>(cable)] }),
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
