/** A member that packets are handed to directly. */
import type { Connection } from '../../connmgr/connection.ts';
import type { Address } from '../address.ts';

/** What data transfer did with packets of one neighbour. */
export interface NeighbourCounters {
  packetsIn: number;
  bytesIn: number;
  packetsOut: number;
  bytesOut: number;
}

/** A member with data-transfer connections to it; forwarding points to these. */
export class Neighbour {
  readonly address: Address;
  readonly counters: NeighbourCounters = { packetsIn: 0, bytesIn: 0, packetsOut: 0, bytesOut: 0 };
  readonly connections = new Set<Connection>();
  /** Those that are up; who came up last is last. */
  readonly #up: Connection[] = [];
  #connection: Connection | undefined;

  constructor(address: Address) {
    this.address = address;
  }

  get isUp(): boolean {
    return this.#up.length > 0;
  }

  /** What packets are written to: the connection that came up last, else one that is down; undefined when there is none. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Takes note of whether a connection is up; false when that is nothing new. */
  note(connection: Connection, isUp: boolean): boolean {
    const index = this.#up.indexOf(connection);
    if (index >= 0 === isUp) return false;
    if (isUp) this.#up.push(connection);
    else this.#up.splice(index, 1);
    this.#choose();
    return true;
  }

  add(connection: Connection): void {
    this.connections.add(connection);
    this.#choose();
  }

  delete(connection: Connection): void {
    this.connections.delete(connection);
    this.#choose();
  }

  #choose(): void {
    this.#connection = this.#up.at(-1) ?? [...this.connections].at(-1);
  }
}
