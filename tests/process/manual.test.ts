/** The pages of the manual, as the build writes them and `man` shows them. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { program, run, type Tool } from '../support/command.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = `${root}dist/man`;
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.\d$/.test(name));
const { bin, man } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  readonly bin: object;
  readonly man: readonly string[];
};

const missing = spawnSync('man', ['--version']).error === undefined ? undefined : 'there is no man: man-db';

/** A page as plain text, in lines that are not filled. */
function shown(file: string): { text: string; warnings: string } {
  const env = { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '80', MANROFFOPT: '-c' };
  const words = ['--warnings', '-E', 'UTF-8', '-l', `${folder}/${file}`];
  const { status, stdout, stderr } = spawnSync('man', words, { env, encoding: 'utf8' });
  expect(status).toBe(0);
  return { text: stdout, warnings: stderr };
}

test('there is a page for every program, and those that every Ouroboros has', () => {
  expect(files.map((file) => file.replace(/^man\d\//, '')).toSorted()).toEqual(
    [
      ...Object.keys(bin).map((name) => `${name}.${name.startsWith('irm') ? 8 : 1}`),
      'flow_alloc.3',
      'ouroboros-glossary.7',
      'ouroboros-tutorial.7',
      'ouroboros.8',
    ].toSorted(),
  );
  // npm puts those it is told of where man finds them.
  expect([...man].toSorted()).toEqual(files.map((file) => `dist/man/${file}`).toSorted());
});

test.for(files)('man shows %s without a warning', (file, { skip }) => {
  skip(missing !== undefined, missing);
  const { text, warnings } = shown(file);
  expect(warnings).toBe('');
  expect(text).toMatch(/^NAME\n +\S.*\s(-|‐|−)\s+\S/m);
  // What is left of Markdown, or of a place that was to be filled.
  expect(text).not.toMatch(/\*\*|<!--|\]\(|^\s*\|/m);
});

test.each(['oping', 'oecho', 'operf', 'ocbr', 'obc', 'ovpn', 'onc'] as const)(
  '%s: every option of the usage text is on the page',
  async (tool: Tool) => {
    const { stdout } = await run(program(tool), ['--help']);
    const page = readFileSync(`${folder}/man1/${tool}.1`, 'utf8').replaceAll('\\', '');
    const words = [...stdout.matchAll(/^ {2}(?: {4})?(-.*?)(?: <|  )/gm)].flatMap(([, list = '']) =>
      list.split(', '),
    );
    expect(words.length).toBeGreaterThan(2);
    for (const word of words) expect(page).toMatch(new RegExp(`fB${word}f[PR]`));
  },
);
