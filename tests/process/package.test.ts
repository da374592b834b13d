/** What `npm pack` ships, and what npm puts on the path where the package is installed. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { bin } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  readonly bin: Readonly<Record<string, string>>;
};

/** Started by irmd, and by a storyboard; never by hand. */
const inner = ['ipcpd', 'story-ping'];

test('every program is in the package, and on the path of whoever installs it', () => {
  const { 'o7s-testbed': cli, ...programs } = bin;
  expect(cli).toBe('bin/o7s-testbed.js');
  const built = readdirSync(`${root}dist/bin`).filter((name) => !inner.includes(name));
  expect(programs).toEqual(Object.fromEntries(built.map((name) => [name, `dist/bin/${name}`])));
  const report = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root });
  const [{ files }] = JSON.parse(report.toString()) as [{ files: { path: string; mode: number }[] }];
  const modes = new Map(files.map(({ path, mode }) => [path, mode & 0o777]));
  for (const path of [...Object.values(bin), ...inner.map((name) => `dist/bin/${name}`)]) {
    expect([path, modes.get(path)]).toEqual([path, 0o755]);
  }
  for (const name of [...built, ...inner]) expect(modes.has(`dist/bundle/${name}.cjs`)).toBe(true);
});
