import { expect, test } from 'vitest';
import { usableMtu } from './interface.ts';

test.each([
  ['eth0', 1500, 1500],
  ['eth0', 9000, 9000],
  ['eth0', 100_000, 65_535],
  ['lo', 65_536, 9000],
  ['lo1', 1500, 1500],
])('of the MTU of %s, %i bytes, %i are used', (name, mtu, usable) => {
  expect(usableMtu(name, mtu)).toBe(usable);
});
