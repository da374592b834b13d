/** What the hosts file of a node says of the names in its udp layers (link-ipcps.md 4.6). */
import { hashName } from '../../runtime/lib/index.ts';
import type { Topology } from '../model/topology.ts';

/** The hosts file of a node, which it has to itself. */
export const hostsFile = '/etc/hosts';

/**
 * A line for each name of each udp layer that a node is a member of: the address of an IPCP that
 * registers the name, and as host name the name's hash. A layer with a DNS server needs none.
 */
export function hostsLines(topology: Topology, node: string): string[] {
  const lines = topology.layers.flatMap((layer) => {
    if ((layer.kind !== 'udp4' && layer.kind !== 'udp6') || layer.dns !== undefined) return [];
    if (!layer.members.some((member) => member.node === node)) return [];
    return topology.registrations.flatMap(({ name, ipcp }) =>
      layer.members
        .filter((member) => member.ipcp === ipcp)
        .map(({ ip }) => `${ip} ${hashName(name, 'MD5').toString('hex')} # ${name}`),
    );
  });
  // Layers that differ by their ports alone have the same lines.
  return [...new Set(lines)];
}
