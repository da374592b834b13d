/** Frames of a link into a file: what goes wrong is told to whoever ends it, and to nobody else. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { recordLink } from '../../rumba/links/recording.ts';
import type { TopologyLink } from '../../rumba/model/topology.ts';
import { openedChild } from '../../rumba/testbeds/netns/node.ts';
import type { Lab } from '../../rumba/testbeds/testbed.ts';

const link = { name: 'a-b', ends: [{ node: 'a' }, { node: 'b' }] } as unknown as TopologyLink;

/** A lab whose captures are a script of the shell. */
function labOf(script: string): Lab {
  return {
    capture: async () => openedChild(spawn('sh', ['-c', script], { stdio: 'pipe' })),
  } as unknown as Lab;
}

function file(): string {
  const folder = mkdtempSync(join(tmpdir(), 'o7s-recording-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'a-b.pcap');
}

test('all that was captured is in the file, and what was missed is told', async () => {
  const path = file();
  const script = 'echo head; cat >/dev/null; echo tail; echo "3 frames were not captured" >&2';
  const recording = await recordLink(labOf(script), link, path);
  expect(await recording.end()).toBe('3 frames were not captured');
  expect(readFileSync(path, 'utf8')).toBe('head\ntail\n');
});

test('one that ends at once', async () => {
  const begun = recordLink(labOf('echo "no such interface" >&2; exit 1'), link, file());
  await expect(begun).rejects.toMatchObject({
    code: 'EFAILED',
    message: expect.stringMatching(/a-b into .*ended/),
  });
});

test('one that ends by itself later says so when it is ended, and not before', async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  const path = file();
  const recording = await recordLink(labOf('echo head; exit 1'), link, path);
  while (readFileSync(path, 'utf8') === '') await turn();
  for (let turns = 0; turns < 10; turns += 1) await turn();
  await expect(recording.end()).rejects.toMatchObject({ code: 'EFAILED' });
  expect(unhandled).toEqual([]);
});

test('a file that cannot be written', async () => {
  const path = join(file(), 'x.pcap');
  const begun = recordLink(labOf('while echo frames; do :; done'), link, path);
  // What came before the file was opened may have been taken for a beginning.
  const recorded = begun.then(async (recording) => await recording.end());
  await expect(recorded).rejects.toMatchObject({
    code: 'EFAILED',
    message: expect.stringContaining('ENOENT'),
  });
});
