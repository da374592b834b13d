/** Runs and sweeps that do not come to their end: what there is is kept, says so, and can be gone on with. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { Experiment } from '../../rumba/storyboard/experiment.ts';
import type { PlayResult } from '../../rumba/storyboard/play.ts';
import { NetnsTestbed } from '../../rumba/testbeds/netns/testbed.ts';
import { type Finished, Running } from '../support/command.ts';
import { until } from '../support/until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const boards = `${root}tests/fixtures/storyboards`;

function fresh(): string {
  const folder = mkdtempSync(join(tmpdir(), 'o7s-interrupted-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function start(board: string, ...words: readonly string[]): Running {
  const command = ['run', `${boards}/${board}.ts`, '--testbed', 'netns', ...words];
  const running = new Running(process.execPath, [`${root}bin/o7s-testbed.js`, ...command]);
  running.child.stdin?.end();
  onTestFinished(async () => void (await running.kill('SIGKILL')));
  return running;
}

async function told(running: Running, text: string): Promise<void> {
  await until(
    `the line ${text}`,
    () => {
      if (running.stderr.includes(text)) return true;
      if (running.child.exitCode !== null) throw new Error(`it ended:\n${running.stderr}`);
      return false;
    },
    60_000,
  );
}

function read<T>(folder: string, file: string): T {
  return JSON.parse(readFileSync(join(folder, file), 'utf8')) as T;
}

async function expectNoLab(name: string): Promise<void> {
  const labs = await new NetnsTestbed().labs();
  expect(labs.map((lab) => lab.name).filter((each) => each.startsWith(name))).toEqual([]);
}

test('a lab that cannot be made leaves a folder that says why', async () => {
  const folder = fresh();
  const words = ['--set', 'ipcpd=nonsense', '-o', folder, '--junit', join(folder, 'elsewhere.xml')];
  const { status, stderr } = await start('ipcp-kill', ...words).finished;
  expect(status).toBe(1);
  expect(stderr).toMatch(/^ipcp-kill broken: /m);
  const facts = read<Experiment>(folder, 'run.json');
  expect(facts).toMatchObject({ status: 'broken', readyMs: null, parameters: { ipcpd: 'nonsense' } });
  expect(facts.error).toMatch(/irmd/);
  expect(readFileSync(join(folder, 'logs/a/irmd.log'), 'utf8')).toMatch(/^Usage: irmd/);
  const xml = readFileSync(join(folder, 'elsewhere.xml'), 'utf8');
  expect(xml).toBe(readFileSync(join(folder, 'junit.xml'), 'utf8'));
  expect(xml).toMatch(/errors="1"/);
  expect(xml).toMatch(
    /<testcase classname="ipcp-kill" name="the run" time="0">\n\s+<error message="[^"]*irmd/,
  );
  expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('<span class="bad">broken</span>');
});

test('a run that is interrupted keeps what was measured, and judges nothing', async () => {
  const folder = fresh();
  const running = start('steady', '--set', 'duration=600s', '-o', folder);
  await told(running, 'run a');
  expect(read<Experiment>(folder, 'run.json')).toMatchObject({ status: 'running' });
  const { status, stderr } = await running.kill('SIGINT');
  expect(status).toBe(130);
  expect(stderr).toMatch(/^steady interrupted: /m);
  const facts = read<Experiment>(folder, 'run.json');
  expect(facts).toMatchObject({ status: 'interrupted', error: 'interrupted' });
  const results = read<PlayResult>(folder, 'results.json');
  expect(results).toMatchObject({ ok: false, interrupted: true, verdicts: [] });
  expect(results.pings[0]?.samples.filter(({ rttMs }) => rttMs !== null)).not.toEqual([]);
  expect(results.steps.find(({ step }) => step === 1)).toMatchObject({
    ok: false,
    error: 'it was under way when the run was interrupted',
  });
  const xml = readFileSync(join(folder, 'junit.xml'), 'utf8');
  expect(xml).toMatch(/errors="1" skipped="1"/);
  expect(xml).toMatch(/name="ping.b reachable from a at 0s within 25s" time="0">\n\s+<skipped/);
  expect(readFileSync(join(folder, 'pcaps/a-b.pcap')).length).toBeGreaterThan(100);
  expect(readdirSync(join(folder, 'logs'))).toEqual(['a', 'b']);
  expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('<span class="bad">interrupted</span>');
  await expectNoLab(facts.lab);
});

test(
  'a sweep that was killed, and one that was interrupted, go on; another one is refused',
  { timeout: 300_000 },
  async () => {
    const folder = join(fresh(), 'sweep');
    const sweep = (...words: readonly string[]): Running =>
      start('steady', '-o', folder, '--set', 'mark=1,2,3', ...words);
    const cell = (number: number): string => join(folder, `000${number}-mark=${number}-r1`);
    const killed = sweep();
    await told(killed, '1/3 ');
    await until('the second run to begin', () => existsSync(join(cell(2), 'run.json')), 60_000);
    await killed.kill('SIGKILL');
    const first = readFileSync(join(cell(1), 'run.json'), 'utf8');

    // While the run that it left ends itself.
    const interrupted = sweep('--resume');
    await told(interrupted, '2/3 ');
    await until('the third run to begin', () => existsSync(join(cell(3), 'run.json')), 60_000);
    const stopped = await interrupted.kill('SIGINT');
    expect(stopped.status).toBe(130);
    expect(stopped.stderr).toContain(`to go on: the same command with --resume -o ${folder}`);
    expect(existsSync(join(folder, 'results.csv'))).toBe(false);
    expect(read<Experiment>(cell(2), 'run.json').status).toBe('passed');
    expect(read<Experiment>(cell(3), 'run.json').status).toBe('interrupted');

    const refused = async (running: Running, reason: string): Promise<void> => {
      const { status, stderr }: Finished = await running.finished;
      expect([status, stderr]).toEqual([2, expect.stringContaining(reason)]);
    };
    await refused(sweep(), 'has a sweep already');
    await refused(
      start('steady', '-o', folder, '--set', 'mark=1,2', '--seed', '5', '--resume'),
      'is of another sweep: the seed was 1 and is 5, parameter mark was 1,2,3 and is 1,2;',
    );
    await refused(
      start('server-lost', '-o', folder, '--repeat', '3', '--resume'),
      'the file of the storyboard was changed',
    );

    const { status, stderr } = await sweep('--resume').finished;
    expect([status, stderr]).toEqual([0, expect.stringContaining('3 of 3 runs passed')]);
    // What was complete was not run again.
    expect(readFileSync(join(cell(1), 'run.json'), 'utf8')).toBe(first);
    const rows = readFileSync(join(folder, 'results.csv'), 'utf8').trim().split('\r\n');
    expect(rows.map((row) => row.split(',')[0])).toEqual(['mark', '1', '2', '3']);
    expect(readFileSync(join(folder, 'junit.xml'), 'utf8').match(/<testsuite /g)).toHaveLength(3);
    expect(readdirSync(folder).filter((each) => each.startsWith('000'))).toHaveLength(3);
    await expectNoLab('steady');
  },
);
