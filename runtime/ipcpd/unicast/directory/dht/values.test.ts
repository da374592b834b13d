import { expect, test } from 'vitest';
import { Values } from './values.ts';

const limits = { valuesMax: 6, valuesOfKeyMax: 3, valuesOfSourceMax: 4 };
const everywhere = (): boolean => true;
const value = (name: string, address: number, deadline = 1000, version = 0, source = address) => ({
  name,
  address,
  source,
  deadline,
  expires: deadline,
  version,
});

test('a value is prolonged, never shortened', () => {
  const values = new Values(limits, everywhere);
  expect(values.put(value('n', 1, 100), 0)).toBe('new');
  expect(values.put(value('n', 1, 50), 0)).toBe('known');
  expect(values.addresses('n', 99)).toEqual([1]);
  expect(values.put(value('n', 1, 200), 0)).toBe('known');
  expect(values.addresses('n', 199)).toEqual([1]);
  expect(values.addresses('n', 200)).toEqual([]);
  values.sweep(200);
  expect(values.size).toBe(0);
  expect(values.put(value('n', 1, 300), 200)).toBe('new');
});

test('who cannot be reached is not told of, and is again when he can', () => {
  const gone = new Set([2]);
  const values = new Values(limits, (address) => !gone.has(address));
  for (const address of [1, 2, 3]) values.put(value('n', address), 0);
  expect(values.addresses('n', 0)).toEqual([3, 1]);
  gone.clear();
  expect(values.addresses('n', 0)).toEqual([3, 2, 1]);
});

test('a withdrawn value is believed again from a later word only', () => {
  const values = new Values(limits, everywhere);
  values.put(value('n', 1, 100, 5), 0);
  expect(values.withdraw(value('n', 1, 300, 4), 0)).toBe(false);
  expect(values.addresses('n', 0)).toEqual([1]);
  expect(values.withdraw(value('n', 1, 300, 6), 0)).toBe(true);
  expect(values.addresses('n', 0)).toEqual([]);
  expect(values.isWithdrawn('n', 1, 299)).toBe(true);
  expect(values.withdrawn).toBe(1);
  // A late copy of an earlier word, and one of a prototype, which knows no numbers.
  expect(values.put(value('n', 1, 900, 5), 0)).toBe('older');
  expect(values.put(value('n', 1, 900, 0), 0)).toBe('older');
  expect(values.put(value('n', 1, 900, 7), 0)).toBe('new');
  expect(values.addresses('n', 899)).toEqual([1]);
  expect(values.withdrawn).toBe(0);
});

test('a withdrawal that overtakes its store leaves a tombstone', () => {
  const values = new Values(limits, everywhere);
  expect(values.withdraw(value('n', 1, 300, 6), 0)).toBe(false);
  expect(values.put(value('n', 1, 900, 5), 0)).toBe('older');
  values.sweep(300);
  expect(values.size).toBe(0);
  expect(values.put(value('n', 1, 900, 5), 300)).toBe('new');
});

test('there is a bound for a name, for a source and for all; what nobody is told makes room', () => {
  const gone = new Set<number>();
  const values = new Values(limits, (address) => !gone.has(address));
  for (const address of [1, 2, 3]) expect(values.put(value('n', address), 0)).toBe('new');
  expect(values.put(value('n', 4), 0)).toBe('full');
  gone.add(2);
  expect(values.put(value('n', 4), 0)).toBe('new');
  expect(values.addresses('n', 0)).toEqual([4, 3, 1]);

  for (const name of ['a', 'b', 'c']) expect(values.put(value(name, 9, 1000, 0, 1), 0)).toBe('new');
  expect(values.put(value('d', 9, 1000, 0, 1), 0), 'of one source').toBe('full');
  expect(values.size).toBe(6);
  expect(values.put(value('d', 9, 1000, 0, 7), 0), 'in all').toBe('full');
  values.withdraw(value('a', 9, 500, 1, 9), 0);
  expect(values.put(value('d', 9, 1000, 0, 7), 0)).toBe('new');
  expect(values.get('a', 9)).toBeUndefined();
  expect(values.put(value('e', 9, 1000, 0, 7), 0)).toBe('full');
});

test('all values of an owner can be dropped', () => {
  const values = new Values(limits, everywhere);
  for (const name of ['a', 'b']) values.put(value(name, 1), 0);
  values.put(value('a', 2), 0);
  values.dropOwner(1);
  expect([...values.all()].map(({ name, address }) => [name, address])).toEqual([['a', 2]]);
  expect([...values.names()]).toEqual(['a']);
  expect([...values.ofOwner(1)]).toEqual([]);
});
