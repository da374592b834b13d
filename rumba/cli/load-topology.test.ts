import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const program = fileURLToPath(new URL('../../bin/o7s-testbed.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'o7s-load-'));
afterAll(() => rmSync(folder, { recursive: true }));

const head = "import { node, topology } from 'o7s-testbed';\n";
const tail = "export default topology({ nodes: [node('a')] });\n";
const exited =
  'process.exit was called; a topology file ends by itself, with: export default topology({ ... })';

// How a process ends takes a process.
test.each([
  ['process.exit', 'process.exit(0);', `:2: ${exited}`],
  ['process.exit later', 'setTimeout(() => process.exit(7));\nawait new Promise(() => {});', `:2: ${exited}`],
  [
    'an await that never ends',
    'await new Promise(() => {});',
    ': a top-level await never ends: nothing is left that it could wait for',
  ],
  [
    'an unknown key',
    'topology({ nodes: [], nods: [] } as never);',
    ':2: unknown key "nods"; known: name, nodes, links, layers, registrations, servers',
  ],
])('%s in a topology file is one line and code 2', (_what, body, said) => {
  writeFileSync(join(folder, 'wrong.ts'), `${head}${body}\n${tail}`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'up', 'wrong.ts', '--dry-run'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect({ status, stdout, stderr }).toEqual({
    status: 2,
    stdout: '',
    stderr: `o7s-testbed: wrong.ts${said}\n`,
  });
});

test('a file that waits for something is loaded', () => {
  writeFileSync(
    join(folder, 'right.ts'),
    `${head}await new Promise((done) => setTimeout(done, 10));\n${tail}`,
  );
  const { status, stderr } = spawnSync(process.execPath, [program, 'up', 'right.ts', '--dry-run'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
