/** What a bench is. */
import type { Figure, LeftOut, Source, Subject } from './table.ts';

/** How a bench is to measure this time. */
export interface Round {
  /** Less of everything. */
  readonly quick: boolean;
  /** Counted from 0. */
  readonly number: number;
  /** Where the prototype is installed, if it is. */
  readonly prefix: string | undefined;
  /** Sizes of labs that `up` makes, where they are chosen. */
  readonly labNodes?: readonly number[] | undefined;
}

/** A group of subjects that are measured together, ours and peers in turn, as often as there are rounds. */
export interface Bench {
  /** In a line, for `--help`. */
  readonly about: string;
  /** Measures once. */
  measure(round: Round): AsyncGenerator<Figure | LeftOut, void, void>;
}

export function figure(subject: Subject, source: Source, value: number): Figure {
  return { subject, source, value };
}

export function leftOut({ what }: Subject, source: Source, why: string): LeftOut {
  return { what, source, why };
}

/** The first line of what went wrong. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0] ?? text;
}

/** What a part of a bench yields; where it fails, the rest of the bench goes on. */
export async function* guarded(
  what: string,
  part: ReturnType<Bench['measure']>,
): ReturnType<Bench['measure']> {
  try {
    yield* part;
  } catch (error) {
    yield { what, source: 'ours', why: reasonOf(error) };
  }
}
