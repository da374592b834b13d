/** Two users of one machine: each has labs of its own, whatever their names, and nothing to say about the other's. */
import { spawnSync } from 'node:child_process';
import { chown } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { twoNodes } from '../compliance/cli.ts';
import { cli, folder, freshLab, program, startProcess, type Outcome } from './cli.ts';

/** Nobody, of every system. */
const other = 65_534;
const asOther = ['setpriv', `--reuid=${other}`, `--regid=${other}`, '--clear-groups'] as const;

/** Why there is no second user here; undefined where there is. */
function noOther(): string | undefined {
  if (process.geteuid?.() !== 0) return 'only root can be another user';
  const [file, ...words] = [...asOther, process.execPath, program, '--version'] as const;
  const { status, stderr } = spawnSync(file, words, { encoding: 'utf8', env: { HOME: '/nonexistent' } });
  return status === 0 ? undefined : `another user cannot run ${program}: ${stderr.trim().split('\n')[0]}`;
}

test('labs of one name side by side, each for its owner alone', async ({ skip }) => {
  const reason = noOther();
  skip(reason !== undefined, reason);
  await using home = await folder({});
  await chown(home.path, other, other);
  const lab = freshLab();
  const theirs = (...words: string[]): Promise<Outcome> =>
    startProcess([...asOther, process.execPath, program, ...words], { env: { HOME: home.path } }).outcome;
  const ping = ['exec', 'a', '--lab', lab, 'oping', '-n', 'ping.b', '-c', '1'];
  const reached = { code: 0, stdout: expect.stringContaining('1 packets transmitted, 1 received') };
  try {
    const ups = await Promise.all([
      cli(['up', twoNodes, '--lab', lab]),
      theirs('up', twoNodes, '--lab', lab),
    ]);
    expect(ups.map(({ code, stderr }) => [code, stderr.includes('waiting')])).toEqual([
      [0, false],
      [0, false],
    ]);
    expect(await cli(ping)).toMatchObject(reached);
    expect(await theirs(...ping)).toMatchObject(reached);
    const list = JSON.parse((await theirs('ls', '-f', 'json')).stdout) as { lab: string }[];
    expect(list.map((each) => each.lab)).toEqual([lab]);
    expect(await theirs('down', '--all', '-y')).toMatchObject({ code: 0, stderr: `lab ${lab} is down\n` });
    expect(await cli(ping)).toMatchObject(reached);
  } finally {
    await theirs('down', '--lab', lab);
    await cli(['down', '--lab', lab]);
  }
});
