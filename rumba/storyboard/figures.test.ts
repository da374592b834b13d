import { expect, test } from 'vitest';
import { resultsCsv, resultsJson, sweepHtml, sweepJunit } from '../report/sweep-report.ts';
import { lossOf, outageOf, rttOf, type Sample } from './ping.ts';
import { cellName, cellsOf, gridOf, medianOf, sweepDifferences } from './sweep.ts';

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
  // What is infinite is above all others, and counts.
  expect(medianOf([1, Infinity, Infinity])).toEqual({ median: Infinity, low: 1, high: Infinity });
  expect(medianOf([1, 2, Infinity, Infinity])?.median).toBe(Infinity);
});

test.each([100, 1_000, 1_075, 1_076, 5_000])(
  'the interval of %i values is that of the normal approximation',
  (n) => {
    const { median, low, high } = medianOf(Array.from({ length: n }, (_, index) => index + 1)) ?? {};
    expect(median).toBe((n + 1) / 2);
    const half = (1.96 * Math.sqrt(n)) / 2;
    expect(Math.abs((low ?? 0) - (n / 2 - half))).toBeLessThan(2);
    expect(Math.abs((high ?? 0) - (n / 2 + half + 1))).toBeLessThan(2);
  },
);

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
  expect(JSON.parse(resultsJson(results))).toMatchObject([
    {
      number: 1,
      parameters: { loss: '0%' },
      seed: cells[0]?.seed,
      status: 'failed',
      folder: '0001-loss=0%-r1',
    },
    { number: 2 },
  ]);
  const html = await sweepHtml('<x>', 1, results);
  expect(html).toContain('<h1>&lt;x&gt;</h1>');
  expect(html).not.toMatch(/<(script|link|img)[^>]*(src|href)=/);
});

test('outages without an end are infinite in tables and medians, and what broke is not counted', async () => {
  const cells = cellsOf(gridOf(new Map([['loss', '0%,1%']])), 3, 1);
  const measured = [5, 'infinite', 'infinite', 1, 2, null] as const;
  const results = cells.map((cell, index) => {
    const value = measured[index] ?? null;
    const verdict = { expectation: 'outage', ok: false, measured: value, unit: 'ms' as const };
    return value === null
      ? { cell, status: 'broken' as const, verdicts: [], error: 'no lab <&>' }
      : { cell, status: 'failed' as const, verdicts: [verdict] };
  });
  const rows = resultsCsv(results).trim().split('\r\n').slice(1);
  expect(rows.map((row) => row.split(',').at(-1))).toEqual(['5', 'inf', 'inf', '1', '2', '']);
  const html = await sweepHtml('x', 1, results);
  expect(html).toContain(
    '<td>loss=0%</td><td>outage</td><td>infinite</td><td>5ms to infinite</td><td>3 of 3</td><td>2</td>',
  );
  expect(html).toContain(
    '<td>loss=1%</td><td>outage</td><td>1.5ms</td><td>1ms to 2ms</td><td>2 of 3</td><td>0</td>',
  );
  expect(html).toContain('"label":"median (2 infinite)"');
  expect(html).toContain('"values":[null,1.5]');
  const suite = '<testsuites>\n  <testsuite name="kept"/>\n</testsuites>\n';
  const xml = sweepJunit('x', results.slice(4), [suite, '']);
  expect(xml).toContain('<testsuite name="kept"/>');
  expect(xml).toContain('<error message="no lab &lt;&amp;&gt;">');
});

test('sweeps that differ say in what', () => {
  const facts = {
    ...{ name: 'x', seed: 1, repeat: 2, file: 'a', content: 'a', options: [] },
    parameters: { loss: ['0%', '1%'] },
    versions: { 'o7s-testbed': '1' },
  };
  expect(sweepDifferences(facts, facts)).toEqual([]);
  const other = { ...facts, seed: 2, repeat: 3, content: 'b', options: ['--testbed', 'docker'] };
  expect(
    sweepDifferences(facts, { ...other, parameters: { rate: ['1Mbit'] }, versions: { 'o7s-testbed': '2' } }),
  ).toEqual([
    'the seed was 1 and is 2',
    '--repeat was 2 and is 3',
    'parameter loss was 0%,1% and is nothing',
    'parameter rate was nothing and is 1Mbit',
    'version of o7s-testbed was 1 and is 2',
    'what runs are given was none and is --testbed docker',
  ]);
  expect(sweepDifferences(facts, { ...facts, file: 'b' })).toEqual([
    'the file of the storyboard was changed',
  ]);
  expect(sweepDifferences(facts, { ...facts, content: 'b' })).toEqual([
    'a file that the storyboard imports was changed',
  ]);
});
