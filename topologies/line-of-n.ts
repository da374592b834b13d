/**
 * So many nodes in a line, an Ethernet layer over each cable, one unicast layer over all of them, and on the last node
 * an oping server:
 *
 *     o7s-testbed up line-of-n.ts --set n=5
 *     o7s-testbed exec n1 -- oping -n ping -c 3
 *     o7s-testbed down
 *
 * `--set kind=eth-llc` takes another kind of Ethernet layer.
 */
import { ethDix, ethLlc, line, parameters, server, topology, unicast } from 'o7s-testbed';

const { n, kind } = parameters({
  n: { default: 5, min: 2, max: 1000, describe: 'Nodes in the line' },
  kind: { default: 'eth-dix', choices: ['eth-dix', 'eth-llc'], describe: 'Layers over the cables' },
});

const { nodes, links } = line(n);
const make = kind === 'eth-dix' ? ethDix : ethLlc;
const cables = links.map((link) => make(link.name, link));
// Packets cross 60 links unless told otherwise, and at most 255.
const net = unicast('net', cables, n > 60 ? { ttl: Math.min(n, 255) } : {});

export default topology({
  nodes,
  links,
  layers: [...cables, net],
  servers: nodes.slice(-1).map((last) => server(last, 'ping', ['oping', '-l'], { layers: [net] })),
});
