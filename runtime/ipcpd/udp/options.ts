/** What a udp layer is bootstrapped with, checked. Source: link-ipcps.md 4.2, 7. */
import { BlockList, isIP } from 'node:net';
import { O7sError } from '../../lib/errors.ts';
import type { BootstrapConfig } from '../../lib/rpc/api.ts';
import { udpPort } from '../../lib/udp-types.ts';

export type Family = 4 | 6;

export interface UdpLayerOptions {
  readonly family: Family;
  /** The own address; others send to it. */
  readonly ip: string;
  /** The own port, and that of every other member. */
  readonly port: number;
  readonly dns: string | undefined;
}

/** Addresses and how many of their bits are meant. */
type Ranges = readonly (readonly [address: string, bits: number])[];
/** Addresses that are nobody's, or several hosts'. */
const shared: Record<Family, Ranges> = {
  4: [
    ['0.0.0.0', 32],
    ['255.255.255.255', 32],
    ['224.0.0.0', 4],
  ],
  6: [
    ['::', 128],
    ['ff00::', 8],
  ],
};
/** Addresses that mean nothing without an interface. */
const linkLocal: Record<Family, Ranges> = { 4: [], 6: [['fe80::', 10]] };
/** IPv4 addresses in the form of IPv6: what comes from them has the other form. */
const mapped: Ranges = [['::ffff:0:0', 96]];
const families = { 4: 'ipv4', 6: 'ipv6' } as const;

/**
 * Checks the options.
 *
 * @param asked the family the type names; undefined where the address decides.
 * @throws O7sError EINVAL.
 */
export function udpOptions(asked: Family | undefined, config: BootstrapConfig): UdpLayerOptions {
  const { ip, dns, port = udpPort } = config;
  if (ip === undefined) throw new O7sError('EINVAL', 'a udp layer needs an address', { hint: 'give ip' });
  const family = familyOf(ip);
  if (family === undefined || (asked !== undefined && family !== asked)) {
    const wanted = asked === undefined ? 'an IP' : `an IPv${asked}`;
    throw new O7sError('EINVAL', `${ip} is not ${wanted} address`);
  }
  if (isAmong(shared[family], ip, family)) {
    const hint = 'give one that other hosts reach this one at';
    throw new O7sError('EINVAL', `${ip} is no address of one host`, { hint });
  }
  if (isAmong(linkLocal[family], ip, family)) {
    const hint = 'use a global or unique local address';
    throw new O7sError('EINVAL', `${ip} is a link-local address`, { hint });
  }
  if (dns !== undefined && familyOf(dns) !== family) {
    throw new O7sError('EINVAL', `the DNS server ${dns} has no IPv${family} address`);
  }
  return { family, ip, port, dns };
}

function familyOf(ip: string): Family | undefined {
  // The address of an interface (fe80::1%eth0) is none that others could send to.
  const family = ip.includes('%') || isAmong(mapped, ip, 6) ? 0 : isIP(ip);
  return family === 0 ? undefined : (family as Family);
}

function isAmong(ranges: Ranges, ip: string, family: Family): boolean {
  const list = new BlockList();
  for (const [address, bits] of ranges) list.addSubnet(address, bits, families[family]);
  return list.check(ip, families[family]);
}
