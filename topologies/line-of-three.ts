/**
 * Three nodes in a line, and a unicast layer over the two cables: b forwards what a and c say to each other, and an
 * oping server on c is known in the whole layer:
 *
 *     o7s-testbed up line-of-three.ts
 *     o7s-testbed exec a -- oping -n ping.c -c 3
 *     o7s-testbed down
 */
import { ethDix, ethLink, node, server, topology, unicast } from 'o7s-testbed';

const [a, b, c] = [node('a'), node('b'), node('c')];
const cables = [ethLink(a, b), ethLink(b, c)];
const lans = cables.map((cable, index) => ethDix(`lan${index + 1}`, cable));
const net = unicast('net', lans);

export default topology({
  nodes: [a, b, c],
  links: cables,
  layers: [...lans, net],
  servers: [server(c, 'ping.c', ['oping', '-l'], { layers: [net] })],
});
