/** A device under a udp layer: it takes and brings datagrams. */
import type { DeviceCounters } from './device.ts';
import type { Packet } from '../../lib/wire/packet.ts';
import type { Flushable } from '../shell/turn.ts';

/** A host and port, as the device knows it. */
export interface HostAddress {
  equals(other: HostAddress): boolean;
}

/** Where a datagram came from; valid until the turn ends. */
export interface DatagramSource {
  isFrom(address: HostAddress): boolean;
  /** A lasting copy. */
  address(): HostAddress;
}

export type OnDatagram = (datagram: Packet, source: DatagramSource) => void;

export interface DatagramDevice extends Flushable, Disposable {
  /** Longest datagram it carries. */
  readonly datagramBytesMax: number;
  readonly counters: DeviceCounters;
  /** Datagrams that wait in the kernel to leave, as of a moment ago. */
  readonly backlog: number;
  /** Queues a datagram; it leaves at the next `flush`, and its memory must stay as it is until then. */
  send(datagram: Packet, to: HostAddress): void;
}
