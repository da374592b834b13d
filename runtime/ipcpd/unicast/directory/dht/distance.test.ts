import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytes } from '../../../../../tests/support/any-message.ts';
import { compareDistance, sharedBits, withSharedBits } from './distance.ts';

const anyId = bytes(28);

function distance(a: Buffer, b: Buffer): bigint {
  return BigInt(`0x${a.toString('hex')}`) ^ BigInt(`0x${b.toString('hex')}`);
}

test('distances compare as the exclusive or of whole ids does', () => {
  fc.assert(
    fc.property(anyId, anyId, anyId, (a, b, key) => {
      const [near, far] = [distance(a, key), distance(b, key)];
      const order = near < far ? -1 : near > far ? 1 : 0;
      expect(Math.sign(compareDistance(a, b, key))).toBe(order);
      expect(compareDistance(a, a, key)).toBe(0);
    }),
  );
});

test('shared bits are the leading zeros of the distance', () => {
  fc.assert(
    fc.property(anyId, anyId, (a, b) => {
      const bits = distance(a, b).toString(2).padStart(224, '0');
      expect(sharedBits(a, b)).toBe(bits.includes('1') ? bits.indexOf('1') : 224);
      expect(sharedBits(a, a)).toBe(224);
    }),
  );
});

test('an id can be made that shares exactly so many bits', () => {
  fc.assert(
    fc.property(anyId, anyId, fc.nat(223), (id, random, bits) => {
      expect(sharedBits(withSharedBits(id, bits, random), id)).toBe(bits);
    }),
  );
});
