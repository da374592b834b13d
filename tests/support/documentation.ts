/** The pages of the documentation and their code blocks. docs/testing.md tells what the words of a fence mean. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder of this checkout, with a slash at its end. */
export const root: string = fileURLToPath(new URL('../..', import.meta.url));

export interface Block {
  /** Relative to the root. */
  readonly page: string;
  /** Of its first fence, from 1. */
  readonly line: number;
  readonly language: string;
  /** What the fence says behind the language: `lab=two-nodes` is a word with a value, `aside` one without. */
  readonly words: ReadonlyMap<string, string>;
  /** What a comment right before it adds that readers need not see: the lines before a part of a program. */
  readonly before: string;
  readonly text: string;
}

/** All pages, those generated from the commands' help and the decisions included. */
export const pages: readonly string[] = ['*.md', 'docs/**/*.md']
  .flatMap((pattern) => globSync(pattern, { cwd: root }))
  .toSorted();

export const pageText = (page: string): string => readFileSync(`${root}${page}`, 'utf8');

const fence = /(?:<!-- before\n([^]*?)\n\s*-->\s*\n)?^( *)```([^\n]*)\n([^]*?)^ *```$/gm;

export function blocksOf(page: string): Block[] {
  const text = pageText(page);
  return [...text.matchAll(fence)].map((match) => {
    const [whole, before = '', indent = '', info = '', body = ''] = match;
    const [, language = '', rest = ''] = /^(\S*)(.*)$/.exec(info) ?? [];
    const words = [...rest.matchAll(/([\w-]+)(?:=(?:"([^"]*)"|(\S+)))?/g)].map(
      ([, word = '', quoted, bare]) => [word, quoted ?? bare ?? ''] as const,
    );
    const start = match.index + whole.indexOf(`${indent}\`\`\`${info}`);
    return {
      page,
      line: text.slice(0, start).split('\n').length,
      language,
      words: new Map(words),
      before,
      text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    };
  });
}

export const place = ({ page, line }: Block): string => `${page}:${line}`;

/** Whether a page has commands that a test runs. */
export const isFollowed = (page: string): boolean =>
  blocksOf(page).some(({ language, words }) => language === 'sh' && !words.has('not-run'));

/** What the blocks of a page need besides a lab. */
export const needsOf = (page: string): string[] =>
  blocksOf(page).flatMap(({ words }) => words.get('needs') ?? []);

/** The commands of a shell block, each on one line, without comments. */
export function commandsOf(text: string): string[] {
  return text
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** A page without its blocks, on as many lines. */
function proseOf(page: string): string {
  return pageText(page).replaceAll(fence, (block) => block.replaceAll(/[^\n]/g, ''));
}

export interface InlineCode {
  readonly line: number;
  readonly text: string;
}

/** What stands between backticks in the prose of a page. */
export function inlineCodeOf(page: string): InlineCode[] {
  const prose = proseOf(page);
  return [...prose.matchAll(/`([^`]+)`/g)].map((match) => ({
    line: prose.slice(0, match.index).split('\n').length,
    text: (match[1] ?? '').replaceAll(/\s+/g, ' '),
  }));
}

/** Where the links of a page lead, relative to its folder, those to other sites left out. */
export function linksOf(page: string): string[] {
  return [...proseOf(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, target = '']) => target);
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
