/** Nodes with limits, images, configuration and runtimes of others; parts of topologies. */
import { describe, expect, test } from 'vitest';
import { TestbedError } from '../errors.ts';
import {
  ethDix,
  ethLink,
  lan,
  line,
  node,
  register,
  runtime,
  server,
  topology,
  type Topology,
  unicast,
} from '../index.ts';
import { parseBytes } from './quantity.ts';
import { withOnly } from './subset.ts';
import type { TopologyStackedLayer } from './topology.ts';

function refusal(build: () => unknown): string {
  try {
    build();
  } catch (error) {
    if (error instanceof TestbedError)
      return error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
    throw error;
  }
  return 'accepted';
}

const prototype = runtime('prototype', { prefix: '/opt/x/', image: 'x:1', config: '/etc/opt/x' });

test('a node says what it is and may take', () => {
  const made = topology({
    nodes: [
      node('a', { cpus: 0.5, memory: '64MiB', irmd: ['--ipcpd', 'process'], config: 'conf', tun: true }),
      node('b', { runtime: prototype }),
      node('c', { image: 'my/node:1' }),
    ],
  });
  expect(made.nodes).toEqual([
    {
      name: 'a',
      tun: true,
      cpus: 0.5,
      memoryBytes: 67_108_864,
      irmd: ['--ipcpd', 'process'],
      config: 'conf',
    },
    {
      name: 'b',
      runtime: { name: 'prototype', prefix: '/opt/x', image: 'x:1', config: '/etc/opt/x', variables: {} },
    },
    { name: 'c', image: 'my/node:1' },
  ]);
});

test.each([
  ['256MB', 256_000_000],
  ['0.5 GiB', 536_870_912],
  ['1B', 1],
  ['10kB', 10_000],
])('%s is %d bytes', (text, bytes) => {
  expect(parseBytes(text, 'x')).toBe(bytes);
});

test.each([
  [
    'memory of node a is "256", which is no number of bytes; write it with its unit, like 256MB; units: B, kB, MB, GB, KiB, MiB, GiB',
    () => node('a', { memory: '256' }),
  ],
  [
    'memory of node a is 1MB, less than a node takes; give it 32MiB or more',
    () => node('a', { memory: '1MB' }),
  ],
  ['cpus of node a is 0; use 0.01 to 1024, 0.5 for half of one', () => node('a', { cpus: 0 })],
  ['cpus of node a is "1"; use 0.01 to 1024, 0.5 for half of one', () => node('a', { cpus: '1' as never })],
  [
    "the runtime of node a is none; make one with runtime('NAME', { prefix, image })",
    () => node('a', { runtime: 'c' as never }),
  ],
  [
    'node a has both an image and a runtime; give the runtime the image',
    () => node('a', { runtime: prototype, image: 'x' }),
  ],
  [
    "irmd of node a is not a list of words; write it like ['--ipcpd', 'process']",
    () => node('a', { irmd: '--x' as never }),
  ],
  ['config of node a is not a text', () => node('a', { config: '' })],
  [
    'runtime c has neither a prefix nor an image; set prefix to the folder it was installed to, or image to an image that has it',
    () => runtime('c', {}),
  ],
  [
    'runtime c has neither a prefix nor an image; set X_PREFIX to the folder it was installed to, or X_IMAGE to an image that has it',
    () =>
      runtime('c', {
        prefix: { variable: 'X_PREFIX', value: '' },
        image: { variable: 'X_IMAGE', value: undefined },
      }),
  ],
  [
    'the prefix "opt/x" of runtime c is relative; write it as an absolute path',
    () => runtime('c', { prefix: 'opt/x' }),
  ],
  [
    'the prefix /tmp/x of runtime c lies below /tmp; install it elsewhere: each node has that folder to itself',
    () => runtime('c', { prefix: '/tmp/x' }),
  ],
  [
    'config of runtime c is "/opt/etc"; write the absolute path of a folder below /etc',
    () => runtime('c', { prefix: '/x', config: '/opt/etc' }),
  ],
  [
    'the balance "random" of server x is unknown; use one of round-robin, spillover',
    () => server(node('a'), 'x', ['oping'], { balance: 'random' as never }),
  ],
])('is refused: %s', (text, build) => {
  expect(refusal(build)).toBe(text);
});

describe('only some nodes', () => {
  const only = (names: readonly string[], build: () => Topology): Promise<Topology> =>
    withOnly(names, async () => build());

  test('with the links between them, what is over those, and what is on them', async () => {
    const build = (): Topology => {
      const { nodes, links } = line(4);
      const [n1, n2, n3, n4] = nodes;
      if (n1 === undefined || n2 === undefined || n3 === undefined || n4 === undefined)
        throw new Error('four');
      const office = lan('office', [n1, n3, n4]);
      const layers = links.map((link) => ethDix(link.name, link));
      const there = ethDix('there', office, { ethertype: 0xa001 });
      const net = unicast('net', [...layers, there], { bootstrap: n4, adjacencies: 'tree' });
      return topology({
        nodes,
        links: [...links, office],
        layers: [...layers, there, net],
        registrations: [register('far', { node: n4, layer: there })],
        servers: [server(n2, 'x', ['oping', '-l'], { layers: [net] }), server(n4, 'y', ['oping', '-l'])],
      });
    };
    const made = await only(['n1', 'n2'], build);
    expect(made.nodes.map(({ name }) => name)).toEqual(['n1', 'n2']);
    expect(made.links.map(({ name, ends }) => `${name} ${ends.length}`)).toEqual(['n1-n2 2', 'office 1']);
    expect(made.layers.map(({ name, members }) => `${name} ${members.length}`)).toEqual([
      'n1-n2 2',
      'there 1',
      'net 2',
    ]);
    expect((made.layers.at(-1) as TopologyStackedLayer).bootstrap).toBe('n1');
    expect(made.servers.map(({ name }) => name)).toEqual(['x']);
    expect(made.registrations.map(({ name, ipcp }) => `${name} ${ipcp}`)).toEqual([
      'net.n1 n1-n2.n1',
      'net.n1 there.n1',
      'net.n2 n1-n2.n2',
      'x net.n2',
    ]);
    const one = await only(['n2'], build);
    expect([one.links, one.layers, one.servers.map(({ name }) => name)]).toEqual([[], [], ['x']]);
    expect((await withOnly(undefined, async () => build())).nodes).toHaveLength(4);
  });

  test('are refused where there is no such node', async () => {
    const [a, b] = [node('a'), node('b')];
    await expect(
      only(['c'], () => topology({ nodes: [a, b], links: [ethLink(a, b)] })),
    ).rejects.toMatchObject({
      code: 'EUSAGE',
      message: 'the topology has no node "c"',
      hint: 'it has a, b',
    });
  });
});
