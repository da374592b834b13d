import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appendCrc, checkCrc, crcBytes } from './crc.ts';

function crcOf(bytes: Buffer): string {
  const memory = Buffer.alloc(bytes.length + 10);
  bytes.copy(memory, 3);
  appendCrc(memory, 3, 3 + bytes.length);
  return memory.toString('hex', 3 + bytes.length, 3 + bytes.length + crcBytes);
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

test.each([
  ['nothing', Buffer.alloc(0), '00000000'],
  ['123456789', Buffer.from('123456789'), 'cbf43926'],
  ['hello', Buffer.from('hello'), '3610a686'],
  ['Ouroboros', Buffer.from('Ouroboros'), '7d6c13a9'],
  ['zeros', hex('00000000'), '2144df1c'],
  ['ones', hex('ffffffff'), 'ffffffff'],
  ['all bytes', Buffer.from(Array.from({ length: 256 }, (_, index) => index)), '29058c73'],
  ['a message', hex('00000000414141414141'), 'f85417ab'],
  ['an FRCT packet', hex('030000001e45a2a70000000000000000414141414141'), '85c8d641'],
])('the CRC of %s', (_name, bytes, crc) => {
  expect(crcOf(bytes)).toBe(crc);
});

test('what was appended is found right, wherever it lies, and any altered bit is found wrong', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 100 }),
      fc.nat(20),
      fc.nat(),
      (array, start, bit) => {
        const memory = Buffer.alloc(start + array.length + crcBytes + 5, 0xee);
        memory.set(array, start);
        const end = start + array.length + crcBytes;
        appendCrc(memory, start, end - crcBytes);
        expect(checkCrc(memory, start, end)).toBe(true);
        const at = bit % ((end - start) * 8);
        memory[start + (at >> 3)] = (memory[start + (at >> 3)] ?? 0) ^ (1 << (at & 7));
        expect(checkCrc(memory, start, end)).toBe(false);
      },
    ),
  );
});

test('four bytes and fewer are no packet with a CRC', () => {
  for (let length = 0; length <= crcBytes; length += 1) {
    expect(checkCrc(Buffer.alloc(8), 2, 2 + length)).toBe(false);
  }
});
