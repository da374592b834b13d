/** Messages between directories in captures of unicast layers over eth-dix. Source: unicast-layer.md 5.1, appendix A. */
import { readCapture } from './pcap.ts';

export interface CapturedMessage {
  /** As the documents number frames: from 1. */
  readonly frame: number;
  readonly payload: Buffer;
}

const ethernetBytes = 14;
const dixBytes = 4;
const dataTransferBytes = 15;
const directoryEid = 1n;

export function capturedMessages(name: string): CapturedMessage[] {
  const found: CapturedMessage[] = [];
  for (const [index, { bytes }] of readCapture(name).frames.entries()) {
    if (bytes.length < ethernetBytes + dixBytes || bytes.readUInt16BE(12) !== 0xa000) continue;
    // Endpoint id 0 is the layer's own.
    if (bytes.readUInt16BE(ethernetBytes) === 0) continue;
    const start = ethernetBytes + dixBytes;
    const packet = bytes.subarray(start, start + bytes.readUInt16BE(ethernetBytes + 2));
    if (packet.length <= dataTransferBytes || packet.readBigUInt64LE(7) !== directoryEid) continue;
    found.push({ frame: index + 1, payload: packet.subarray(dataTransferBytes) });
  }
  return found;
}
