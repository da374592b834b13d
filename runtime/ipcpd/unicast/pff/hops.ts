/** What the tables of next hops have in common. */
import type { Address } from '../address.ts';
import type { RouteList } from '../routing/routes.ts';
import type { Neighbour } from './forwarding.ts';

/** The key of an address in a table: as a signed number of 32 bits it needs no memory of its own. */
export function keyOf(address: Address): number {
  return address | 0;
}

/** The neighbours that routing found for a destination, in its order. */
export function hopsOf<N extends Neighbour>(
  routes: RouteList,
  index: number,
  neighbourOf: (address: Address) => N | undefined,
): N[] {
  const hops: N[] = [];
  const count = routes.hopCount(index);
  for (let number = 0; number < count; number += 1) {
    const neighbour = neighbourOf(routes.hop(index, number));
    if (neighbour !== undefined) hops.push(neighbour);
  }
  return hops;
}
