/** The messages of operf. Source: tools.md 3.2. */
import { fieldTable, headerBytes } from '../../lib/wire/fields.ts';

/** The first message of a flow, and all of it. The number is little-endian. */
export const testFields = fieldTable([['test', 'u32', '0 unidirectional, 1 bidirectional']]);

/** The beginning of every other message; zeros follow. The number is little-endian. */
export const packetFields = fieldTable([['sequence', 'u32', 'counts from 0']]);

const testMessageBytes = headerBytes(testFields);
const packetHeaderBytes: number = headerBytes(packetFields);

/** Whether packets travel one way only, or the server sends each back. */
export type TestType = 'uni' | 'bi';

const numbers = { uni: 0, bi: 1 } as const;

export function writeTest(test: TestType): Buffer {
  const message = Buffer.alloc(testMessageBytes);
  message.writeUInt32LE(numbers[test], 0);
  return message;
}

/** The test a first message asks for; undefined when it is none. */
export function readTest(message: Buffer): TestType | undefined {
  if (message.length !== testMessageBytes) return undefined;
  return message.readUInt32LE(0) === numbers.bi ? 'bi' : 'uni';
}

export function writeSequence(packet: Buffer, sequence: number): void {
  packet.writeUInt32LE(sequence >>> 0, 0);
}

/** The number of a packet; undefined when it is too short to have one. */
export function readSequence(packet: Buffer): number | undefined {
  return packet.length < packetHeaderBytes ? undefined : packet.readUInt32LE(0);
}
