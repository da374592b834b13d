/** Manual pages out of Markdown. */
import { Marked } from 'marked';
import markedMan from 'marked-man';

/** A page of the manual. */
export interface Page {
  readonly name: string;
  readonly section: number;
  /** Begins with `# NAME(SECTION) -- PURPOSE`. A list item `TERM:` with a text on the next line is a tagged paragraph. */
  readonly markdown: string;
}

/** The roff of a page, for `man`. It has no date: the same sources make the same page. */
export function roffOf(page: Page, version: string): string {
  const ours = { breaks: false, manVersion: `o7s-testbed ${version}`, manual: 'Ouroboros' };
  // Nothing in it is asynchronous.
  const text = new Marked(markedMan, ours).parse(page.markdown) as string;
  const dateless = text.replace(/^(\.TH "[^"]*" "\d") "[^"]*"/m, '$1 ""');
  const spaced = dateless.replaceAll(/^\.RS 2\n\.nf$/gm, '.PP\n.RS 2\n.nf');
  return `${withTags(spaced).trimEnd()}\n`;
}

/** Makes tagged paragraphs of the items that end in a colon, where marked-man has bulleted lists. */
function withTags(roff: string): string {
  const tagged = roff.replaceAll(/^\.IP \\\(bu \d\n(.*):\n(?:\.br\n)?(?=[^.\n])/gm, '.TP\n$1\n');
  // Their lists are not indented: the beginning and the end of each indentation go together.
  const kept: boolean[] = [];
  const lines = tagged.split('\n');
  return lines
    .filter((line, at) => {
      if (line.startsWith('.RS')) kept.push(lines[at + 1] !== '.TP');
      else if (line !== '.RE') return true;
      return line === '.RE' ? kept.pop() : kept.at(-1);
    })
    .join('\n');
}
