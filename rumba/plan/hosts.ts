/** What the hosts file of a node says of the names in its udp layers (link-ipcps.md 4.6). */
import { hashName } from '../../runtime/lib/index.ts';
import type { Topology } from '../model/topology.ts';

/** The hosts file of a node, which it has to itself. */
export const hostsFile = '/etc/hosts';

/**
 * A line for each name of each udp layer that a node is a member of: the address of an IPCP that
 * registers the name, and as host name the name's hash. A member with a DNS server needs none.
 */
export function hostsLines(topology: Topology, node: string): string[] {
  const lines = topology.layers.flatMap((layer) => {
    if (layer.kind !== 'udp4' && layer.kind !== 'udp6') return [];
    const own = layer.members.find((member) => member.node === node);
    if (own === undefined || own.config.dns !== undefined) return [];
    const addresses = new Map(layer.members.map(({ ipcp, config }) => [ipcp, config.ip]));
    return topology.registrations.flatMap(({ name, ipcp }) => {
      const ip = addresses.get(ipcp);
      return ip === undefined ? [] : [`${ip} ${hashName(name, 'MD5').toString('hex')} # ${name}`];
    });
  });
  // Layers that differ by their ports alone have the same lines.
  return [...new Set(lines)];
}
