/** The CRC behind a packet: that of zip and Ethernet, over all bytes before it, big-endian. Source: end-to-end.md 6. */
import { crc32 } from 'node:zlib';

export const crcBytes = 4;

/** Writes the CRC of what lies between `start` and `end` behind it. */
export function appendCrc(memory: Buffer, start: number, end: number): void {
  memory.writeUInt32BE(crc32(memory.subarray(start, end)), end);
}

/** Whether the last four bytes before `end` are the CRC of those before them. Nothing but a CRC is no packet. */
export function checkCrc(memory: Buffer, start: number, end: number): boolean {
  const body = end - crcBytes;
  return body > start && crc32(memory.subarray(start, body)) === memory.readUInt32BE(body);
}
