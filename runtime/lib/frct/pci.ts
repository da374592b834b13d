/** The header of FRCT packets, their protocol control information (PCI). Source: end-to-end.md 7.2. */
import { fieldTable, headerBytes } from '../wire/fields.ts';
import type { Seqno } from './sequence.ts';

export const pciFields = fieldTable([
  ['flags', 'u8', 'which of the other fields hold, and what the packet is'],
  ['window', 'u24', "low bits of the receiver's right window edge: the first number it does not take yet"],
  ['seqno', 'u32', 'number of this packet of data; with DRF alone, of the first one there will be'],
  ['ackno', 'u32', 'number of the packet that the receiver waits for'],
]);

export const pciBytes: number = headerBytes(pciFields);

export const pciFlag = {
  /** A message follows and counts; it may be empty. */
  data: 0x01,
  /** Data run flag: the sender has nothing outstanding. Starts a run where there is none. */
  drf: 0x02,
  /** `ackno` holds. */
  ack: 0x04,
  /** Flow control: `window` holds. */
  fc: 0x08,
  /** Rendezvous: asks for a window update. */
  rdvs: 0x10,
  /**
   * Whoever sends this speaks the extensions of report.ts. The prototype never sets it and ignores it; so it does 0x20
   * and 0x40, which it reserves for fragments.
   */
  extended: 0x80,
} as const;

/** Largest window that the field tells. */
export const windowMask = 0xff_ffff;

/** The header of the packet it has read last. */
export class Pci {
  flags = 0;
  window = 0;
  seqno: Seqno = 0;
  ackno: Seqno = 0;

  /** False when the packet is too short to have a header. */
  read(memory: Buffer, start: number, end: number): boolean {
    if (end - start < pciBytes) return false;
    this.flags = memory[start] as number;
    this.window =
      ((memory[start + 1] as number) << 16) |
      ((memory[start + 2] as number) << 8) |
      (memory[start + 3] as number);
    this.seqno = readSeqno(memory, start + 4);
    this.ackno = readSeqno(memory, start + 8);
    return true;
  }
}

/** Writes a header; of `window`, the low 24 bits. */
export function writePci(
  memory: Buffer,
  start: number,
  flags: number,
  window: Seqno,
  seqno: Seqno,
  ackno: Seqno,
): void {
  memory[start] = flags;
  memory[start + 1] = window >> 16;
  memory[start + 2] = window >> 8;
  memory[start + 3] = window;
  writeSeqno(memory, start + 4, seqno);
  writeSeqno(memory, start + 8, ackno);
}

/** Big-endian, as all of the wire; by hand, because it is what every packet takes several times. */
export function readSeqno(memory: Buffer, at: number): Seqno {
  return (
    ((memory[at] as number) << 24) |
    ((memory[at + 1] as number) << 16) |
    ((memory[at + 2] as number) << 8) |
    (memory[at + 3] as number)
  );
}

export function writeSeqno(memory: Buffer, at: number, seqno: Seqno): void {
  memory[at] = seqno >> 24;
  memory[at + 1] = seqno >> 16;
  memory[at + 2] = seqno >> 8;
  memory[at + 3] = seqno;
}
