import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { PlayResult } from '../../rumba/storyboard/play.ts';
import type { StoryPlan } from '../../rumba/storyboard/story.ts';
import {
  expectBundle,
  planFaults,
  playFaults,
  playStoryboard,
  sweepIpcpKill,
} from '../compliance/storyboards.ts';

test('the same seed gives the same plan, actions and verdicts, another one another plan', async () => {
  const one = await playFaults('netns');
  expect({ code: one.code, stderr: one.stderr }).toMatchObject({ code: 0 });
  expectBundle(one);
  const again = await playFaults('netns');
  expect(again.plan).toBe(one.plan);
  expect(again.outcome).toEqual(one.outcome);
  const { steps } = JSON.parse(one.plan) as StoryPlan;
  expect(steps.length).toBeGreaterThanOrEqual(24);
  // What was carried out is all of the plan, in its order: those that follow others or an event were last.
  expect(one.outcome.steps).toEqual(
    steps.map(({ step, kind, target, parameters }) => [step, kind, target, parameters, true]),
  );
  const other = await planFaults(2);
  expect(other.steps.length).toBeGreaterThanOrEqual(20);
  expect(other.steps).not.toEqual(steps);
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

test('a server that is lost is loss to the end, and the run fails', async () => {
  const { code, results } = await playStoryboard('server-lost', 'netns');
  expect(code).toBe(4);
  expect(results.steps.map(({ ok }) => ok)).toEqual([true, true, true]);
  const [loss, outage] = results.verdicts;
  expect([loss?.ok, outage?.ok, outage?.measured]).toEqual([false, false, 'infinite']);
  const [ping] = results.pings;
  const stopped = results.steps.find(({ step }) => step === 3)?.endedMs ?? 0;
  const after = ping?.samples.filter(({ at }) => at > stopped) ?? [];
  expect(after.length).toBeGreaterThan(0);
  expect(after.every(({ rttMs }) => rttMs === null)).toBe(true);
});

test('an IPCP is killed; a run of a sweep that is broken is marked and stops no other', async () => {
  const { code, stdout, folder } = await sweepIpcpKill('netns');
  expect({ code, stdout }).toEqual({
    code: 4,
    stdout: expect.stringContaining('1 of 2 runs passed') as string,
  });
  expect(stdout).toMatch(/^1\/2 0001-ipcpd=nonsense-r1 broken: \S.*irmd/m);
  const rows = readFileSync(join(folder, 'results.csv'), 'utf8').trim().split('\r\n');
  expect(rows.map((row) => row.split(',').toSpliced(1, 2))).toEqual([
    ['ipcpd', 'status'],
    ['nonsense', 'broken'],
    ['process', 'passed'],
  ]);
  const run = join(folder, '0002-ipcpd=process-r1');
  const { notes } = JSON.parse(readFileSync(join(run, 'results.json'), 'utf8')) as PlayResult;
  expect(notes.map(({ text }) => text)).toEqual(['net.a before: 1', 'net.a after: 0']);
});
