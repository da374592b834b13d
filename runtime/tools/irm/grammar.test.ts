import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchesPattern, matchWord, parseParameters } from './grammar.ts';

const top = ['ipcp', 'bind', 'unbind', 'name', 'help'] as const;
const ipcp = ['create', 'destroy', 'bootstrap', 'enroll', 'connect', 'disconnect', 'list', 'help'] as const;
const bind = ['program', 'process', 'ipcp', 'help'] as const;
const name = ['create', 'destroy', 'register', 'unregister', 'list', 'help'] as const;

describe('a word stands for the first keyword it begins', () => {
  test.each([
    [top, { i: 'ipcp', b: 'bind', u: 'unbind', n: 'name', h: 'help', ip: 'ipcp' }],
    [
      ipcp,
      { b: 'bootstrap', c: 'create', co: 'connect', d: 'destroy', di: 'disconnect', e: 'enroll', l: 'list' },
    ],
    [bind, { p: 'program', proc: 'process', i: 'ipcp' }],
    [name, { r: 'register', u: 'unregister', l: 'list', c: 'create', d: 'destroy' }],
  ] as const)('%j', (keywords, examples) => {
    for (const [word, keyword] of Object.entries(examples)) expect(matchWord(word, keywords)).toBe(keyword);
  });

  test('the empty word for the first, a longer or other one for none', () => {
    expect(matchWord('', top)).toBe('ipcp');
    for (const word of ['ipcps', 'I', 'x', ' ipcp']) expect(matchWord(word, top)).toBeUndefined();
  });
});

describe('keyword and value', () => {
  const rules = { keywords: ['type', 'layer', 'name', 'autobind'], flags: ['autobind'] } as const;

  test('in any order, shortened, flags without a value', () => {
    const parsed = parseParameters(['t', 'local', 'auto', 'n', 'x', 'l', 'y'], rules);
    if (parsed.kind !== 'parsed') throw new Error(parsed.kind);
    expect(Object.fromEntries(parsed.values)).toEqual({
      type: ['local'],
      autobind: [''],
      name: ['x'],
      layer: ['y'],
    });
    expect(parsed.spelling.get('autobind')).toBe('auto');
  });

  test('a value may be a keyword, and a keyword may come again', () => {
    const parsed = parseParameters(['name', 'layer', 'name', 'type'], rules);
    if (parsed.kind !== 'parsed') throw new Error(parsed.kind);
    expect(parsed.values.get('name')).toEqual(['layer', 'type']);
  });

  test('an unknown word, a missing value', () => {
    expect(parseParameters(['name', 'x', 'foo', 'y'], rules)).toEqual({ kind: 'unknown', word: 'foo' });
    expect(parseParameters(['name', 'x', 'layer'], rules)).toEqual({ kind: 'incomplete' });
  });

  test('any words are read', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constantFrom('t', 'n', 'type', 'autobind', ''))),
        (words) => {
          const parsed = parseParameters(words, rules);
          if (parsed.kind === 'unknown') expect(words).toContain(parsed.word);
        },
      ),
    );
  });
});

describe('patterns', () => {
  test.each([
    ['abc', 'abc', true],
    ['abc', 'ab', false],
    ['abc', '*', true],
    ['', '*', true],
    ['', '', true],
    ['abc', 'a*', true],
    ['abc', '*c', true],
    ['abc', 'a*c', true],
    ['abc', 'a*b', false],
    ['aa', 'a*a', true],
    ['a', 'a*a', false],
    ['abcabc', '*bc*bc', true],
    ['abc', '*bc*bc', false],
    ['abc', '**', true],
    ['a.c', 'a?c', false],
    ['a*c', 'a*c', true],
  ])('%j and %j: %s', (text, pattern, matches) => {
    expect(matchesPattern(text, pattern)).toBe(matches);
  });

  test('agree with the definition', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    fc.assert(
      fc.property(letters, letters, (text, pattern) => {
        const expression = new RegExp(`^${pattern.replaceAll('*', '.*')}$`, 's');
        expect(matchesPattern(text, pattern)).toBe(expression.test(text));
      }),
      { numRuns: 2000 },
    );
  });
});
