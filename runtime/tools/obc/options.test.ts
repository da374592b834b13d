import { expect, test } from 'vitest';
import { parseObcOptions } from './options.ts';

const parsed = (...args: string[]): ReturnType<typeof parseObcOptions> => parseObcOptions(args);

test('a writer sends the text it is given, or the one of the manual', () => {
  expect(parsed('-n', 'bcl')).toEqual({
    kind: 'run',
    options: { layer: 'bcl', message: 'Ouroboros multicast rocks!', listen: false },
  });
  expect(parsed('--message', 'x', '--name', 'a', '-n', 'b', '-m', 'y')).toEqual({
    kind: 'run',
    options: { layer: 'b', message: 'y', listen: false },
  });
});

test('a reader listens', () => {
  expect(parsed('-l', '-n', 'bcl')).toMatchObject({ options: { listen: true } });
  expect(parsed('-n', 'bcl', '--listen')).toMatchObject({ options: { listen: true } });
});

test('a layer is needed, and what is not known shows the usage', () => {
  expect(parsed('-l')).toEqual({ kind: 'usage', text: 'Please specify a name.\n\n', status: 1 });
  for (const args of [['--help'], ['-x'], ['-n'], ['-n', 'bcl', 'y'], ['-n', 'bcl', '-m']]) {
    expect(parsed(...args)).toEqual({ kind: 'usage', text: '', status: 0 });
  }
});
