import { expect, test } from 'vitest';
import { runGraph, type Schedulable } from './schedule.ts';

const never = new AbortController().signal;
const step = (id: string, ...after: string[]): Schedulable => ({ id, after });
const diamond = [step('d', 'b', 'c'), step('b', 'a'), step('c', 'a'), step('a')];

test('does each step once, after those it waits for, so many at a time', async () => {
  const done: string[] = [];
  let [running, most] = [0, 0];
  await runGraph(diamond, { workers: 2, signal: never }, async ({ id }) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    done.push(id);
  });
  expect(done).toEqual(['a', 'b', 'c', 'd']);
  expect(most).toBe(2);
});

test('the first failure stops the rest, tells those that run, and is what comes out', async () => {
  const started: string[] = [];
  const work = runGraph(diamond, { workers: 2, signal: never }, async ({ id }, signal) => {
    started.push(id);
    if (id === 'b') throw new Error('b broke');
    if (id === 'c')
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('told'))));
  });
  await expect(work).rejects.toThrow('b broke');
  expect(started).toEqual(['a', 'b', 'c']);
});

test('an abort stops it with its reason', async () => {
  const controller = new AbortController();
  const work = runGraph(diamond, { workers: 2, signal: controller.signal }, async () =>
    controller.abort(new Error('stop')),
  );
  await expect(work).rejects.toThrow('stop');
});

test('a circle and a step that waits for nothing known are faults', async () => {
  const nothing = async (): Promise<void> => {};
  await expect(
    runGraph([step('a', 'b'), step('b', 'a')], { workers: 2, signal: never }, nothing),
  ).rejects.toThrow('wait for each other');
  await expect(runGraph([step('a', 'x')], { workers: 2, signal: never }, nothing)).rejects.toThrow(
    'step a waits for x, which is no step',
  );
});

test('nothing to do is done', async () => {
  await runGraph([], { workers: 2, signal: never }, async () => {});
});
