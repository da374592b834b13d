/** The messages of the flow allocator. Source: unicast-layer.md 8.1. */
import type { QosSpec } from '../../../lib/qos.ts';
import { fieldTable, headerBytes } from '../../../lib/wire/fields.ts';
import { qosRows, readQos, writeQos } from '../../shell/qos-fields.ts';
import type { Eid } from '../dt/header.ts';

export const flowMessageFields = fieldTable([
  ['sourceAddress', 'u64', "the requester's address"],
  ['receiverEid', 'u64', "the receiver's endpoint id"],
  ['senderEid', 'u64', "the sender's endpoint id"],
  qosRows.bandwidth,
  ['response', 'i32', '0 accepted, negative refused'],
  qosRows.delay,
  qosRows.loss,
  qosRows.ber,
  qosRows.maxGap,
  qosRows.timeout,
  ['ece', 'u16', 'congestion level measured by the receiver of a flow'],
  ['code', 'u8', 'kind of message'],
  qosRows.availability,
  qosRows.inOrder,
]);

export const flowMessageBytes: number = headerBytes(flowMessageFields);
/** A prototype rejects what is longer, and loses a buffer by it. */
export const flowMessageBytesMax = 2048;

/** Kinds of message. The last is ours: a prototype ignores it. */
export const flowCode = { request: 0, reply: 1, update: 2, release: 32 } as const;

const offset = {
  sourceHigh: 0,
  sourceLow: 4,
  receiverHigh: 8,
  receiverLow: 12,
  senderHigh: 16,
  senderLow: 20,
  bandwidth: 24,
  response: 32,
  delay: 36,
  loss: 40,
  ber: 44,
  maxGap: 48,
  timeout: 52,
  ece: 56,
  code: 58,
  availability: 59,
  inOrder: 60,
} as const;

export type FlowMessage =
  | {
      readonly code: typeof flowCode.request;
      readonly source: number;
      readonly senderEid: Eid;
      readonly qos: QosSpec;
      readonly hash: Buffer;
      readonly piggyback: Buffer;
    }
  | {
      readonly code: typeof flowCode.reply;
      readonly receiverEid: Eid;
      readonly senderEid: Eid;
      readonly response: number;
      readonly piggyback: Buffer;
    }
  | { readonly code: typeof flowCode.update; readonly receiverEid: Eid; readonly ece: number }
  | { readonly code: typeof flowCode.release; readonly receiverEid: Eid; readonly senderEid: Eid };

/** How long a message is when it is written. */
export function flowMessageLength(message: FlowMessage): number {
  switch (message.code) {
    case flowCode.request:
      return flowMessageBytes + message.hash.length + message.piggyback.length;
    case flowCode.reply:
      return flowMessageBytes + message.piggyback.length;
    case flowCode.update:
    case flowCode.release:
      return flowMessageBytes;
  }
}

/** Writes a message to `memory` from `start`, which has room for it; where it ends. */
export function encodeFlowMessage(message: FlowMessage, memory: Buffer, start: number): number {
  memory.fill(0, start, start + flowMessageBytes);
  memory.writeUInt8(message.code, start + offset.code);
  let end = start + flowMessageBytes;
  switch (message.code) {
    case flowCode.request: {
      const { source, senderEid, qos, hash, piggyback } = message;
      memory.writeUInt32BE(source, start + offset.sourceLow);
      writeEid(memory, start + offset.senderHigh, senderEid);
      writeQos(qos, offset, memory, start);
      memory.set(hash, end);
      end += hash.length;
      memory.set(piggyback, end);
      return end + piggyback.length;
    }
    case flowCode.reply:
      writeEid(memory, start + offset.receiverHigh, message.receiverEid);
      writeEid(memory, start + offset.senderHigh, message.senderEid);
      memory.writeInt32BE(message.response, start + offset.response);
      memory.set(message.piggyback, end);
      return end + message.piggyback.length;
    case flowCode.update:
      writeEid(memory, start + offset.receiverHigh, message.receiverEid);
      memory.writeUInt16BE(message.ece, start + offset.ece);
      return end;
    case flowCode.release:
      writeEid(memory, start + offset.receiverHigh, message.receiverEid);
      writeEid(memory, start + offset.senderHigh, message.senderEid);
      return end;
  }
}

/** Reads a message; the reason for which it is none. `hashBytes` is the length of a name's hash in the layer. */
export function decodeFlowMessage(
  memory: Buffer,
  start: number,
  end: number,
  hashBytes: number,
): FlowMessage | 'short' | 'long' | 'unknown code' {
  if (end - start < flowMessageBytes) return 'short';
  if (end - start > flowMessageBytesMax) return 'long';
  const code = memory.readUInt8(start + offset.code);
  const rest = start + flowMessageBytes;
  switch (code) {
    case flowCode.request: {
      if (end < rest + hashBytes) return 'short';
      // An address of more than 32 bits is nobody's.
      if (memory.readUInt32BE(start + offset.sourceHigh) !== 0) return 'unknown code';
      return {
        code,
        source: memory.readUInt32BE(start + offset.sourceLow),
        senderEid: readEid(memory, start + offset.senderHigh),
        qos: readQos(offset, memory, start),
        hash: Buffer.from(memory.subarray(rest, rest + hashBytes)),
        piggyback: Buffer.from(memory.subarray(rest + hashBytes, end)),
      };
    }
    case flowCode.reply:
      return {
        code,
        receiverEid: readEid(memory, start + offset.receiverHigh),
        senderEid: readEid(memory, start + offset.senderHigh),
        response: memory.readInt32BE(start + offset.response),
        piggyback: Buffer.from(memory.subarray(rest, end)),
      };
    case flowCode.update:
      return {
        code,
        receiverEid: readEid(memory, start + offset.receiverHigh),
        ece: memory.readUInt16BE(start + offset.ece),
      };
    case flowCode.release:
      return {
        code,
        receiverEid: readEid(memory, start + offset.receiverHigh),
        senderEid: readEid(memory, start + offset.senderHigh),
      };
    default:
      return 'unknown code';
  }
}

function writeEid(memory: Buffer, at: number, { high, low }: Eid): void {
  memory.writeUInt32BE(high, at);
  memory.writeUInt32BE(low, at + 4);
}

function readEid(memory: Buffer, at: number): Eid {
  return { high: memory.readUInt32BE(at), low: memory.readUInt32BE(at + 4) };
}
