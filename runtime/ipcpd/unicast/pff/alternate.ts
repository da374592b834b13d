/**
 * Loop-free alternates: while the flow to the neighbour on the shortest path is down, packets take the first alternate
 * whose flow is up, from one packet to the next and without any calculation.
 */
import type { Address } from '../address.ts';
import type { RouteList } from '../routing/routes.ts';
import type { Forwarding, Neighbour } from './forwarding.ts';
import { hopsOf, keyOf } from './hops.ts';

interface Alternates<N> {
  readonly primary: N;
  readonly others: readonly N[];
}

export class AlternateForwarding<N extends Neighbour> implements Forwarding<N> {
  readonly #table = new Map<number, Alternates<N>>();

  get size(): number {
    return this.#table.size;
  }

  install(routes: RouteList, neighbourOf: (address: Address) => N | undefined): void {
    this.#table.clear();
    for (let index = 0; index < routes.size; index += 1) {
      const [primary, ...others] = hopsOf(routes, index, neighbourOf);
      if (primary !== undefined) this.#table.set(keyOf(routes.destination(index)), { primary, others });
    }
  }

  /** The neighbour on the shortest path where no alternate is up either. */
  nextHop(destination: Address): N | undefined {
    const hops = this.#table.get(keyOf(destination));
    if (hops === undefined || hops.primary.isUp) return hops?.primary;
    for (const other of hops.others) if (other.isUp) return other;
    return hops.primary;
  }
}
