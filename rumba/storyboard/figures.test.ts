import { expect, test } from 'vitest';
import { resultsCsv, sweepHtml } from '../report/sweep-report.ts';
import { lossOf, outageOf, rttOf, type Sample } from './ping.ts';
import { cellName, cellsOf, gridOf, medianOf } from './sweep.ts';

function samples(text: string): Sample[] {
  return Array.from(text).map((each, index) => ({
    at: index * 10,
    rttMs: each === '.' ? null : Number(each),
  }));
}

test('loss, round trips and outages of pings', () => {
  const each = samples('12..3...45');
  expect([lossOf(each), rttOf(each, 0.5), rttOf(each, 1), outageOf(each, 10)]).toEqual([0.5, 3, 5, 30]);
  // What was not answered to the end has no end; one or two packets at the end say nothing.
  expect([outageOf(samples('1...'), 10), outageOf(samples('1.2.'), 10), outageOf([], 10)]).toEqual([
    Infinity,
    10,
    Infinity,
  ]);
  expect([lossOf([]), rttOf([], 0.5)]).toEqual([1, Infinity]);
});

test('a sweep has every combination, each run a seed that depends on itself alone', () => {
  const cells = cellsOf(
    gridOf(
      new Map([
        ['loss', '0%,1%'],
        ['policy', 'lfa,ecmp'],
      ]),
    ),
    2,
    9,
  );
  expect(cells).toHaveLength(8);
  expect(new Set(cells.map(({ seed }) => seed)).size).toBe(8);
  expect(cells.map(cellName)[3]).toBe('0004-loss=0%-policy=ecmp-r2');
  const fewer = cellsOf(
    gridOf(
      new Map([
        ['loss', '1%'],
        ['policy', 'ecmp'],
      ]),
    ),
    1,
    9,
  );
  expect(fewer[0]?.seed).toBe(
    cells.find(({ parameters }) => parameters['loss'] === '1%' && parameters['policy'] === 'ecmp')?.seed,
  );
  expect(() => gridOf(new Map([['loss', '1%,']]))).toThrow('one of the values');
});

test('medians and their intervals by order statistics', () => {
  expect(medianOf([])).toBeUndefined();
  expect(medianOf([3, 1, 2])).toEqual({ median: 2, low: 1, high: 3 });
  // For ten values the interval is from the second to the ninth (97.9 %).
  expect(medianOf([10, 9, 8, 7, 6, 5, 4, 3, 2, 1])).toEqual({ median: 5.5, low: 2, high: 9 });
});

test('results of a sweep as CSV, and as a page that needs nothing else', async () => {
  const cells = cellsOf(gridOf(new Map([['loss', '0%,"1"']])), 1, 1);
  const results = cells.map((cell, index) => ({
    cell,
    status: 'failed' as const,
    verdicts: [{ expectation: 'loss < 1', ok: false, measured: index, unit: '%' as const }],
  }));
  const csv = resultsCsv(results).split('\r\n');
  expect(csv[0]).toBe('loss,repetition,seed,status,loss < 1 (%)');
  expect(csv[2]).toMatch(/^"""1""",1,\d+,failed,1$/);
  const html = await sweepHtml('<x>', 1, results);
  expect(html).toContain('<h1>&lt;x&gt;</h1>');
  expect(html).not.toMatch(/<(script|link|img)[^>]*(src|href)=/);
});
