import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bitRate,
  bold,
  duration,
  fit,
  harmless,
  type Line,
  painted,
  plain,
  shorten,
  sparkline,
  widthOf,
  wrapLine,
} from './text.ts';

test('text fits the columns it is given', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(30), (text, width) => {
      const safe = harmless(text);
      expect(widthOf(shorten(safe, width))).toBeLessThanOrEqual(Math.max(width, 1));
      if (width > 1) expect(widthOf(fit(safe, width))).toBe(width);
    }),
  );
});

test('wide characters take two columns, joined ones none', () => {
  expect([widthOf('abc'), widthOf('日本'), widthOf('e\u0301'), widthOf('─█●')]).toEqual([3, 4, 1, 3]);
  expect(fit('日本語', 4)).toBe('日… ');
});

test('control characters are written as their codes', () => {
  expect(harmless('a\tb\u001b[31m\n\u0085')).toBe('a b\\x1b[31m\\x0a\\x85');
});

test('a line is cut where the columns end, in whatever span', () => {
  expect(painted([{ text: 'abc', colour: 'red' }, { text: 'defg' }, { text: 'h' }], 5, false)).toBe('abcd…');
});

test('rates have three digits', () => {
  const values = [0, 1, 12.34, 999, 1_000, 12_345, 999_499, 1_234_567, 5e9];
  expect(values.map(bitRate)).toEqual([
    '0 b/s',
    '1 b/s',
    '12.3 b/s',
    '999 b/s',
    '1.00 kb/s',
    '12.3 kb/s',
    '999 kb/s',
    '1.23 Mb/s',
    '5.00 Gb/s',
  ]);
});

test('durations', () => {
  expect([0.123, 7, 850.4, 12_340, 245_000, 7_380_000].map(duration)).toEqual([
    '0.12 ms',
    '7 ms',
    '850 ms',
    '12.3 s',
    '4 min 5 s',
    '2 h 3 min',
  ]);
});

test('sparklines', () => {
  expect(sparkline([], 4)).toBe('    ');
  expect(sparkline([0, 1, 2, 4, 8], 6)).toBe(' ▁▁▂▄▇');
  expect(sparkline([1, 2, 3], 2)).toBe('▅▇');
  expect(sparkline([0, 0], 2)).toBe('▁▁');
});

test('a line that is too long goes on below, at a blank where there is one', () => {
  const texts = (line: Line, width: number): string[] =>
    wrapLine(line, width, 2).map((each) =>
      each
        .map(({ text }) => text)
        .join('')
        .trimEnd(),
    );
  expect(texts([plain('one two '), bold('three'), plain(' four')], 9)).toEqual([
    'one two',
    '  three',
    '  four',
  ]);
  expect(texts([plain('abcdefghij klm')], 6)).toEqual(['abcdef', '  ghij', '  klm']);
  expect(texts([plain('日本語 日本語')], 6)).toEqual(['日本語', '  日本', '  語']);
  expect(texts([plain('fits')], 4)).toEqual(['fits']);
  expect(texts([], 4)).toEqual(['']);
  expect(wrapLine([bold('ab cd')], 3, 0)).toEqual([[bold('ab ')], [bold('cd')]]);
});
