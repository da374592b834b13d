/** What `capture` shows of a link without a file. */
import { spawnSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { run } from '../support/command.ts';

const program = new URL('../../bin/o7s-testbed.js', import.meta.url).pathname;
const topology = new URL('../../topologies/line-of-three.ts', import.meta.url).pathname;
const missing = spawnSync('tshark', ['--version']).error !== undefined;
const testbed = async (...words: string[]): ReturnType<typeof run> =>
  await run(process.execPath, [program, ...words]);

test.skipIf(missing)('frames are shown as text, by the dissector', async () => {
  const lab = `capture-${process.pid}`;
  expect(await testbed('up', topology, '--testbed', 'netns', '--lab', lab)).toMatchObject({ status: 0 });
  onTestFinished(async () => expect(await testbed('down', '--lab', lab)).toMatchObject({ status: 0 }));
  // Flows are kept alive every second.
  const { status, stdout, stderr } = await testbed('capture', 'a-b', '--lab', lab, '--duration', '4');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^ +1 .*\n/);
  expect(stdout).toContain('O7s-DIX');
});
