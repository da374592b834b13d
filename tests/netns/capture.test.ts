/** What `capture` shows of a link without a file. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { run, Running } from '../support/command.ts';
import { until } from '../support/until.ts';

const program = new URL('../../bin/o7s-testbed.js', import.meta.url).pathname;
const topology = new URL('../../topologies/line-of-three.ts', import.meta.url).pathname;
const missing = spawnSync('tshark', ['--version']).error !== undefined;
const testbed = async (...words: string[]): ReturnType<typeof run> =>
  await run(process.execPath, [program, ...words]);

test.skipIf(missing)('frames are shown as text, by the dissector', async () => {
  const lab = `capture-${process.pid}`;
  expect(await testbed('up', topology, '--testbed', 'netns', '--lab', lab)).toMatchObject({ status: 0 });
  onTestFinished(async () => expect(await testbed('down', '--lab', lab)).toMatchObject({ status: 0 }));
  const capture = new Running(process.execPath, [program, 'capture', 'a-b', '--lab', lab]);
  // Flows are kept alive every second.
  const isShown = (): boolean => /^ +1 .*\n/.test(capture.stdout) && capture.stdout.includes('O7s-DIX');
  await until('frames', isShown, 60_000);
  const { status, stderr } = await capture.kill('SIGINT');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });

  const folder = mkdtempSync(join(tmpdir(), 'capture-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'filtered.pcap');
  const words = ['--lab', lab, '--duration', '1'];
  const filtered = await testbed('capture', 'a-b', ...words, '-w', file, '--', 'ether', 'proto', '0xa000');
  expect(filtered).toMatchObject({ status: 0, stderr: '' });
  // Times are in nanoseconds, with a filter too.
  expect(readFileSync(file).readUInt32LE()).toBe(0xa1b2_3c4d);
  expect(await testbed('capture', 'a-b', ...words, '-w', '/dev/full')).toMatchObject({
    status: 1,
    stderr: 'o7s-testbed: cannot write /dev/full: ENOSPC; write where you may, and there is room\n',
  });
});
