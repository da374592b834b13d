/** What benches yield, and a table and a document of it. */
import { exponentOf, median, short } from './numbers.ts';

/** Who was measured: `ours`, or a peer such as `prototype` or `TCP`. */
export type Source = string;

/** Something that is measured, of ours and of peers alike. */
export interface Subject {
  /** Of the bench and unlike any other's: `eth-dix, 2 nodes: round trip`. */
  readonly what: string;
  readonly unit: string;
  /** Whether less is better, as of times, or more, as of packets a second. */
  readonly better: 'less' | 'more';
  /** What ours is to be in parts of a peer's: at most where less is better, else at least. */
  readonly targets?: Readonly<Record<Source, number>>;
  /** Where it is one of several that differ by an amount alone: what it is a cost of. */
  readonly growth?: Growth;
}

/** One of the costs that a growing amount of something has. */
export interface Growth {
  /** What there is more of: `flows`, `names`. */
  readonly of: string;
  readonly amount: number;
  /** The cost, whatever the amount: `processor time for a packet`. */
  readonly cost: string;
}

/** One measurement. */
export interface Figure {
  readonly subject: Subject;
  readonly source: Source;
  readonly value: number;
}

/** A measurement that could not be made. */
export interface LeftOut {
  readonly what: string;
  readonly source: Source;
  readonly why: string;
}

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
  readonly runs: number;
}

/** A subject, beside one of its peers or none. */
export interface Row {
  readonly bench: string;
  readonly what: string;
  readonly unit: string;
  readonly better: 'less' | 'more';
  readonly ours?: Spread;
  readonly peer?: Spread & { readonly source: Source };
  /** Of the medians, ours to the peer's. */
  readonly ratio?: number;
  readonly target?: number;
  readonly met?: boolean;
  readonly growth?: Growth;
}

function spreadOf(values: readonly number[]): Spread {
  return {
    median: median(values),
    least: Math.min(...values),
    greatest: Math.max(...values),
    runs: values.length,
  };
}

/** What has been measured so far, of all benches, in the order in which subjects came first. */
export class Results {
  readonly #subjects = new Map<string, { bench: string; subject: Subject; values: Map<Source, number[]> }>();
  readonly #leftOut = new Map<string, LeftOut & { bench: string }>();

  add(bench: string, { subject, source, value }: Figure): void {
    if (!Number.isFinite(value)) {
      this.leave(bench, { what: subject.what, source, why: `it came out as ${value}` });
      return;
    }
    const key = `${bench}\n${subject.what}`;
    const entry = this.#subjects.get(key) ?? { bench, subject, values: new Map<Source, number[]>() };
    entry.values.set(source, [...(entry.values.get(source) ?? []), value]);
    this.#subjects.set(key, entry);
  }

  leave(bench: string, left: LeftOut): void {
    this.#leftOut.set([bench, left.what, left.source, left.why].join('\n'), { bench, ...left });
  }

  /** Why figures are missing, each once. */
  get leftOut(): readonly (LeftOut & { readonly bench: string })[] {
    return [...this.#leftOut.values()];
  }

  get rows(): readonly Row[] {
    return [...this.#subjects.values()].flatMap(({ bench, subject, values }) => {
      const { what, unit, better, targets = {}, growth } = subject;
      const own = values.get('ours');
      const ours = own === undefined ? undefined : spreadOf(own);
      const head = { bench, what, unit, better, ...(ours && { ours }), ...(growth && { growth }) };
      const peers = [...values].filter(([source]) => source !== 'ours');
      if (peers.length === 0) return [head];
      return peers.map(([source, of]): Row => {
        const peer = { source, ...spreadOf(of) };
        const target = targets[source];
        const row = { ...head, peer, ...(target !== undefined && { target }) };
        if (ours === undefined || peer.median === 0) return row;
        const ratio = ours.median / peer.median;
        if (target === undefined) return { ...row, ratio };
        return { ...row, ratio, met: better === 'less' ? ratio <= target : ratio >= target };
      });
    });
  }
}

/** `12.3 (11.9..14)`. */
function cellOf(spread: Spread | undefined): string {
  if (spread === undefined) return '-';
  return `${short(spread.median)} (${short(spread.least)}..${short(spread.greatest)})`;
}

function targetOf({ target, better, met }: Row): [target: string, met: string] {
  if (target === undefined) return ['', ''];
  return [`${better === 'less' ? '<=' : '>='} ${target}`, met === undefined ? '?' : met ? 'yes' : 'NO'];
}

const heads = ['BENCH', 'WHAT', 'UNIT', 'OURS', 'PEER', "PEER'S", 'RATIO', 'TARGET', 'MET'] as const;

/** A line for each row, under a head. Cells are medians with the least and the greatest. */
export function textOf(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.bench,
    row.what,
    row.unit,
    cellOf(row.ours),
    row.peer?.source ?? '',
    row.peer === undefined ? '' : cellOf(row.peer),
    row.ratio === undefined ? '' : String(short(row.ratio)),
    ...targetOf(row),
  ]);
  const table = [[...heads], ...lines];
  const widths = heads.map((_head, column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  return table
    .map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/**
 * How our costs grow, a Markdown table for each thing that there is more of: a line for each cost, a column for each amount,
 * and the exponent: 0 where a cost stays, 1 where it grows as the amount does.
 */
export function growthText(rows: readonly Row[]): string {
  const things = new Map<string, Map<string, Map<number, number>>>();
  for (const { growth, unit, ours } of rows) {
    if (growth === undefined || ours === undefined) continue;
    const costs = things.get(growth.of) ?? new Map<string, Map<number, number>>();
    const cost = unit === '' ? growth.cost : `${growth.cost} [${unit}]`;
    const points = costs.get(cost) ?? new Map<number, number>();
    costs.set(cost, points.set(growth.amount, ours.median));
    things.set(growth.of, costs);
  }
  return [...things].map(([thing, costs]) => growthTable(thing, costs)).join('\n');
}

function growthTable(thing: string, costs: ReadonlyMap<string, ReadonlyMap<number, number>>): string {
  const amounts = [...new Set([...costs.values()].flatMap((points) => [...points.keys()]))].toSorted(
    (a, b) => a - b,
  );
  const lines = [...costs].map(([cost, points]) => {
    const exponent = exponentOf([...points].filter(([, value]) => value > 0));
    const cells = amounts.map((amount) => {
      const value = points.get(amount);
      return value === undefined ? '' : String(short(value));
    });
    return [cost, ...cells, Number.isFinite(exponent) ? exponent.toFixed(2) : ''];
  });
  const table = [[thing, ...amounts.map(String), 'exponent'], ...lines];
  const widths =
    table[0]?.map((_head, column) => Math.max(2, ...table.map((line) => line[column]?.length ?? 0))) ?? [];
  const text = table.map(
    (line) =>
      `| ${line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [text[0], rule, ...text.slice(1), ''].join('\n');
}

/** A line for each figure that is missing. */
export function leftOutText(results: Results): string {
  return results.leftOut
    .map(({ bench, what, source, why }) => `left out: ${bench}, ${what}, ${source}: ${why}\n`)
    .join('');
}
