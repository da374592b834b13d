/** docs/tutorial.md, from its first block to its last. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { labInScope, program, startProcess } from './cli.ts';

const text = readFileSync(new URL('../../docs/tutorial.md', import.meta.url), 'utf8');

test('every block of the tutorial does what it says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'o7s-tutorial-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await using lab = labInScope();
  const received: string[] = [];
  for (const [, file, kind, body = ''] of text.matchAll(/(?:`([\w/]+\.ts)`:\n\n)?```(sh|ts)\n(.*?)```/gs)) {
    if (kind === 'ts') {
      await writeFile(join(folder, file ?? ''), body);
      continue;
    }
    for (const line of body.trim().split('\n')) {
      // As written, but without npx's start and a second between pings.
      const command = line
        .replace('npx o7s-testbed', `"${process.execPath}" "${program}"`)
        .replace('-c 3', '-c 3 -i 50');
      const { code, stdout, stderr } = await startProcess(['sh', '-ec', command], {
        cwd: folder,
        env: { O7S_TESTBED_LAB: lab.name },
      }).outcome;
      expect([line, code, code === 0 ? '' : stderr]).toEqual([line, 0, '']);
      if (line.includes('oping')) received.push(/(\d+ received)/.exec(stdout)?.[1] ?? stdout);
    }
  }
  expect(received).toEqual(Array(6).fill('3 received'));
});
