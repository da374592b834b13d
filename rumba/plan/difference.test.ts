import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  broadcast,
  ethDix,
  ethLink,
  lan,
  line,
  node,
  port,
  register,
  type Server,
  server,
  topology,
  type Topology,
  unicast,
} from '../index.ts';
import { difference, type DifferenceOptions } from './difference.ts';
import { plan } from './plan.ts';

interface Shown {
  undo: string[];
  redo: string[];
}

function change(from: Topology | readonly Topology[], to: Topology, options?: DifferenceOptions): Shown {
  const before = (Array.isArray(from) ? from : [from]) as readonly Topology[];
  const { undo, redo } = difference(before.map(plan), { plan: plan(to), topology: to }, options);
  return { undo: undo.map(({ id }) => id), redo: redo.steps.map(({ id }) => id) };
}

/** A line of nodes with a layer over it, and an oping server on the last one. */
function network(
  count: number,
  change: { servers?: readonly Server[]; ttl?: number; mtu?: number } = {},
): Topology {
  const { mtu = 1500, ttl } = change;
  const { nodes, links } = line(count, { link: { mtu } });
  const layers = links.map((link) => ethDix(link.name, link));
  const net = unicast('net', layers, ttl === undefined ? {} : { ttl });
  const last = nodes.at(-1) ?? node('x');
  return topology({
    nodes,
    links,
    layers: [...layers, net],
    servers: change.servers ?? [server(last, 'ping', ['oping', '-l'], { layers: [net] })],
  });
}

test('the same topology takes nothing', () => {
  expect(change(network(3), network(3))).toEqual({ undo: [], redo: [] });
});

test('a node more enrols with those that are there, and only what it joins is touched', () => {
  const servers: Server[] = [];
  expect(change(network(3, { servers }), network(4, { servers }))).toEqual({
    undo: [],
    redo: [
      'node n4',
      'link n3-n4',
      'irmd n4',
      'ipcp n3-n4.n3',
      'ipcp n3-n4.n4',
      'register net.n3 n3-n4.n3',
      'register net.n4 n3-n4.n4',
      'ipcp net.n4',
      'connect net.n4 net.n3',
      'complete net',
    ],
  });
});

test('a node less goes with all that is on it; what others had for it goes too', () => {
  const servers: Server[] = [];
  const shown = change(network(4, { servers }), network(3, { servers }));
  expect(shown).toEqual({ undo: ['ipcp n3-n4.n3', 'node n4'], redo: ['complete net'] });
});

test('another server, and a name less, touch nothing else', () => {
  const [n1, n2] = line(2).nodes;
  if (n1 === undefined || n2 === undefined) throw new Error('a line of two has two');
  const made = (command: string, names: readonly string[]): Topology => {
    const cable = ethLink(n1, n2);
    const layer = ethDix('lan', cable);
    const registrations = names.map((name) => register(name, { node: n1, layer }));
    return topology({
      nodes: [n1, n2],
      links: [cable],
      layers: [layer],
      registrations,
      servers: [server(n2, 'ping', ['oping', command])],
    });
  };
  expect(change(made('-l', ['x', 'y']), made('-l -q', ['y', 'z']))).toEqual({
    undo: ['server n2 ping', 'register x lan.n1'],
    redo: ['register z lan.n1', 'server n2 ping'],
  });
});

test('other policies of a layer make all its members anew', () => {
  const shown = change(network(3), network(3, { ttl: 9 }));
  expect(shown.undo).toEqual(['ipcp net.n3', 'ipcp net.n1', 'ipcp net.n2']);
  expect(shown.redo).toEqual([
    'ipcp net.n2',
    'ipcp net.n1',
    'ipcp net.n3',
    'connect net.n1 net.n2',
    'connect net.n3 net.n2',
    'complete net',
    'register ping net.n3',
  ]);
});

test('another MTU makes links anew, with the IPCPs on them and the connections through them, and nothing above', () => {
  const shown = change(network(2), network(2, { mtu: 1400 }));
  expect(shown.undo).toEqual(['ipcp n1-n2.n2', 'ipcp n1-n2.n1', 'link n1-n2']);
  expect(shown.redo).toEqual([
    'link n1-n2',
    'ipcp n1-n2.n1',
    'ipcp n1-n2.n2',
    'register net.n1 n1-n2.n1',
    'register net.n2 n1-n2.n2',
    'connect net.n2 net.n1',
    'complete net',
  ]);
});

test('a node joins a LAN, and one leaves it, without the others noticing', () => {
  const [a, b, c] = [node('a'), node('b'), node('c')];
  const made = (ends: readonly (typeof a)[]): Topology => {
    const office = lan(
      'office',
      ends.map((end) => port(end, 'eth0')),
    );
    return topology({ nodes: [a, b, c], links: [office], layers: [ethDix('dix', office)] });
  };
  expect(change(made([a, b]), made([a, c]))).toEqual({
    undo: ['ipcp dix.b', 'plug b eth0'],
    redo: ['plug c eth0', 'ipcp dix.c'],
  });
});

test('addresses and lines of hosts files come and go by themselves', () => {
  const [a, b] = [node('a'), node('b')];
  const made = (address: string): Topology =>
    topology({
      nodes: [a, b],
      links: [ethLink(port(a, 'e1', { addresses: [address, '10.9.0.1/24'] }), b)],
    });
  expect(change(made('10.1.0.1/24'), made('10.2.0.1/24'))).toEqual({
    undo: ['address a e1 10.1.0.1'],
    redo: ['address a e1 10.2.0.1'],
  });
});

test('limits change in place, and are lifted', () => {
  const made = (cpus?: number): Topology =>
    topology({ nodes: [node('a', cpus === undefined ? {} : { cpus })] });
  expect(change(made(1), made(2))).toEqual({ undo: [], redo: ['limit a'] });
  expect(change(made(1), made())).toEqual({ undo: ['limit a'], redo: [] });
});

describe('what a change that was given up may have left', () => {
  test('is taken away, and what it may have taken is made again', () => {
    const [old, half] = [network(3, { servers: [] }), network(4, { servers: [] })];
    expect(change([old, half], old).undo).toEqual(['ipcp n3-n4.n3', 'node n4']);
    expect(change([old, half], half).redo).toContain('node n4');
    const fewer = network(2, { servers: [] });
    expect(change([old, fewer], old).redo).toContain('node n3');
  });
});

describe('nodes that were stopped, or ended', () => {
  const all = network(5);

  test('one that starts again enrols with a neighbour, also where it had bootstrapped', () => {
    const { redo } = difference(
      [plan(all)],
      { plan: plan(all), topology: all },
      { lost: new Set(['irmd n3']) },
    );
    const first = redo.steps.find(({ id }) => id === 'ipcp net.n3');
    expect(first?.action).toMatchObject({ kind: 'enroll', with: 'net.n2' });
    expect(redo.steps.map(({ id }) => id)).toEqual([
      'irmd n3',
      'ipcp n2-n3.n3',
      'ipcp n3-n4.n3',
      'ipcp net.n3',
      'register net.n3 n2-n3.n3',
      'register net.n3 n3-n4.n3',
      'connect net.n2 net.n3',
      'connect net.n4 net.n3',
      'complete net',
    ]);
  });

  test('one that ended is made again with its links', () => {
    const lost = new Set(['node n1', 'irmd n1']);
    expect(change(all, all, { lost })).toMatchObject({
      // The member at the other end of its link has a device that is gone.
      undo: ['ipcp n1-n2.n2'],
      redo: expect.arrayContaining(['node n1', 'link n1-n2', 'irmd n1', 'ipcp net.n1', 'ipcp n1-n2.n2']),
    });
  });

  test('nothing is done on those that stay stopped, nor with them', () => {
    const absent = new Set(['n2', 'n4']);
    const { redo } = difference(
      [plan(all)],
      { plan: plan(all), topology: all },
      { lost: new Set(['irmd n3', 'irmd n1']), absent },
    );
    const ids = redo.steps.map(({ id }) => id);
    expect(ids.filter((id) => /n[24](\.n[24])?$/.test(id) && !id.startsWith('ipcp n'))).toEqual([]);
    // Neither reaches n5, which is in the layer already, so they are left out.
    expect(ids).not.toContain('ipcp net.n1');
    expect(ids).not.toContain('ipcp net.n3');
    expect(ids).toContain('complete net');
  });

  test('where all of a layer is gone, one of those that are there bootstraps it', () => {
    const lost = new Set(['n1', 'n2', 'n4', 'n5'].map((name) => `irmd ${name}`));
    const { redo } = difference(
      [plan(all)],
      { plan: plan(all), topology: all },
      { lost, absent: new Set(['n3']) },
    );
    const kinds = new Map(redo.steps.map(({ id, action }) => [id, action.kind]));
    expect(kinds.get('ipcp net.n1')).toBe('bootstrap');
    expect(kinds.get('ipcp net.n2')).toBe('enroll');
    expect(kinds.has('ipcp net.n4')).toBe(false);
  });
});

const random = fc
  .record({
    count: fc.integer({ min: 1, max: 5 }),
    pairs: fc.array(fc.tuple(fc.nat(4), fc.nat(4)), { maxLength: 6 }),
    hub: fc.boolean(),
    stacked: fc.boolean(),
    served: fc.array(fc.nat(4), { maxLength: 3 }),
  })
  .map(({ count, pairs, hub, stacked, served }) => {
    const nodes = Array.from({ length: count }, (_, index) => node(`n${index}`));
    const pick = (index: number): (typeof nodes)[number] => nodes[index % count] ?? node('n0');
    const cables = pairs
      .filter(([x, y]) => x % count !== y % count)
      .map(([x, y]) => ethLink(pick(x), pick(y)));
    const office = lan('office', nodes);
    const links = [office, ...cables];
    const layers = links.map((link, index) => ethDix(`l${index}`, link));
    const over = hub ? layers.slice(0, 1) : layers;
    const net = stacked ? [unicast('net', over), broadcast('news', over)] : [];
    const servers = served.map((at) => server(pick(at), `s${at}`, ['oping', '-l']));
    return topology({ nodes, links, layers: [...layers, ...net], servers });
  });

test('any topology becomes any other: what it takes can be done in order, and then nothing is left to do', () => {
  fc.assert(
    fc.property(random, random, (from, to) => {
      const { undo, redo } = difference([plan(from)], { plan: plan(to), topology: to });
      for (const steps of [undo, redo.steps]) {
        const done = new Set<string>();
        for (const step of steps) {
          expect(step.after.filter((id) => !done.has(id))).toEqual([]);
          done.add(step.id);
        }
      }
      // What is there after: all of before that was not undone, and all that was done.
      const gone = new Set(undo.map(({ id }) => id));
      const there = new Map(plan(from).steps.map(({ id, content, within }) => [id, { content, within }]));
      let shrinks = true;
      for (const id of gone) there.delete(id);
      while (shrinks) {
        shrinks = false;
        for (const [id, { within }] of there)
          if (within.some((each) => !there.has(each))) shrinks = there.delete(id);
      }
      for (const { id, content, needs, within } of redo.steps) {
        expect(needs.filter((need: string) => !there.has(need))).toEqual([]);
        there.set(id, { content, within });
      }
      for (const { id, content } of plan(to).steps)
        expect([id, there.get(id)?.content]).toEqual([id, content]);
      const wanted = new Set(plan(to).steps.map(({ id }) => id));
      const extra = [...there.keys()].filter((id) => !wanted.has(id) && !/^(complete|name|config) /.test(id));
      expect(extra).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
