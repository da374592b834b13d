/** All pages of the manual. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { irmdUsage } from '../../runtime/irmd/options.ts';
import { glossaryPage } from './glossary.ts';
import { irmPage } from './irm.ts';
import { tagged } from './markdown.ts';
import { type Page, roffOf } from './roff.ts';
import { testbedPage } from './testbed.ts';
import { toolPages } from './tools.ts';

const written = (name: string, section: number): Page => ({
  name,
  section,
  markdown: readFileSync(new URL(`../../docs/man/${name}.${section}.md`, import.meta.url), 'utf8'),
});

function irmdPage(): Page {
  const page = written('irmd', 8);
  const options = [...irmdUsage.matchAll(/^ {2,}(--\S+)(?: (\S+))? {2,}(.*)$/gm)].map(
    ([, word = '', value, help = '']) =>
      tagged(value === undefined ? `**${word}**` : `**${word}** *${value}*`, help),
  );
  return { ...page, markdown: page.markdown.replace('<!-- options -->\n', () => `${options.join('')}\n`) };
}

/** Writes all pages below a folder, as `man` looks for them: `man1/oping.1`. */
export async function writeManual(folder: string, version: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  const pages = [
    written('ouroboros', 8),
    irmdPage(),
    irmPage(),
    ...toolPages(),
    written('flow_alloc', 3),
    written('ouroboros-tutorial', 7),
    glossaryPage(),
    await testbedPage(),
  ];
  for (const page of pages) {
    const { name, section } = page;
    mkdirSync(`${folder}/man${section}`, { recursive: true });
    writeFileSync(`${folder}/man${section}/${name}.${section}`, roffOf(page, version));
  }
}
