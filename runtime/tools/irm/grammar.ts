/**
 * The grammar of `irm`: words that may be shortened, and `keyword value` pairs in any order. A word stands for the
 * first keyword, in the order of the manual, that it is a prefix of. Source: irmd-and-irm.md 11.1.
 */

/** The first keyword a word is a prefix of. */
export function matchWord<K extends string>(word: string, keywords: readonly K[]): K | undefined {
  return keywords.find((keyword) => keyword.startsWith(word));
}

export interface ParameterRules<K extends string> {
  /** In the order in which they are tried. */
  readonly keywords: readonly K[];
  /** Keywords without a value. */
  readonly flags?: readonly K[];
  /** Further words without a value, which are never shortened. */
  readonly exactFlags?: readonly string[];
}

export type Parameters<K extends string> =
  | {
      readonly kind: 'parsed';
      /** All values of each keyword, in their order; a flag has one, empty. */
      readonly values: ReadonlyMap<string, readonly string[]>;
      /** How each keyword was written. */
      readonly spelling: ReadonlyMap<K, string>;
    }
  | { readonly kind: 'unknown'; readonly word: string }
  /** A keyword at the end lacks its value. */
  | { readonly kind: 'incomplete' };

/** Reads `keyword value` pairs. */
export function parseParameters<K extends string>(
  words: readonly string[],
  rules: ParameterRules<K>,
): Parameters<K> {
  const values = new Map<string, string[]>();
  const spelling = new Map<K, string>();
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (rules.exactFlags?.includes(word) === true) {
      values.set(word, ['']);
      continue;
    }
    const keyword = matchWord(word, rules.keywords);
    if (keyword === undefined) return { kind: 'unknown', word };
    spelling.set(keyword, word);
    const isFlag = rules.flags?.includes(keyword) === true;
    if (!isFlag) at += 1;
    const value = isFlag ? '' : words[at];
    if (value === undefined) return { kind: 'incomplete' };
    values.set(keyword, [...(values.get(keyword) ?? []), value]);
  }
  return { kind: 'parsed', values, spelling };
}

/** The last value of each of some keywords; all undefined where a value is missing. */
export function valuesOf<K extends string, T extends readonly K[]>(
  given: Parameters<K>,
  keywords: readonly [...T],
): { [I in keyof T]: string | undefined } {
  return keywords.map((keyword) =>
    given.kind === 'parsed' ? given.values.get(keyword)?.at(-1) : undefined,
  ) as { [I in keyof T]: string | undefined };
}

/** Whether a text matches a pattern in which `*` stands for any text. */
export function matchesPattern(text: string, pattern: string): boolean {
  const parts = pattern.split('*');
  const first = parts.shift() ?? '';
  if (parts.length === 0) return text === first;
  const last = parts.pop() ?? '';
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
