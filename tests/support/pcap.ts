/** Reads classic pcap files, with times in microseconds or nanoseconds, of either byte order. */
import { readFileSync } from 'node:fs';

export interface CapturedFrame {
  /** ns since 1970. */
  readonly time: bigint;
  readonly bytes: Buffer;
  /** Length on the wire; more than there is in `bytes` when the capture was cut. */
  readonly wireBytes: number;
}

export interface Capture {
  /** 1 is Ethernet. */
  readonly linkType: number;
  readonly frames: readonly CapturedFrame[];
}

const fileHeaderBytes = 24;
const recordHeaderBytes = 16;
const magicMicroseconds = 0xa1b2_c3d4;
const magicNanoseconds = 0xa1b2_3c4d;

/** @throws Error when the file is no pcap file, or ends within a record. */
export function parsePcap(file: Buffer): Capture {
  if (file.length < fileHeaderBytes) throw new Error('a pcap file has at least 24 bytes');
  const little = [magicMicroseconds, magicNanoseconds].includes(file.readUInt32LE(0));
  const u32 = (at: number): number => (little ? file.readUInt32LE(at) : file.readUInt32BE(at));
  const magic = u32(0);
  if (magic !== magicMicroseconds && magic !== magicNanoseconds) throw new Error('not a pcap file');
  const fraction = magic === magicNanoseconds ? 1n : 1000n;
  const frames: CapturedFrame[] = [];
  let at = fileHeaderBytes;
  while (at < file.length) {
    if (at + recordHeaderBytes > file.length) throw new Error(`record header cut at byte ${at}`);
    const length = u32(at + 8);
    const end = at + recordHeaderBytes + length;
    if (end > file.length) throw new Error(`record cut at byte ${at}`);
    frames.push({
      time: BigInt(u32(at)) * 1_000_000_000n + BigInt(u32(at + 4)) * fraction,
      bytes: file.subarray(at + recordHeaderBytes, end),
      wireBytes: u32(at + 12),
    });
    at = end;
  }
  return { linkType: u32(20), frames };
}

/** A capture of tests/fixtures/captures, by its name without `.pcap`. */
export function readCapture(name: string): Capture {
  return parsePcap(readFileSync(new URL(`../fixtures/captures/${name}.pcap`, import.meta.url)));
}
