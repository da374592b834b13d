/**
 * The forwarding function: by which neighbour a packet leaves. It holds what routing calculated and is asked for every
 * packet, so that a look-up takes no memory. Source: unicast-layer.md 6.8.
 */
import type { Address } from '../address.ts';
import type { RouteList } from '../routing/routes.ts';

/** A neighbour as data transfer knows it. */
export interface Neighbour {
  readonly address: Address;
  /** Whether a flow to it is there and its device is up; it may change at any time. */
  readonly isUp: boolean;
}

export interface Forwarding<N extends Neighbour> {
  /** Destinations that have a next hop. */
  readonly size: number;
  /** Takes over the routes; hops that `neighbourOf` does not know are left out. */
  install(routes: RouteList, neighbourOf: (address: Address) => N | undefined): void;
  /** The neighbour for the next packet to a destination. */
  nextHop(destination: Address): N | undefined;
}
