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
  void queue.push(1);
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

test('makes a source wait for a slow reader, and lets it end when the reader goes', async () => {
  const queue = new EventQueue<number>();
  let told = 0;
  const taking = queue.take(
    (async function* () {
      for (; told < 5_000; told += 1) yield told;
    })(),
  );
  for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
  expect(told).toBeLessThan(1_000);
  const events = queue.events(forever);
  for (let read = 0; read < 2_000; read += 1) expect(await events.next()).toMatchObject({ value: read });
  expect(told).toBeGreaterThan(1_999);
  expect(told).toBeLessThan(3_500);
  await events.return();
  await taking;
  expect(told).toBe(5_000);
});
