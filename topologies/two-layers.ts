/**
 * Four nodes in a line, and unicast layers on two levels over UDP: `west` joins a, b and c, `east` joins c and d, and
 * `net`, over both, joins the ends. In `net` a, c and d are members and a is a neighbour of c: b, which forwards between
 * them, is not part of it.
 *
 *     o7s-testbed up two-layers.ts
 *     o7s-testbed exec a -- oping -n ping.d -c 3
 *     o7s-testbed down
 */
import { ethLink, node, server, topology, udp4, unicast } from 'o7s-testbed';

const [a, b, c, d] = [node('a'), node('b'), node('c'), node('d')];
const [ab, bc, cd] = [ethLink(a, b), ethLink(b, c), ethLink(c, d)];
const [udpAb, udpBc, udpCd] = [udp4('udp-ab', ab), udp4('udp-bc', bc), udp4('udp-cd', cd)];
const west = unicast('west', [udpAb, udpBc]);
const east = unicast('east', udpCd);
const net = unicast('net', [west, east], { members: [a, c, d] });

export default topology({
  nodes: [a, b, c, d],
  links: [ab, bc, cd],
  layers: [udpAb, udpBc, udpCd, west, east, net],
  servers: [server(d, 'ping.d', ['oping', '-l'], { layers: [net] })],
});
