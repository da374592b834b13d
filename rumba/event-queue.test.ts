import { expect, test } from 'vitest';
import { EventQueue } from './event-queue.ts';

const forever = new AbortController().signal;

async function all<T>(events: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const event of events) list.push(event);
  return list;
}

test('gives what several sources tell, and what is there at the end', async () => {
  const queue = new EventQueue<number>();
  const source = async function* (first: number) {
    yield first;
    await Promise.resolve();
    yield first + 1;
  };
  void Promise.all([queue.take(source(1)), queue.take(source(10))]).then(() => queue.end());
  expect((await all(queue.events(forever))).toSorted((a, b) => a - b)).toEqual([1, 2, 10, 11]);
});

test('fails with what it was ended with, after what was told before', async () => {
  const queue = new EventQueue<number>();
  queue.push(1);
  queue.end(new Error('gone'));
  const seen: number[] = [];
  const reading = (async () => {
    for await (const event of queue.events(forever)) seen.push(event);
  })();
  await expect(reading).rejects.toThrow('gone');
  expect(seen).toEqual([1]);
});

test('stops when the signal aborts, with nothing to wait for', async () => {
  const queue = new EventQueue<number>();
  const controller = new AbortController();
  const reading = all(queue.events(controller.signal));
  controller.abort();
  expect(await reading).toEqual([]);
});
