/**
 * What members of our kind say to each other on a management flow instead of LSUs: several updates in one packet,
 * with limits and withdrawals, acknowledged. The prototype reads nothing but 24 bytes, and no packet of these has 24.
 * Source: docs/adr/0022-link-state-extensions.md.
 */
import { fieldTable, headerBytes } from '../../../lib/wire/fields.ts';
import { dtHeaderBytes } from '../dt/header.ts';
import {
  isPlausible,
  type LinkUpdate,
  lsuBytes,
  readU64,
  updateState,
  type UpdateState,
  writeU64,
} from './lsu.ts';

/** First byte of a packet. That of an LSU is 0. */
export const packetKind = { updates: 0x81, acknowledgement: 0x82 } as const;

export const updatesFields = fieldTable([
  ['kind', 'u8', '0x81; records follow, as many as there are, or none'],
  ['number', 'u32', 'number of the packet on its flow, for the acknowledgement'],
]);

export const updateRecordFields = fieldTable([
  ['destination', 'u32', 'address of the neighbour the link leads to'],
  ['source', 'u32', 'address of the announcing member'],
  ['seqno', 'u64', 'number of the announcement, the same as in its LSU'],
  ['state', 'u8', '0 announced, 1 announced with limit, 2 withdrawn'],
  ['maxMessageBytes', 'u32', 'longest message of the link; 0 unless the state is 1', 'bytes'],
  ['age', 'u16', 'since the source said so', 's'],
]);

export const acknowledgementFields = fieldTable([
  ['kind', 'u8', '0x82; one or more numbers follow'],
  ['number', 'u32', 'number of a packet of updates that came in'],
]);

export const updatesHeaderBytes: number = headerBytes(updatesFields);
export const updateRecordBytes: number = headerBytes(updateRecordFields);
const kindBytes = 1;
const numberBytes = 4;
const record = { destination: 0, source: 4, seqno: 8, state: 16, maxMessageBytes: 17, age: 21 } as const;
export const ageMax = 0xffff;
/** A link that carries less, behind the header of data transfer, than the shortest word of routing is of no use. */
const limitMin = dtHeaderBytes + lsuBytes;

/** Records that a packet of so many bytes has room for. */
export function recordsIn(bytes: number): number {
  return Math.floor((bytes - updatesHeaderBytes) / updateRecordBytes);
}

/** Writes the beginning of a packet of updates and returns where its records begin. */
export function writeUpdatesHeader(memory: Buffer, start: number, number: number): number {
  memory.writeUInt8(packetKind.updates, start);
  memory.writeUInt32BE(number, start + kindBytes);
  return start + updatesHeaderBytes;
}

/** Writes a record and returns where it ends. */
export function writeUpdateRecord(memory: Buffer, start: number, update: Readonly<LinkUpdate>): number {
  memory.writeUInt32BE(update.destination, start + record.destination);
  memory.writeUInt32BE(update.source, start + record.source);
  writeU64(memory, start + record.seqno, update.seqno);
  memory.writeUInt8(update.state, start + record.state);
  memory.writeUInt32BE(update.maxMessageBytes, start + record.maxMessageBytes);
  memory.writeUInt16BE(update.age, start + record.age);
  return start + updateRecordBytes;
}

/** How many records a packet of updates has; undefined when its length is none of a packet of updates. */
export function updatesIn(start: number, end: number): number | undefined {
  const count = (end - start - updatesHeaderBytes) / updateRecordBytes;
  return count >= 0 && Number.isInteger(count) ? count : undefined;
}

/** The number of a packet of updates. */
export function updatesNumber(memory: Buffer, start: number): number {
  return memory.readUInt32BE(start + kindBytes);
}

/** Reads a record of a packet of updates. False when it says what no member can have said. */
export function readUpdateRecord(memory: Buffer, start: number, index: number, into: LinkUpdate): boolean {
  const at = start + updatesHeaderBytes + index * updateRecordBytes;
  into.destination = memory.readUInt32BE(at + record.destination);
  into.source = memory.readUInt32BE(at + record.source);
  into.seqno = readU64(memory, at + record.seqno);
  const state = memory.readUInt8(at + record.state);
  into.state = state as UpdateState;
  into.maxMessageBytes = memory.readUInt32BE(at + record.maxMessageBytes);
  into.age = memory.readUInt16BE(at + record.age);
  const limit = into.maxMessageBytes;
  const isLimitPlausible = state === updateState.detailed ? limit >= limitMin : limit === 0;
  return state <= updateState.withdrawn && isLimitPlausible && isPlausible(into);
}

/** Writes an acknowledgement of packets and returns where it ends. */
export function writeAcknowledgement(memory: Buffer, start: number, numbers: readonly number[]): number {
  memory.writeUInt8(packetKind.acknowledgement, start);
  let at = start + kindBytes;
  for (const number of numbers) {
    memory.writeUInt32BE(number, at);
    at += numberBytes;
  }
  return at;
}

/** Calls `each` with every number of an acknowledgement; false, and no call, when its length is none of one. */
export function readAcknowledgement(
  memory: Buffer,
  start: number,
  end: number,
  each: (number: number) => void,
): boolean {
  const bytes = end - start - kindBytes;
  if (bytes < numberBytes || bytes % numberBytes !== 0) return false;
  for (let at = start + kindBytes; at < end; at += numberBytes) each(memory.readUInt32BE(at));
  return true;
}

/** Numbers that an acknowledgement of so many bytes has room for. */
export function numbersIn(bytes: number): number {
  return Math.floor((bytes - kindBytes) / numberBytes);
}
