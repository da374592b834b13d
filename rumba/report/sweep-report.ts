/** What a sweep comes to: a table of its runs, and plots of what was measured over its parameters. */
import { type Cell, cellName, type Interval, medianOf } from '../storyboard/sweep.ts';
import type { Verdict } from '../storyboard/story.ts';
import { page, table, text } from './html.ts';
import { brokenSuite, suites } from './junit.ts';
import { measuredText } from './measured.ts';
import type { PlotData } from './page.ts';

/** `broken`: there are no results, because the lab could not be made, or the run was ended. */
export interface CellResult {
  readonly cell: Cell;
  readonly status: 'passed' | 'failed' | 'broken';
  readonly verdicts: readonly Verdict[];
  readonly error?: string;
}

/** A row a run: its parameters, its seed, what became of it, and what was measured for each expectation. */
export function resultsCsv(results: readonly CellResult[]): string {
  const names = [...new Set(results.flatMap(({ cell }) => Object.keys(cell.parameters)))];
  const expectations = expectationsOf(results);
  const units = new Map(
    results.flatMap(({ verdicts }) => verdicts.map((each) => [each.expectation, each.unit])),
  );
  const head = [
    ...names,
    'repetition',
    'seed',
    'status',
    ...expectations.map((each) => (units.get(each) ? `${each} (${units.get(each)})` : each)),
  ];
  const rows = results.map(({ cell, status, verdicts }) => [
    ...names.map((name) => cell.parameters[name] ?? ''),
    String(cell.repetition),
    String(cell.seed),
    status,
    ...expectations.map((each) => {
      const measured = verdicts.find(({ expectation }) => expectation === each)?.measured ?? '';
      // As programs that read tables of numbers write it.
      return measured === 'infinite' ? 'inf' : String(measured);
    }),
  ]);
  return [head, ...rows].map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}

/** The same as JSON, an object a run. */
export function resultsJson(results: readonly CellResult[]): string {
  const rows = results.map(({ cell, ...rest }) => ({ ...cell, folder: cellName(cell), ...rest }));
  return `${JSON.stringify(rows, null, 2)}\n`;
}

/** The suites of all runs, of which `documents` are the results as JUnit XML; those of broken runs say why. */
export function sweepJunit(
  name: string,
  results: readonly CellResult[],
  documents: readonly string[],
): string {
  const all = results.map(({ cell, error }, index) => {
    const found = /<testsuites>\n([^]*)<\/testsuites>/.exec(documents[index] ?? '')?.[1];
    return found ?? brokenSuite(name, `${name} ${cellName(cell)}`, error ?? 'it has no results');
  });
  return suites(all);
}

export async function sweepHtml(name: string, seed: number, results: readonly CellResult[]): Promise<string> {
  const count = (status: CellResult['status']): number =>
    results.filter((each) => each.status === status).length;
  const plots = expectationsOf(results).flatMap((each) => plotOf(each, results));
  const rows = results.map(({ cell, status, verdicts, error }) => [
    `<a href="${encodeURI(cellName(cell))}/report.html">${cell.number}</a>`,
    text(
      Object.entries(cell.parameters)
        .map(([key, value]) => `${key}=${value}`)
        .join(' '),
    ),
    String(cell.repetition),
    String(cell.seed),
    `<span class="${status === 'passed' ? 'good' : 'bad'}">${status}</span>`,
    ...expectationsOf(results).map((expectation) => {
      const found = verdicts.find((each) => each.expectation === expectation);
      if (found === undefined) return '-';
      return `<span class="${found.ok ? '' : 'bad'}">${measuredText(found)}</span>`;
    }),
    error === undefined ? '' : text(error),
  ]);
  const body = [
    `<h1>${text(name)}</h1>`,
    `<p>${results.length} runs from seed ${seed}: ${count('passed')} passed, ${count('failed')} failed, ${count('broken')} broken. ` +
      'Points are medians; bands hold the median of all possible runs with 95 % (from order statistics; all values where there are fewer than six).</p>',
    ...plots.map((_, index) => `<div class="plot" id="plot${index}"></div>`),
    '<h2>Medians</h2>',
    medianTable(results),
    '<h2>Runs</h2>',
    table(['Run', 'Parameters', 'Repetition', 'Seed', '', ...expectationsOf(results), ''], rows),
  ];
  return await page(name, body.join('\n'), plots);
}

/** Over the parameter with the most values; a line for each combination of the others. */
function plotOf(expectation: string, results: readonly CellResult[]): PlotData[] {
  const values = new Map<string, Set<string>>();
  for (const { cell } of results) {
    for (const [name, value] of Object.entries(cell.parameters)) {
      values.set(name, (values.get(name) ?? new Set()).add(value));
    }
  }
  const [axis] = [...values].toSorted(([, one], [, other]) => other.size - one.size);
  if (axis === undefined) return [];
  const [name, known] = axis;
  const texts = [...known];
  const numbers = texts.map((each) => Number.parseFloat(each));
  const isNumeric = numbers.every((each) => Number.isFinite(each)) && new Set(numbers).size === texts.length;
  const order = texts
    .map((value, index) => ({ value, x: isNumeric ? (numbers[index] ?? 0) : index }))
    .toSorted((one, other) => one.x - other.x);
  const lines = Map.groupBy(results, ({ cell }) =>
    Object.entries(cell.parameters)
      .filter(([key]) => key !== name && (values.get(key)?.size ?? 0) > 1)
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
  );
  const unit = unitOf(expectation, results);
  const series = [...lines].map(([label, cells]) => {
    const intervals = order.map(
      ({ value }) =>
        measuredIn(
          expectation,
          cells.filter(({ cell }) => cell.parameters[name] === value),
        ).interval,
    );
    const { infinite } = measuredIn(expectation, cells);
    return {
      label: `${label || 'median'}${infinite === 0 ? '' : ` (${infinite} infinite)`}`,
      // Shares of a sweep are rarely near the whole.
      scale: unit === '%' ? 'percent' : unit || 'value',
      // What is infinite is above any plot: the line and the band end there.
      values: intervals.map((each) => finite(each?.median)),
      low: intervals.map((each) => finite(each?.low)),
      high: intervals.map((each) => finite(each?.high)),
    };
  });
  const legend = isNumeric ? '' : `: ${order.map(({ value, x }) => `${x} ${value}`).join(', ')}`;
  return [{ title: expectation, xLabel: `${name}${legend}`, x: order.map(({ x }) => x), series, marks: [] }];
}

/** A row for each combination of parameters and each expectation: median, interval, and how many were measured. */
function medianTable(results: readonly CellResult[]): string {
  const combinations = Map.groupBy(results, ({ cell }) =>
    Object.entries(cell.parameters)
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
  );
  const rows = [...combinations].flatMap(([parameters, cells]) =>
    expectationsOf(results).map((expectation) => {
      const { interval, count, infinite } = measuredIn(expectation, cells);
      const unit = unitOf(expectation, results);
      const shown = (value: number | undefined): string =>
        value === undefined ? '-' : measuredText({ measured: finite(value) ?? 'infinite', unit });
      return [
        text(parameters),
        text(expectation),
        shown(interval?.median),
        interval === undefined ? '-' : `${shown(interval.low)} to ${shown(interval.high)}`,
        `${count} of ${cells.length}`,
        String(infinite),
      ];
    }),
  );
  return table(['Parameters', 'Expectation', 'Median', '95 %', 'Measured', 'Infinite'], rows);
}

/** What runs measured: an infinite value is one of them, above all others. */
function measuredIn(
  expectation: string,
  cells: readonly CellResult[],
): { interval: Interval | undefined; count: number; infinite: number } {
  const values = cells.flatMap(({ verdicts }) => {
    const measured = verdicts.find((each) => each.expectation === expectation)?.measured ?? null;
    return measured === null ? [] : [measured === 'infinite' ? Number.POSITIVE_INFINITY : measured];
  });
  const infinite = values.filter((each) => !Number.isFinite(each)).length;
  return { interval: medianOf(values), count: values.length, infinite };
}

function unitOf(expectation: string, results: readonly CellResult[]): Verdict['unit'] {
  const all = results.flatMap(({ verdicts }) => verdicts);
  return all.find((each) => each.expectation === expectation)?.unit ?? '';
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

function expectationsOf(results: readonly CellResult[]): string[] {
  return [...new Set(results.flatMap(({ verdicts }) => verdicts.map(({ expectation }) => expectation)))];
}

function csvCell(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
