import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectBundle, playFaults } from '../compliance/storyboards.ts';

test('the same seed gives the same plan, steps and verdicts, another one another plan', async () => {
  const one = await playFaults('netns');
  expect({ code: one.code, stderr: one.stderr }).toMatchObject({ code: 0 });
  expectBundle(one);
  const again = await playFaults('netns');
  expect(again.plan).toBe(one.plan);
  expect(again.outcome).toEqual(one.outcome);
  expect((JSON.parse(one.plan) as { steps: unknown[] }).steps.length).toBeGreaterThanOrEqual(24);
});

test('an expectation that is not met: exit code 4, and JUnit says which', async () => {
  const { code, stdout, folder } = await playFaults('netns', ['--set', 'limit=1us', '--seed', '7']);
  expect(code).toBe(4);
  expect(stdout).toMatch(/^FAILED rtt median of a to ping.b below 1us: \d/m);
  const xml = readFileSync(join(folder, 'junit.xml'), 'utf8');
  expect(xml).toMatch(/failures="1"/);
  expect(xml).toMatch(
    /name="rtt median of a to ping.b below 1us" time="0">\n\s+<failure message="measured [\d.]+ms"/,
  );
});
