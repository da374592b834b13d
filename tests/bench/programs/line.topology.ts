/** Nodes in a line and a unicast layer over all cables, and on the last node a server of oping and a sink: `--set n=3`. */
import { fileURLToPath } from 'node:url';
import { ethDix, line, node, parameters, server, topology, unicast } from 'o7s-testbed';

const { n } = parameters({ n: { default: 2, min: 2, max: 1000, describe: 'Nodes in the line' } });
const { nodes, links } = line(n);
const lans = links.map((link) => ethDix(link.name, link));
const net = unicast('net', lans);
const last = nodes.at(-1) ?? node('none');
const sink = [
  process.execPath,
  fileURLToPath(new URL('./sink.ts', import.meta.url)),
  '/run/o7s-testbed/sink',
];

export default topology({
  nodes,
  links,
  layers: [...lans, net],
  servers: [
    server(last, 'ping', ['oping', '-l', '-Q'], { layers: [net] }),
    server(last, 'sink', sink, { layers: [net] }),
  ],
});
