/** One next hop for each destination, whether its flow is up or not. */
import type { Address } from '../address.ts';
import type { RouteList } from '../routing/routes.ts';
import type { Forwarding, Neighbour } from './forwarding.ts';
import { keyOf } from './hops.ts';

export class SimpleForwarding<N extends Neighbour> implements Forwarding<N> {
  readonly #table = new Map<number, N>();

  get size(): number {
    return this.#table.size;
  }

  install(routes: RouteList, neighbourOf: (address: Address) => N | undefined): void {
    this.#table.clear();
    for (let index = 0; index < routes.size; index += 1) {
      const neighbour = neighbourOf(routes.hop(index, 0));
      if (neighbour !== undefined) this.#table.set(keyOf(routes.destination(index)), neighbour);
    }
  }

  nextHop(destination: Address): N | undefined {
    return this.#table.get(keyOf(destination));
  }
}
