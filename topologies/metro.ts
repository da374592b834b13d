/**
 * The network of a town, twenty nodes, in which layers are over layers four levels deep:
 *
 *     office                       four homes, one of each district; sees nobody else
 *     metro                        everybody
 *     core  north east south west  the ring of core nodes, and a district at each of them
 *     cables
 *
 * A core node is in `core` and in the layer of its district; `metro` is over the five of them, so a flow in it crosses
 * one to three of the layers below, and its members know nothing of cables. `office` is over `metro`, and its packets
 * cross it like any others:
 *
 *     o7s-testbed up metro.ts
 *     o7s-testbed graph --stack -f mermaid
 *     o7s-testbed exec north-home1 -- oping -n files.office -c 3
 *     o7s-testbed exec north-home2 -- oping -n files.office -c 1     # not in the layer: the name is not known
 *     o7s-testbed down
 */
import { ethDix, type EthLink, ethLink, type Node, node, server, topology, unicast } from 'o7s-testbed';

const names = ['north', 'east', 'south', 'west'];
const cores = names.map((name) => node(`${name}-core`));
const ring = cores.map((core, index) => ethLink(core, cores[(index + 1) % cores.length] ?? core));
const ringCables = ring.map((link) => ethDix(link.name, link));
const core = unicast('core', ringCables, { routing: 'lfa' });

/** A core node, a node for the street, and three homes at it. */
function district(name: string, at: Node) {
  const street = node(`${name}-street`);
  const homes = [1, 2, 3].map((number) => node(`${name}-home${number}`));
  const links: EthLink[] = [ethLink(at, street), ...homes.map((home) => ethLink(street, home))];
  const cables = links.map((link) => ethDix(link.name, link));
  return { nodes: [at, street, ...homes], homes, links, cables, layer: unicast(name, cables) };
}

const districts = cores.map((at, index) => district(names[index] ?? '', at));
// The core nodes are neighbours of each other, and of all in their districts: 'mesh' would join any two of a district.
const metro = unicast('metro', [core, ...districts.map(({ layer }) => layer)], {
  adjacencies: [
    ...cores.map((at, index) => [at, cores[(index + 1) % cores.length] ?? at] as const),
    ...districts.flatMap(({ nodes: [at, ...others] }) =>
      at === undefined ? [] : others.map((other) => [at, other] as const),
    ),
  ],
});

const workers = districts.flatMap(({ homes }) => homes.slice(0, 1));
const office = unicast('office', metro, { members: workers });

export default topology({
  nodes: districts.flatMap(({ nodes }) => nodes),
  links: [...ring, ...districts.flatMap(({ links }) => links)],
  layers: [
    ...ringCables,
    ...districts.flatMap(({ cables }) => cables),
    core,
    ...districts.map(({ layer }) => layer),
    metro,
    office,
  ],
  servers: [
    ...workers.slice(-1).map((last) => server(last, 'files.office', ['oping', '-l'], { layers: [office] })),
    ...cores.map((at) => server(at, `ping.${at.name}`, ['oping', '-l'], { layers: [metro] })),
  ],
});
