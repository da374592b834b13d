/** Tables: rows that are filtered, sorted, scrolled, and drawn into as many columns as there are. */
import { type Colour, fit, harmless, type Line, selected as asSelected, type Span, widthOf } from './text.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right' | undefined;
  /** Takes what is left of the width; one a table. */
  readonly stretches?: boolean | undefined;
}

export interface Cell {
  readonly text: string;
  readonly colour?: Colour | undefined;
  /** What is sorted by, where that is not the text. */
  readonly by?: number | undefined;
}

export interface Row {
  /** Says which row it is while others come and go. */
  readonly key: string;
  readonly cells: readonly Cell[];
  /** The node that keys such as `x` and `l` are about. */
  readonly node?: string | undefined;
}

export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** What to say where there are no rows. */
  readonly empty: string;
  /** New rows come at the end, which is what is shown until another row is chosen. */
  readonly tails?: boolean | undefined;
}

export interface Sorting {
  /** Undefined for the order that the table has. */
  readonly column: number | undefined;
  readonly reverse: boolean;
}

export const unsorted: Sorting = { column: undefined, reverse: false };

/** The rows that contain a text, whatever the case, in the order that is wanted. */
export function arranged(
  { rows, columns }: Table,
  filter: string,
  { column, reverse }: Sorting,
): readonly Row[] {
  const wanted = filter.toLowerCase();
  const kept =
    wanted === ''
      ? rows
      : rows.filter(({ cells }) => cells.some(({ text }) => text.toLowerCase().includes(wanted)));
  if (column === undefined || column >= columns.length) return kept;
  const sorted = kept.toSorted((one, other) => compare(one.cells[column], other.cells[column]));
  return reverse ? sorted.toReversed() : sorted;
}

function compare(one: Cell | undefined, other: Cell | undefined): number {
  if (one?.by !== undefined && other?.by !== undefined) return one.by - other.by;
  return (one?.text ?? '').localeCompare(other?.text ?? '', 'en', { numeric: true });
}

/** Where the row of a key is; else the row at the same place as before; -1 where there are none. */
export function indexOf(rows: readonly Row[], cursor: Cursor): number {
  if (rows.length === 0) return -1;
  if (cursor.key === undefined)
    return cursor.index < 0 ? rows.length - 1 : Math.min(cursor.index, rows.length - 1);
  const found = rows.findIndex(({ key }) => key === cursor.key);
  return found >= 0 ? found : Math.min(Math.max(cursor.index, 0), rows.length - 1);
}

export interface Cursor {
  readonly key: string | undefined;
  /** -1 for the last row, whichever that is. */
  readonly index: number;
}

/** A column that takes what is left is seen whole when it has so many, however long its texts are. */
const stretchedMost = 40;

export interface TableDrawing {
  readonly width: number;
  readonly height: number;
  readonly at: number;
  readonly sorting: Sorting;
  readonly filter: string;
  readonly natural: readonly number[];
  /** First column that is shown behind the first. */
  readonly firstColumn?: number | undefined;
}

/** The table with its titles in so many lines; the row at the cursor is among them. */
export function drawnTable(table: Table, rows: readonly Row[], drawing: TableDrawing): Line[] {
  const { width, height, at, sorting, filter, firstColumn = 0 } = drawing;
  const shownColumns = columnsFrom(table, firstColumn);
  const room = Math.max(0, height - 1);
  const first = Math.max(0, Math.min(at - Math.floor(room / 2), rows.length - room));
  const shown = rows.slice(first, first + room);
  const widths = widthsOf(table, shownColumns, drawing);
  const titles: Span[] = shownColumns.map((index) => {
    const column = table.columns[index];
    // The mark stands in the gap between columns.
    const mark = sorting.column === index ? (sorting.reverse ? '▼' : '▲') : ' ';
    const title = fit(column?.title ?? '', widths.get(index) ?? 0, column?.align);
    const text =
      column?.align === 'right' ? `${title}${mark} ` : `${title.trimEnd()}${mark}`.padEnd(title.length + 2);
    return { text, bold: true };
  });
  if (rows.length === 0) {
    const text = filter === '' ? table.empty : `nothing contains ${JSON.stringify(filter)}`;
    return [titles, [{ text, dim: true }]];
  }
  return [
    titles,
    ...shown.map((row, order) => {
      const line = shownColumns.flatMap((index): Span[] => {
        const cell = row.cells[index];
        const text = fit(harmless(cell?.text ?? ''), widths.get(index) ?? 0, table.columns[index]?.align);
        return [...marked(text, cell?.colour, filter), { text: '  ' }];
      });
      return first + order === at ? asSelected(line, width) : line;
    }),
  ];
}

function columnsFrom({ columns }: Table, first: number): number[] {
  return columns.flatMap((_column, index) => (index === 0 || index > first ? [index] : []));
}

/** Widths of all columns in which nothing of the rows is cut. */
export function naturalWidths({ columns }: Table, rows: readonly Row[]): number[] {
  return columns.map(({ title }, index) => {
    let most = widthOf(title);
    for (const { cells } of rows) most = Math.max(most, widthOf(cells[index]?.text ?? ''));
    return most;
  });
}

/** How many columns behind the first have to go before the last of them is seen; 0 where all are. */
export function hiddenColumns(table: Table, natural: readonly number[], width: number): number {
  const last = table.columns.length - 2;
  for (let first = 0; first < last; first++) {
    const needed = columnsFrom(table, first).reduce((sum, index) => {
      const own = natural[index] ?? 0;
      return sum + 2 + (table.columns[index]?.stretches ? Math.min(own, stretchedMost) : own);
    }, -2);
    if (needed <= width) return first;
  }
  return Math.max(0, last);
}

/** What was searched for stands out. */
function marked(text: string, colour: Colour | undefined, filter: string): Span[] {
  const at = filter === '' ? -1 : text.toLowerCase().indexOf(filter.toLowerCase());
  if (at < 0) return [{ text, colour }];
  const end = at + filter.length;
  return [
    { text: text.slice(0, at), colour },
    { text: text.slice(at, end), colour: 'yellow', bold: true },
    { text: text.slice(end), colour },
  ];
}

function widthsOf(
  { columns }: Table,
  shown: readonly number[],
  { natural, width }: TableDrawing,
): Map<number, number> {
  const widths = new Map(shown.map((index) => [index, natural[index] ?? 0]));
  const stretching = shown.find((index) => columns[index]?.stretches);
  const total = [...widths.values()].reduce((sum, each) => sum + each + 2, 0);
  if (stretching !== undefined) {
    const left = width - (total - (widths.get(stretching) ?? 0));
    widths.set(stretching, Math.max(10, left));
  }
  return widths;
}
