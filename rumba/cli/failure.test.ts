import { expect, test } from 'vitest';
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
