import { expect, test } from 'vitest';
import { ResentQueue } from './resent-queue.ts';

test('first in, first out, across growth', () => {
  const queue = new ResentQueue(1024);
  let next = 0;
  for (let seqno = 0; seqno < 1000; seqno += 1) {
    queue.push(seqno, seqno * 2);
    if (seqno % 3 !== 0) continue;
    expect([queue.firstSeqno, queue.firstSentAt]).toEqual([next, next * 2]);
    queue.shift();
    next += 1;
  }
  expect(queue.count).toBe(1000 - next);
  for (; queue.count > 0; next += 1) {
    expect([queue.firstSeqno, queue.firstSentAt]).toEqual([next, next * 2]);
    queue.shift();
  }
  expect(next).toBe(1000);
});

test('beyond its limit the oldest goes', () => {
  const queue = new ResentQueue(64);
  for (let seqno = 0; seqno < 100; seqno += 1) queue.push(seqno, 0);
  expect([queue.count, queue.firstSeqno]).toEqual([64, 36]);
  queue.clear();
  expect(queue.count).toBe(0);
  queue.push(7, 1);
  expect([queue.count, queue.firstSeqno]).toEqual([1, 7]);
});
