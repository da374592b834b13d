/** A device under an Ethernet layer: it takes and brings whole frames. */
import type { Packet } from '../../lib/wire/packet.ts';
import type { Flushable } from '../shell/turn.ts';

export type OnFrame = (frame: Packet) => void;

export interface EthernetDevice extends Flushable, Disposable {
  /** 6 bytes. */
  readonly mac: Buffer;
  /** Bytes of a frame without its Ethernet header. */
  readonly mtu: number;
  /** Frames that could not leave, and those that came faster than they were read. */
  readonly sendFailed: number;
  readonly droppedByKernel: number;
  /** Queues a frame; it leaves at the next `flush`, and its memory must stay as it is until then. */
  send(frame: Packet): void;
}
