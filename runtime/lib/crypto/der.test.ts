import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { derChildren, encodeDer, encodeDerInteger, readDer } from './der.ts';

test('what is encoded is read, of every length', () => {
  for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536]) {
    const content = Buffer.alloc(length, 7);
    const bytes = encodeDer(0x04, content);
    const element = readDer(bytes, 0, bytes.length);
    expect(element).toMatchObject({ tag: 0x04, at: 0, end: bytes.length });
    expect(bytes.subarray(element?.start, element?.end)).toEqual(content);
  }
});

test('a key is read to its parts', () => {
  const key = generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'der' });
  const whole = readDer(key, 0, key.length);
  if (whole === undefined) throw new Error('nothing read');
  const parts = derChildren(key, whole);
  expect(parts?.map(({ tag, at, end }) => [tag, at, end])).toEqual([
    [0x30, 2, 9],
    [0x03, 9, 44],
  ]);
});

test('a number with its top bit set gets a zero in front', () => {
  expect(encodeDerInteger(Buffer.of(0x7f)).toString('hex')).toBe('02017f');
  expect(encodeDerInteger(Buffer.of(0x80)).toString('hex')).toBe('02020080');
});

test.each([
  ['nothing', ''],
  ['a tag alone', '30'],
  ['a tag of several bytes', '1f8100'],
  ['an indefinite length', '30800000'],
  ['a length of four bytes', '308400000000'],
  ['a length that is cut', '3082'],
  ['a length beyond the end', '300100'.slice(0, 4)],
])('%s is refused', (_name, hex) => {
  const bytes = Buffer.from(hex, 'hex');
  expect(readDer(bytes, 0, bytes.length)).toBeUndefined();
});

test('children that do not fill their parent are none', () => {
  const bytes = encodeDer(0x30, Buffer.from('0401', 'hex'));
  const whole = readDer(bytes, 0, bytes.length);
  if (whole === undefined) throw new Error('nothing read');
  expect(derChildren(bytes, whole)).toBeUndefined();
});

test('random bytes are read within their bounds, or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(60), (array, at) => {
      const bytes = Buffer.from(array);
      const element = readDer(bytes, at, bytes.length);
      if (element === undefined) return;
      expect(element.start).toBeGreaterThan(at + 1);
      expect(element.end).toBeGreaterThanOrEqual(element.start);
      expect(element.end).toBeLessThanOrEqual(bytes.length);
      derChildren(bytes, element);
    }),
  );
});
