/** The reports in a browser: everything is drawn, and nothing is asked of any network. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { page } from '../../rumba/report/html.ts';
import { run } from '../support/command.ts';

const browser = ['chromium', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version']).error === undefined,
);

test.skipIf(browser === undefined)('a report draws its plots', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'o7s-report-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const plot = {
    title: 'x',
    x: [0, 1, 2],
    series: [{ label: 'y', scale: 'ms', values: [1, null, 3], low: [0, 0, 0], high: [4, 4, 4] }],
    marks: [{ at: 1, text: 'link.down a-b' }],
  };
  writeFileSync(
    join(folder, 'x.html'),
    await page('x', '<div id="plot0"></div><div id="plot1"></div>', [plot, plot]),
  );
  const quiet = [
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ];
  const words = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    ...quiet,
    `--user-data-dir=${folder}/own`,
  ];
  const { stdout } = await run(browser ?? '', [...words, '--dump-dom', `file://${folder}/x.html`]);
  expect(stdout).toContain('data-drawn="2"');
  expect(stdout.match(/<canvas/g)).toHaveLength(2);
});
