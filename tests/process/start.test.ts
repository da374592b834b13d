/** What programs keep of themselves for their next start. */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
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
  const sizeOf = (file: string): number => statSync(join(folder, file)).size;
  const before = [...both()].map(([file, ino]) => ({ file, ino, size: sizeOf(file) }));
  {
    await using node = await TestNode.start(launch);
    await node.irm('ipcp list');
  }
  // What V8 had not taken they would have made anew as they ended, of about the same length.
  for (const { file, ino, size } of before) {
    if (both().get(file) !== ino) expect(sizeOf(file)).toBeGreaterThan(1.1 * size);
  }
});

test('what is kept grows with runs that do more, which look a few times in vain', async () => {
  const env = { NODE_COMPILE_CACHE: folder };
  const help = async (): Promise<{ file: string; size: number; looks: number | undefined }> => {
    expect(await run(program('irm'), ['help'], { env })).toMatchObject({ status: 0 });
    const [[file = ''] = []] = kept(folder, 'irm');
    const bytes = readFileSync(join(folder, file));
    return { file, size: bytes.length, looks: bytes.at(-1) };
  };
  const first = await help();
  expect(first.looks).toBe(0);
  expect(await help()).toEqual({ ...first, looks: 1 });
  for (let times = 0; times < 10; times += 1) await help();
  expect(await help()).toEqual({ ...first, looks: 8 });
  // As if fewer had looked.
  const bytes = readFileSync(join(folder, first.file));
  bytes.writeUInt8(0, bytes.length - 1);
  writeFileSync(join(folder, first.file), bytes);
  await using node = await TestNode.start((command, args) => [command, args]);
  await run(program('irm'), ['ipcp', 'list'], { env: { ...env, O7S_RUN_DIR: node.directory } });
  const grown = await help();
  expect(grown.file).toBe(first.file);
  expect(grown.size).toBeGreaterThan(1.1 * first.size);
});

test('what others could have written is not taken', async () => {
  const env = { NODE_COMPILE_CACHE: folder };
  const help = async (): Promise<[string, number]> => {
    expect(await run(program('oping'), ['--help'], { env })).toMatchObject({ status: 0 });
    const [first] = kept(folder, 'oping');
    return first ?? ['', 0];
  };
  const [file, ino] = await help();
  chmodSync(join(folder, file), 0o666);
  expect((await help())[1]).not.toBe(ino);
  expect(statSync(join(folder, file)).mode & 0o022).toBe(0);
});
