/**
 * Two nodes, a cable between them, a layer over IPv4 and one over IPv6, and on b an oping server for
 * each. The cable's ends get addresses, and each node's hosts file the names of both layers:
 *
 *     o7s-testbed up udp-pair.ts
 *     o7s-testbed exec a -- oping -n ping4.b -c 3
 *     o7s-testbed exec a -- oping -n ping6.b -c 3
 *     o7s-testbed down
 *
 * Addresses of your choice: ethLink(port(a, 'e1', { addresses: ['10.1.0.1/24'] }), ...).
 */
import { ethLink, node, server, topology, udp4, udp6 } from 'o7s-testbed';

const a = node('a');
const b = node('b');
const cable = ethLink(a, b);
const inet4 = udp4('inet4', cable);
const inet6 = udp6('inet6', cable);

export default topology({
  nodes: [a, b],
  links: [cable],
  layers: [inet4, inet6],
  servers: [
    server(b, 'ping4.b', ['oping', '-l'], { layers: [inet4] }),
    server(b, 'ping6.b', ['oping', '-l'], { layers: [inet6] }),
  ],
});
