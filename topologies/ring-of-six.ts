/**
 * Six nodes in a ring and a unicast layer over the six cables. It forwards with loop-free alternates: when a cable is
 * cut, packets go the other way round at once. An oping server on d, the node opposite a, is known in the whole layer:
 *
 *     o7s-testbed up ring-of-six.ts
 *     o7s-testbed exec a -- oping -n ping.d -c 20      # in another terminal, meanwhile:
 *     o7s-testbed link down b-c                        # pulls the cable from b to c out
 *     o7s-testbed link up b-c
 *     o7s-testbed down
 */
import { ethDix, ethLink, node, server, topology, unicast } from 'o7s-testbed';

const [a, b, c, d, e, f] = [node('a'), node('b'), node('c'), node('d'), node('e'), node('f')];
const cables = [ethLink(a, b), ethLink(b, c), ethLink(c, d), ethLink(d, e), ethLink(e, f), ethLink(f, a)];
const lans = cables.map((cable, index) => ethDix(`lan${index + 1}`, cable));
const net = unicast('net', lans, { routing: 'lfa' });

export default topology({
  nodes: [a, b, c, d, e, f],
  links: cables,
  layers: [...lans, net],
  servers: [server(d, 'ping.d', ['oping', '-l'], { layers: [net] })],
});
