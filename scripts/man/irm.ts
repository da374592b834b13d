/** The page of irm: its commands, from their usage texts. */
import { readFileSync } from 'node:fs';
import { alone, groups } from '../../runtime/tools/irm/irm.ts';
import { verbatim } from './markdown.ts';
import type { Page } from './roff.ts';

/** What is to be replaced in the hand-written part. */
const place = '<!-- commands -->';

export function irmPage(): Page {
  const all = Object.entries(groups).flatMap(([group, { commands }]) =>
    Object.entries(commands).map(([word, { usage }]) => [`irm ${group} ${word}`, usage] as const),
  );
  const single = Object.entries(alone).map(([word, { usage }]) => [`irm ${word}`, usage] as const);
  const text = [...all, ...single].map(([command, usage]) => `### ${command}\n\n${usageMarkdown(usage)}\n`);
  const written = readFileSync(new URL('../../docs/man/irm.8.md', import.meta.url), 'utf8');
  if (!written.includes(place)) throw new Error(`docs/man/irm.8.md has no ${place}`);
  return { name: 'irm', section: 8, markdown: written.replace(place, () => text.join('')) };
}

/** Lines that are aligned stay as they are; sentences are filled. */
function usageMarkdown(usage: string): string {
  const parts = usage
    .replace(/^Usage: /, '')
    .trimEnd()
    .split('\n\n');
  return parts
    .map((part) => (/^ /m.test(part) ? verbatim(part) : `${part.replaceAll(/[*<>_]/g, '\\$&')}\n`))
    .join('\n');
}
