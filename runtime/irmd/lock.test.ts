import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { Running } from '../../tests/support/command.ts';
import { until } from '../../tests/support/until.ts';
import { AlreadyRunning, takeLock } from './lock.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'o7s-lock-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

test('is taken once, and free after release', () => {
  const directory = join(folder, 'made');
  const lock = takeLock(directory);
  expect(lock.cleaned).toBe(false);
  expect(readFileSync(join(directory, 'irmd.lock'), 'utf8')).toBe(String(process.pid));
  expect(() => takeLock(directory)).toThrow(AlreadyRunning);
  expect(() => takeLock(directory)).toThrow(`IRMd already running (${process.pid}), exiting.`);
  lock.release();
  expect(existsSync(join(directory, 'irmd.lock'))).toBe(false);
  takeLock(directory).release();
});

test.each([
  ['a process that is no more', '4194304 1'],
  ['a process that runs and is no irmd', `${process.pid}`],
  ['nothing', ''],
  ['rubbish', 'rubbish'],
])('a lock of %s is stale: it goes, and what lay beside it', (_name, text) => {
  const stale = ['irmd.sock', 'irm.sock', 'ipcpd-77.sock'];
  for (const name of [...stale, 'notes.txt', 'ipcpd.sock']) writeFileSync(join(folder, name), '');
  writeFileSync(join(folder, 'irmd.lock'), text);
  const lock = takeLock(folder);
  expect(lock.cleaned).toBe(true);
  expect(readdirSync(folder).toSorted()).toEqual(['ipcpd.sock', 'irmd.lock', 'notes.txt']);
  expect(readFileSync(join(folder, 'irmd.lock'), 'utf8')).toBe(String(process.pid));
  lock.release();
});

/** Takes the locks of all folders, in their order, keeps them, and prints which it got and why not the others. */
const taker = `
  import { readdirSync } from 'node:fs';
  const { takeLock } = await import(process.argv[1]);
  const [, , root] = process.argv;
  process.stdin.once('data', () => {
    for (const name of readdirSync(root).toSorted()) {
      try {
        console.log('got', name, takeLock(root + '/' + name).cleaned);
      } catch (error) {
        console.log('not', name, error.message);
      }
    }
    console.log('done');
  });
  console.log('ready');
`;

test('of several that find a lock left over one gets it, and the others hear of that one', async () => {
  const names = Array.from({ length: 40 }, (_, index) => `run-${String(index).padStart(2, '0')}`);
  for (const name of names) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'irmd.lock'), '4194304 1');
  }
  const module = new URL('lock.ts', import.meta.url).href;
  const takers = Array.from({ length: 4 }, () => {
    const words = ['--conditions=@o7s/source', '--input-type=module', '-e', taker, module, folder];
    return new Running(process.execPath, words);
  });
  onTestFinished(async () => void (await Promise.all(takers.map((each) => each.kill()))));
  const all = (text: string): Promise<unknown> =>
    until(`all to say ${text}`, () => takers.every(({ stdout }) => stdout.includes(`${text}\n`)), 30_000);
  await all('ready');
  for (const { child } of takers) child.stdin?.write('go\n');
  await all('done');
  for (const name of names) {
    const owners = takers.filter(({ stdout }) => stdout.includes(`got ${name} true\n`));
    expect(owners, name).toHaveLength(1);
    const told = `not ${name} IRMd already running (${owners[0]?.pid}), exiting.\n`;
    expect(
      takers.filter(({ stdout }) => stdout.includes(told)),
      name,
    ).toHaveLength(takers.length - 1);
  }
}, 60_000);
