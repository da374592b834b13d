import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packetFields, readSequence, readTest, testFields, writeSequence, writeTest } from './message.ts';

test('the bytes of tools.md 3.2', () => {
  expect(writeTest('uni').toString('hex')).toBe('00000000');
  expect(writeTest('bi').toString('hex')).toBe('01000000');
  const packet = Buffer.alloc(8);
  writeSequence(packet, 0x0102_0304);
  expect(packet.toString('hex')).toBe('0403020100000000');
  for (const table of [testFields, packetFields]) expect(table).toMatchObject([{ offset: 0, width: 4 }]);
});

test('what is written is read; numbers begin anew at 2^32', () => {
  for (const kind of ['uni', 'bi'] as const) expect(readTest(writeTest(kind))).toBe(kind);
  fc.assert(
    fc.property(fc.nat(2 ** 40), (sequence) => {
      const packet = Buffer.alloc(64, 0xa5);
      writeSequence(packet, sequence);
      expect(readSequence(packet)).toBe(sequence % 2 ** 32);
    }),
  );
});

test('any bytes are read, or have the wrong length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 8 }), (bytes) => {
      expect(readTest(Buffer.from(bytes)) === undefined).toBe(bytes.length !== 4);
      expect(readSequence(Buffer.from(bytes)) === undefined).toBe(bytes.length < 4);
    }),
  );
});
