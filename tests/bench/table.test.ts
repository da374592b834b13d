import { describe, expect, test } from 'vitest';
import { growthText, leftOutText, Results, type Subject, textOf } from './table.ts';

const time: Subject = {
  what: 'round trip',
  unit: 'us',
  better: 'less',
  targets: { prototype: 0.6 },
};
const rate: Subject = { what: 'packets', unit: '1/s', better: 'more', targets: { prototype: 3 } };

function resultsOf(...figures: readonly (readonly [Subject, string, number])[]): Results {
  const results = new Results();
  for (const [subject, source, value] of figures) results.add('two', { subject, source, value });
  return results;
}

describe('rows', () => {
  test('tell the median, the least and the greatest of all runs', () => {
    const { rows } = resultsOf([time, 'ours', 30], [time, 'ours', 10], [time, 'ours', 11]);
    expect(rows).toStrictEqual([
      {
        bench: 'two',
        what: 'round trip',
        unit: 'us',
        better: 'less',
        ours: { median: 11, least: 10, greatest: 30, runs: 3 },
      },
    ]);
  });

  test('a subject has a row for each peer', () => {
    const { rows } = resultsOf([time, 'ours', 1], [time, 'prototype', 2], [time, 'UDP', 4]);
    expect(rows.map(({ peer, ratio }) => [peer?.source, ratio])).toStrictEqual([
      ['prototype', 0.5],
      ['UDP', 0.25],
    ]);
  });

  test.each([
    [time, 6, 10, true],
    [time, 7, 10, false],
    [rate, 30, 10, true],
    [rate, 29, 10, false],
  ])('%o: %d beside %d', (subject, own, other, met) => {
    const [row] = resultsOf([subject, 'ours', own], [subject, 'prototype', other]).rows;
    expect(row?.met).toBe(met);
  });

  test('without a figure of ours no target is judged', () => {
    const [row] = resultsOf([time, 'prototype', 10]).rows;
    expect(row).toMatchObject({ target: 0.6, peer: { source: 'prototype', median: 10 } });
    expect(row).not.toHaveProperty('met');
    expect(row).not.toHaveProperty('ratio');
  });

  test('what is no number is left out, once, with the reason', () => {
    const results = resultsOf([time, 'ours', 1], [time, 'prototype', NaN], [time, 'prototype', NaN]);
    expect(results.rows).toHaveLength(1);
    expect(results.rows[0]).not.toHaveProperty('peer');
    expect(leftOutText(results)).toBe('left out: two, round trip, prototype: it came out as NaN\n');
  });
});

test('the table is aligned and says which targets are met', () => {
  const results = resultsOf(
    [time, 'ours', 12.345],
    [time, 'prototype', 100],
    [rate, 'ours', 200],
    [rate, 'prototype', 100],
    [{ what: 'memory', unit: 'MB', better: 'less' }, 'ours', 3],
  );
  expect(textOf(results.rows)).toBe(
    [
      "BENCH  WHAT        UNIT  OURS               PEER       PEER'S          RATIO  TARGET  MET",
      'two    round trip  us    12.3 (12.3..12.3)  prototype  100 (100..100)  0.123  <= 0.6  yes',
      'two    packets     1/s   200 (200..200)     prototype  100 (100..100)  2      >= 3    NO',
      'two    memory      MB    3 (3..3)',
      '',
    ].join('\n'),
  );
});

test('growth is told by an exponent', () => {
  const cost = (amount: number): Subject => ({
    what: `memory of ${amount}`,
    unit: 'MB',
    better: 'less',
    growth: { of: 'flows', amount, cost: 'memory' },
  });
  const results = resultsOf([cost(1), 'ours', 2], [cost(100), 'ours', 200], [cost(10), 'ours', 20]);
  expect(growthText(results.rows)).toBe(
    [
      '| flows       |  1 | 10 | 100 | exponent |',
      '| ----------- | -: | -: | --: | -------: |',
      '| memory [MB] |  2 | 20 | 200 |     1.00 |',
      '',
    ].join('\n'),
  );
});

test('a document of the rows is JSON and comes back as it was', () => {
  const { rows } = resultsOf([time, 'ours', 1.5], [time, 'prototype', 3]);
  expect(JSON.parse(JSON.stringify(rows))).toStrictEqual(rows);
});
