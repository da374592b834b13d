import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
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
  expect(readFileSync(join(directory, 'irmd.lock'), 'utf8')).toMatch(new RegExp(`^${process.pid} \\d+$`));
  expect(() => takeLock(directory)).toThrow(AlreadyRunning);
  expect(() => takeLock(directory)).toThrow(`IRMd already running (${process.pid}), exiting.`);
  lock.release();
  expect(existsSync(join(directory, 'irmd.lock'))).toBe(false);
  takeLock(directory).release();
});

test.each([
  ['a process that is no more', '4194304 1'],
  ['another process of the same pid', `${process.pid} 1`],
  ['nothing', ''],
  ['rubbish', 'rubbish'],
  ['a pid without a time', '1'],
])('a lock of %s is stale: it goes, and what lay beside it', (_name, text) => {
  const stale = ['irmd.sock', 'irm.sock', 'ipcpd-77.sock'];
  for (const name of [...stale, 'notes.txt', 'ipcpd.sock']) writeFileSync(join(folder, name), '');
  writeFileSync(join(folder, 'irmd.lock'), text);
  const lock = takeLock(folder);
  expect(lock.cleaned).toBe(true);
  expect(readdirSync(folder).toSorted()).toEqual(['ipcpd.sock', 'irmd.lock', 'notes.txt']);
  lock.release();
});
