/** A device under an Ethernet layer: it takes and brings whole frames. */
import type { Packet } from '../../lib/wire/packet.ts';
import type { Flushable } from '../shell/turn.ts';

/** What a device under a layer lost. */
export interface DeviceCounters {
  /** What could not leave: the kernel had no memory for it, or the link is down. */
  readonly sendFailed: number;
  /** What was longer than the device takes. */
  readonly droppedTruncated: number;
  /** What the kernel had no place for, because this process was too slow to take it. */
  readonly droppedQueueFull: number;
}

export type OnFrame = (frame: Packet) => void;

export interface EthernetDevice extends Flushable, Disposable {
  /** 6 bytes. */
  readonly mac: Buffer;
  /** Bytes of a frame without its Ethernet header. */
  readonly mtu: number;
  readonly counters: DeviceCounters;
  /** Frames that wait in the kernel to leave, as of a moment ago. */
  readonly backlog: number;
  /** Queues a frame; it leaves at the next `flush`, and its memory must stay as it is until then. */
  send(frame: Packet): void;
}
