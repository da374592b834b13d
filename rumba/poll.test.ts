import { expect, test } from 'vitest';
import { poll } from './poll.ts';

const what = 'the moon';

test('gives the first answer', async () => {
  let calls = 0;
  expect(await poll(() => (++calls === 3 ? 'now' : undefined), { what, deadlineMs: 5000 })).toBe('now');
});

test('gives up at the deadline, also on a probe that hangs', async () => {
  const late = { code: 'ETIMEDOUT', message: 'waited 0.03 s for the moon' };
  await expect(poll(() => undefined, { what, deadlineMs: 30 })).rejects.toMatchObject(late);
  await expect(poll(() => new Promise<undefined>(() => {}), { what, deadlineMs: 30 })).rejects.toMatchObject(
    late,
  );
});

test('an abort and a failing probe end it at once', async () => {
  const controller = new AbortController();
  const waiting = poll(() => undefined, { what, deadlineMs: 60_000, signal: controller.signal });
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  const broken = (): never => {
    throw new Error('broken');
  };
  await expect(poll(broken, { what, deadlineMs: 60_000 })).rejects.toThrow('broken');
});
