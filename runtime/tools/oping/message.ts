/** The message of oping. Source: tools.md 1.2. */
import { fieldTable, headerBytes } from '../../lib/wire/fields.ts';

/** The two times are little-endian and belong to the sender alone. */
export const pingFields = fieldTable([
  ['type', 'u32', '0 request, 1 reply'],
  ['id', 'u32', 'counts from 0'],
  ['seconds', 'u64', "sender's monotonic clock", 's'],
  ['nanoseconds', 'u64', 'part below a second', 'ns'],
]);
export const pingHeaderBytes: number = headerBytes(pingFields);

export const pingType = { request: 0, reply: 1 } as const;

const nsPerSecond = 1_000_000_000n;

/** Writes a request into a message that is otherwise zero; `clock` in ns. */
export function writeRequest(message: Buffer, id: number, clock: bigint): void {
  message.writeUInt32BE(pingType.request, 0);
  message.writeUInt32BE(id, 4);
  message.writeBigUInt64LE(clock / nsPerSecond, 8);
  message.writeBigUInt64LE(clock % nsPerSecond, 16);
}

export interface Ping {
  readonly type: number;
  readonly id: number;
  /** Sender's clock in ns. */
  readonly clock: bigint;
}

/** Reads a message; undefined when it is too short to be one. */
export function readPing(message: Buffer): Ping | undefined {
  if (message.length < pingHeaderBytes) return undefined;
  return {
    type: message.readUInt32BE(0),
    id: message.readUInt32BE(4),
    clock: message.readBigUInt64LE(8) * nsPerSecond + message.readBigUInt64LE(16),
  };
}
