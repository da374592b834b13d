/**
 * The layer as its link states show it: members, and the links that both of their ends announce. Changes are small
 * and cheap; a calculation walks every link once and takes no memory. Source: unicast-layer.md 6.7.
 */
import type { Address } from '../address.ts';

const capacityMin = 64;
const unreached = -1;

/** Members that have links. Each has a small number, its vertex, as long as it has any. */
export class Graph {
  readonly #vertices = new Map<Address, number>();
  readonly #free: number[] = [];
  readonly #adjacency: number[][] = [];
  #addresses = new Uint32Array(capacityMin);
  #links = 0;

  /** Members. */
  get size(): number {
    return this.#vertices.size;
  }

  /** Links, each counted once. */
  get links(): number {
    return this.#links;
  }

  /** One more than the largest vertex. */
  get capacity(): number {
    return this.#adjacency.length;
  }

  /** By vertex, the vertices at the other ends of its links. */
  get adjacency(): readonly (readonly number[])[] {
    return this.#adjacency;
  }

  /** By vertex, its address. Not to be kept: it is replaced when members come. */
  get addresses(): Uint32Array {
    return this.#addresses;
  }

  /** The vertex of a member, -1 if it has no link. */
  vertex(address: Address): number {
    return this.#vertices.get(address) ?? -1;
  }

  /** Adds a link between two members that have none. */
  connect(a: Address, b: Address): void {
    const [one, other] = [this.#take(a), this.#take(b)];
    this.#adjacency[one]?.push(other);
    this.#adjacency[other]?.push(one);
    this.#links += 1;
  }

  /** Takes away the link between two members that have one. */
  disconnect(a: Address, b: Address): void {
    const [one, other] = [this.vertex(a), this.vertex(b)];
    this.#cut(one, other, a);
    this.#cut(other, one, b);
    this.#links -= 1;
  }

  #take(address: Address): number {
    const known = this.#vertices.get(address);
    if (known !== undefined) return known;
    const vertex = this.#free.pop() ?? this.#adjacency.push([]) - 1;
    if (vertex >= this.#addresses.length) {
      const addresses = new Uint32Array(2 * this.#addresses.length);
      addresses.set(this.#addresses);
      this.#addresses = addresses;
    }
    this.#addresses[vertex] = address;
    this.#vertices.set(address, vertex);
    return vertex;
  }

  #cut(vertex: number, other: number, address: Address): void {
    const ends = this.#adjacency[vertex] ?? [];
    const last = ends.pop() ?? other;
    if (last !== other) ends[ends.indexOf(other)] = last;
    if (ends.length > 0) return;
    this.#vertices.delete(address);
    this.#free.push(vertex);
  }
}

/** Shortest paths from one member to all others, by number of links. */
export class ShortestPaths {
  /** By vertex, the links to it; negative where there is no path. */
  distances = new Int32Array(capacityMin);
  /** By vertex, the vertex of the first hop to it; of the root, the root. */
  hops = new Int32Array(capacityMin);
  /** The vertices that have a path, in order of distance, the root first. */
  order = new Int32Array(capacityMin);
  /** How many these are; 0 when the root has no link. */
  reached = 0;
  #parents = new Int32Array(capacityMin);

  /**
   * Where several shortest paths lead to a member, the one over the numerically lowest last hop is taken, as a search
   * does that settles members in order of distance and address, and replaces a path by nothing but a shorter one.
   */
  solve(graph: Graph, root: Address): void {
    this.#grow(graph.capacity);
    const { distances, hops, order } = this;
    const parents = this.#parents;
    const { adjacency, addresses } = graph;
    distances.fill(unreached);
    this.reached = 0;
    const start = graph.vertex(root);
    if (start < 0) return;
    distances[start] = 0;
    parents[start] = start;
    order[0] = start;
    let found = 1;
    for (let next = 0; next < found; next += 1) {
      const vertex = order[next] ?? 0;
      const distance = (distances[vertex] ?? 0) + 1;
      const address = addresses[vertex] ?? 0;
      for (const end of adjacency[vertex] ?? []) {
        const known = distances[end] ?? unreached;
        if (known === unreached) {
          distances[end] = distance;
          parents[end] = vertex;
          order[found] = end;
          found += 1;
        } else if (known === distance && address < (addresses[parents[end] ?? 0] ?? 0)) {
          parents[end] = vertex;
        }
      }
    }
    this.reached = found;
    // In order of distance, so that the hop of each one's parent is known.
    for (let index = 0; index < found; index += 1) {
      const vertex = order[index] ?? 0;
      const parent = parents[vertex] ?? 0;
      hops[vertex] = parent === start ? vertex : (hops[parent] ?? 0);
    }
  }

  /** Links to a vertex; negative where there is no path. */
  distance(vertex: number): number {
    return this.distances[vertex] ?? unreached;
  }

  #grow(capacity: number): void {
    if (capacity <= this.distances.length) return;
    const length = Math.max(capacity, 2 * this.distances.length);
    this.distances = new Int32Array(length);
    this.hops = new Int32Array(length);
    this.order = new Int32Array(length);
    this.#parents = new Int32Array(length);
  }
}
