import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { alone } from './lock.ts';

const { signal } = new AbortController();
const lab = { testbed: 'netns', name: `lock-${process.pid}` };

test('changes of one link wait for each other, those of another do not', async () => {
  const order: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const first = alone(lab, 'a-b', signal, async () => {
    begun.resolve();
    await promise;
    order.push('first');
  });
  await begun.promise;
  const second = alone(lab, 'a-b', signal, async () => void order.push('second'));
  await alone(lab, 'b-c', signal, async () => void order.push('other'));
  resolve();
  await Promise.all([first, second]);
  expect(order).toEqual(['other', 'first', 'second']);
});

test('another process is waited for, and one that was killed holds nothing', async () => {
  const held = `import { alone } from ${JSON.stringify(fileURLToPath(new URL('./lock.ts', import.meta.url)))};
    await alone(${JSON.stringify(lab)}, 'a-b', new AbortController().signal, async () => {
      console.log('held');
      await new Promise((resolve) => setTimeout(resolve, 1e6));
    });`;
  const child = spawn(process.execPath, ['--conditions=@o7s/source', '--input-type=module', '-e', held]);
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  let isDone = false;
  const waiting = alone(lab, 'a-b', signal, async () => void (isDone = true));
  const given = new AbortController();
  const impatient = alone(lab, 'a-b', given.signal, async () => {});
  given.abort(new Error('enough'));
  await expect(impatient).rejects.toThrow('enough');
  expect(isDone).toBe(false);
  child.kill('SIGKILL');
  await waiting;
  expect(isDone).toBe(true);
});
