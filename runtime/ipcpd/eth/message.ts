/** The messages of the Ethernet layers; how they are written differs. Source: link-ipcps.md 1.7, 2.3, 3.3. */
import type { QosSpec } from '../../lib/qos.ts';
import { type QosLayout, readQos, writeQos } from '../shell/qos-fields.ts';

export const messageCode = {
  flowRequest: 0,
  flowReply: 1,
  nameQuery: 2,
  nameReply: 3,
  /** Ours: a flow is released. A prototype ignores the code. */
  flowRelease: 32,
} as const;

export type EthernetMessage =
  | {
      readonly code: typeof messageCode.flowRequest;
      readonly seid: number;
      readonly qos: QosSpec;
      /** Whether the requester says that it is one of ours. */
      readonly ours: boolean;
      readonly hash: Buffer;
      readonly piggyback: Buffer;
    }
  | {
      readonly code: typeof messageCode.flowReply;
      readonly seid: number;
      readonly deid: number;
      readonly response: number;
      readonly piggyback: Buffer;
    }
  | { readonly code: typeof messageCode.nameQuery | typeof messageCode.nameReply; readonly hash: Buffer }
  | { readonly code: typeof messageCode.flowRelease; readonly seid: number; readonly deid: number };

/** What one of ours writes into the response field of a request ("O7s"); a prototype writes 0 and reads nothing there. */
export const ownMark = 0x4f37_7300;

/** Why a message was dropped. */
export type MessageFault = 'short' | 'unknown code';

/** Where the fields of a message lie. The two formats hold the same fields in another order. */
export interface MessageLayout extends QosLayout {
  /** Bytes in front of hash and piggyback. */
  readonly headerBytes: number;
  readonly eidBytes: 1 | 2;
  readonly seid: number;
  readonly deid: number;
  readonly response: number;
  readonly code: number;
}

/** Bytes a message takes. */
export function messageBytes(message: EthernetMessage, layout: MessageLayout): number {
  let bytes = layout.headerBytes;
  if ('hash' in message) bytes += message.hash.length;
  if ('piggyback' in message) bytes += message.piggyback.length;
  return bytes;
}

/** Writes a message at `start`; fields it does not use become zero. Returns where it ends. */
export function encodeMessage(
  message: EthernetMessage,
  layout: MessageLayout,
  memory: Buffer,
  start: number,
): number {
  let at = start + layout.headerBytes;
  memory.fill(0, start, at);
  memory.writeUInt8(message.code, start + layout.code);
  if ('seid' in message) memory.writeUIntBE(message.seid, start + layout.seid, layout.eidBytes);
  if ('deid' in message) memory.writeUIntBE(message.deid, start + layout.deid, layout.eidBytes);
  if ('response' in message) memory.writeInt32BE(message.response, start + layout.response);
  if ('ours' in message && message.ours) memory.writeInt32BE(ownMark, start + layout.response);
  if ('qos' in message) writeQos(message.qos, layout, memory, start);
  if ('hash' in message) at += message.hash.copy(memory, at);
  if ('piggyback' in message) at += message.piggyback.copy(memory, at);
  return at;
}

/**
 * Reads a message between `start` and `end`; hash and piggyback are copies, since they outlive the frame.
 *
 * @param hashBytes length of the layer's hashes.
 */
export function decodeMessage(
  layout: MessageLayout,
  memory: Buffer,
  start: number,
  end: number,
  hashBytes: number,
): EthernetMessage | MessageFault {
  const body = start + layout.headerBytes;
  if (body > end) return 'short';
  const code = memory.readUInt8(start + layout.code);
  const seid = memory.readUIntBE(start + layout.seid, layout.eidBytes);
  const deid = memory.readUIntBE(start + layout.deid, layout.eidBytes);
  const copy = (from: number, to: number): Buffer => Buffer.from(memory.subarray(from, to));
  switch (code) {
    case messageCode.flowReply: {
      const response = memory.readInt32BE(start + layout.response);
      return { code, seid, deid, response, piggyback: copy(body, end) };
    }
    case messageCode.flowRelease:
      return { code, seid, deid };
    case messageCode.flowRequest:
    case messageCode.nameQuery:
    case messageCode.nameReply: {
      if (body + hashBytes > end) return 'short';
      const hash = copy(body, body + hashBytes);
      if (code !== messageCode.flowRequest) return { code, hash };
      return {
        code,
        seid,
        qos: readQos(layout, memory, start),
        ours: memory.readInt32BE(start + layout.response) === ownMark,
        hash,
        piggyback: copy(body + hashBytes, end),
      };
    }
    default:
      return 'unknown code';
  }
}
