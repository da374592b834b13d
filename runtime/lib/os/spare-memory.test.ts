import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { releaseWhenQuiet } from './spare-memory.ts';

const usage = vi.spyOn(process, 'cpuUsage');
/** Processor time between two looks, us. */
let busy = 0;

beforeEach(() => {
  vi.useFakeTimers();
  usage.mockImplementation(() => ({ user: busy, system: 0 }));
});
afterEach(() => vi.useRealTimers());

test('collects all, once, when the start is over', () => {
  busy = 0;
  const collect = vi.fn();
  releaseWhenQuiet(() => true, collect);
  vi.advanceTimersByTime(20_000);
  expect(collect).not.toHaveBeenCalled();
  vi.advanceTimersByTime(60_000);
  expect(collect).toHaveBeenCalledOnce();
  expect(vi.getTimerCount()).toBe(0);
});

test('waits while the process works, or is not to stand still', () => {
  busy = 100_000;
  let quiet = false;
  const collect = vi.fn();
  releaseWhenQuiet(() => quiet, collect);
  vi.advanceTimersByTime(60_000);
  busy = 0;
  vi.advanceTimersByTime(60_000);
  expect(collect).not.toHaveBeenCalled();
  quiet = true;
  vi.advanceTimersByTime(2000);
  expect(collect).toHaveBeenCalledOnce();
});

test('a collection leaves V8 as it was: code that was compiled under other flags would not be taken', () => {
  busy = 0;
  releaseWhenQuiet();
  vi.advanceTimersByTime(60_000);
  expect(vi.getTimerCount()).toBe(0);
  expect(runInNewContext('typeof gc')).toBe('undefined');
});
