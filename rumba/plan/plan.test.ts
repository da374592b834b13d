import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ethDix, ethLink, ethLlc, node, port, register, server, topology, udp4, udp6 } from '../index.ts';
import { commandLine } from './command-line.ts';
import { hostsLines } from './hosts.ts';
import { plan } from './plan.ts';

test('the plan of two nodes', () => {
  const [a, b] = [node('a'), node('b')];
  const cable = ethLink(a, b);
  const lan = ethDix('lan', cable, { ethertype: 0xa123, hash: 'SHA3_512' });
  const servers = [
    server(b, 'ping.b', ['oping', '-l']),
    server(b, 'other.b', ['oping', '-l', '--say', "it's"]),
  ];
  const { phases, steps } = plan(topology({ nodes: [a, b], links: [cable], layers: [lan], servers }));
  expect(phases).toEqual(['nodes', 'links', 'irmd', 'layer lan', 'names', 'servers']);
  expect(steps.map(({ id, after, command }) => `${id} <- ${after.join(', ')} | ${command ?? ''}`))
    .toMatchInlineSnapshot(`
      [
        "node a <-  | ",
        "node b <-  | ",
        "link a-b <- node a, node b | ",
        "irmd a <- node a | irmd --stdout --log-json",
        "irmd b <- node b | irmd --stdout --log-json",
        "ipcp lan.a <- irmd a, link a-b | irm ipcp bootstrap name lan.a layer lan type eth-dix dev e1 ethertype 0xA123 hash SHA3_512",
        "ipcp lan.b <- irmd b, link a-b | irm ipcp bootstrap name lan.b layer lan type eth-dix dev e1 ethertype 0xA123 hash SHA3_512",
        "register ping.b lan.b <- ipcp lan.b | irm name register ping.b ipcp lan.b",
        "register other.b lan.b <- ipcp lan.b | irm name register other.b ipcp lan.b",
        "server b ping.b <- irmd b, register ping.b lan.b | oping -l & irm bind process $! name ping.b",
        "server b other.b <- irmd b, register other.b lan.b | oping -l --say 'it'\\''s' & irm bind process $! name other.b",
      ]
    `);
  expect(steps.flatMap(({ action }) => (action.kind === 'serve' ? [action.log] : []))).toEqual([
    'ping.b',
    'other.b',
  ]);
});

test('the plan of a pair with a layer of each kind', () => {
  const [a, b] = [node('a'), node('b')];
  const cable = ethLink(
    port(a, 'x', { addresses: ['10.9.0.1/24'] }),
    port(b, 'y', { addresses: ['10.9.0.2/24'] }),
  );
  const llc = ethLlc('llc', cable, { hash: 'SHA3_224' });
  const inet4 = udp4('inet4', cable, { port: 4000 });
  const inet6 = udp6('inet6', cable);
  const served = udp6('served', cable, { port: 4001, dns: 'fd00::53' });
  const both = { layers: [inet4, inet6, served] };
  const { phases, steps } = plan(
    topology({
      nodes: [a, b],
      links: [cable],
      layers: [llc, inet4, inet6, served],
      registrations: [register("it's", { node: a, layer: inet4 })],
      servers: [server(a, 'ping', ['oping', '-l'], both), server(b, 'ping', ['oping', '-l'], both)],
    }),
  );
  expect(phases).toEqual([
    'nodes',
    'links',
    'addresses',
    'hosts files',
    'irmd',
    ...['llc', 'inet4', 'inet6', 'served'].map((name) => `layer ${name}`),
    'names',
    'servers',
  ]);
  const ofA = steps.filter((step) => step.node === 'a' && !/^(register|server|node)/.test(step.id));
  expect(ofA.map(({ id, after, command }) => `${id} <- ${after.join(', ')} | ${command ?? ''}`))
    .toMatchInlineSnapshot(`
      [
        "address a x 10.9.0.1 <- link a-b | ip address add 10.9.0.1/24 dev x",
        "address a x fd6f:37::1 <- link a-b | ip address add fd6f:37::1/64 dev x nodad",
        "hosts a <- node a | printf '%s\\n' '10.9.0.1 706dc2ee585fb5dcb18e3ac08da7ce0c # it'\\''s' '10.9.0.1 df911f0151f9ef021d410b4be5060972 # ping' '10.9.0.2 df911f0151f9ef021d410b4be5060972 # ping' 'fd6f:37::1 df911f0151f9ef021d410b4be5060972 # ping' 'fd6f:37::2 df911f0151f9ef021d410b4be5060972 # ping' >>/etc/hosts",
        "irmd a <- node a, hosts a | irmd --stdout --log-json",
        "ipcp llc.a <- irmd a, link a-b | irm ipcp bootstrap name llc.a layer llc type eth-llc dev x hash SHA3_224",
        "ipcp inet4.a <- irmd a, address a x 10.9.0.1 | irm ipcp bootstrap name inet4.a layer inet4 type udp4 ip 10.9.0.1 port 4000",
        "ipcp inet6.a <- irmd a, address a x fd6f:37::1 | irm ipcp bootstrap name inet6.a layer inet6 type udp6 ip fd6f:37::1",
        "ipcp served.a <- irmd a, address a x fd6f:37::1 | irm ipcp bootstrap name served.a layer served type udp6 ip fd6f:37::1 port 4001 dns fd00::53",
      ]
    `);
  const lines = steps.flatMap(({ action }) => (action.kind === 'hosts' ? [action.lines] : []));
  expect(lines).toHaveLength(2);
  expect(lines[0]).toEqual(lines[1]);
});

test('a node knows the names of its own udp layers only, each once', () => {
  const [a, b, c] = [node('a'), node('b'), node('c')];
  const [left, right] = [ethLink(a, b), ethLink(b, c)];
  const layers = [
    udp4('left', left),
    udp4('left2', left, { port: 1 }),
    udp4('right', right),
    ethDix('lan', left),
  ];
  const made = topology({
    nodes: [a, b, c],
    links: [left, right],
    layers,
    servers: [server(c, 'x', ['oping', '-l']), server(b, 'y', ['oping', '-l'])],
  });
  const names = (at: string): string[] =>
    hostsLines(made, at).map((line) => line.replace(/ [0-9a-f]{32} # /, ' '));
  expect(names('a')).toEqual(['10.0.0.2 y']);
  expect(names('b')).toEqual(['10.0.0.2 y', '10.0.1.2 x', '10.0.1.1 y']);
  expect(names('c')).toEqual(['10.0.1.2 x', '10.0.1.1 y']);
});

test('a command line is what a shell would take back apart', () => {
  expect(commandLine(['a', 'b c', "d'e", '', '$x', 'k=v'])).toBe(`a 'b c' 'd'\\''e' '' '$x' k=v`);
});

const topologies = fc
  .record({
    count: fc.integer({ min: 1, max: 8 }),
    pairs: fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 12 }),
    layered: fc.array(fc.nat(30), { maxLength: 10 }),
    served: fc.array(fc.tuple(fc.nat(7), fc.nat(3)), { maxLength: 6 }),
  })
  .map(({ count, pairs, layered, served }) => {
    const nodes = Array.from({ length: count }, (_, index) => node(`n${index}`));
    const pick = (index: number): (typeof nodes)[number] => nodes[index % count] ?? node('n0');
    const links = pairs
      .filter(([x, y]) => x % count !== y % count)
      .map(([x, y]) => ethLink(pick(x), pick(y)));
    const layers = layered.flatMap((choice, index) => {
      const link = links[choice % Math.max(1, links.length)];
      if (link === undefined) return [];
      const make = [
        () => ethDix(`l${index}`, link, { ethertype: 0xa000 + index }),
        () => udp4(`l${index}`, link, { port: 1 + index }),
        () => udp6(`l${index}`, link, { port: 1 + index }),
      ];
      return make[choice % make.length]?.() ?? [];
    });
    const servers = served.map(([at, name]) => server(pick(at), `name${name}`, ['oping', '-l']));
    return topology({ nodes, links, layers, servers });
  });

test('every valid topology has a plan that can be done: steps by one name each, after steps that come first', () => {
  fc.assert(
    fc.property(topologies, (made) => {
      const { phases, steps } = plan(made);
      const done = new Set<string>();
      for (const step of steps) {
        expect(done.has(step.id)).toBe(false);
        expect(step.after.filter((id) => !done.has(id))).toEqual([]);
        expect(phases).toContain(step.phase);
        done.add(step.id);
      }
    }),
  );
});
