/**
 * A command line in the manner of getopt: `-i VALUE`, `-iVALUE`, `-hi VALUE`, `--ip VALUE`, `--ip=VALUE`, long options
 * shortened as long as one remains, words that are no options anywhere, and `--` before words that only look like some.
 * Source: tools.md 6, getopt_long(3).
 */

export interface GetoptOption {
  /** One letter. */
  readonly short?: string;
  /** Absent for an option of one letter alone. */
  readonly long?: string;
  readonly takesValue: boolean;
}

export type GetoptItem<O> =
  | { readonly kind: 'option'; readonly option: O; readonly value: string }
  | { readonly kind: 'word'; readonly word: string }
  /** What is wrong, in getopt's words. Nothing comes behind it. */
  | { readonly kind: 'fault'; readonly text: string };

/** What a command line consists of, from left to right. */
export function* getopt<O extends GetoptOption>(
  tool: string,
  args: readonly string[],
  options: readonly O[],
): Generator<GetoptItem<O>, void, void> {
  const fault = (text: string): GetoptItem<O> => ({ kind: 'fault', text: `${tool}: ${text}\n` });
  const rest = args.values();
  for (const word of rest) {
    if (word === '--') {
      for (const left of rest) yield { kind: 'word', word: left };
    } else if (word.startsWith('--')) {
      const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
      const found = findLong(name, options);
      if (typeof found === 'string') return yield fault(found);
      if (!found.takesValue) {
        if (value !== undefined) return yield fault(`option '--${found.long}' doesn't allow an argument`);
        yield { kind: 'option', option: found, value: '' };
        continue;
      }
      const next = value ?? rest.next().value;
      if (next === undefined) return yield fault(`option '--${found.long}' requires an argument`);
      yield { kind: 'option', option: found, value: next };
    } else if (word.startsWith('-') && word !== '-') {
      for (let at = 1; at < word.length; at += 1) {
        const letter = word[at];
        const option = options.find(({ short }) => short === letter);
        if (option === undefined) return yield fault(`invalid option -- '${letter}'`);
        if (!option.takesValue) {
          yield { kind: 'option', option, value: '' };
          continue;
        }
        const value = at + 1 < word.length ? word.slice(at + 1) : rest.next().value;
        if (value === undefined) return yield fault(`option requires an argument -- '${letter}'`);
        yield { kind: 'option', option, value };
        break;
      }
    } else {
      yield { kind: 'word', word };
    }
  }
}

/** The long option that a name stands for, or what is wrong with it. */
function findLong<O extends GetoptOption>(name: string, options: readonly O[]): O | string {
  const matching = options.filter(({ long }) => long?.startsWith(name));
  const exact = matching.find(({ long }) => long === name);
  const [first] = matching;
  if (exact !== undefined) return exact;
  if (first === undefined) return `unrecognized option '--${name}'`;
  if (matching.length === 1) return first;
  const all = matching.map(({ long }) => ` '--${long}'`).join('');
  return `option '--${name}' is ambiguous; possibilities:${all}`;
}
