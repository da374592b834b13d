/**
 * The network of the benches of layers: one cable, a layer of each type over it and one within node b, and in each a server of
 * oping and of operf, and a sink, on node b.
 */
import { fileURLToPath } from 'node:url';
import { ethDix, ethLink, ethLlc, local, node, port, server, topology, udp4, udp6 } from 'o7s-testbed';

const a = node('a');
const b = node('b');
const cable = ethLink(
  port(a, 'e1', { addresses: ['10.9.0.1/24', 'fd09::1/64'] }),
  port(b, 'e1', { addresses: ['10.9.0.2/24', 'fd09::2/64'] }),
);
const layers = [
  local('local', b),
  ethDix('eth-dix', cable),
  ethLlc('eth-llc', cable),
  udp4('udp4', cable),
  udp6('udp6', cable),
];
const sink = fileURLToPath(new URL('./sink.ts', import.meta.url));

export default topology({
  nodes: [a, b],
  links: [cable],
  layers,
  servers: layers.flatMap((layer) => [
    server(b, `ping.${layer.name}`, ['oping', '-l', '-Q'], { layers: [layer] }),
    server(b, `sink.${layer.name}`, [process.execPath, sink, `/run/o7s-testbed/sink.${layer.name}`], {
      layers: [layer],
    }),
    server(b, `perf.${layer.name}`, ['operf', '-l', '-Q', '--json'], { layers: [layer] }),
  ]),
});
