/** Messages on the management flows of a capture of unicast IPCPs over eth-dix. Source: unicast-layer.md 3.5, 15. */
import { readCapture } from './pcap.ts';

export interface ManagementMessage {
  /** Number of its frame in the capture, from 1 as analysers count. */
  readonly frame: number;
  /** s since the first frame. */
  readonly seconds: number;
  /** Layer address of the sender, as it gave it when the connection was made. */
  readonly from: number;
  readonly bytes: Buffer;
}

const offset = { source: 6, eid: 14, length: 16, payload: 18 } as const;
const connection = Buffer.from('\n\nManagement\u0012\u0003LSP');

/** All of a capture, in order, after the connection was made. */
export function managementMessages(name: string): ManagementMessage[] {
  const { frames } = readCapture(name);
  const start = frames[0]?.time ?? 0n;
  const senders = new Map<string, number>();
  const messages: ManagementMessage[] = [];
  for (const [index, { bytes: frame, time }] of frames.entries()) {
    const eid = frame.readUInt16BE(offset.eid);
    const bytes = frame.subarray(offset.payload, offset.payload + frame.readUInt16BE(offset.length));
    if (eid === 0) continue;
    // Who sends it, to which endpoint: one direction of one flow.
    const direction = `${frame.toString('hex', offset.source, offset.source + 6)} ${eid}`;
    if (bytes.subarray(0, connection.length).equals(connection)) senders.set(direction, lastVarint(bytes));
    else {
      const from = senders.get(direction);
      const seconds = Number(time - start) / 1e9;
      if (from !== undefined) messages.push({ frame: index + 1, seconds, from, bytes });
    }
  }
  return messages;
}

/** The address, the last field of a connection message: a varint of at most 32 bits. */
export function lastVarint(message: Buffer): number {
  let at = message.length - 1;
  let value = message[at] ?? 0;
  while (((message[at - 1] ?? 0) & 0x80) !== 0) {
    at -= 1;
    value = value * 128 + ((message[at] ?? 0) & 0x7f);
  }
  return value;
}
