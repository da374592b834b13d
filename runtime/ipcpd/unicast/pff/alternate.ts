/**
 * Loop-free alternates: while the flow to the neighbour on the shortest path is down, packets take the first alternate
 * whose flow is up, from one packet to the next and without any calculation.
 */
import type { Address } from '../address.ts';
import type { RouteList } from '../routing/routes.ts';
import { AddressTable } from './address-table.ts';
import type { Forwarding, Neighbour } from './forwarding.ts';
import { hopsOf } from './hops.ts';

interface Alternates<N> {
  readonly primary: N;
  readonly others: readonly N[];
}

export class AlternateForwarding<N extends Neighbour> implements Forwarding<N> {
  readonly #table = new AddressTable<Alternates<N>>();

  get size(): number {
    return this.#table.size;
  }

  install(routes: RouteList, neighbourOf: (address: Address) => N | undefined): void {
    this.#table.reset(routes.size);
    for (let index = 0; index < routes.size; index += 1) {
      const [primary, ...others] = hopsOf(routes, index, neighbourOf);
      if (primary !== undefined) this.#table.add(routes.destination(index), { primary, others });
    }
  }

  /** The neighbour on the shortest path where no alternate is up either. */
  nextHop(destination: Address): N | undefined {
    const hops = this.#table.get(destination);
    if (hops === undefined || hops.primary.isUp) return hops?.primary;
    for (const other of hops.others) if (other.isUp) return other;
    return hops.primary;
  }
}
