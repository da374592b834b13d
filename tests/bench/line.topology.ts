/** Nodes in a line and a unicast layer over all cables: as many nodes as BENCH_NODES says. */
import { ethDix, ethLink, node, server, topology, unicast } from '../../rumba/index.ts';

const count = Number(process.env['BENCH_NODES'] ?? 2);
const nodes = Array.from({ length: count }, (_each, index) => node(`n${index + 1}`));
const cables = nodes.flatMap((each, index) => {
  const next = nodes[index + 1];
  return next === undefined ? [] : [ethLink(each, next)];
});
const lans = cables.map((cable, index) => ethDix(`lan${index + 1}`, cable));
const net = unicast('net', lans);
const last = nodes.at(-1) ?? node('none');
const sink = [process.execPath, new URL('sink.ts', import.meta.url).pathname, '/run/o7s-testbed/sink'];

export default topology({
  nodes,
  links: cables,
  layers: [...lans, net],
  servers: [
    server(last, 'ping', ['oping', '-l', '-Q'], { layers: [net] }),
    server(last, 'sink', sink, { layers: [net] }),
  ],
});
