/** What a topology is once it is checked: plain data, everything by name, nothing left to default. */
import type { HashAlgorithm } from '../../runtime/lib/index.ts';

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
}

export interface TopologyLayer {
  readonly kind: 'eth-dix';
  readonly name: string;
  readonly link: string;
  readonly ethertype: number | undefined;
  readonly hash: HashAlgorithm | undefined;
  readonly members: readonly TopologyMember[];
}

/** A node's IPCP in a layer. */
export interface TopologyMember {
  readonly node: string;
  readonly ipcp: string;
  readonly interface: string;
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
