import { expect, test } from 'vitest';
import { TestbedError, undone } from '../errors.ts';
import { failure, usageError } from './failure.ts';

test.each([
  ['Unknown argument: x', 'unknown argument: x'],
  [
    'Invalid values:\n  Argument: format, Given: "xml", Choices: "table", "json"',
    'invalid values: Argument: format, Given: "xml", Choices: "table", "json"',
  ],
  ['Missing dependent arguments:\n\n a -> b\n c -> d\n', 'missing dependent arguments: a -> b; c -> d'],
])('%j becomes one line', (message, line) => {
  expect(failure(usageError(message))).toEqual({
    text: `${line}; see: o7s-testbed --help`,
    details: [],
    exitCode: 2,
  });
});

test('an error of undoing comes after the one it was undone for', async () => {
  const first = new TestbedError('EENVIRONMENT', 'no image', { hint: 'build it', details: ['a log'] });
  const error = await undone(first, () => Promise.reject(new TestbedError('ETIMEDOUT', 'waited 20 s')));
  expect(failure(error)).toEqual({
    text: 'no image; build it',
    details: ['a log', 'and then: waited 20 s'],
    exitCode: 3,
  });
  expect((error as Error).message).toBe('no image; and then: waited 20 s');
  expect(await undone(first, async () => {})).toBe(first);
});
