/**
 * A Clos network, as in data centres: leaves that are each joined to every spine, and servers at the leaves. One unicast
 * layer is over all cables; it spreads flows over the paths of equal length (ECMP). Every server answers pings:
 *
 *     o7s-testbed up clos.ts --set spines=2 --set leaves=3 --set servers=2
 *     o7s-testbed exec server1-1 -- oping -n ping.server3-2 -c 3
 *     o7s-testbed stop spine1                                    # the other spine carries all
 *     o7s-testbed down
 */
import { clos, ethDix, parameters, server, topology, unicast } from 'o7s-testbed';

const { spines, leaves, servers } = parameters({
  spines: { default: 2, min: 1, max: 64, describe: 'Spines' },
  leaves: { default: 3, min: 1, max: 256, describe: 'Leaves' },
  servers: { default: 2, min: 1, max: 256, describe: 'Servers at each leaf' },
});

const shape = clos({ spines, leaves, servers });
const cables = shape.links.map((link) => ethDix(link.name, link));
const fabric = unicast('fabric', cables, { routing: 'ecmp' });

export default topology({
  nodes: shape.nodes,
  links: shape.links,
  layers: [...cables, fabric],
  servers: shape.servers.map((node) =>
    server(node, `ping.${node.name}`, ['oping', '-l'], { layers: [fabric] }),
  ),
});
