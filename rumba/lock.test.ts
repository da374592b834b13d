import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { alone, labUnlocked, lockLab } from './lock.ts';

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
  const held = `import { lockLab } from ${JSON.stringify(fileURLToPath(new URL('./lock.ts', import.meta.url)))};
    const { signal } = new AbortController();
    await lockLab(${JSON.stringify(lab.name)}, { signal, holder: '"o7s-testbed up"', onWait: () => {} });
    console.log('held');`;
  const child = spawn(process.execPath, ['--conditions=@o7s/source', '--input-type=module', '-e', held]);
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const waits: string[] = [];
  const options = { holder: 'this test', onWait: (other: string) => void waits.push(other) };
  const told = Promise.withResolvers<void>();
  const waiting = lockLab(lab.name, {
    ...options,
    signal,
    onWait: (other) => {
      options.onWait(other);
      told.resolve();
    },
  });
  await told.promise;
  expect(waits).toEqual([`"o7s-testbed up" (process ${child.pid})`]);
  const given = new AbortController();
  const impatient = lockLab(lab.name, { ...options, signal: given.signal });
  given.abort(new Error('enough'));
  await expect(impatient).rejects.toThrow('enough');
  await labUnlocked(lab.name, 1);
  child.kill('SIGKILL');
  await using _lock = await waiting;
});
