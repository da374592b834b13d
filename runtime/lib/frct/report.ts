/**
 * What two of our own ends tell each other besides the PCI: a report behind the PCI of packets without data that carry
 * the flag `extended`. The prototype looks at nothing behind the PCI of such a packet. Source: ADR 0020.
 */
import { fieldTable, headerBytes } from '../wire/fields.ts';
import { pciBytes, readSeqno, writeSeqno } from './pci.ts';
import type { Seqno } from './sequence.ts';

/**
 * Offsets are from the end of the PCI. Behind these fields lies a bitmap of the packets that arrived ahead of a missing
 * one: bit i (from the lowest) of byte j stands for number 8j + i behind `ackno`, that rounded down to a multiple of 8.
 * All but `contents` and `end` hold only where FC is set.
 */
export const reportFields = fieldTable([
  ['contents', 'u8', '1: `end` holds; 2: everything up to the end that the peer told has arrived'],
  ['spare', 'u8', '0'],
  ['delay', 'u16', 'from the arrival of the latest data to this packet', '10 us'],
  ['end', 'u32', 'number behind the last packet of data that the sender of this sends, ever'],
  ['credit', 'u32', 'bytes of messages from the start of the run that may be sent, modulo 2^32', 'bytes'],
  ['duplicates', 'u32', 'packets of data that arrived more than once, modulo 2^32'],
]);

const offset = { contents: 0, delay: 2, end: 4, credit: 8, duplicates: 12 } as const;
const fixedBytes = headerBytes(reportFields);

/** Where the bitmap of a packet with a report begins, from the start of the PCI. */
export const bitmapOffset: number = pciBytes + fixedBytes;

export const reportContents = { end: 0x01, endReached: 0x02 } as const;

const delayUnit = 0.01;
const delayMax = 0xffff;

/** The report it has read last, or is to write next. */
export class Report {
  contents = 0;
  /** ms */
  delay = 0;
  end: Seqno = 0;
  credit = 0;
  duplicates = 0;

  /** False when a packet has no report. */
  read(memory: Buffer, start: number, end: number): boolean {
    if (end - start < bitmapOffset) return false;
    const at = start + pciBytes;
    this.contents = memory[at] as number;
    this.delay = memory.readUInt16BE(at + offset.delay) * delayUnit;
    this.end = readSeqno(memory, at + offset.end);
    this.credit = readSeqno(memory, at + offset.credit);
    this.duplicates = readSeqno(memory, at + offset.duplicates);
    return true;
  }

  /** Writes it behind the PCI that begins at `start`. */
  write(memory: Buffer, start: number): void {
    const at = start + pciBytes;
    memory[at] = this.contents;
    memory[at + 1] = 0;
    memory.writeUInt16BE(Math.min(delayMax, Math.floor(this.delay / delayUnit)), at + offset.delay);
    writeSeqno(memory, at + offset.end, this.end);
    writeSeqno(memory, at + offset.credit, this.credit);
    writeSeqno(memory, at + offset.duplicates, this.duplicates);
  }
}
