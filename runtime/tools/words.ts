/**
 * The command lines of the tools: separate words (`-c 3`), read from left to right, the last of each counts. What a tool
 * takes is a table, from which come the reading and the usage text. Source: tools.md 0 and 7.
 */

/** An option of a tool that keeps what it is told in a `T`. */
export interface Option<T> {
  /** How it is written: `['-c', '--count']`. */
  readonly words: readonly string[];
  /** What its value is called in the usage text; absent for one that takes none. */
  readonly value?: string;
  readonly help: string;
  /** Takes the value over; a text it returns says why it cannot, and ends the reading. */
  readonly set: (options: T, value: string) => string | void;
}

/** Options under a heading of their own in the usage text. */
export interface OptionGroup<T> {
  readonly title?: string;
  readonly options: readonly Option<T>[];
}

/** A tool and its options, of which usage text and man page are made. */
export interface CommandLine<T> {
  readonly tool: string;
  /** One sentence. */
  readonly purpose: string;
  readonly groups: readonly OptionGroup<T>[];
  /** What there is to say behind the options; ends with a line break. */
  readonly after?: string;
}

export type Reading =
  | { readonly kind: 'read' }
  /** A word that is no option, or an option whose value is missing. */
  | { readonly kind: 'unknown'; readonly word: string }
  | { readonly kind: 'refused'; readonly text: string };

/** What a command line asks for. */
export type Parsed<T> =
  | { readonly kind: 'run'; readonly options: T; readonly notes: readonly string[] }
  /** Something to say, and the status to end with. */
  | { readonly kind: 'end'; readonly text: string; readonly status: number };

/** Reads a command line into `options`. */
export function readWords<T>(
  args: readonly string[],
  groups: readonly OptionGroup<T>[],
  options: T,
): Reading {
  const byWord = new Map(
    groups.flatMap((group) => group.options.flatMap((each) => each.words.map((word) => [word, each]))),
  );
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? '';
    const option = byWord.get(word);
    if (option === undefined) return { kind: 'unknown', word };
    let value = '';
    if (option.value !== undefined) {
      at += 1;
      const next = args[at];
      if (next === undefined) return { kind: 'unknown', word };
      value = next;
    }
    const text = option.set(options, value);
    if (typeof text === 'string') return { kind: 'refused', text };
  }
  return { kind: 'read' };
}

/** What every tool takes besides. */
export const helpOption: Option<unknown> = { words: ['--help'], help: 'Show this text', set: () => {} };

/** The usage text: a line an option, `--help` last. */
export function usageText<T>({ tool, purpose, groups, after = '' }: CommandLine<T>): string {
  const all = groups.map(({ title, options }) => ({ title, lines: options.map(written) }));
  all.at(-1)?.lines.push(written(helpOption));
  const width = Math.max(...all.flatMap(({ lines }) => lines.map(([left]) => left.length)));
  const parts = all.map(({ title, lines }) => {
    const text = lines.map(([left, right]) => `  ${left.padEnd(width)}   ${right}\n`).join('');
    return `\n${title === undefined ? '' : `${title}:\n`}${text}`;
  });
  return `Usage: ${tool} [OPTION]...\n${purpose}\n${parts.join('')}${after === '' ? '' : `\n${after}`}`;
}

/** `-c, --count <number>` and what it means; a word of many letters stands where it would behind a short one. */
function written({ words, value, help }: Pick<Option<never>, 'words' | 'value' | 'help'>): [string, string] {
  const [first = ''] = words;
  const left = `${first.startsWith('--') ? '    ' : ''}${words.join(', ')}`;
  return [value === undefined ? left : `${left} <${value}>`, help];
}
