import { expect, test } from 'vitest';
import { flowIdMax } from '../lib/limits.ts';
import { FlowIds } from './flow-ids.ts';

test('the lowest free id first', () => {
  const ids = new FlowIds();
  expect([ids.take(), ids.take(), ids.take()]).toEqual([1, 2, 3]);
  ids.release(2);
  ids.release(1);
  ids.release(1);
  expect(ids.used).toBe(1);
  expect([ids.take(), ids.take(), ids.take()]).toEqual([1, 2, 4]);
});

test('when all are used one is refused, and the next release makes room', () => {
  const ids = new FlowIds();
  for (let count = 0; count < flowIdMax; count += 1) ids.take();
  expect(() => ids.take()).toThrow(expect.objectContaining({ code: 'EBADF' }));
  ids.release(77);
  expect(ids.take()).toBe(77);
  expect(() => ids.take()).toThrow();
});
