import { expect, onTestFinished, test } from 'vitest';
import { Command } from './ends.ts';

test('a command that reads slowly leaves no listeners behind', async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warned);
  onTestFinished(() => void process.off('warning', warned));
  using command = new Command('cat >/dev/null');
  for (let count = 0; count < 20; count += 1) await command.sink.write(Buffer.alloc(500_000));
  command.sink.end();
  expect(await command.ended).toEqual({ status: 0, signal: null });
  expect(warnings).toEqual([]);
});

test('what a command that has ended does not read goes nowhere', async () => {
  using command = new Command('exit 3');
  for (let count = 0; count < 5; count += 1) await command.sink.write(Buffer.alloc(500_000));
  expect(await command.ended).toEqual({ status: 3, signal: null });
});
