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
  /** Connections to it, the oldest first. */
  readonly connections: Connection[] = [];
  /** The newest connection that is up, else the newest; packets are written to it. */
  connection: Connection;
  isUp = true;

  constructor(address: Address, connection: Connection) {
    this.address = address;
    this.connection = connection;
    this.connections.push(connection);
  }
}
