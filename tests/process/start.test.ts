/** What programs keep of themselves for their next start. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
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

/** What is kept of a program in the folder: the name of each file, and which file it is. */
function kept(place: string, name: string): Map<string, number> {
  const files = readdirSync(place).filter((file) => file.startsWith(`${name}-`) && file.endsWith('.code'));
  return new Map(files.map((file) => [file, statSync(join(place, file)).ino]));
}

test('a program that runs a second time starts from what was compiled', async () => {
  const env = { XDG_CACHE_HOME: folder, NODE_COMPILE_CACHE: undefined };
  const place = join(folder, 'o7s-testbed');
  const help = async (): Promise<Map<string, number>> => {
    const { status, stdout } = await run(program('oping'), ['--help'], { env });
    expect(status).toBe(0);
    expect(stdout).toContain('Usage: oping');
    return kept(place, 'oping');
  };
  const first = await help();
  expect([...first]).toHaveLength(1);
  expect(await help()).toEqual(first);
  expect(readdirSync(folder)).toEqual(['o7s-testbed']);
  // What V8 does not take is made anew: cut off, or of another version.
  const [[file = ''] = []] = first;
  for (const bytes of [100, 0]) {
    truncateSync(join(place, file), bytes);
    const again = await help();
    expect([...again.keys()]).toEqual([file]);
    expect(statSync(join(place, file)).size).toBeGreaterThan(10_000);
  }
});

test('it keeps the newest versions, and nothing of others', async () => {
  for (const name of [
    'oping-1.code',
    'oping-2.code',
    'oping-3.code',
    'oping-4.code',
    'oping-5.code',
    'irm-1.code',
  ])
    writeFileSync(join(folder, name), '');
  utimesSync(join(folder, 'oping-3.code'), 0, 0);
  utimesSync(join(folder, 'oping-4.code'), 1, 1);
  const env = { NODE_COMPILE_CACHE: folder };
  expect(await run(program('oping'), ['--help'], { env })).toMatchObject({ status: 0 });
  const files = readdirSync(folder).filter((file) => file.endsWith('.code'));
  expect(files).toHaveLength(5);
  expect(files).toEqual(
    expect.arrayContaining(['oping-1.code', 'oping-2.code', 'oping-5.code', 'irm-1.code']),
  );
});

test('it keeps nothing where that is turned off', async () => {
  const env = { XDG_CACHE_HOME: folder, NODE_COMPILE_CACHE: undefined, NODE_DISABLE_COMPILE_CACHE: '1' };
  expect(await run(program('oping'), ['--help'], { env })).toMatchObject({ status: 0 });
  expect(readdirSync(folder)).toEqual([]);
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
  const launch = (command: string, args: readonly string[]) =>
    ['env', [`NODE_COMPILE_CACHE=${folder}`, command, ...args]] as const;
  const both = (): Map<string, number> => new Map([...kept(folder, 'irmd'), ...kept(folder, 'ipcpd')]);
  {
    await using node = await TestNode.start(launch);
    await until('both daemons to keep what they compiled', () => both().size === 2);
    node.irmd.child.kill('SIGKILL');
    await node.irmd.finished;
  }
  const before = both();
  {
    await using node = await TestNode.start(launch);
    await node.irm('ipcp list');
  }
  // What V8 had not taken they would have made anew as they ended.
  expect(both()).toEqual(before);
});
