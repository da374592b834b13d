/** Files of captured frames, as the pcap format has them, with times in nanoseconds. */

const magicNanoseconds = 0xa1b2_3c4d;
const ethernet = 1;
const snapBytes = 262_144;

export interface FrameTime {
  /** Since 1970. */
  readonly seconds: number;
  readonly nanoseconds: number;
}

export function fileHeader(): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(magicNanoseconds, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(snapBytes, 16);
  header.writeUInt32LE(ethernet, 20);
  return header;
}

/** What comes before the bytes of a frame. */
export function recordHeader({ seconds, nanoseconds }: FrameTime, bytes: number): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(seconds, 0);
  header.writeUInt32LE(nanoseconds, 4);
  header.writeUInt32LE(bytes, 8);
  header.writeUInt32LE(bytes, 12);
  return header;
}
