import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readBounded } from './bounded-file.ts';

test('a file is read as far as it may be long; what has no end is not', () => {
  const folder = mkdtempSync(join(tmpdir(), 'o7s-file-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'file');
  for (const length of [0, 1, 10]) {
    writeFileSync(file, 'x'.repeat(length));
    expect(readBounded(file, 10)).toEqual(Buffer.from('x'.repeat(length)));
  }
  writeFileSync(file, 'x'.repeat(11));
  expect(readBounded(file, 10)).toBe('too long');
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const other of [pipe, folder, '/dev/zero']) expect(readBounded(other, 10), other).toBe('not a file');
  // Says of itself that it has no bytes.
  expect(readBounded('/proc/self/maps', 10)).toBe('too long');
  expect(() => readBounded(join(folder, 'none'), 10)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
});
