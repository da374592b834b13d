/** Layers: what provides flows to names. */
import { type HashAlgorithm, hashAlgorithms } from '../../runtime/lib/index.ts';
import { TestbedError } from '../errors.ts';
import { type Family, familyNames, familyOf } from './ip-address.ts';
import { checkKeys } from './keys.ts';
import type { EthLink } from './link.ts';
import { checkName } from './names.ts';
import type { Broadcast, Unicast } from './stacked-layer.ts';

/** An eth-dix layer: an IPCP at each end of a link, which speak Ethernet II frames of one ethertype. */
export interface EthDix {
  readonly kind: 'eth-dix';
  readonly name: string;
  readonly link: EthLink;
  readonly ethertype: number | undefined;
  readonly hash: HashAlgorithm | undefined;
}

/** An eth-llc layer: an IPCP at each end of a link, which speak 802.2 LLC frames. */
export interface EthLlc {
  readonly kind: 'eth-llc';
  readonly name: string;
  readonly link: EthLink;
  readonly hash: HashAlgorithm | undefined;
}

/** A udp layer: an IPCP at each end of a link, which speak UDP over IPv4 or IPv6. */
export interface Udp {
  readonly kind: 'udp4' | 'udp6';
  readonly name: string;
  readonly link: EthLink;
  readonly port: number | undefined;
  readonly dns: string | undefined;
}

/** A layer over a link. */
export type LinkLayer = EthDix | EthLlc | Udp;

/** Any layer a topology may have. */
export type Layer = LinkLayer | Unicast | Broadcast;

export interface EthLlcOptions {
  /** Hash of the layer's directory, SHA3_256 by default. */
  hash?: HashAlgorithm;
}

export interface EthDixOptions extends EthLlcOptions {
  /** 0x0600 to 0xFFFE; 0xA000 by default. */
  ethertype?: number;
}

export interface UdpOptions {
  /** The port of all members, 3435 by default. */
  port?: number;
  /**
   * Address of a DNS server that takes registrations. Without one, names are found by the hosts file
   * that each node has to itself.
   */
  dns?: string;
}

export const ethertypeDefault = 0xa000;
export const udpPortDefault = 3435;

const linkLayerKinds: readonly string[] = [
  'eth-dix',
  'eth-llc',
  'udp4',
  'udp6',
] satisfies LinkLayer['kind'][];
const stackedKinds: readonly string[] = ['unicast', 'broadcast'] satisfies Layer['kind'][];

/** Which family of addresses the members of a udp layer have. */
export const udpFamilies: Record<Udp['kind'], Family> = { udp4: 4, udp6: 6 };

export function isUdp(layer: Layer): layer is Udp {
  return layer.kind === 'udp4' || layer.kind === 'udp6';
}

/** True for a layer; what a topology file passes need not be one. */
export function isLayer(value: { readonly kind?: unknown } | null | undefined): value is Layer {
  const kind = value?.kind;
  return typeof kind === 'string' && (linkLayerKinds.includes(kind) || stackedKinds.includes(kind));
}

export function isStacked(layer: Layer): layer is Unicast | Broadcast {
  return stackedKinds.includes(layer.kind);
}

/** An eth-dix layer over a link. Its IPCPs are called `<layer>.<node>`. */
export function ethDix(name: string, link: EthLink, options: EthDixOptions = {}): EthDix {
  checkPlace('ethDix', name, link);
  checkKeys(options, { ethertype: true, hash: true }, `layer ${name}`);
  const { ethertype, hash } = options;
  if (
    ethertype !== undefined &&
    !(Number.isInteger(ethertype) && ethertype >= 0x0600 && ethertype <= 0xfffe)
  ) {
    throw new TestbedError('ETOPOLOGY', `the ethertype ${ethertype} of layer ${name} is out of range`, {
      hint: 'use 0x0600 to 0xFFFE, best 0xA000 to 0xEFFF',
    });
  }
  return { kind: 'eth-dix', name, link, ethertype, hash: checkHash(hash, name) };
}

/** An eth-llc layer over a link, which takes one of them. Its IPCPs are called `<layer>.<node>`. */
export function ethLlc(name: string, link: EthLink, options: EthLlcOptions = {}): EthLlc {
  checkPlace('ethLlc', name, link);
  checkKeys(options, { hash: true }, `layer ${name}`);
  return { kind: 'eth-llc', name, link, hash: checkHash(options.hash, name) };
}

/**
 * A udp4 layer over a link. Its IPCPs are called `<layer>.<node>` and have the first IPv4 address of
 * their interface; where neither end of the link was given one by `port()`, both get one.
 */
export function udp4(name: string, link: EthLink, options: UdpOptions = {}): Udp {
  return udp('udp4', { name, link, options });
}

/** The same over IPv6. */
export function udp6(name: string, link: EthLink, options: UdpOptions = {}): Udp {
  return udp('udp6', { name, link, options });
}

function udp(
  kind: Udp['kind'],
  { name, link, options }: { name: string; link: EthLink; options: UdpOptions },
): Udp {
  checkPlace(kind, name, link);
  checkKeys(options, { port: true, dns: true }, `layer ${name}`);
  const { port, dns } = options;
  const family = udpFamilies[kind];
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 0xffff)) {
    throw new TestbedError('ETOPOLOGY', `the port ${port} of layer ${name} is out of range`, {
      hint: `use 1 to 65535; ${udpPortDefault} is the default`,
    });
  }
  if (dns !== undefined && familyOf(dns) !== family) {
    const said = `the DNS server ${JSON.stringify(dns)} of layer ${name}`;
    throw new TestbedError('ETOPOLOGY', `${said} is no ${familyNames[family]} address`, {
      hint: `write it like ${family === 4 ? '10.0.0.53' : 'fd00::53'}`,
    });
  }
  return { kind, name, link, port, dns };
}

function checkPlace(maker: string, name: string, link: EthLink): void {
  checkName('layer', name);
  if (link?.kind !== 'eth-link') {
    throw new TestbedError('ETOPOLOGY', `layer ${name} is not over an Ethernet link`, {
      hint: `write ${maker}('${name}', LINK) with LINK = ethLink(a, b)`,
    });
  }
}

export function checkHash(hash: HashAlgorithm | undefined, layer: string): HashAlgorithm | undefined {
  if (hash !== undefined && !hashAlgorithms.includes(hash)) {
    throw new TestbedError('ETOPOLOGY', `the hash ${JSON.stringify(hash)} of layer ${layer} is unknown`, {
      hint: `use one of ${hashAlgorithms.join(', ')}`,
    });
  }
  return hash;
}
