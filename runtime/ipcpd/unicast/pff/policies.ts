/** The forwarding function that goes with each routing policy. Source: unicast-layer.md 6.8. */
import type { RoutingPolicy } from '../../../lib/rpc/api.ts';
import { AlternateForwarding } from './alternate.ts';
import type { Forwarding, Neighbour } from './forwarding.ts';
import { MultipathForwarding } from './multipath.ts';
import { SimpleForwarding } from './simple.ts';

export function forwardingOf<N extends Neighbour>(policy: RoutingPolicy): Forwarding<N> {
  switch (policy) {
    case 'link_state':
      return new SimpleForwarding<N>();
    case 'lfa':
      return new AlternateForwarding<N>();
    case 'ecmp':
      return new MultipathForwarding<N>();
  }
}
