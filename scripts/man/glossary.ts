/** ouroboros-glossary(7), from docs/nomenclature.md. */
import { readFileSync } from 'node:fs';
import { taggedTables, withoutLinks } from './markdown.ts';
import type { Page } from './roff.ts';

export function glossaryPage(): Page {
  const document = readFileSync(new URL('../../docs/nomenclature.md', import.meta.url), 'utf8');
  const terms = taggedTables(withoutLinks(document.slice(document.indexOf('\n|') + 1)));
  return {
    name: 'ouroboros-glossary',
    section: 7,
    markdown: `# ouroboros-glossary(7) -- the terms of Ouroboros and of its testbed

## DESCRIPTION

One word for one thing, in programs, messages and pages.

${terms}
## SEE ALSO

**ouroboros**(8), **ouroboros-tutorial**(7)
`,
  };
}
