import { expect, test } from 'vitest';
import { leadingNumber, leadingRate, megabits, readRate, readTime } from './quantities.ts';

test.each([
  ['5', 5],
  ['5ms', 5],
  ['5s', 5000],
  ['5m', 300_000],
  ['5h', 18_000_000],
  ['5d', 432_000_000],
  ['', 0],
  ['s', 0],
])('time %j', (text, ms) => {
  expect(readTime(text)).toBe(ms);
});

test.each([
  ['5 s', ' s'],
  ['5min', 'min'],
  ['5S', 'S'],
  ['1.5s', '.5s'],
  ['5constructor', 'constructor'],
])('time %j is no time', (text, unknownUnit) => {
  expect(readTime(text)).toEqual({ unknownUnit });
});

test('a rate of operf counts thousands without a unit', () => {
  expect(readRate('5')).toBe(5000);
  expect(readRate('5k')).toBe(5000);
  expect(readRate('5M')).toBe(5_000_000);
  expect(readRate('5G')).toBe(5_000_000_000);
  expect(readRate('5m')).toEqual({ unknownUnit: 'm' });
  expect(readRate('1.5M')).toEqual({ unknownUnit: '.5M' });
});

test('a rate of ocbr counts bits, and what it does not know does not count', () => {
  expect(['5', '5k', '5M', '5G', '5x', '1.5M', 'x', '-5'].map(leadingRate)).toEqual([
    5, 5000, 5_000_000, 5_000_000_000, 5, 1, 0, -5,
  ]);
});

test('a number and what is behind it', () => {
  expect(['7', '7 apples', '-7', '+7', 'seven', ''].map(leadingNumber)).toEqual([7, 7, -7, 7, 0, 0]);
});

test('megabits a second', () => {
  expect(megabits(125_000, 1000)).toBe(1);
  expect(megabits(125_000, 0)).toBe(0);
});
