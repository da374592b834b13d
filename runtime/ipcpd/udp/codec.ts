/** Datagrams of a udp layer. Source: link-ipcps.md 4.3, 4.5. */
import type { QosSpec } from '../../lib/qos.ts';
import { fieldTable, headerBytes } from '../../lib/wire/fields.ts';
import { type QosLayout, qosRows, readQos, writeQos } from '../shell/qos-fields.ts';

export const dataFields = fieldTable([['eid', 'u32', "receiver's endpoint id, 0 for a management message"]]);
/** Bytes in front of the payload of a data packet. */
export const dataHeaderBytes: number = headerBytes(dataFields);

export const messageFields = fieldTable([
  ['eid', 'u32', '0'],
  ['requesterEid', 'u32', "requester's endpoint id, in both messages"],
  ['responderEid', 'u32', "responder's endpoint id, 0 in a request"],
  ['response', 'i32', '0 accepted, negative refused'],
  qosRows.bandwidth,
  qosRows.delay,
  qosRows.loss,
  qosRows.ber,
  qosRows.maxGap,
  qosRows.timeout,
  ['code', 'u8', 'kind of message'],
  qosRows.availability,
  qosRows.inOrder,
]);
/** Bytes of a message in front of hash and piggyback. */
export const messageHeaderBytes: number = headerBytes(messageFields);

const offset = { requesterEid: 4, responderEid: 8, response: 12, code: 44 } as const;
const qosLayout: QosLayout = {
  bandwidth: 16,
  delay: 24,
  loss: 28,
  ber: 32,
  maxGap: 36,
  timeout: 40,
  availability: 45,
  inOrder: 46,
};

export const messageCode = {
  flowRequest: 1,
  flowReply: 2,
  /** Ours: a flow is released. A prototype ignores the code. */
  flowRelease: 32,
} as const;

export type UdpMessage =
  | {
      readonly code: typeof messageCode.flowRequest;
      readonly requesterEid: number;
      readonly qos: QosSpec;
      readonly hash: Buffer;
      readonly piggyback: Buffer;
    }
  | {
      readonly code: typeof messageCode.flowReply;
      readonly requesterEid: number;
      readonly responderEid: number;
      readonly response: number;
      readonly piggyback: Buffer;
    }
  /** Here the two ids are the sender's and the receiver's. */
  | {
      readonly code: typeof messageCode.flowRelease;
      readonly requesterEid: number;
      readonly responderEid: number;
    };

/** Why a message was dropped. */
export type MessageFault = 'short' | 'unknown code';

/** Bytes a message takes. */
export function messageBytes(message: UdpMessage): number {
  let bytes = messageHeaderBytes;
  if ('hash' in message) bytes += message.hash.length;
  if ('piggyback' in message) bytes += message.piggyback.length;
  return bytes;
}

/** Writes a message at `start`; fields it does not use become zero. Returns where it ends. */
export function encodeMessage(message: UdpMessage, memory: Buffer, start: number): number {
  let at = start + messageHeaderBytes;
  memory.fill(0, start, at);
  memory.writeUInt8(message.code, start + offset.code);
  memory.writeUInt32BE(message.requesterEid, start + offset.requesterEid);
  if ('responderEid' in message) memory.writeUInt32BE(message.responderEid, start + offset.responderEid);
  if ('response' in message) memory.writeInt32BE(message.response, start + offset.response);
  if ('qos' in message) writeQos(message.qos, qosLayout, memory, start);
  if ('hash' in message) at += message.hash.copy(memory, at);
  if ('piggyback' in message) at += message.piggyback.copy(memory, at);
  return at;
}

/** Reads a message between `start` and `end`; hash and piggyback are copies, since they outlive the datagram. */
export function decodeMessage(
  memory: Buffer,
  start: number,
  end: number,
  hashBytes: number,
): UdpMessage | MessageFault {
  const body = start + messageHeaderBytes;
  if (body > end) return 'short';
  const code = memory.readUInt8(start + offset.code);
  const requesterEid = memory.readUInt32BE(start + offset.requesterEid);
  const responderEid = memory.readUInt32BE(start + offset.responderEid);
  const copy = (from: number, to: number): Buffer => Buffer.from(memory.subarray(from, to));
  switch (code) {
    case messageCode.flowRequest: {
      if (body + hashBytes > end) return 'short';
      const hash = copy(body, body + hashBytes);
      return {
        code,
        requesterEid,
        qos: readQos(qosLayout, memory, start),
        hash,
        piggyback: copy(body + hashBytes, end),
      };
    }
    case messageCode.flowReply: {
      const response = memory.readInt32BE(start + offset.response);
      return { code, requesterEid, responderEid, response, piggyback: copy(body, end) };
    }
    case messageCode.flowRelease:
      return { code, requesterEid, responderEid };
    default:
      return 'unknown code';
  }
}
