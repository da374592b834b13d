/** A grid of runs: every combination of the values of parameters, several times, each with a seed of its own. */
import { TestbedError } from '../errors.ts';
import { derivedSeed } from '../seeded.ts';

export interface Cell {
  /** From 1 up. */
  readonly number: number;
  readonly parameters: Readonly<Record<string, string>>;
  /** From 1 up. */
  readonly repetition: number;
  readonly seed: number;
}

const cellsMax = 10_000;

/** Parameters with the values they take in turn: `loss=0%,1%` has two. */
export function gridOf(given: ReadonlyMap<string, string>): Map<string, readonly string[]> {
  return new Map(
    [...given].map(([name, text]) => {
      const values = [...new Set(text.split(','))];
      if (values.includes(''))
        throw new TestbedError('EUSAGE', `one of the values of parameter ${name} is empty`);
      return [name, values];
    }),
  );
}

/** All cells, the last parameter changing first; the seed of a cell depends on its own parameters alone. */
export function cellsOf(grid: ReadonlyMap<string, readonly string[]>, repeat: number, seed: number): Cell[] {
  let combinations: Record<string, string>[] = [{}];
  for (const [name, values] of grid) {
    combinations = combinations.flatMap((each) => values.map((value) => ({ ...each, [name]: value })));
  }
  if (combinations.length * repeat > cellsMax) {
    throw new TestbedError(
      'EUSAGE',
      `the sweep has ${combinations.length * repeat} runs, ${cellsMax} is the most`,
    );
  }
  return combinations
    .flatMap((parameters) =>
      Array.from({ length: repeat }, (_, index) => ({ parameters, repetition: index + 1 })),
    )
    .map((cell, index) => {
      const purpose = JSON.stringify([cell.parameters, cell.repetition]);
      return { number: index + 1, ...cell, seed: derivedSeed(seed, purpose) };
    });
}

/** The name of a cell's folder. */
export function cellName({ number, parameters, repetition }: Cell): string {
  const words = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  const text = [String(number).padStart(4, '0'), ...words, `r${repetition}`].join('-');
  return text.replaceAll(/[^\w.=%-]/g, '_').slice(0, 120);
}

/** Of a sweep: what makes runs those of one, so that they may be compared. */
export interface SweepFacts {
  readonly name: string;
  readonly seed: number;
  readonly repeat: number;
  readonly parameters: Readonly<Record<string, readonly string[]>>;
  /** Digests of the storyboard's file, and of the plan and topology of its first cell. */
  readonly file: string;
  readonly content: string;
  /** Options of each run, such as its testbed. */
  readonly options: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
}

/** In what two sweeps differ, in words; empty for the same. */
export function sweepDifferences(before: SweepFacts, after: SweepFacts): string[] {
  const found: string[] = [];
  type Fact = string | number | readonly string[] | undefined;
  const compare = (what: string, one: Fact, other: Fact): void => {
    const [a, b] = [one, other].map((each) => (each === undefined ? 'nothing' : each.toString()));
    if (a !== b) found.push(`${what} was ${a} and is ${b}`);
  };
  compare('its name', before.name, after.name);
  compare('the seed', before.seed, after.seed);
  compare('--repeat', before.repeat, after.repeat);
  for (const name of new Set([...Object.keys(before.parameters), ...Object.keys(after.parameters)])) {
    compare(`parameter ${name}`, before.parameters[name], after.parameters[name]);
  }
  for (const name of new Set([...Object.keys(before.versions), ...Object.keys(after.versions)])) {
    compare(`version of ${name}`, before.versions[name], after.versions[name]);
  }
  const words = [before.options, after.options].map((each) => each.join(' ') || 'none');
  compare('what runs are given', words[0], words[1]);
  if (before.file !== after.file) found.push('the file of the storyboard was changed');
  // The plan depends on all of the above, too.
  else if (found.length === 0 && before.content !== after.content) {
    found.push('a file that the storyboard imports was changed');
  }
  return found;
}

export interface Interval {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The median, and the interval between two of the values that holds that of all runs there could be with 95 %: no
 * distribution is assumed. With fewer than six values that is all of them, and less than 95 %. Values may be infinite.
 */
export function medianOf(values: readonly number[]): Interval | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const { length } = sorted;
  if (length === 0) return undefined;
  const at = (index: number): number => sorted[Math.min(length - 1, Math.max(0, index))] ?? Number.NaN;
  const median = length % 2 === 1 ? at((length - 1) / 2) : (at(length / 2 - 1) + at(length / 2)) / 2;
  // How likely it is that at most so many of the values lie below the true median; of many, none is too small for a
  // logarithm.
  let [tail, logTerm, rank] = [0, length * Math.log(0.5), 0];
  for (let below = 0; below < length; below += 1) {
    tail += Math.exp(logTerm);
    if (tail > 0.025) break;
    rank = below + 1;
    logTerm += Math.log((length - below) / (below + 1));
  }
  return rank === 0
    ? { median, low: at(0), high: at(length - 1) }
    : { median, low: at(rank - 1), high: at(length - rank) };
}
