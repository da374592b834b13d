/** How the two Ethernet layers put packets and messages into frames. */
import type { Packet } from '../../lib/wire/packet.ts';
import type { MessageLayout } from './message.ts';
import type { Station } from './station.ts';

/** What a frame's header says; one object, written over for each frame. */
export interface FrameHeader {
  toHigh: number;
  toLow: number;
  fromHigh: number;
  fromLow: number;
  /** The receiver's endpoint id; 0 for a message. */
  eid: number;
  /** The sender's endpoint id; -1 where the header does not carry it. */
  peerEid: number;
}

export interface EthernetFraming {
  /** What the kernel hands to a socket of this layer: an Ethernet type, or its word for LLC. */
  readonly protocol: number;
  readonly layout: MessageLayout;
  /** Bytes of a data frame in front of its payload. */
  readonly headerBytes: number;
  /** Endpoint ids the layer gives out. */
  readonly eids: { readonly min: number; readonly max: number };
  /** The id a prototype names when it lost the requester's (link-ipcps.md 9.1). */
  readonly lostEid: number;
  /**
   * How long the first data of an accepted flow is held back, ms: where data carries the ids of both ends, a prototype
   * drops what comes before it has dealt with the reply (link-ipcps.md 1.10). 0 where it takes all.
   */
  readonly firstDataHoldMs: number;
  maxPayload(mtu: number): number;
  /** Whether no flow can have an endpoint id. */
  isReserved(eid: number): boolean;
  /** Writes a header in front of a packet; an `eid` of 0 is a message's. */
  write(packet: Packet, to: Station, own: Station, eid: number, ownEid: number): void;
  /** Reads a header and narrows the packet to its payload; false when the frame is too short or no frame of this layer. */
  read(packet: Packet, header: FrameHeader): boolean;
}

const macOffset = { destination: 0, source: 6 } as const;

export function writeStations(packet: Packet, start: number, to: Station, own: Station): void {
  const { view } = packet;
  view.setUint16(start + macOffset.destination, to.high);
  view.setUint32(start + macOffset.destination + 2, to.low);
  view.setUint16(start + macOffset.source, own.high);
  view.setUint32(start + macOffset.source + 2, own.low);
}

export function readStations(packet: Packet, start: number, header: FrameHeader): void {
  const { view } = packet;
  header.toHigh = view.getUint16(start + macOffset.destination);
  header.toLow = view.getUint32(start + macOffset.destination + 2);
  header.fromHigh = view.getUint16(start + macOffset.source);
  header.fromLow = view.getUint32(start + macOffset.source + 2);
}
