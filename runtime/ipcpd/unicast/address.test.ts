import { expect, test } from 'vitest';
import { formatAddress } from './address.ts';

test('an address is shown by its bytes, the lowest first', () => {
  expect(formatAddress(0x6954d05b)).toBe('5b.d0.54.69');
  expect(formatAddress(0xff000001)).toBe('01.00.00.ff');
});
