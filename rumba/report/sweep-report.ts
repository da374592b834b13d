/** What a sweep comes to: a table of its runs, and plots of what was measured over its parameters. */
import { type Cell, cellName, medianOf } from '../storyboard/sweep.ts';
import type { Verdict } from '../storyboard/story.ts';
import { page, table, text } from './html.ts';
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
    ...expectations.map((each) =>
      String(verdicts.find(({ expectation }) => expectation === each)?.measured ?? ''),
    ),
  ]);
  return [head, ...rows].map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
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
      const value = found?.measured ?? null;
      return value === null
        ? '-'
        : `<span class="${found?.ok === true ? '' : 'bad'}">${Number(value.toFixed(3))} ${found?.unit}</span>`;
    }),
    error === undefined ? '' : text(error),
  ]);
  const body = [
    `<h1>${text(name)}</h1>`,
    `<p>${results.length} runs from seed ${seed}: ${count('passed')} passed, ${count('failed')} failed, ${count('broken')} broken. ` +
      'Points are medians; bands hold the median of all possible runs with 95 % (from order statistics; all values where there are fewer than six).</p>',
    ...plots.map((_, index) => `<div class="plot" id="plot${index}"></div>`),
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
  const unit =
    results.flatMap(({ verdicts }) => verdicts).find((each) => each.expectation === expectation)?.unit ?? '';
  const series = [...lines].map(([label, cells]) => {
    const intervals = order.map(({ value }) =>
      medianOf(
        cells
          .filter(({ cell }) => cell.parameters[name] === value)
          .flatMap(
            ({ verdicts }) => verdicts.find((each) => each.expectation === expectation)?.measured ?? [],
          ),
      ),
    );
    return {
      label: label || 'median',
      // Shares of a sweep are rarely near the whole.
      scale: unit === '%' ? 'percent' : unit || 'value',
      values: intervals.map((each) => each?.median ?? null),
      low: intervals.map((each) => each?.low ?? null),
      high: intervals.map((each) => each?.high ?? null),
    };
  });
  const legend = isNumeric ? '' : `: ${order.map(({ value, x }) => `${x} ${value}`).join(', ')}`;
  return [{ title: expectation, xLabel: `${name}${legend}`, x: order.map(({ x }) => x), series, marks: [] }];
}

function expectationsOf(results: readonly CellResult[]): string[] {
  return [...new Set(results.flatMap(({ verdicts }) => verdicts.map(({ expectation }) => expectation)))];
}

function csvCell(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
