import { expect, test } from 'vitest';
import { Interrupted, interruptible } from './interrupt.ts';

test('the first signal aborts with its exit code, the second is told apart, and then all is as before', () => {
  const listeners = process.listenerCount('SIGTERM');
  const again: number[] = [];
  {
    using interrupt = interruptible((exitCode) => again.push(exitCode));
    process.emit('SIGTERM', 'SIGTERM');
    expect(interrupt.signal.reason).toBeInstanceOf(Interrupted);
    expect(interrupt.signal.reason).toMatchObject({ exitCode: 143 });
    expect(again).toEqual([]);
    process.emit('SIGINT', 'SIGINT');
    expect(again).toEqual([130]);
    expect(interrupt.signal.reason).toMatchObject({ exitCode: 143 });
  }
  expect(process.listenerCount('SIGTERM')).toBe(listeners);
});
