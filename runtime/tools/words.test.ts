import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type OptionGroup, readWords, usageText } from './words.ts';

interface Given {
  loud: boolean;
  count: number;
  name: string;
}

const groups: readonly OptionGroup<Given>[] = [
  { options: [{ words: ['-l', '--loud'], help: 'Be loud', set: (given) => void (given.loud = true) }] },
  {
    title: 'Others',
    options: [
      {
        words: ['-c', '--count'],
        value: 'number',
        help: 'How often',
        set: (given, value) => {
          if (value === 'none') return 'None is no number.\n';
          given.count = Number(value);
          return undefined;
        },
      },
      { words: ['--name'], value: 'text', help: 'Whose', set: (given, value) => void (given.name = value) },
    ],
  },
];

const fresh = (): Given => ({ loud: false, count: 1, name: '' });

function read(...args: string[]): unknown {
  const given = fresh();
  const reading = readWords(args, groups, given);
  return reading.kind === 'read' ? given : reading;
}

test('left to right, the last of each counts', () => {
  expect(read()).toEqual(fresh());
  expect(read('-c', '3', '--loud', '--name', '-c', '--count', '5')).toEqual({
    loud: true,
    count: 5,
    name: '-c',
  });
});

test('what is no option, or lacks its value, ends the reading; so does what an option refuses', () => {
  expect(read('-x', '-c', 'none')).toEqual({ kind: 'unknown', word: '-x' });
  expect(read('-c3')).toEqual({ kind: 'unknown', word: '-c3' });
  expect(read('--count=3')).toEqual({ kind: 'unknown', word: '--count=3' });
  expect(read('--help')).toEqual({ kind: 'unknown', word: '--help' });
  expect(read('-l', '-c')).toEqual({ kind: 'unknown', word: '-c' });
  expect(read('-c', 'none', '-x')).toEqual({ kind: 'refused', text: 'None is no number.\n' });
});

test('the usage text', () => {
  expect(usageText({ tool: 'tool', purpose: 'Does something.', groups, after: 'And then some.\n' }))
    .toBe(`Usage: tool [OPTION]...
Does something.

  -l, --loud             Be loud

Others:
  -c, --count <number>   How often
      --name <text>      Whose
      --help             Show this text

And then some.
`);
});

test('any words are read', () => {
  const words = fc.array(fc.oneof(fc.string(), fc.constantFrom('-l', '-c', '--name', '3', 'none')));
  fc.assert(
    fc.property(words, (args) => {
      const reading = readWords(args, groups, fresh());
      if (reading.kind === 'unknown') expect(args).toContain(reading.word);
    }),
  );
});
