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
import { familyOfLayer, type Layer } from './layer.ts';
import type { Link } from './link.ts';
import type { TopologyLink, TopologyLinkEnd } from './topology.ts';

/** The addresses of each end of a link, in the order of its ends. */
export type LinkAddresses = readonly (readonly IpAddress[])[];

/** An address and the interface that has it. */
interface Assigned {
  readonly address: IpAddress;
  readonly end: TopologyLinkEnd;
}

/** On an interface with a smaller MTU the kernel has no IPv6 (RFC 8200), in bytes. */
const ipv6MtuMin = 1280;

interface Automatic {
  /** Where the automatic networks begin, and how far apart they are. */
  readonly first: bigint;
  readonly apart: bigint;
  /** How many there are, and how long their prefixes are. */
  readonly count: number;
  readonly prefix: number;
}

/** Automatic networks of cables and of LANs. */
const automatic: Record<Family, Record<Link['kind'], Automatic>> = {
  // 10.X.Y.0/30, X up to 127, and 10.X.Y.0/22 above.
  4: {
    'eth-link': { first: 10n << 24n, apart: 1n << 8n, count: 0x8000, prefix: 30 },
    lan: { first: (10n << 24n) | (128n << 16n), apart: 1n << 10n, count: 0x2000, prefix: 22 },
  },
  // fd6f:37:0:N::/64 and fd6f:37:1:N::/64: "o7" behind the first byte of private networks.
  6: {
    'eth-link': { first: 0xfd6f_0037n << 96n, apart: 1n << 64n, count: 0x1_0000, prefix: 64 },
    lan: { first: (0xfd6f_0037n << 96n) | (1n << 80n), apart: 1n << 64n, count: 0x1_0000, prefix: 64 },
  },
};

/** The addresses of each link's ends; the same topology has the same ones every time. */
export function assignAddresses(
  wired: ReadonlyMap<Link, TopologyLink>,
  layers: readonly Layer[],
): Map<Link, LinkAddresses> {
  const declared = [...wired].flatMap(([link, { ends }]) =>
    ends.flatMap((end, side) => declaredAt(link, side).map((address): Assigned => ({ address, end }))),
  );
  refuseDoubles(declared);
  return new Map(
    [...wired].map(([link, placed], index) => {
      const given: LinkAddresses = link.ends.map((_, side) => declaredAt(link, side));
      const families = layers.flatMap((layer) => {
        const family = 'link' in layer && layer.link === link ? familyOfLayer(layer) : undefined;
        return family === undefined ? [] : [family];
      });
      const made = [...new Set(families)]
        .filter((family) => !given.flat().some((address) => address.family === family))
        .map((family) => freeNetwork(family, link, { placed, index, step: wired.size, declared }));
      const all: LinkAddresses = given.map((own, side) => [
        ...own,
        ...made.flatMap((network) => network[side] ?? []),
      ]);
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

/** The addresses by which the IPCPs of a layer reach each other: of each end of the link that has a member. */
export function layerAddresses(
  layer: string,
  family: Family,
  link: string,
  members: readonly { readonly end: TopologyLinkEnd; readonly addresses: readonly IpAddress[] }[],
): ReadonlyMap<TopologyLinkEnd, IpAddress> {
  const found = members.map(({ end, addresses }) => ({
    end,
    address: addresses.find((each) => each.family === family),
  }));
  const what = `${familyNames[family]} address`;
  const lacking = found.find(({ address }) => address === undefined);
  const having = found.find(({ address }) => address !== undefined);
  if (lacking !== undefined && having !== undefined) {
    throw new TestbedError(
      'ETOPOLOGY',
      `layer ${layer} is over link ${link}, where ${placeOf(having.end)} has an ${what} and ${placeOf(lacking.end)} has none`,
      { hint: 'give all ends one, or none' },
    );
  }
  const chosen = found.flatMap(({ end, address }) => (address === undefined ? [] : [{ end, address }]));
  for (const { address } of chosen) {
    const foreign = chosen.find((other) => !isNeighbour(address, other.address));
    if (foreign === undefined) continue;
    throw new TestbedError(
      'ETOPOLOGY',
      `layer ${layer} is over link ${link}, whose ends ${addressText(address)} and ${addressText(foreign.address)} are not in one network`,
      { hint: 'give all ends addresses of one network, with the same prefix length' },
    );
  }
  return new Map(chosen.map(({ end, address }) => [end, address]));
}

function declaredAt(link: Link, side: number): readonly IpAddress[] {
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
 * Addresses for the ends of a link, of a network that nothing declared lies in: that of the link's number, else one
 * further by as many as there are links, so that no two links ever come to the same.
 */
function freeNetwork(
  family: Family,
  link: Link,
  places: { placed: TopologyLink; index: number; step: number; declared: readonly Assigned[] },
): readonly IpAddress[] {
  const { placed, index, step, declared } = places;
  const { first, apart, count, prefix } = automatic[family][link.kind];
  for (let number = index; number < count; number += step) {
    const network = first + BigInt(number) * apart;
    const all = placed.ends.map((_, side) => makeAddress(family, network + BigInt(side) + 1n, prefix));
    if (!declared.some(({ address }) => all[0] !== undefined && overlap(address, all[0]))) return all;
  }
  throw new TestbedError(
    'ETOPOLOGY',
    `no ${familyNames[family]} network is left for link ${placed.name}: addresses that were declared cover all that are automatic`,
    { hint: "give its ends addresses too: port(a, 'e1', { addresses: [...] })" },
  );
}

function placeOf(end: TopologyLinkEnd): string {
  return `${end.interface} of ${end.node}`;
}
