/** What programs keep of themselves for their next start. */
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { program, run } from '../support/command.ts';
import { TestNode } from '../support/node.ts';
import { until } from '../support/until.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'o7s-start-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What Node says of programs that it had, or had not, compiled before. */
function saidOf(output: string, name: string): string[] {
  const lines = output.matchAll(new RegExp(`code cache for CommonJS \\S*/${name}\\.cjs was ([^,]+)`, 'g'));
  return [...lines].map(([, what = '']) => what);
}

test('a program that runs a second time starts from what was compiled', async () => {
  const env = { XDG_CACHE_HOME: folder, NODE_COMPILE_CACHE: undefined, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' };
  const outputs = [];
  for (let times = 0; times < 2; times += 1) {
    const { status, stdout, stderr } = await run(program('oping'), ['--help'], { env });
    expect(status).toBe(0);
    outputs.push(stdout + stderr);
  }
  expect(outputs.map((output) => saidOf(output, 'oping'))).toEqual([['not initialized'], ['accepted']]);
  expect(readdirSync(folder)).toEqual(['o7s-testbed']);
});

test('one that cannot keep anything starts all the same', async () => {
  symlinkSync('/nonexistent/caches', join(folder, '.cache'));
  for (const HOME of ['/nonexistent', '/proc/self', folder]) {
    const env = { HOME, XDG_CACHE_HOME: undefined, NODE_COMPILE_CACHE: undefined };
    const { status, stdout } = await run(program('oping'), ['--help'], { env });
    expect(status, HOME).toBe(0);
    expect(stdout).toContain('Usage: oping');
  }
  expect(existsSync('/nonexistent')).toBe(false);
});

test('daemons keep what they compiled, also when they are killed, and their next ones take it', async () => {
  const words = [`NODE_COMPILE_CACHE=${folder}`, 'NODE_DEBUG_NATIVE=COMPILE_CACHE'];
  const launch = (command: string, args: readonly string[]) => ['env', [...words, command, ...args]] as const;
  /** What Node has in the folder, without what it is writing. */
  const kept = (): string[] =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\/[0-9a-f]+$/.test(name));
  {
    await using node = await TestNode.start(launch);
    await until('both daemons to keep what they compiled', () => {
      const { stderr } = node.irmd;
      const [begun, done] = [/Creating temporary file/g, /Renaming .*success/g].map(
        (words) => [...stderr.matchAll(words)].length,
      );
      // What irmd says is of its own; there is one more for ipcpd.
      return (
        /writing cache for \S+ \S*\/irmd\.cjs/.test(stderr) && begun === done && kept().length > (done ?? 0)
      );
    });
    node.irmd.child.kill('SIGKILL');
    await node.irmd.finished;
  }
  await using node = await TestNode.start(launch);
  expect(saidOf(node.irmd.stderr, 'irmd')).toEqual(['accepted']);
});
