/**
 * Equal-cost multipath: the next hops of a destination take turns, packet by packet, as the prototype's do; packets of
 * one flow take different paths and may overtake each other. A neighbour whose flow is down misses its turns.
 */
import type { Address } from '../address.ts';
import type { RouteList } from '../routing/routes.ts';
import type { Forwarding, Neighbour } from './forwarding.ts';
import { hopsOf, keyOf } from './hops.ts';

interface Turns<N> {
  readonly hops: readonly N[];
  /** Whose turn is next. */
  next: number;
}

export class MultipathForwarding<N extends Neighbour> implements Forwarding<N> {
  readonly #table = new Map<number, Turns<N>>();

  get size(): number {
    return this.#table.size;
  }

  install(routes: RouteList, neighbourOf: (address: Address) => N | undefined): void {
    this.#table.clear();
    for (let index = 0; index < routes.size; index += 1) {
      const hops = hopsOf(routes, index, neighbourOf);
      if (hops.length > 0) this.#table.set(keyOf(routes.destination(index)), { hops, next: 0 });
    }
  }

  /** The neighbour whose turn it is where none is up. */
  nextHop(destination: Address): N | undefined {
    const turns = this.#table.get(keyOf(destination));
    if (turns === undefined) return undefined;
    const { hops } = turns;
    let { next } = turns;
    for (let tries = hops.length; tries > 0 && hops[next]?.isUp !== true; tries -= 1) {
      next = next + 1 === hops.length ? 0 : next + 1;
    }
    turns.next = next + 1 === hops.length ? 0 : next + 1;
    return hops[next];
  }
}
