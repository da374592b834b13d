/**
 * How packets travel between a process and its node's data plane, and between the two processes of a direct
 * flow: each behind four bytes, the kind and, in 24 bits big-endian, the length of what follows.
 */
import type { Packet } from '../wire/packet.ts';
import { StreamBuffer, streamEnded, type UnixStream, streamWouldBlock } from '../os/unix-socket.ts';

export const frameHeaderBytes = 4;
/** Largest payload 24 bits can tell. */
const framePayloadBytesMax: number = 2 ** 24 - 1;

export const frameKind = {
  /** One packet of the flow; empty, it is a sign of life. */
  packet: 0,
  /** The first frame of whoever connected: the token it was given. */
  hello: 1,
  /** From the data plane: one byte, 1 when the flow is up and 0 when its device is down. */
  state: 2,
  /** A packet behind `frameRoomBytes` without meaning: there the layers of the node write their headers. */
  roomyPacket: 3,
  /**
   * To the data plane, before the application closes: for how many ms, in four bytes, the flow is to be kept, and behind
   * them the packet that answers whatever comes in that time.
   */
  lastWord: 4,
  /** From the data plane: how many packets, in four bytes, it dropped here because the application did not read. */
  dropped: 5,
  /** From the data plane: in four bytes, the longest message that the flow carries from here on. */
  limit: 6,
} as const;

/** Bytes in front of the packet in a `lastWord`. */
export const lastWordHeaderBytes = 4;
/** Bytes of what `dropped` tells. */
export const droppedBytes = 4;
/** Bytes of what `limit` tells. */
export const limitBytes = 4;

/** With the frame's own header 64 bytes, enough for three unicast layers over Ethernet. */
export const frameRoomBytes = 60;

/** Bytes of the token that opens an end of a flow. */
export const tokenBytes = 16;

/**
 * What a buffer begins with, and what it grows to while it is used up. Most flows carry little, and a node may have a
 * thousand: buffers that were never filled would be most of what a flow costs to make and to keep.
 */
const initialBytes = 4 * 1024;
const grownBytes = 64 * 1024;
const keptBytesMax = 512 * 1024;

/**
 * Gets each frame of a stream; `buffer` from `start` to `end` is valid as the reader says. The `room` bytes in front
 * are free to be written. A packet is a packet here, whether it came with more room or not.
 */
export type OnFrame = (kind: number, buffer: StreamBuffer, start: number, end: number, room: number) => void;

/** What every buffer is before it is needed. */
const nothing = new StreamBuffer(0);

/** The receiving side of a stream. */
export class FrameReader {
  readonly #payloadBytesMax: number;
  readonly #handsOver: boolean;
  #buffer = nothing;
  #start = 0;
  #end = 0;

  /**
   * @param handsOver frames stay valid for ever, because memory is not used twice; otherwise they are valid until
   *   the next `fill`.
   */
  constructor(payloadBytesMax: number, handsOver: boolean) {
    this.#payloadBytesMax = payloadBytesMax;
    this.#handsOver = handsOver;
  }

  /**
   * Reads once and hands on each frame that is complete. Bytes read, `streamWouldBlock`, or `streamEnded`, which a
   * frame that is too long counts as.
   */
  fill(stream: UnixStream, onFrame: OnFrame): number {
    this.#makeRoom();
    const { memory, address } = this.#buffer;
    return this.#filled(stream.read(address + this.#end, memory.length - this.#end), onFrame);
  }

  /** Does as `fill`, but stops this thread until something comes; see `UnixStream.readBlocking`. */
  fillBlocking(stream: UnixStream, onFrame: OnFrame, patienceMs: number): number {
    this.#makeRoom();
    const { memory, address } = this.#buffer;
    const count = stream.readBlocking(address + this.#end, memory.length - this.#end, patienceMs);
    return this.#filled(count, onFrame);
  }

  #filled(count: number, onFrame: OnFrame): number {
    if (count < 0) return count;
    const buffer = this.#buffer;
    const { view } = buffer;
    this.#end += count;
    while (this.#end - this.#start >= frameHeaderBytes) {
      const header = view.getUint32(this.#start);
      const length = header & framePayloadBytesMax;
      let kind = header >>> 24;
      const more = kind === frameKind.roomyPacket ? frameRoomBytes : 0;
      if (length > this.#payloadBytesMax + more || length < more) return streamEnded;
      const next = this.#start + frameHeaderBytes + length;
      if (next > this.#end) break;
      if (more > 0) kind = frameKind.packet;
      const room = frameHeaderBytes + more;
      const payload = this.#start + room;
      this.#start = next;
      onFrame(kind, buffer, payload, next, room);
    }
    return count;
  }

  /** Whether the last `fill` took all the room there was, so that more may wait. */
  get full(): boolean {
    return this.#end === this.#buffer.memory.length;
  }

  #makeRoom(): void {
    const { memory } = this.#buffer;
    const left = this.#end - this.#start;
    const wasFull = this.#end === memory.length;
    if (left === 0 && !this.#handsOver && (!wasFull || memory.length >= grownBytes)) {
      this.#start = 0;
      this.#end = 0;
      return;
    }
    let wanted = frameHeaderBytes;
    if (left >= frameHeaderBytes) {
      wanted += memory.readUInt32BE(this.#start) & framePayloadBytesMax;
    }
    // Enough for the frame that is under way, and not so little that each read brings only a few bytes.
    const room = memory.length - this.#end;
    if (this.#start + wanted <= memory.length && room > 0 && room >= memory.length / 8) return;
    const bytes = Math.max(wanted, initialBytes, Math.min(grownBytes, memory.length * 2));
    const reuse = !this.#handsOver && bytes <= memory.length;
    const target = reuse ? this.#buffer : new StreamBuffer(bytes);
    memory.copy(target.memory, 0, this.#start, this.#end);
    this.#buffer = target;
    this.#start = 0;
    this.#end = left;
  }
}

/** The sending side of a stream: frames are gathered and leave together. */
export class FrameWriter {
  readonly #bytesMax: number;
  #buffer = nothing;
  #start = 0;
  #end = 0;

  /** `bytesMax` bounds what may wait, except that one frame always fits. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes that have not left. */
  get pending(): number {
    return this.#end - this.#start;
  }

  /** Takes a frame; false when too much waits already. */
  push(kind: number, payload: Uint8Array): boolean {
    const at = this.reserve(kind, payload.length);
    if (at < 0) return false;
    this.#buffer.memory.set(payload, at);
    return true;
  }

  /** Where in `memory` the payload of a frame is to be written, before anything else is; -1 when too much waits. */
  reserve(kind: number, payloadBytes: number): number {
    const room = kind === frameKind.roomyPacket ? frameHeaderBytes + frameRoomBytes : frameHeaderBytes;
    const bytes = room + payloadBytes;
    if (this.#end + bytes > this.#buffer.memory.length && !this.#makeRoom(bytes)) return -1;
    this.#buffer.view.setUint32(this.#end, (kind << 24) | (bytes - frameHeaderBytes));
    this.#end += bytes;
    return this.#end - payloadBytes;
  }

  /** Where frames wait; another one after each `reserve` and `push`. */
  get memory(): Buffer {
    return this.#buffer.memory;
  }

  pushPacket(packet: Packet): boolean {
    return this.push(frameKind.packet, packet.bytes());
  }

  /** Takes bytes of frames that have headers already, in any case. */
  pushRest(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.#buffer.memory.length) this.#grow(bytes.length);
    this.#buffer.memory.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Writes what it can. `streamWouldBlock` when something is left, `streamEnded` when nobody is there. */
  flush(stream: UnixStream): number {
    while (this.#start < this.#end) {
      const count = stream.write(this.#buffer.address + this.#start, this.#end - this.#start);
      if (count < 0) return count;
      this.#start += count;
    }
    this.#start = 0;
    this.#end = 0;
    // What a burst needed is not kept.
    if (this.#buffer.memory.length > keptBytesMax) this.#buffer = nothing;
    return 0;
  }

  #makeRoom(bytes: number): boolean {
    const waiting = this.#end - this.#start;
    if (waiting > 0 && waiting + bytes > this.#bytesMax) return false;
    this.#grow(bytes);
    return true;
  }

  #grow(bytes: number): void {
    const waiting = this.#end - this.#start;
    const { memory } = this.#buffer;
    let target = this.#buffer;
    if (waiting + bytes > memory.length) {
      target = new StreamBuffer(Math.max(initialBytes, memory.length * 2, waiting + bytes));
    }
    memory.copy(target.memory, 0, this.#start, this.#end);
    this.#buffer = target;
    this.#start = 0;
    this.#end = waiting;
  }
}

export { streamEnded, streamWouldBlock };
