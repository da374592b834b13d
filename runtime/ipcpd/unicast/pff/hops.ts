/** Next hops of a destination of which there may be several. */
import type { Address } from '../address.ts';
import type { RouteList } from '../routing/routes.ts';
import type { Neighbour } from './forwarding.ts';

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
