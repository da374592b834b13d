import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { copyFolder } from './copy.ts';
import type { LabNode } from './testbeds/testbed.ts';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'o7s-copy-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** A node that is this machine and on which a command starts later than `tar` here takes for a small folder. */
const slowNode = {
  name: 'slow',
  async open([program = '', ...words]: readonly string[]) {
    await delay(300);
    const child = spawn(program, words);
    const { stdin, stdout, stderr } = child;
    const ended = once(child, 'close').then(([code]) => code as number);
    return { stdin, stdout, stderr, ended, kill: (signal: NodeJS.Signals) => void child.kill(signal) };
  },
} as unknown as LabNode;

test('nothing is lost where a command on the node is slow to start', async () => {
  const [from, to] = [folder(), folder()];
  writeFileSync(join(from, 'enc.conf'), 'kex=X25519\n');
  await copyFolder(from, slowNode, to, new AbortController().signal);
  expect(readFileSync(join(to, 'enc.conf'), 'utf8')).toBe('kex=X25519\n');
});
