/**
 * Data transfer: packets from member to member, each handed on to the next hop or to whom it is for. A core.
 * Source: unicast-layer.md 5, 9.1.
 */
import { componentTitles } from '../../../lib/rpc/api.ts';
import { type Deadlines, type Millis, never } from '../../../lib/time/clock.ts';
import type { Packet } from '../../../lib/wire/packet.ts';
import { zeroCounts } from '../../shell/counts.ts';
import type { Connection, ConnectionUser } from '../../connmgr/connection.ts';
import type { Component } from '../../connmgr/connection-manager.ts';
import type { O7sError } from '../../../lib/errors.ts';
import type { ConnectionRecord } from '../../connmgr/message.ts';
import type { Address } from '../address.ts';
import { addressFault } from '../management.ts';
import { componentEid, dtHeaderBytes, dtOffset, userEidMin } from './header.ts';
import { Neighbour } from './neighbour.ts';

/** Finds the neighbour a packet goes to next; undefined when there is no way. */
export interface NextHop {
  nextHop(destination: Address): Neighbour | undefined;
}

/** Who packets for this member are for. */
export interface DataTransferUsers {
  /** A packet for a component; its header is taken off. */
  component(eid: number, packet: Packet): void;
  /** A packet for a user's endpoint. */
  user(eidLow: number, eidHigh: number, ecn: number, packet: Packet): void;
}

/** What routing learns of connections to neighbours. */
export interface AdjacencyEvents {
  /** A connection carries packets from here on, or does again. */
  linkUp(connection: Connection, now: Millis): void;
  /** One that did no longer does. */
  linkDown(connection: Connection, now: Millis): void;
  /** The longest message of the flow below one has changed. */
  limitChanged(connection: Connection, now: Millis): void;
}

export interface DataTransferOptions {
  readonly address: Address;
  readonly maxTtl: number;
  /** Whether packets are marked where they wait. */
  readonly marks: boolean;
  readonly clock: () => Millis;
  readonly users: DataTransferUsers;
  readonly adjacency: AdjacencyEvents;
}

const counterNames = [
  'dtPacketsIn',
  'dtPacketsOut',
  'dtForwarded',
  'dtLocal',
  'droppedDtShort',
  'droppedTtl',
  'droppedNoRoute',
  'droppedNeighbourGone',
  'droppedDtTooLong',
  'droppedReservedEid',
  'packetsMarked',
] as const;
type Counter = (typeof counterNames)[number];

const componentCounterNames = [
  'packetsIn',
  'bytesIn',
  'packetsOut',
  'bytesOut',
  'droppedNoRoutePackets',
  'droppedNoRouteBytes',
] as const;
/** What a component of this member has sent and was brought; bytes with their headers (unicast-layer.md 11). */
export type ComponentCounters = Record<(typeof componentCounterNames)[number], number>;

/** Waiting packets for each step of the congestion level. */
const packetsALevel = 16;
const levelMax = 255;

export class DataTransfer implements Component, Deadlines {
  readonly name = componentTitles.dt;
  readonly protocol = 'dtp';
  readonly version = 1;
  readonly syntax = 2;
  readonly settles = true;
  readonly keepalive = 'always';
  readonly address: Address;
  readonly counters: Record<Counter, number> = zeroCounts(counterNames);
  /** By endpoint id. */
  readonly components: readonly [flowAllocator: ComponentCounters, directory: ComponentCounters] = [
    zeroCounts(componentCounterNames),
    zeroCounts(componentCounterNames),
  ];

  readonly #options: DataTransferOptions;
  readonly #neighbours = new Map<Address, Neighbour>();
  /** Connections to prototypes that may not be written to yet. */
  readonly #settling = new Set<Connection>();
  readonly #forwarding: NextHop;

  /** @param forwarding what routing has computed. */
  constructor(options: DataTransferOptions, forwarding: NextHop) {
    this.#options = options;
    this.address = options.address;
    this.#forwarding = forwarding;
  }

  get neighbours(): Iterable<Neighbour> {
    return this.#neighbours.values();
  }

  neighbour(address: Address): Neighbour | undefined {
    return this.#neighbours.get(address);
  }

  /** Room packets need in front of them, here and below, in bytes. */
  get headerBytes(): number {
    let below = 0;
    for (const { connection } of this.#neighbours.values()) {
      if (connection !== undefined) below = Math.max(below, connection.flow.headerBytes);
    }
    return dtHeaderBytes + below;
  }

  refuses(peer: ConnectionRecord): O7sError | undefined {
    return addressFault(peer, this.address);
  }

  connected(connection: Connection, now: Millis): ConnectionUser {
    if (connection.readyAt <= now) this.#use(connection, now);
    else this.#settling.add(connection);
    let neighbour: Neighbour | undefined;
    return {
      deliver: (packet) => {
        neighbour ??= this.#neighbours.get(connection.peer.address);
        this.#received(neighbour, packet);
      },
      setUp: () => this.#changed(connection),
      limitChanged: () => this.#options.adjacency.limitChanged(connection, this.#options.clock()),
      closed: () => this.#closed(connection),
    };
  }

  nextDeadline(): Millis {
    let earliest = never;
    for (const { readyAt } of this.#settling) earliest = Math.min(earliest, readyAt);
    return earliest;
  }

  advance(now: Millis): void {
    for (const connection of this.#settling) {
      if (connection.readyAt > now) continue;
      this.#settling.delete(connection);
      this.#use(connection, now);
    }
  }

  /** Sends a packet from this member; false when it is dropped. The packet is used up. */
  send(destination: Address, eidLow: number, eidHigh: number, packet: Packet): boolean {
    if (destination === this.address) {
      this.#arrived(eidLow, eidHigh, 0, packet);
      return true;
    }
    const next = this.#forwarding.nextHop(destination);
    const component = eidHigh === 0 ? this.components[eidLow] : undefined;
    if (component !== undefined) countSent(component, next, packet.end - packet.start + dtHeaderBytes);
    if (next === undefined) {
      this.counters.droppedNoRoute += 1;
      return false;
    }
    const start = packet.start - dtHeaderBytes;
    const { view } = packet;
    packet.start = start;
    view.setUint32(start + dtOffset.destination, destination, true);
    view.setUint8(start + dtOffset.cube, 0);
    view.setUint8(start + dtOffset.ttl, this.#options.maxTtl);
    view.setUint8(start + dtOffset.ecn, this.#options.marks ? this.#level(next) : 0);
    view.setUint32(start + dtOffset.eidLow, eidLow, true);
    view.setUint32(start + dtOffset.eidHigh, eidHigh, true);
    return this.#handOn(next, packet);
  }

  /** A connection may carry packets from here on. */
  #use(connection: Connection, now: Millis): void {
    const { address } = connection.peer;
    let neighbour = this.#neighbours.get(address);
    if (neighbour === undefined) {
      neighbour = new Neighbour(address, now);
      this.#neighbours.set(address, neighbour);
    }
    neighbour.add(connection);
    this.#note(neighbour, connection, connection.up, now);
  }

  #changed(connection: Connection): void {
    const neighbour = this.#neighbours.get(connection.peer.address);
    if (neighbour?.connections.has(connection) !== true) return;
    this.#note(neighbour, connection, connection.up, this.#options.clock());
  }

  #closed(connection: Connection): void {
    if (this.#settling.delete(connection)) return;
    const neighbour = this.#neighbours.get(connection.peer.address);
    if (neighbour === undefined) return;
    neighbour.delete(connection);
    if (neighbour.connections.size === 0) this.#neighbours.delete(neighbour.address);
    this.#note(neighbour, connection, false, this.#options.clock());
  }

  #note(neighbour: Neighbour, connection: Connection, isUp: boolean, now: Millis): void {
    if (!neighbour.note(connection, isUp)) return;
    const { adjacency } = this.#options;
    if (isUp) adjacency.linkUp(connection, now);
    else adjacency.linkDown(connection, now);
  }

  /** `neighbour` is undefined while nothing may be sent to who sent the packet. */
  #received(neighbour: Neighbour | undefined, packet: Packet): void {
    const { view, start, end } = packet;
    const bytes = end - start;
    const { counters } = this;
    counters.dtPacketsIn += 1;
    if (neighbour !== undefined) {
      neighbour.counters.packetsIn += 1;
      neighbour.counters.bytesIn += bytes;
    }
    if (bytes < dtHeaderBytes) {
      counters.droppedDtShort += 1;
      return;
    }
    const destination = view.getUint32(start + dtOffset.destination, true);
    const ecn = view.getUint8(start + dtOffset.ecn);
    if (destination === this.address) {
      packet.start = start + dtHeaderBytes;
      const eidLow = view.getUint32(start + dtOffset.eidLow, true);
      const eidHigh = view.getUint32(start + dtOffset.eidHigh, true);
      const component = eidHigh === 0 ? this.components[eidLow] : undefined;
      if (component !== undefined) countBrought(component, neighbour, bytes);
      this.#arrived(eidLow, eidHigh, ecn, packet);
      return;
    }
    // A prototype counts down first, and 0 becomes 255.
    const ttl = (view.getUint8(start + dtOffset.ttl) - 1) & 0xff;
    if (ttl === 0) {
      counters.droppedTtl += 1;
      if (neighbour !== undefined) {
        neighbour.counters.droppedTtlPackets += 1;
        neighbour.counters.droppedTtlBytes += bytes;
      }
      return;
    }
    const next = this.#forwarding.nextHop(destination);
    if (next === undefined) {
      counters.droppedNoRoute += 1;
      if (neighbour !== undefined) {
        neighbour.counters.droppedNoRoutePackets += 1;
        neighbour.counters.droppedNoRouteBytes += bytes;
      }
      return;
    }
    view.setUint8(start + dtOffset.ttl, ttl);
    if (this.#options.marks) view.setUint8(start + dtOffset.ecn, ecn | this.#level(next));
    if (this.#handOn(next, packet)) counters.dtForwarded += 1;
  }

  #arrived(eidLow: number, eidHigh: number, ecn: number, packet: Packet): void {
    this.counters.dtLocal += 1;
    if (eidHigh !== 0 || eidLow >= userEidMin) {
      this.#options.users.user(eidLow, eidHigh, ecn, packet);
    } else if (eidLow === componentEid.flowAllocator || eidLow === componentEid.directory) {
      this.#options.users.component(eidLow, packet);
    } else {
      this.counters.droppedReservedEid += 1;
    }
  }

  #level({ connection }: Neighbour): number {
    const backlog = connection?.flow.backlog ?? 0;
    const level = Math.min(levelMax, Math.floor(backlog / packetsALevel));
    if (level > 0) this.counters.packetsMarked += 1;
    return level;
  }

  #handOn(next: Neighbour, packet: Packet): boolean {
    const { connection, counters } = next;
    const bytes = packet.end - packet.start;
    if (connection === undefined || bytes > connection.flow.maxMessageBytes) {
      // Of a neighbour that is gone routing is about to find out.
      this.counters[connection === undefined ? 'droppedNeighbourGone' : 'droppedDtTooLong'] += 1;
      counters.failedWritePackets += 1;
      counters.failedWriteBytes += bytes;
      return false;
    }
    this.counters.dtPacketsOut += 1;
    counters.packetsOut += 1;
    counters.bytesOut += bytes;
    connection.write(packet);
    return true;
  }
}

function countSent(component: ComponentCounters, next: Neighbour | undefined, bytes: number): void {
  if (next === undefined) {
    component.droppedNoRoutePackets += 1;
    component.droppedNoRouteBytes += bytes;
    return;
  }
  component.packetsOut += 1;
  component.bytesOut += bytes;
  next.counters.localPacketsOut += 1;
  next.counters.localBytesOut += bytes;
}

function countBrought(component: ComponentCounters, neighbour: Neighbour | undefined, bytes: number): void {
  component.packetsIn += 1;
  component.bytesIn += bytes;
  if (neighbour === undefined) return;
  neighbour.counters.localPacketsIn += 1;
  neighbour.counters.localBytesIn += bytes;
}
