/** What a topology is once it is checked: plain data, everything by name, nothing left to default. */
import type { BalancePolicy, BootstrapConfig } from '../../runtime/lib/index.ts';
import type { Impairments } from './impairment.ts';

// A file may import another copy of this package than the one that loads it; both know this symbol.
const brand = Symbol.for('o7s-testbed.topology');

/** A topology, checked. */
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
  /** What it runs; absent for ours. */
  readonly runtime?: TopologyRuntime;
  /** Image of its container, where it has one of its own. */
  readonly image?: string;
  /** Processors' worth of time, and bytes, it may take. */
  readonly cpus?: number;
  readonly memoryBytes?: number;
  /** Words for its irmd besides `--stdout`. */
  readonly irmd?: readonly string[];
  /** Folder whose content is the node's /etc/ouroboros; absolute once the file is loaded. */
  readonly config?: string;
  /** A digest of what is in it. */
  readonly configDigest?: string;
}

/** A runtime of others. */
export interface TopologyRuntime {
  readonly name: string;
  readonly prefix?: string;
  readonly image?: string;
  /** The folder in which its irmd looks for its configuration. */
  readonly config: string;
  /** Variables of the environment that prefix and image come from. */
  readonly variables: { readonly prefix?: string; readonly image?: string };
}

export type TopologyLink = TopologyCable | TopologyLan;

export interface TopologyCable {
  readonly kind: 'eth';
  readonly name: string;
  /** Bytes. */
  readonly mtu: number;
  readonly ends: readonly [TopologyLinkEnd, TopologyLinkEnd];
  readonly impairments?: Impairments;
}

export interface TopologyLan {
  readonly kind: 'lan';
  readonly name: string;
  /** Bytes. */
  readonly mtu: number;
  readonly ends: readonly TopologyLinkEnd[];
  readonly impairments?: Impairments;
}

export interface TopologyLinkEnd {
  readonly node: string;
  readonly interface: string;
  /** Six bytes, hexadecimal with colons. */
  readonly mac: string;
  /** IPv4 and IPv6, each with the length of its prefix; absent where there is none. */
  readonly addresses?: readonly string[];
}

export type TopologyLayer = TopologyLinkLayer | TopologyLocalLayer | TopologyStackedLayer;

/** A layer over a link. */
export interface TopologyLinkLayer {
  readonly kind: 'eth-dix' | 'eth-llc' | 'udp4' | 'udp6';
  readonly name: string;
  readonly link: string;
  readonly members: readonly TopologyLinkMember[];
}

/** A node's IPCP in a layer. */
export interface TopologyMember {
  readonly node: string;
  readonly ipcp: string;
}

/** A node's IPCP in a layer over a link. */
export interface TopologyLinkMember extends TopologyMember {
  readonly interface: string;
  readonly config: BootstrapConfig;
}

/** A layer within a node. */
export interface TopologyLocalLayer {
  readonly kind: 'local';
  readonly name: string;
  readonly members: readonly (TopologyMember & { readonly config: BootstrapConfig })[];
}

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
  readonly enrolments: readonly TopologyEnrolment[];
  /** The IPCPs that connect to others, and to whom. */
  readonly adjacencies: readonly { readonly node: string; readonly ipcp: string; readonly to: string }[];
  /** What the first member is told; the others learn it from each other. */
  readonly config: BootstrapConfig;
}

export interface TopologyEnrolment {
  readonly node: string;
  readonly with: string;
}

/** A node's IPCP in a layer over others. */
export interface TopologyStackedMember extends TopologyMember {
  /** The IPCPs of layers below that its own name is registered with. */
  readonly lower: readonly string[];
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
  /** How flows are shared among all processes of the name on the node; absent for the runtime's default. */
  readonly balance?: BalancePolicy;
}

/** Marks data as a checked topology. */
export function brandTopology(topology: Topology): Topology {
  return Object.freeze(Object.defineProperty(topology, brand, { value: 1 }));
}

/** True for what `topology()` made, be it that of another copy of this package. */
export function isTopology(value: unknown): value is Topology {
  return typeof value === 'object' && value !== null && brand in value;
}

export function isStackedLayer(layer: TopologyLayer): layer is TopologyStackedLayer {
  return layer.kind === 'unicast' || layer.kind === 'broadcast';
}
