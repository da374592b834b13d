import { expect, test } from 'vitest';
import { enter } from './namespaces.ts';

test('the namespaces of a process that has ended cannot be entered, which is no fault of ours', () => {
  // Above the largest number of a process.
  expect(() => enter(2 ** 22 + 1, ['true'])).toThrow(
    expect.objectContaining({ name: 'TestbedError', code: 'EFAILED' }),
  );
});
