import { expect, test } from 'vitest';
import { parsePcap } from './pcap.ts';

function file(magic: number, little: boolean): Buffer {
  const memory = Buffer.alloc(24 + 16 + 3);
  const u32 = (value: number, at: number): number =>
    little ? memory.writeUInt32LE(value, at) : memory.writeUInt32BE(value, at);
  u32(magic, 0);
  u32(1, 20);
  u32(7, 24);
  u32(5, 28);
  u32(3, 32);
  u32(9, 36);
  memory.write('abc', 40);
  return memory;
}

test.each([
  ['nanoseconds', 0xa1b23c4d, 5n],
  ['microseconds', 0xa1b2c3d4, 5000n],
])('%s, in either byte order', (_name, magic, fraction) => {
  for (const little of [true, false]) {
    expect(parsePcap(file(magic, little))).toEqual({
      linkType: 1,
      frames: [{ time: 7_000_000_000n + fraction, bytes: Buffer.from('abc'), wireBytes: 9 }],
    });
  }
});

test('what is cut or is no pcap file is refused', () => {
  const whole = file(0xa1b23c4d, true);
  for (let length = 0; length < whole.length; length += 1) {
    if (length === 24) continue;
    expect(() => parsePcap(whole.subarray(0, length)), `${length} bytes`).toThrow();
  }
  expect(() => parsePcap(Buffer.alloc(100))).toThrow('not a pcap file');
});
