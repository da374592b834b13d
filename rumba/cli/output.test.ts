import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { writeTo } from './output.ts';

test('waits for a reader that is slow, until the signal, and not for one that is gone', async () => {
  const to = new PassThrough({ highWaterMark: 8 });
  await writeTo(to, 'one');
  let isDone = false;
  const second = writeTo(to, 'more than fits').then(() => (isDone = true));
  await new Promise(setImmediate);
  expect(isDone).toBe(false);
  expect(String(to.read())).toBe('onemore than fits');
  await second;
  const given = new AbortController();
  const third = writeTo(to, 'more than fits', given.signal);
  given.abort(new Error('enough'));
  await expect(third).rejects.toThrow('enough');
  const fourth = writeTo(to, 'more than fits');
  to.destroy();
  await fourth;
  await writeTo(to, 'after its end');
});
