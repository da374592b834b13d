import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ethDix, ethLink, node, server, topology } from '../index.ts';
import { commandLine } from './command-line.ts';
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
      "irmd a <- node a | irmd --stdout",
      "irmd b <- node b | irmd --stdout",
      "ipcp lan.a <- irmd a, link a-b | irm ipcp bootstrap name lan.a layer lan type eth-dix dev e1 ethertype 0xA123 hash SHA3_512",
      "ipcp lan.b <- irmd b, link a-b | irm ipcp bootstrap name lan.b layer lan type eth-dix dev e1 ethertype 0xA123 hash SHA3_512",
      "register ping.b lan.b <- ipcp lan.b | irm name register ping.b ipcp lan.b",
      "register other.b lan.b <- ipcp lan.b | irm name register other.b ipcp lan.b",
      "server 1 ping.b b <- irmd b, register ping.b lan.b | oping -l & irm bind process $! name ping.b",
      "server 2 other.b b <- irmd b, register other.b lan.b | oping -l --say 'it'\\''s' & irm bind process $! name other.b",
    ]
  `);
  expect(steps.flatMap(({ action }) => (action.kind === 'serve' ? [action.log] : []))).toEqual([
    'oping',
    'oping-2',
  ]);
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
      return link === undefined ? [] : [ethDix(`l${index}`, link, { ethertype: 0xa000 + index })];
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
