/** Frames and messages of an eth-dix layer. Source: link-ipcps.md 2. */
import type { QosSpec } from '../../lib/qos.ts';
import { fieldTable, headerBytes } from '../../lib/wire/fields.ts';

export const frameFields = fieldTable([
  ['destination', 'mac', 'address of the receiver'],
  ['source', 'mac', 'address of the sender'],
  ['ethertype', 'u16', '0xa000 unless configured'],
  ['eid', 'u16', "receiver's endpoint id, 0 for a management message"],
  ['length', 'u16', 'payload that follows, without padding', 'bytes'],
]);

/** Bytes of a frame in front of its payload. */
export const frameHeaderBytes: number = headerBytes(frameFields);
/** Bytes of the payload's header that count against the MTU. */
export const frameOverheadBytes = 4;

/** Offsets of the frame header, for the data path. */
export const frameOffset = {
  destination: 0,
  source: 6,
  ethertype: 12,
  eid: 14,
  length: 16,
} as const;

export const messageFields = fieldTable([
  ['seid', 'u16', 'endpoint id chosen by the sender of this message'],
  ['deid', 'u16', 'endpoint id of the receiver of this message'],
  ['loss', 'u32', '0 no loss wanted, 1 loss accepted'],
  ['bandwidth', 'u64', '0 does not care', 'bit/s'],
  ['ber', 'u32', 'bit errors per 10^9; 0 asks for a CRC'],
  ['maxGap', 'u32', '2^32-1 does not care', 'ms'],
  ['delay', 'u32', '2^32-1 does not care', 'ms'],
  ['timeout', 'u32', 'silence after which the flow is dead, 0 never', 'ms'],
  ['response', 'i32', '0 accepted, negative refused'],
  ['inOrder', 'u8', 'non-zero asks for ordered delivery'],
  ['code', 'u8', 'kind of message'],
  ['availability', 'u8', 'number of nines'],
]);

/** Bytes of a message in front of hash and piggyback. */
export const messageHeaderBytes: number = headerBytes(messageFields);

const messageOffset = {
  seid: 0,
  deid: 2,
  loss: 4,
  bandwidth: 8,
  ber: 16,
  maxGap: 20,
  delay: 24,
  timeout: 28,
  response: 32,
  inOrder: 36,
  code: 37,
  availability: 38,
} as const;

export const messageCode = { flowRequest: 0, flowReply: 1, nameQuery: 2, nameReply: 3 } as const;

export type DixMessage =
  | {
      readonly code: typeof messageCode.flowRequest;
      readonly seid: number;
      readonly qos: QosSpec;
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
  | { readonly code: typeof messageCode.nameQuery | typeof messageCode.nameReply; readonly hash: Buffer };

/** Bytes a message takes. */
export function messageBytes(message: DixMessage): number {
  let bytes = messageHeaderBytes;
  if ('hash' in message) bytes += message.hash.length;
  if ('piggyback' in message) bytes += message.piggyback.length;
  return bytes;
}

/** Writes a message at `start`; fields it does not use become zero. Returns where it ends. */
export function encodeMessage(message: DixMessage, memory: Buffer, start: number): number {
  let at = start + messageHeaderBytes;
  memory.fill(0, start, at);
  memory.writeUInt8(message.code, start + messageOffset.code);
  if (message.code === messageCode.flowRequest) {
    memory.writeUInt16BE(message.seid, start + messageOffset.seid);
    writeQos(message.qos, memory, start);
  } else if (message.code === messageCode.flowReply) {
    memory.writeUInt16BE(message.seid, start + messageOffset.seid);
    memory.writeUInt16BE(message.deid, start + messageOffset.deid);
    memory.writeInt32BE(message.response, start + messageOffset.response);
  }
  if ('hash' in message) at += message.hash.copy(memory, at);
  if ('piggyback' in message) at += message.piggyback.copy(memory, at);
  return at;
}

/** Why a message was dropped. */
export type MessageFault = 'short' | 'unknown code';

/**
 * Reads a message between `start` and `end`; hash and piggyback are copies, since they outlive the frame.
 *
 * @param hashBytes length of the layer's hashes.
 */
export function decodeMessage(
  memory: Buffer,
  start: number,
  end: number,
  hashBytes: number,
): DixMessage | MessageFault {
  const body = start + messageHeaderBytes;
  if (body > end) return 'short';
  const code = memory.readUInt8(start + messageOffset.code);
  const copy = (from: number, to: number): Buffer => Buffer.from(memory.subarray(from, to));
  if (code === messageCode.flowReply) {
    return {
      code,
      seid: memory.readUInt16BE(start + messageOffset.seid),
      deid: memory.readUInt16BE(start + messageOffset.deid),
      response: memory.readInt32BE(start + messageOffset.response),
      piggyback: copy(body, end),
    };
  }
  if (code !== messageCode.flowRequest && code !== messageCode.nameQuery && code !== messageCode.nameReply) {
    return 'unknown code';
  }
  if (body + hashBytes > end) return 'short';
  const hash = copy(body, body + hashBytes);
  if (code !== messageCode.flowRequest) return { code, hash };
  return {
    code,
    seid: memory.readUInt16BE(start + messageOffset.seid),
    qos: readQos(memory, start),
    hash,
    piggyback: copy(body + hashBytes, end),
  };
}

function writeQos(qos: QosSpec, memory: Buffer, start: number): void {
  memory.writeUInt32BE(qos.loss, start + messageOffset.loss);
  memory.writeBigUInt64BE(qos.bandwidth, start + messageOffset.bandwidth);
  memory.writeUInt32BE(qos.ber, start + messageOffset.ber);
  memory.writeUInt32BE(qos.maxGap, start + messageOffset.maxGap);
  memory.writeUInt32BE(qos.delay, start + messageOffset.delay);
  memory.writeUInt32BE(qos.timeout, start + messageOffset.timeout);
  memory.writeUInt8(qos.inOrder, start + messageOffset.inOrder);
  memory.writeUInt8(qos.availability, start + messageOffset.availability);
}

function readQos(memory: Buffer, start: number): QosSpec {
  return {
    loss: memory.readUInt32BE(start + messageOffset.loss),
    bandwidth: memory.readBigUInt64BE(start + messageOffset.bandwidth),
    ber: memory.readUInt32BE(start + messageOffset.ber),
    maxGap: memory.readUInt32BE(start + messageOffset.maxGap),
    delay: memory.readUInt32BE(start + messageOffset.delay),
    timeout: memory.readUInt32BE(start + messageOffset.timeout),
    inOrder: memory.readUInt8(start + messageOffset.inOrder),
    availability: memory.readUInt8(start + messageOffset.availability),
  };
}
