/**
 * IP over an encrypted flow: ovpn on b waits for ovpn on a, and then any program that speaks IP reaches from one to the
 * other. The files in `vpn` are the configuration of a: its flows to the name vpn are encrypted.
 *
 *     o7s-testbed up vpn.ts
 *     o7s-testbed exec a -- sh -c 'ovpn -n vpn -i 10.8.0.1 -m 255.255.255.0 >/run/vpn.log 2>&1 & sleep 1; ping -c 3 10.8.0.2'
 *     o7s-testbed down
 */
import { ethDix, ethLink, node, server, topology } from 'o7s-testbed';

const a = node('a', { tun: true, config: 'vpn' });
const b = node('b', { tun: true });
const cable = ethLink(a, b);
const lan = ethDix('lan', cable);

export default topology({
  nodes: [a, b],
  links: [cable],
  layers: [lan],
  servers: [server(b, 'vpn', ['ovpn', '-i', '10.8.0.2', '-m', '255.255.255.0'])],
});
