/** What captures of unicast layers over eth-dix hold. */
import { readCapture } from './pcap.ts';

const ethernetBytes = 14;
const dixBytes = 4;
const dtBytes = 15;

/** A data-transfer packet of a capture. */
export interface CapturedPacket {
  /** Of the frame, counted from 1. */
  readonly number: number;
  /** Header and all. */
  readonly bytes: Buffer;
  readonly eidLow: number;
  readonly eidHigh: number;
  readonly payload: Buffer;
}

/** The payloads of a capture's flows over eth-dix that are long enough for a data-transfer packet, and whole. */
function capturedPackets(name: string): CapturedPacket[] {
  return readCapture(name).frames.flatMap(({ bytes, wireBytes }, index) => {
    if (bytes.length < wireBytes || bytes.readUInt16BE(ethernetBytes) === 0) return [];
    const length = bytes.readUInt16BE(ethernetBytes + 2);
    const start = ethernetBytes + dixBytes;
    const packet = bytes.subarray(start, start + length);
    if (packet.length < dtBytes) return [];
    return [
      {
        number: index + 1,
        bytes: packet,
        eidLow: packet.readUInt32LE(7),
        eidHigh: packet.readUInt32LE(11),
        payload: packet.subarray(dtBytes),
      },
    ];
  });
}

/** Those for the component with an endpoint id, on flows between members. */
export function capturedFor(name: string, eid: number): CapturedPacket[] {
  return capturedPackets(name).filter(
    // What is no data transfer has other bytes where cube, time to live and congestion level are.
    ({ bytes, eidLow, eidHigh }) =>
      eidHigh === 0 && eidLow === eid && bytes[4] === 0 && bytes[5]! <= 60 && bytes[6] === 0,
  );
}
