/** The network of the two-node bench: what the example has, and a sink beside the ping server. */
import { fileURLToPath } from 'node:url';
import { ethDix, ethLink, node, server, topology } from 'o7s-testbed';

const a = node('a');
const b = node('b');
const cable = ethLink(a, b);
const sink = fileURLToPath(new URL('./sink.ts', import.meta.url));

export default topology({
  nodes: [a, b],
  links: [cable],
  layers: [ethDix('lan', cable)],
  servers: [server(b, 'ping.b', ['oping', '-l', '-Q']), server(b, 'sink', [process.execPath, sink])],
});
