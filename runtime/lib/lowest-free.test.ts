import { expect, test } from 'vitest';
import { LowestFree } from './lowest-free.ts';

test('the lowest free number first', () => {
  const numbers = new LowestFree(64, 4095);
  expect([numbers.take(), numbers.take(), numbers.take()]).toEqual([64, 65, 66]);
  numbers.release(65);
  numbers.release(64);
  numbers.release(64);
  expect([numbers.used, numbers.size]).toEqual([1, 4032]);
  expect([numbers.take(), numbers.take(), numbers.take()]).toEqual([64, 65, 67]);
});

test('when all are used there is none, and the next release makes room', () => {
  const numbers = new LowestFree(1, 100);
  for (let count = 0; count < 100; count += 1) expect(numbers.take()).toBe(count + 1);
  expect(numbers.take()).toBeUndefined();
  numbers.release(77);
  expect([numbers.take(), numbers.take()]).toEqual([77, undefined]);
});
