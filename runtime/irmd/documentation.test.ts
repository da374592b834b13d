import { readFileSync } from 'node:fs';
import type * as v from 'valibot';
import { expect, expectTypeOf, test } from 'vitest';
import { rpcPage } from '../../scripts/schema-pages.ts';
import type { ApplicationApi, ManagementApi } from '../lib/rpc/api.ts';
import type { applicationDocumentation, managementDocumentation } from './documentation.ts';

type Plain<T> = T extends readonly (infer Item)[]
  ? Plain<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Plain<T[Key]> }
    : T;

/** The results of documented methods. */
type Documented<D extends Record<string, { readonly result: v.GenericSchema }>> = {
  [M in keyof D]: Plain<v.InferOutput<D[M]['result']>>;
};
/** The results of an interface. */
type Answered<A extends Record<keyof A, { readonly result: unknown }>> = {
  [M in keyof A]: Plain<A[M]['result']>;
};

test('the results on the page are those of the types', () => {
  expectTypeOf<Documented<typeof managementDocumentation>>().toExtend<Answered<ManagementApi>>();
  expectTypeOf<Answered<ManagementApi>>().toExtend<Documented<typeof managementDocumentation>>();
  expectTypeOf<Documented<typeof applicationDocumentation>>().toExtend<Answered<ApplicationApi>>();
  expectTypeOf<Answered<ApplicationApi>>().toExtend<Documented<typeof applicationDocumentation>>();
});

/** Tables are laid out anew where they are formatted. */
const withoutLayout = (text: string): string => text.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---');

test('docs/rpc.md is that of the schemas: npm run generate', () => {
  const written = readFileSync(new URL('../../docs/rpc.md', import.meta.url), 'utf8');
  expect(withoutLayout(written)).toBe(withoutLayout(rpcPage()));
});
