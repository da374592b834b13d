/** Layers: what provides flows to names. */
import { type HashAlgorithm, hashAlgorithms } from '../../runtime/lib/index.ts';
import { TestbedError } from '../errors.ts';
import { type Family, familyNames, familyOf } from './ip-address.ts';
import { checkKeys } from './keys.ts';
import { isLink, type Link } from './link.ts';
import { checkName } from './names.ts';
import { checkNode, type Node, nodeOf } from './node.ts';
import type { Broadcast, Unicast } from './stacked-layer.ts';

/** A layer over a link: an IPCP at each node of the link, or at some of them. */
export interface LinkLayer {
  readonly kind: LinkLayerKind;
  readonly name: string;
  readonly link: Link;
  readonly members: readonly Node[];
  /** What the IPCP of each member is told. */
  readonly policies: ReadonlyMap<Node, LinkPolicies>;
}

export type LinkLayerKind = 'eth-dix' | 'eth-llc' | UdpKind;
type UdpKind = 'udp4' | 'udp6';

/** Policies of a layer over a link; which of them there are depends on its kind. */
export interface LinkPolicies {
  readonly ethertype?: number;
  readonly hash?: HashAlgorithm;
  readonly port?: number;
  readonly dns?: string;
}

/** A layer within one node, for its own processes. */
export interface Local {
  readonly kind: 'local';
  readonly name: string;
  readonly node: Node;
  readonly hash: HashAlgorithm | undefined;
}

/** Any layer a topology may have. */
export type Layer = LinkLayer | Local | Unicast | Broadcast;

export interface LocalOptions {
  /** Hash of the layer's directory, SHA3_256 by default. */
  hash?: HashAlgorithm;
}

interface LinkLayerOptions<Policies> {
  /** The nodes of the link that are in the layer: all, by default. */
  members?: readonly Node[];
  /** Policies that single nodes have in place of those of the layer: `[[a, { ... }]]`. */
  at?: readonly (readonly [Node, Policies])[];
}

interface EthLlcPolicies {
  /** Hash of the layer's directory, SHA3_256 by default. */
  hash?: HashAlgorithm;
}

interface EthDixPolicies extends EthLlcPolicies {
  /** 0x0600 to 0xFFFE; 0xA000 by default. */
  ethertype?: number;
}

interface UdpPolicies {
  /** The port of all members, 3435 by default. */
  port?: number;
  /**
   * Address of a DNS server that takes registrations. Without one, names are found by the hosts file
   * that each node has to itself.
   */
  dns?: string;
}

export type EthLlcOptions = EthLlcPolicies & LinkLayerOptions<EthLlcPolicies>;
export type EthDixOptions = EthDixPolicies & LinkLayerOptions<EthDixPolicies>;
export type UdpOptions = UdpPolicies & LinkLayerOptions<UdpPolicies>;

export const ethertypeDefault = 0xa000;
export const udpPortDefault = 3435;

/** Each kind of link layer, what makes it, and the policies it has. */
const linkLayers: Record<
  LinkLayerKind,
  { maker: string; policies: Partial<Record<keyof LinkPolicies, true>> }
> = {
  'eth-dix': { maker: 'ethDix', policies: { ethertype: true, hash: true } },
  'eth-llc': { maker: 'ethLlc', policies: { hash: true } },
  udp4: { maker: 'udp4', policies: { port: true, dns: true } },
  udp6: { maker: 'udp6', policies: { port: true, dns: true } },
};

/** Which family of addresses the members of a udp layer have. */
const udpFamilies: Record<UdpKind, Family> = { udp4: 4, udp6: 6 };

/** The family of addresses that the IPCPs of a layer have; undefined for those without. */
export function familyOfLayer({ kind }: { readonly kind: string }): Family | undefined {
  return kind === 'udp4' || kind === 'udp6' ? udpFamilies[kind] : undefined;
}

/** True for a layer; what a topology file passes need not be one. */
export function isLayer(value: { readonly kind?: unknown } | null | undefined): value is Layer {
  const kind = value?.kind;
  return typeof kind === 'string' && (kind in linkLayers || kind === 'local' || isStackedKind(kind));
}

export function isStacked(layer: Layer): layer is Unicast | Broadcast {
  return isStackedKind(layer.kind);
}

function isStackedKind(kind: string): boolean {
  return kind === 'unicast' || kind === 'broadcast';
}

/** An eth-dix layer over a link or a LAN. Its IPCPs are called `<layer>.<node>`. */
export function ethDix(name: string, link: Link, options: EthDixOptions = {}): LinkLayer {
  return linkLayer('eth-dix', name, link, options);
}

/** An eth-llc layer over a link or a LAN, which takes one of them. Its IPCPs are called `<layer>.<node>`. */
export function ethLlc(name: string, link: Link, options: EthLlcOptions = {}): LinkLayer {
  return linkLayer('eth-llc', name, link, options);
}

/**
 * A udp4 layer over a link or a LAN. Its IPCPs are called `<layer>.<node>` and have the first IPv4 address of
 * their interface; where no end of the link was given one by `port()`, all get one.
 */
export function udp4(name: string, link: Link, options: UdpOptions = {}): LinkLayer {
  return linkLayer('udp4', name, link, options);
}

/** The same over IPv6. */
export function udp6(name: string, link: Link, options: UdpOptions = {}): LinkLayer {
  return linkLayer('udp6', name, link, options);
}

/** A local layer: one IPCP, `<layer>.<node>`, for flows between processes of its node. */
export function local(name: string, node: Node, options: LocalOptions = {}): Local {
  checkName('layer', name);
  checkNode(node, `the node of layer ${name}`);
  checkKeys(options, { hash: true }, `layer ${name}`);
  return { kind: 'local', name, node, hash: checkHash(options.hash, name) };
}

function linkLayer(
  kind: LinkLayerKind,
  name: string,
  link: Link,
  options: LinkPolicies & LinkLayerOptions<LinkPolicies>,
): LinkLayer {
  const { maker, policies: known } = linkLayers[kind];
  checkName('layer', name);
  if (!isLink(link)) {
    throw new TestbedError('ETOPOLOGY', `layer ${name} is not over an Ethernet link`, {
      hint: `write ${maker}('${name}', LINK) with LINK = ethLink(a, b)`,
    });
  }
  checkKeys<object>(options, { ...known, members: true, at: true }, `layer ${name}`);
  const { members: chosen, at = [], ...own } = options;
  checkPolicies(kind, name, own);
  const nodes = link.ends.map(nodeOf);
  const members = chosen === undefined ? nodes : checkMembers(name, chosen, nodes, link.name);
  const policies = new Map<Node, LinkPolicies>(members.map((each) => [each, own]));
  if (!Array.isArray(at) || at.some((pair: unknown) => !Array.isArray(pair) || pair.length !== 2)) {
    throw new TestbedError('ETOPOLOGY', `at of layer ${name} is not a list of nodes and their policies`, {
      hint: 'write it like [[a, { ... }]]',
    });
  }
  for (const [node, override] of at) {
    checkNode(node, `a node in at of layer ${name}`);
    if (!policies.has(node)) throw notMember(name, node, 'has policies');
    checkKeys<object>(override, known, `node ${node.name} in layer ${name}`);
    checkPolicies(kind, name, override);
    policies.set(node, { ...policies.get(node), ...override });
  }
  return { kind, name, link, members, policies };
}

function checkMembers(
  name: string,
  chosen: readonly Node[],
  nodes: readonly Node[],
  link: string,
): readonly Node[] {
  if (!Array.isArray(chosen) || chosen.length === 0) {
    throw new TestbedError('ETOPOLOGY', `layer ${name} has no members`, {
      hint: `list nodes of ${link}, or leave members out for all`,
    });
  }
  for (const each of chosen) {
    checkNode(each, `a member of layer ${name}`);
    if (nodes.includes(each)) continue;
    throw new TestbedError(
      'ETOPOLOGY',
      `node ${each.name} is a member of layer ${name} and not of link ${link}`,
      {
        hint: `choose of ${nodes.map((end) => end.name).join(', ')}`,
      },
    );
  }
  return [...new Set(chosen)];
}

function notMember(layer: string, node: Node, what: string): TestbedError {
  return new TestbedError(
    'ETOPOLOGY',
    `node ${node.name} ${what} in layer ${layer}, which it is no member of`,
    {
      hint: 'add it to the members, or leave it out',
    },
  );
}

function checkPolicies(
  kind: LinkLayerKind,
  name: string,
  { ethertype, hash, port, dns }: LinkPolicies,
): void {
  if (
    ethertype !== undefined &&
    !(Number.isInteger(ethertype) && ethertype >= 0x0600 && ethertype <= 0xfffe)
  ) {
    throw new TestbedError('ETOPOLOGY', `the ethertype ${ethertype} of layer ${name} is out of range`, {
      hint: 'use 0x0600 to 0xFFFE, best 0xA000 to 0xEFFF',
    });
  }
  checkHash(hash, name);
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 0xffff)) {
    throw new TestbedError('ETOPOLOGY', `the port ${port} of layer ${name} is out of range`, {
      hint: `use 1 to 65535; ${udpPortDefault} is the default`,
    });
  }
  const family = familyOfLayer({ kind });
  if (dns !== undefined && family !== undefined && familyOf(dns) !== family) {
    const said = `the DNS server ${JSON.stringify(dns)} of layer ${name}`;
    throw new TestbedError('ETOPOLOGY', `${said} is no ${familyNames[family]} address`, {
      hint: `write it like ${family === 4 ? '10.0.0.53' : 'fd00::53'}`,
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
