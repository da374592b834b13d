/** The management component of a unicast IPCP: the connections that routing speaks over. Source: unicast-layer.md 3.2, 6. */
import { O7sError } from '../../lib/errors.ts';
import { componentTitles } from '../../lib/rpc/api.ts';
import type { Millis } from '../../lib/time/clock.ts';
import type { PacketPool } from '../../lib/wire/packet.ts';
import type { Connection, ConnectionUser } from '../connmgr/connection.ts';
import type { Component } from '../connmgr/connection-manager.ts';
import type { ConnectionRecord } from '../connmgr/message.ts';
import { type Address, noAddress } from './address.ts';
import type { ManagementFlow } from './routing/link-state.ts';

/** What routing learns of its connections. */
export interface ManagementEvents {
  managementUp(flow: ManagementConnection, now: Millis): void;
  managementDown(flow: ManagementConnection, now: Millis): void;
  /** A flow that carried nothing for a while carries again. */
  managementBack(flow: ManagementConnection, now: Millis): void;
  received(flow: ManagementConnection, memory: Buffer, start: number, end: number, now: Millis): void;
}

/** A connection as routing sees it. */
export class ManagementConnection implements ManagementFlow {
  readonly #connection: Connection;
  readonly #packets: PacketPool;

  constructor(connection: Connection, packets: PacketPool) {
    this.#connection = connection;
    this.#packets = packets;
  }

  get peer(): Address {
    return this.#connection.peer.address;
  }

  get isExtended(): boolean {
    return this.#connection.extended;
  }

  get readyAt(): Millis {
    return this.#connection.readyAt;
  }

  get maxMessageBytes(): number {
    return this.#connection.flow.maxMessageBytes;
  }

  send(message: Buffer): void {
    const packet = this.#packets.take(message.length);
    packet.append(message, 0, message.length);
    this.#connection.write(packet);
  }
}

export class Management implements Component {
  readonly name = componentTitles.mgmt;
  readonly protocol = 'LSP';
  readonly version = 1;
  readonly syntax = 0;
  readonly settles = true;
  // A prototype waits for the message that an empty packet seems to announce; routing sends something instead.
  readonly keepalive = 'never';
  readonly address: Address;
  readonly #packets: PacketPool;
  readonly #clock: () => Millis;
  readonly #events: ManagementEvents;

  constructor(address: Address, packets: PacketPool, clock: () => Millis, events: ManagementEvents) {
    this.address = address;
    this.#packets = packets;
    this.#clock = clock;
    this.#events = events;
  }

  refuses(peer: ConnectionRecord): O7sError | undefined {
    return addressFault(peer, this.address);
  }

  connected(connection: Connection, now: Millis): ConnectionUser {
    const flow = new ManagementConnection(connection, this.#packets);
    this.#events.managementUp(flow, now);
    return {
      deliver: ({ memory, start, end }) => this.#events.received(flow, memory, start, end, this.#clock()),
      // That a link is down is data transfer's to notice.
      setUp: (isUp) => {
        if (isUp) this.#events.managementBack(flow, this.#clock());
      },
      closed: () => this.#events.managementDown(flow, this.#clock()),
    };
  }
}

/** Why a connection to a member with this address cannot be. */
export function addressFault({ address }: ConnectionRecord, own: Address): O7sError | undefined {
  if (address === noAddress) return new O7sError('EINVAL', 'the peer has no address');
  if (address !== own) return undefined;
  return new O7sError('EEXIST', 'the peer has the same address as this IPCP', {
    hint: 'destroy one of the two and let it enrol again',
  });
}
