/** IP addresses of a topology's interfaces: those that were asked for, and those that udp layers need. */
import { TestbedError } from '../errors.ts';
import {
  addressText,
  familyNames,
  type Family,
  type IpAddress,
  isNeighbour,
  makeAddress,
  overlap,
  sameNetwork,
} from './ip-address.ts';
import { isUdp, type Layer, type Udp, udpFamilies } from './layer.ts';
import type { EthLink } from './link.ts';
import type { TopologyLink, TopologyLinkEnd } from './topology.ts';

/** The addresses of both ends of a link, in the order of its ends. */
export type LinkAddresses = readonly [readonly IpAddress[], readonly IpAddress[]];

/** An address and the interface that has it. */
interface Assigned {
  readonly address: IpAddress;
  readonly end: TopologyLinkEnd;
}

/** On an interface with a smaller MTU the kernel has no IPv6 (RFC 8200), in bytes. */
const ipv6MtuMin = 1280;

/** Automatic networks there are of a family. */
const networksMax = 0x1_0000;

/** Where the automatic networks of a family begin, how far apart they are, and how long their prefixes are. */
const automatic: Record<Family, { first: bigint; apart: bigint; prefix: number }> = {
  // 10.X.Y.0/30, and fd6f:37:0:N::/64: "o7" behind the first byte of private networks.
  4: { first: 10n << 24n, apart: 1n << 8n, prefix: 30 },
  6: { first: 0xfd6f_0037n << 96n, apart: 1n << 64n, prefix: 64 },
};

/** The addresses of each link's ends; the same topology has the same ones every time. */
export function assignAddresses(
  wired: ReadonlyMap<EthLink, TopologyLink>,
  layers: readonly Layer[],
): Map<EthLink, LinkAddresses> {
  const declared = [...wired].flatMap(([link, { ends }]) =>
    ends.flatMap((end, side) => declaredAt(link, side).map((address): Assigned => ({ address, end }))),
  );
  refuseDoubles(declared);
  return new Map(
    [...wired].map(([link, placed], index) => {
      const given: LinkAddresses = [declaredAt(link, 0), declaredAt(link, 1)];
      const families = layers
        .filter(isUdp)
        .filter((layer) => layer.link === link)
        .map(({ kind }) => udpFamilies[kind]);
      const made = [...new Set(families)]
        .filter((family) => !given.flat().some((address) => address.family === family))
        .map((family) => freeNetwork(family, placed.name, { index, step: wired.size, declared }));
      const all: LinkAddresses = [
        [...given[0], ...made.map(([from]) => from)],
        [...given[1], ...made.map(([, to]) => to)],
      ];
      const ipv6 = all.flat().find((address) => address.family === 6);
      if (ipv6 !== undefined && placed.mtu < ipv6MtuMin) {
        throw new TestbedError(
          'ETOPOLOGY',
          `link ${placed.name} has IPv6 address ${addressText(ipv6)} and an MTU of ${placed.mtu}`,
          { hint: `IPv6 needs an MTU of ${ipv6MtuMin} or more` },
        );
      }
      return [link, all];
    }),
  );
}

/** The addresses by which the IPCPs of a layer reach each other, in the order of the link's ends. */
export function layerAddresses(
  { kind, name: layer }: Udp,
  { name, ends }: TopologyLink,
  addresses: LinkAddresses,
): readonly [IpAddress, IpAddress] {
  const family = udpFamilies[kind];
  const [from, to] = addresses.map((each) => each.find((address) => address.family === family));
  const what = `${familyNames[family]} address`;
  if (from === undefined || to === undefined) {
    const [having, lacking] = from === undefined ? [ends[1], ends[0]] : ends;
    throw new TestbedError(
      'ETOPOLOGY',
      `layer ${layer} is over link ${name}, where ${placeOf(having)} has an ${what} and ${placeOf(lacking)} has none`,
      { hint: 'give both ends one, or neither' },
    );
  }
  if (!isNeighbour(from, to)) {
    throw new TestbedError(
      'ETOPOLOGY',
      `layer ${layer} is over link ${name}, whose ends ${addressText(from)} and ${addressText(to)} are not in one network`,
      { hint: 'give both ends addresses of one network, with the same prefix length' },
    );
  }
  return [from, to];
}

function declaredAt(link: EthLink, side: number): readonly IpAddress[] {
  const end = link.ends[side];
  return end?.kind === 'port' ? end.addresses : [];
}

/** Refuses an address that two interfaces have, and two interfaces of a node in one network. */
function refuseDoubles(declared: readonly Assigned[]): void {
  declared.forEach(({ address, end }, index) => {
    for (const other of declared.slice(0, index)) {
      if (other.end === end) continue;
      if (other.address.ip === address.ip) {
        throw new TestbedError(
          'ETOPOLOGY',
          `the address ${address.ip} is both that of ${placeOf(other.end)} and of ${placeOf(end)}`,
          { hint: 'give each interface addresses of its own' },
        );
      }
      if (other.end.node === end.node && sameNetwork(other.address, address)) {
        const interfaces = `interfaces ${other.end.interface} and ${end.interface} of node ${end.node}`;
        throw new TestbedError(
          'ETOPOLOGY',
          `${interfaces} are in one network by ${addressText(other.address)} and ${addressText(address)}`,
          { hint: 'the node would use the first for all of it; give each link a network of its own' },
        );
      }
    }
  });
}

/**
 * A network for the ends of a link that nothing declared lies in: that of the link's number, else one
 * further by as many as there are links, so that no two links ever come to the same.
 */
function freeNetwork(
  family: Family,
  link: string,
  { index, step, declared }: { index: number; step: number; declared: readonly Assigned[] },
): readonly [IpAddress, IpAddress] {
  const { first, apart, prefix } = automatic[family];
  for (let number = index; number < networksMax; number += step) {
    const network = first + BigInt(number) * apart;
    const [from, to] = [makeAddress(family, network + 1n, prefix), makeAddress(family, network + 2n, prefix)];
    if (!declared.some(({ address }) => overlap(address, from))) return [from, to];
  }
  throw new TestbedError(
    'ETOPOLOGY',
    `no ${familyNames[family]} network is left for link ${link}: addresses that were declared cover all that are automatic`,
    { hint: "give its ends addresses too: port(a, 'e1', { addresses: [...] })" },
  );
}

function placeOf(end: TopologyLinkEnd): string {
  return `${end.interface} of ${end.node}`;
}
