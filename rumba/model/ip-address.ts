/** IP addresses of interfaces, and which of them lie in one network. */
import { TestbedError } from '../errors.ts';

export type Family = 4 | 6;

/** An address and the length of its network's prefix. */
export interface IpAddress {
  readonly family: Family;
  /** In the shortest spelling. */
  readonly ip: string;
  /** Bits. */
  readonly prefix: number;
  /** The address as a number. */
  readonly value: bigint;
}

export const familyNames: Record<Family, string> = { 4: 'IPv4', 6: 'IPv6' };

const familyBits: Record<Family, number> = { 4: 32, 6: 128 };

interface ReservedNetwork {
  readonly family: Family;
  readonly value: bigint;
  readonly prefix: number;
  /** What its addresses are. */
  readonly what: string;
}

/** Addresses that an interface cannot have, or that no IPCP can be bound to (link-ipcps.md 4.2). */
const reserved: readonly ReservedNetwork[] = [
  { family: 4, value: 0n, prefix: 8, what: 'no address of an interface' },
  { family: 4, value: 127n << 24n, prefix: 8, what: 'a loopback address' },
  { family: 4, value: 224n << 24n, prefix: 4, what: 'a multicast address' },
  { family: 4, value: 240n << 24n, prefix: 4, what: 'no address of an interface' },
  { family: 6, value: 0n, prefix: 128, what: 'no address of an interface' },
  { family: 6, value: 1n, prefix: 128, what: 'a loopback address' },
  { family: 6, value: 0xffffn << 32n, prefix: 96, what: 'an IPv4 address in the form of IPv6' },
  { family: 6, value: 0xfe80n << 112n, prefix: 10, what: 'a link-local address' },
  { family: 6, value: 0xff00n << 112n, prefix: 8, what: 'a multicast address' },
];

/** An address written `10.0.0.1/24` or `fd00::1/64`; `owner` is the interface, for the error. */
export function parseAddress(text: string, owner: string): IpAddress {
  const said = `the address ${JSON.stringify(text)} of ${owner}`;
  const refuse = (fault: string, hint: string): TestbedError =>
    new TestbedError('ETOPOLOGY', `${said} ${fault}`, { hint });
  const example = 'write it like 10.0.0.1/24 or fd00::1/64';

  const [host = '', length, ...rest] = typeof text === 'string' ? text.split('/') : [];
  const family = familyOf(host);
  if (family === undefined || rest.length > 0) throw refuse('is no IPv4 or IPv6 address', example);
  if (length === undefined) throw refuse("lacks its network's prefix length", example);
  const bits = familyBits[family];
  const prefix = Number(length);
  if (!/^\d{1,3}$/.test(length) || prefix < 1 || prefix > bits) {
    throw refuse('has a prefix length that is out of range', `use 1 to ${bits}`);
  }
  const address = makeAddress(family, valueOf(host, family), prefix);
  const kind = reserved.find(
    (each) => each.family === family && samePrefix(each.value, address.value, family, each.prefix),
  );
  if (kind !== undefined)
    throw refuse(`is ${kind.what}`, 'choose another one, of 10.0.0.0/8 or fd00::/8 for example');
  // Networks of one and two IPv4 addresses have none to spare for these.
  const own = address.value & ((1n << BigInt(bits - prefix)) - 1n);
  if (family === 4 && prefix <= 30 && (own === 0n || own === (1n << BigInt(bits - prefix)) - 1n)) {
    const what =
      own === 0n
        ? 'first of its network, which names the network'
        : 'last of its network, its broadcast address';
    throw refuse(`is the ${what}`, 'choose one in between');
  }
  return address;
}

export function makeAddress(family: Family, value: bigint, prefix: number): IpAddress {
  return { family, ip: textOf(value, family), prefix, value };
}

/** `10.0.0.1/24`. */
export function addressText({ ip, prefix }: IpAddress): string {
  return `${ip}/${prefix}`;
}

/** True when each of two stations with these addresses reaches the other on their link. */
export function isNeighbour(one: IpAddress, other: IpAddress): boolean {
  return inCommon(one, other, Math.max(one.prefix, other.prefix));
}

/** True when two addresses are of the same network. */
export function sameNetwork(one: IpAddress, other: IpAddress): boolean {
  return one.prefix === other.prefix && inCommon(one, other, one.prefix);
}

/** True when the networks of two addresses have addresses in common. */
export function overlap(one: IpAddress, other: IpAddress): boolean {
  return inCommon(one, other, Math.min(one.prefix, other.prefix));
}

/** The family of an address without a prefix length; undefined for what is none. */
export function familyOf(ip: string): Family | undefined {
  const bytes = typeof ip === 'string' ? ip.split('.') : [];
  if (bytes.length === 4 && bytes.every((byte) => /^(0|[1-9]\d{0,2})$/.test(byte) && Number(byte) <= 255))
    return 4;
  // Whatever is in brackets in a URL has to be an IPv6 address.
  return /^[\da-f:.]+$/i.test(ip) && URL.canParse(`http://[${ip}]`) ? 6 : undefined;
}

function inCommon(one: IpAddress, other: IpAddress, prefix: number): boolean {
  return one.family === other.family && samePrefix(one.value, other.value, one.family, prefix);
}

function samePrefix(one: bigint, other: bigint, family: Family, prefix: number): boolean {
  return (one ^ other) >> BigInt(familyBits[family] - prefix) === 0n;
}

function valueOf(ip: string, family: Family): bigint {
  if (family === 4) return ip.split('.').reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  const [head = [], tail] = shortened(ip)
    .split('::')
    .map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...zeros, ...(tail ?? [])].reduce(
    (value, group) => (value << 16n) | BigInt(`0x${group}`),
    0n,
  );
}

function textOf(value: bigint, family: Family): string {
  const [count, bits] = family === 4 ? [4, 8] : [8, 16];
  const parts = Array.from(
    { length: count },
    (_, index) => (value >> BigInt(bits * (count - 1 - index))) & ((1n << BigInt(bits)) - 1n),
  );
  return family === 4 ? parts.join('.') : shortened(parts.map((group) => group.toString(16)).join(':'));
}

/** The one spelling of an IPv6 address that URLs have (RFC 5952, an embedded IPv4 address in hexadecimal). */
function shortened(ip: string): string {
  return new URL(`http://[${ip}]`).hostname.slice(1, -1);
}
