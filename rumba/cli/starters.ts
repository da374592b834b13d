/** The files that `init` writes. */

export const firstTopology = `/**
 * Two nodes, a cable between them, a layer over the cable, and a server:
 *
 *     npx o7s-testbed up                                  # builds it
 *     npx o7s-testbed exec a -- oping -n ping.b -c 3      # a command on node a
 *     npx o7s-testbed inspect                             # what there is
 *     npx o7s-testbed logs                                # what daemons and servers wrote
 *     npx o7s-testbed down                                # takes it down, and leaves nothing
 *     npx o7s-testbed test                                # the test beside this file
 */
import { ethDix, ethLink, node, parameters, server, topology } from 'o7s-testbed';

// What can be set from outside: up --set mtu=9000.
const { mtu } = parameters({
  mtu: { default: 1500, min: 576, max: 9000, describe: 'Bytes of payload in a frame of the cable' },
});

// A node is a machine with an Ouroboros of its own. Options: { cpus: 0.5, memory: '256MB' }, ...
const a = node('a');
const b = node('b');

// A cable has an interface at each end, here e1 of a and e1 of b.
const cable = ethLink(a, b, { mtu });

// A layer provides flows to names: here by an IPCP at each end of the cable, lan.a and lan.b.
const lan = ethDix('lan', cable);

export default topology({
  nodes: [a, b],
  links: [cable],
  layers: [lan],
  // Runs on b, is bound to the name ping.b, which is registered in every layer of b.
  servers: [server(b, 'ping.b', ['oping', '-l'])],
});
`;

/** A test: of the first topology, or of any. */
export function firstTest(isFirst: boolean): string {
  const pinged = `
test('a reaches the server on b', async () => {
  await using lab = await up(topology);
  const ping = await lab.node('a').run(['oping', '-n', 'ping.b', '-c', '3', '-i', '10ms']);
  assert.match(ping.stdout, /3 packets transmitted, 3 received/);
  assert.equal(ping.code, 0);
});
`;
  const built = `
test('every node has the IPCPs it should have', async () => {
  await using lab = await up(topology);
  for (const { name } of lab.topology.nodes) {
    const { code, stdout } = await lab.node(name).run(['irm', 'ipcp', 'list']);
    assert.equal(code, 0);
    for (const { members } of lab.topology.layers) {
      for (const { node, ipcp } of members) if (node === name) assert.ok(stdout.includes(ipcp), ipcp);
    }
  }
});
`;
  return `/** Runs with: npx o7s-testbed test. A lab is taken down at the end of its test, however that ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { up } from 'o7s-testbed';
import topology from './topology.ts';
${isFirst ? pinged : built}`;
}
