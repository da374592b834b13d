import { readFileSync } from 'node:fs';
import type * as v from 'valibot';
import { expect, expectTypeOf, test } from 'vitest';
import { eventsPage } from '../../scripts/schema-pages.ts';
import type { FlowReport, IrmEvent, IrmSnapshot } from '../lib/rpc/events.ts';
import type { eventSchema, flowReportType } from './event-schema.ts';

/** A type without the marks that its values are only read, and with unions of objects as one object each. */
type Plain<T> = T extends readonly (infer Item)[]
  ? Plain<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Plain<T[Key]> }
    : T;

test('the schema and the types of events say the same', () => {
  expectTypeOf<Plain<v.InferOutput<typeof eventSchema>>>().toExtend<Plain<IrmSnapshot | IrmEvent>>();
  expectTypeOf<Plain<IrmSnapshot | IrmEvent>>().toExtend<Plain<v.InferOutput<typeof eventSchema>>>();
  expectTypeOf<Plain<v.InferOutput<typeof flowReportType>>>().toEqualTypeOf<Plain<FlowReport>>();
});

/** Tables are laid out anew where they are formatted. */
const withoutLayout = (text: string): string => text.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---');

test('docs/events.md is that of the schema: npm run generate', () => {
  const written = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8');
  expect(withoutLayout(written)).toBe(withoutLayout(eventsPage()));
});
