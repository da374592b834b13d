/** What a topology is once it is checked: plain data, everything by name, nothing left to default. */
import type { BootstrapConfig, HashAlgorithm } from '../../runtime/lib/index.ts';

// A file may import another copy of this package than the one that loads it; both know this symbol.
const brand = Symbol.for('o7s-testbed.topology');

export interface Topology {
  readonly name: string | undefined;
  readonly nodes: readonly TopologyNode[];
  readonly links: readonly TopologyLink[];
  readonly layers: readonly TopologyLayer[];
  readonly registrations: readonly TopologyRegistration[];
  readonly servers: readonly TopologyServer[];
}

export interface TopologyNode {
  readonly name: string;
  /** Whether the node has the device /dev/net/tun. */
  readonly tun?: boolean;
}

export interface TopologyLink {
  readonly kind: 'eth';
  readonly name: string;
  /** Bytes. */
  readonly mtu: number;
  readonly ends: readonly [TopologyLinkEnd, TopologyLinkEnd];
}

export interface TopologyLinkEnd {
  readonly node: string;
  readonly interface: string;
  /** Six bytes, hexadecimal with colons. */
  readonly mac: string;
  /** IPv4 and IPv6, each with the length of its prefix; absent where there is none. */
  readonly addresses?: readonly string[];
}

export type TopologyLayer = TopologyEthLayer | TopologyUdpLayer | TopologyStackedLayer;

/** A layer over others. */
export interface TopologyStackedLayer {
  readonly kind: 'unicast' | 'broadcast';
  readonly name: string;
  /** The layers below, by name. */
  readonly over: readonly string[];
  /** The node whose IPCP is the first member. */
  readonly bootstrap: string;
  readonly members: readonly TopologyStackedMember[];
  /** Whom each of the other nodes enrols with, in an order that is possible. */
  readonly enrolments: readonly { readonly node: string; readonly with: string }[];
  /** The IPCPs that connect to others, and to whom. */
  readonly adjacencies: readonly { readonly node: string; readonly ipcp: string; readonly to: string }[];
  /** What the first member is told; the others learn it from each other. */
  readonly config: BootstrapConfig;
}

/** A node's IPCP in a layer over others. */
export interface TopologyStackedMember {
  readonly node: string;
  readonly ipcp: string;
  /** The IPCPs of layers below that its own name is registered with. */
  readonly lower: readonly string[];
}

export interface TopologyEthLayer {
  readonly kind: 'eth-dix' | 'eth-llc';
  readonly name: string;
  readonly link: string;
  /** Of an eth-dix layer. */
  readonly ethertype?: number | undefined;
  readonly hash: HashAlgorithm | undefined;
  readonly members: readonly TopologyMember[];
}

export interface TopologyUdpLayer {
  readonly kind: 'udp4' | 'udp6';
  readonly name: string;
  readonly link: string;
  readonly port: number | undefined;
  /** Address of the DNS server that knows its names; the nodes' hosts files do where it is absent. */
  readonly dns: string | undefined;
  readonly members: readonly TopologyUdpMember[];
}

/** A node's IPCP in a layer. */
export interface TopologyMember {
  readonly node: string;
  readonly ipcp: string;
  readonly interface: string;
}

/** The same in a udp layer. */
export interface TopologyUdpMember extends TopologyMember {
  /** The IPCP's address, one of its interface's. */
  readonly ip: string;
}

export interface TopologyRegistration {
  readonly name: string;
  readonly node: string;
  /** The IPCP that registers the name. */
  readonly ipcp: string;
}

export interface TopologyServer {
  readonly node: string;
  readonly name: string;
  readonly command: readonly string[];
}

/** Marks data as a checked topology. */
export function brandTopology(topology: Topology): Topology {
  return Object.freeze(Object.defineProperty(topology, brand, { value: 1 }));
}

/** True for what `topology()` made, be it that of another copy of this package. */
export function isTopology(value: unknown): value is Topology {
  return typeof value === 'object' && value !== null && brand in value;
}
