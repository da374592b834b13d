/** A member that packets are handed to directly. */
import type { Millis } from '../../../lib/time/clock.ts';
import { zeroCounts } from '../../shell/counts.ts';
import type { Connection } from '../../connmgr/connection.ts';
import type { Address } from '../address.ts';

const neighbourCounterNames = [
  'packetsIn',
  'bytesIn',
  'packetsOut',
  'bytesOut',
  // Of these, what a component here is to have, or has sent.
  'localPacketsIn',
  'localBytesIn',
  'localPacketsOut',
  'localBytesOut',
  // Of what came in: out of time, and without a next hop.
  'droppedTtlPackets',
  'droppedTtlBytes',
  'droppedNoRoutePackets',
  'droppedNoRouteBytes',
  // What was to go out and could not.
  'failedWritePackets',
  'failedWriteBytes',
] as const;

/** What data transfer did with packets of one neighbour; bytes with their headers (unicast-layer.md 11). */
export type NeighbourCounters = Record<(typeof neighbourCounterNames)[number], number>;

/** A member with data-transfer connections to it; forwarding points to these. */
export class Neighbour {
  readonly address: Address;
  /** When the first of its connections came up. */
  readonly since: Millis;
  readonly counters: NeighbourCounters = zeroCounts(neighbourCounterNames);
  readonly connections = new Set<Connection>();
  /** Those that are up; who came up last is last. */
  readonly #up: Connection[] = [];
  #connection: Connection | undefined;

  constructor(address: Address, now: Millis) {
    this.address = address;
    this.since = now;
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
