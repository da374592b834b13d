/** The page of o7s-testbed: its commands, from their help texts. */
import { readFileSync } from 'node:fs';
import { helpTexts } from '../../rumba/cli/help-texts.ts';
import { verbatim } from './markdown.ts';
import type { Page } from './roff.ts';

/** What is to be replaced in the hand-written part. */
const place = '<!-- commands -->';
/** Columns of a help text; the page indents it. */
const columns = 74;

export async function testbedPage(): Promise<Page> {
  const texts = [...(await helpTexts(columns))].map(
    ([words, help]) => `### o7s-testbed ${words}\n\n${verbatim(help)}\n`,
  );
  const written = readFileSync(new URL('../../docs/man/o7s-testbed.1.md', import.meta.url), 'utf8');
  if (!written.includes(place)) throw new Error(`docs/man/o7s-testbed.1.md has no ${place}`);
  return { name: 'o7s-testbed', section: 1, markdown: written.replace(place, () => texts.join('')) };
}
