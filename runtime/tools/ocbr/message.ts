/** The packet of ocbr. Source: tools.md 4.2. */
import { fieldTable, headerBytes } from '../../lib/wire/fields.ts';

/** The beginning of a packet; zeros follow. Servers look at nothing but its length. */
export const cbrFields = fieldTable([
  ['sequence', 'u64', 'little-endian, counts from 0; nothing in a flood'],
]);

const cbrHeaderBytes: number = headerBytes(cbrFields);
const twoTo32 = 2 ** 32;

/** Writes the number of a packet into it, if it is long enough. */
export function writeSequence(packet: Buffer, sequence: number): void {
  if (packet.length < cbrHeaderBytes) return;
  packet.writeUInt32LE(sequence % twoTo32, 0);
  packet.writeUInt32LE(Math.floor(sequence / twoTo32), 4);
}
