/**
 * Two implementations of Ouroboros in one network: a line of four nodes, of which `c1` and `c2` run the C prototype and
 * `ts1` and `ts2` ours. Layers, names and commands are the same on both. Every node answers pings:
 *
 *     O7S_PEER_PREFIX=/opt/ouroboros o7s-testbed up mixed.ts --testbed netns
 *     o7s-testbed exec ts1 -- oping -n ping.c2 -c 3     # through c1 and ts2
 *     o7s-testbed exec c2 -- oping -n ping.ts1 -c 3
 *     o7s-testbed down
 *
 * Where the prototype is installed is told by the variable O7S_PEER_PREFIX, for nodes of the netns testbed; for those of
 * docker O7S_PEER_IMAGE names an image that has it.
 */
import { ethDix, ethLink, fromEnvironment, node, runtime, server, topology, unicast } from 'o7s-testbed';

const prototype = runtime('prototype', {
  prefix: fromEnvironment('O7S_PEER_PREFIX'),
  image: fromEnvironment('O7S_PEER_IMAGE'),
});

const ts1 = node('ts1');
const c1 = node('c1', { runtime: prototype });
const ts2 = node('ts2');
const c2 = node('c2', { runtime: prototype });
const nodes = [ts1, c1, ts2, c2];

const links = [ethLink(ts1, c1), ethLink(c1, ts2), ethLink(ts2, c2)];
const cables = links.map((link) => ethDix(link.name, link));
const net = unicast('net', cables);

export default topology({
  nodes,
  links,
  layers: [...cables, net],
  servers: nodes.map((each) => server(each, `ping.${each.name}`, ['oping', '-l'], { layers: [net] })),
});
