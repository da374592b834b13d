/** What comes of a storyboard: the same steps and verdicts on every testbed, and all that is kept of a run. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import type { Topology } from '../../rumba/model/topology.ts';
import type { Experiment } from '../../rumba/storyboard/experiment.ts';
import type { PlayResult } from '../../rumba/storyboard/play.ts';
import type { StoryPlan } from '../../rumba/storyboard/story.ts';
import { run } from '../support/command.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const board = `${root}tests/fixtures/storyboards/faults.ts`;

export interface Played {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly folder: string;
  /** The file of the plan, byte for byte. */
  readonly plan: string;
  /** What was done, in the order in which it was, what came of each, and what was judged. */
  readonly outcome: { readonly steps: readonly unknown[]; readonly verdicts: readonly unknown[] };
  readonly results: PlayResult;
}

/** Runs the storyboard of faults; the folder goes with the test. */
export async function playFaults(testbed: string, words: readonly string[] = []): Promise<Played> {
  return await playBoard(board, testbed, words);
}

/** Runs a storyboard of the fixtures that comes to its end. */
export async function playStoryboard(name: string, testbed: string): Promise<Played> {
  return await playBoard(`${root}tests/fixtures/storyboards/${name}.ts`, testbed, []);
}

async function playBoard(file: string, testbed: string, words: readonly string[]): Promise<Played> {
  const folder = mkdtempSync(join(tmpdir(), 'o7s-story-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const command = ['bin/o7s-testbed.js', 'run', file, '--testbed', testbed, '-o', folder, ...words];
  const { status, stdout, stderr } = await run(
    process.execPath,
    command.map((word) => (word.startsWith('bin/') ? `${root}${word}` : word)),
  );
  const plan = readFileSync(join(folder, 'plan.json'), 'utf8');
  const results = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as PlayResult;
  const { steps } = JSON.parse(plan) as StoryPlan;
  const planned = new Map(steps.map((each) => [each.step, each]));
  const begun = results.steps.map(({ begunMs }) => begunMs ?? Number.POSITIVE_INFINITY);
  expect(begun).toEqual(begun.toSorted((one, other) => one - other));
  return {
    ...{ code: status, stdout, stderr, folder, plan, results },
    outcome: {
      steps: results.steps.map(({ step, ok }) => {
        const { kind, target, parameters } = planned.get(step) ?? {};
        return [step, kind, target, parameters, ok];
      }),
      verdicts: results.verdicts.map(({ expectation, ok }) => [expectation, ok]),
    },
  };
}

/** Sweeps over a storyboard that kills an IPCP, and that has no lab to be played in where irmd refuses its options. */
export async function sweepIpcpKill(
  testbed: string,
): Promise<{ code: number | null; stdout: string; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'o7s-sweep-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = `${root}tests/fixtures/storyboards/ipcp-kill.ts`;
  const words = ['--testbed', testbed, '--set', 'ipcpd=nonsense,process', '-o', folder];
  const { status, stdout, stderr } = await run(process.execPath, [
    `${root}bin/o7s-testbed.js`,
    'run',
    file,
    ...words,
  ]);
  return { code: status, stdout: `${stdout}${stderr}`, folder };
}

/** The plan of the storyboard of faults from another seed. */
export async function planFaults(seed: number): Promise<StoryPlan> {
  const words = ['run', board, '--dry-run', '--seed', String(seed)];
  const { stdout } = await run(process.execPath, [`${root}bin/o7s-testbed.js`, ...words]);
  return JSON.parse(stdout) as StoryPlan;
}

/** All that a run leaves. */
export function expectBundle({ folder, results }: Played): void {
  const files = readdirSync(folder).toSorted();
  expect(files).toEqual([
    'events.ndjson',
    'junit.xml',
    'logs',
    'metrics',
    'pcaps',
    'plan.json',
    'report.html',
    'results.json',
    'run.json',
    'topology.json',
  ]);
  expect(readdirSync(join(folder, 'logs'))).toEqual(['a', 'b', 'c']);
  expect(readFileSync(join(folder, 'metrics/b.prom'), 'utf8')).toMatch(/^# HELP /m);
  // The header of a file and at least a frame.
  expect(readFileSync(join(folder, 'pcaps/a-b.pcap')).length).toBeGreaterThan(100);
  expect(results.notes.map(({ text }) => text)).toEqual(['from node a']);
  expect(results.pings[0]?.samples).toHaveLength(200);
  expect(results.missing).toEqual([]);
  const events = readFileSync(join(folder, 'events.ndjson'), 'utf8').trim().split('\n');
  expect(events.length).toBe(events.filter((line) => 'event' in (JSON.parse(line) as object)).length);
  expect(events.length).toBeGreaterThan(10);
  const facts = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as Experiment;
  expect(facts).toMatchObject({
    ...{ name: 'faults', seed: 1, status: 'passed', parameters: { limit: '20s' } },
    versions: { 'o7s-testbed': expect.any(String) as string, node: process.versions.node },
  });
  const topology = JSON.parse(readFileSync(join(folder, 'topology.json'), 'utf8')) as Topology;
  expect(topology.nodes.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  const xml = readFileSync(join(folder, 'junit.xml'), 'utf8');
  expect(xml).toMatch(/tests="4" failures="0" errors="0" skipped="0"/);
  const page = readFileSync(join(folder, 'report.html'), 'utf8');
  for (const text of ['>faults <', '<svg', 'a to ping.b', 'link.down', 'from node a'])
    expect(page).toContain(text);
  expect(page).not.toMatch(/<(script|link|img)[^>]*(src|href)=/);
}
