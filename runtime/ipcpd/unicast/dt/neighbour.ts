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

/** The newest data-transfer connection to a member; forwarding points to these. */
export class Neighbour {
  readonly address: Address;
  readonly counters: NeighbourCounters = { packetsIn: 0, bytesIn: 0, packetsOut: 0, bytesOut: 0 };
  /** Connections to it, the oldest first. Packets leave by the newest. */
  readonly connections: Connection[] = [];
  /** The newest connection that is up; packets are written to it. */
  connection: Connection;
  up = true;

  constructor(address: Address, connection: Connection) {
    this.address = address;
    this.connection = connection;
    this.connections.push(connection);
  }
}
