import { expect, expectTypeOf, test } from 'vitest';
import { type Parameters, parameters } from '../index.ts';
import { withParameters } from './parameters.ts';

const set = (values: Record<string, string>): Map<string, string> => new Map(Object.entries(values));

test('have their defaults, and the values that are set, of the types of the defaults', async () => {
  const declare = (): Parameters<{
    n: 3;
    kind: { default: 'dix'; choices: readonly ['dix', 'llc'] };
    loud: false;
  }> => parameters({ n: 3, kind: { default: 'dix', choices: ['dix', 'llc'] }, loud: false });
  expect(declare()).toEqual({ n: 3, kind: 'dix', loud: false });
  const { result, parameters: all } = await withParameters(
    set({ n: '0x10', kind: 'llc', loud: 'true' }),
    async () => declare(),
  );
  expect(result).toEqual({ n: 16, kind: 'llc', loud: true });
  expectTypeOf(result.n).toEqualTypeOf<number>();
  expectTypeOf(result.kind).toEqualTypeOf<'dix' | 'llc'>();
  expect(all.map(({ name, value }) => `${name}=${value}`)).toEqual(['n=16', 'kind=llc', 'loud=true']);
});

test.each([
  [{ n: 'x' }, 'parameter n is set to "x"', 'use a number'],
  [{ n: '' }, 'parameter n is set to ""', 'use a number'],
  [{ n: '2.5' }, 'parameter n is 2.5', 'use a whole number'],
  [{ n: '1' }, 'parameter n is 1', '2 is the least'],
  [{ n: '99' }, 'parameter n is 99', '50 is the most'],
  [{ loss: '-0.1' }, 'parameter loss is -0.1', '0 is the least'],
  [{ kind: 'udp' }, 'parameter kind is "udp"', 'use one of dix, llc'],
  [{ loud: 'yes' }, 'parameter loud is set to "yes"', 'use true or false'],
  [{ m: '1' }, 'the topology has no parameter "m"', 'it has n, loss, kind, loud'],
])('%j is refused: %s; %s', async (values, message, hint) => {
  const load = withParameters(set(values), async () =>
    parameters({
      n: { default: 3, min: 2, max: 50 },
      loss: { default: 0, min: 0, max: 1, integer: false },
      kind: { default: 'dix', choices: ['dix', 'llc'] },
      loud: false,
    }),
  );
  await expect(load).rejects.toMatchObject({ code: 'EUSAGE', message, hint });
});

test('a name that cannot be typed, and two of one name, are faults of the file', () => {
  expect(() => parameters({ '1n': 3 })).toThrow('the parameter name "1n" is none');
  expect(() => parameters({ n: { default: 3, least: 1 } as never })).toThrow(
    'unknown key "least" of parameter n',
  );
});

test('two files that declare one name alike share it, and differently do not', async () => {
  await withParameters(set({}), async () => [parameters({ n: 3 }), parameters({ n: 3 })]);
  await expect(
    withParameters(set({}), async () => [parameters({ n: 3 }), parameters({ n: 4 })]),
  ).rejects.toThrow('two parameters are named n');
});
