import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pingFields, pingHeaderBytes, readPing, writeRequest } from './message.ts';

test('the bytes of tools.md 1.2', () => {
  const message = Buffer.alloc(64);
  writeRequest(message, 0, 0xfc8n * 1_000_000_000n + 0x2e78_806en);
  expect(message.toString('hex')).toBe(`0000000000000000c80f0000000000006e80782e00000000${'00'.repeat(40)}`);
});

test('what is written is read, and lies where the table says', () => {
  expect(pingHeaderBytes).toBe(24);
  expect(pingFields.map(({ name, offset }) => [name, offset])).toEqual([
    ['type', 0],
    ['id', 4],
    ['seconds', 8],
    ['nanoseconds', 16],
  ]);
  const clock = fc.bigInt({ min: 0n, max: 2n ** 63n });
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), clock, (id, now) => {
      const message = Buffer.alloc(24, 0xa5);
      writeRequest(message, id, now);
      expect(readPing(message)).toEqual({ type: 0, id, clock: now });
    }),
  );
});

test('any bytes are read, or are too few', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(readPing(Buffer.from(bytes)) === undefined).toBe(bytes.length < 24);
    }),
  );
});
