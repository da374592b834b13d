/**
 * Which neighbours lead where, by the policy of the layer. Source: unicast-layer.md 6.8. Every calculation overwrites
 * the one before in the same memory.
 */
import type { RoutingPolicy } from '../../../lib/rpc/api.ts';
import type { Address } from '../address.ts';
import { type Graph, ShortestPaths } from './graph.ts';

/** Next hops of a destination that are kept: the first one and its alternates, or all of equal cost. */
const widths: Record<RoutingPolicy, number> = { link_state: 1, lfa: 8, ecmp: 64 };

/** The result of a calculation, valid until the next. Destinations have numbers from 0, the nearest first. */
export interface RouteList {
  /** Destinations that have a path; the member itself is none. */
  readonly size: number;
  destination(index: number): Address;
  /** At least 1. */
  hopCount(index: number): number;
  /** A neighbour to forward to. Of `lfa`, number 0 is on a shortest path and the others are alternates. */
  hop(index: number, number: number): Address;
}

export class Routes implements RouteList {
  readonly paths = new ShortestPaths();
  readonly #policy: RoutingPolicy;
  readonly #width: number;
  #destinations = new Uint32Array(0);
  #counts = new Uint8Array(0);
  #hops = new Uint32Array(0);
  /** By vertex, the number of its destination. */
  #rows = new Int32Array(0);
  /** By vertex, the links to it from the neighbour that is looked at, if `#seen` is that neighbour's round. */
  #distances = new Int32Array(0);
  #seen = new Int32Array(0);
  #queue = new Int32Array(0);
  #round = 0;
  #size = 0;

  constructor(policy: RoutingPolicy) {
    this.#policy = policy;
    this.#width = widths[policy];
  }

  get size(): number {
    return this.#size;
  }

  destination(index: number): Address {
    return this.#destinations[index] ?? 0;
  }

  hopCount(index: number): number {
    return this.#counts[index] ?? 0;
  }

  hop(index: number, number: number): Address {
    return this.#hops[index * this.#width + number] ?? 0;
  }

  /** `neighbours` are those of `self`, in the order in which they are to be preferred among equals. */
  calculate(graph: Graph, self: Address, neighbours: Iterable<Address>): void {
    const { paths } = this;
    paths.solve(graph, self);
    this.#grow(graph.capacity);
    this.#size = Math.max(0, paths.reached - 1);
    for (let index = 0; index < this.#size; index += 1) {
      const vertex = paths.order[index + 1] ?? 0;
      this.#destinations[index] = graph.addresses[vertex] ?? 0;
      this.#rows[vertex] = index;
      this.#counts[index] = 0;
      if (this.#policy !== 'ecmp') this.#add(index, graph.addresses[paths.hops[vertex] ?? 0] ?? 0);
    }
    if (this.#policy === 'link_state') return;
    const candidates: number[] = [];
    for (const address of neighbours) {
      const vertex = graph.vertex(address);
      if (paths.distance(vertex) === 1) candidates.push(vertex);
    }
    for (const vertex of candidates) this.#addFrom(graph, vertex, closer);
    if (this.#policy === 'ecmp') return;
    for (const vertex of candidates) this.#addFrom(graph, vertex, sideways);
  }

  /**
   * Adds a neighbour as a hop to every member whose distance from it differs from the own distance by `difference`: -1
   * where it is on a shortest path, 0 where its own path does not lead back here, being shorter than one through here.
   *
   * To look beyond a member that is farther from the neighbour than that is of no use: from there on, a path through
   * here would be as short.
   */
  #addFrom(graph: Graph, neighbour: number, difference: number): void {
    const { paths } = this;
    const [distances, seen, queue] = [this.#distances, this.#seen, this.#queue];
    const address = graph.addresses[neighbour] ?? 0;
    this.#round += 1;
    const round = this.#round;
    seen[neighbour] = round;
    distances[neighbour] = 0;
    queue[0] = neighbour;
    let found = 1;
    for (let next = 0; next < found; next += 1) {
      const vertex = queue[next] ?? 0;
      const distance = distances[vertex] ?? 0;
      if (distance === paths.distance(vertex) + difference) this.#add(this.#rows[vertex] ?? 0, address);
      for (const end of graph.adjacency[vertex] ?? []) {
        if (seen[end] === round || distance + 1 > paths.distance(end) + difference) continue;
        seen[end] = round;
        distances[end] = distance + 1;
        queue[found] = end;
        found += 1;
      }
    }
  }

  #add(index: number, hop: Address): void {
    const count = this.#counts[index] ?? 0;
    // The first hop of `lfa` is on a shortest path and comes again as such.
    if (count === this.#width || (count > 0 && this.hop(index, 0) === hop)) return;
    this.#hops[index * this.#width + count] = hop;
    this.#counts[index] = count + 1;
  }

  #grow(capacity: number): void {
    if (capacity <= this.#rows.length) return;
    const length = Math.max(capacity, 2 * this.#rows.length);
    this.#destinations = new Uint32Array(length);
    this.#counts = new Uint8Array(length);
    this.#hops = new Uint32Array(length * this.#width);
    this.#rows = new Int32Array(length);
    this.#distances = new Int32Array(length);
    this.#seen = new Int32Array(length);
    this.#queue = new Int32Array(length);
  }
}

const closer = -1;
const sideways = 0;
