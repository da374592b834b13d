/**
 * Two nodes, a cable between them, one eth-llc layer over the cable, and on b an oping server:
 *
 *     o7s-testbed up llc-pair.ts
 *     o7s-testbed exec a -- oping -n ping.b -c 3
 *     o7s-testbed down
 */
import { ethLink, ethLlc, node, server, topology } from 'o7s-testbed';

const a = node('a');
const b = node('b');
const cable = ethLink(a, b);
const lan = ethLlc('lan', cable);

export default topology({
  nodes: [a, b],
  links: [cable],
  layers: [lan],
  servers: [server(b, 'ping.b', ['oping', '-l'])],
});
