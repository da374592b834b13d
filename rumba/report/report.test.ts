import { expect, test } from 'vitest';
import { renderPage } from '../../tests/support/rendered-page.ts';
import { ethLink } from '../model/link.ts';
import { node } from '../model/node.ts';
import { topology } from '../model/build.ts';
import { linkDown, linkUp } from '../storyboard/actions.ts';
import type { Experiment } from '../storyboard/experiment.ts';
import { Story, storyboard } from '../storyboard/story.ts';
import { cellsOf, gridOf } from '../storyboard/sweep.ts';
import { html } from './html.ts';
import { junit } from './junit.ts';
import { sweepHtml } from './sweep-report.ts';

const [a, b] = [node('a'), node('b')];
const cable = ethLink(a, b);
const pair = topology({ nodes: [a, b], links: [cable] });

/** Pings that are lost from 1 s to 2 s, and from 3 s to the end. */
function failing(): Experiment {
  const board = storyboard({ topology: pair, duration: '4s' }, (story) => {
    const ping = story.ping({ from: a, to: 'ping.b' });
    story.at('1s', linkDown(cable));
    story.at('2s', linkUp(cable));
    story.expect(ping).outage.below('1s');
  });
  const plan = new Story(board, 1).plan('x</script>');
  const samples = Array.from({ length: 400 }, (_, index) => {
    const at = index * 10;
    return { at, rttMs: (at >= 1_000 && at < 2_000) || at >= 3_000 ? null : 1 + (index % 7) };
  });
  const steps = plan.steps.map(({ step, time }) => {
    const begunMs = 'atMs' in time ? time.atMs : 0;
    const failed = step === 3 ? { ok: false, error: 'no <link>', details: ['more'] } : { ok: true };
    return { step, plannedMs: begunMs, begunMs, endedMs: begunMs + 5, ...failed };
  });
  return {
    ...{ name: plan.name, seed: 1, lab: 'x', parameters: {}, versions: {}, images: {}, plan, readyMs: 1 },
    ...{ startedAt: '2026-01-01T00:00:00.000Z', endedAt: '2026-01-01T00:00:05.000Z', testbed: 'netns' },
    status: 'failed',
    result: {
      ...{ ok: false, interrupted: false, origin: 0, steps, notes: [], events: [], links: [] },
      verdicts: [
        { expectation: 'outage of a to ping.b below 1s', ok: false, measured: 'infinite', unit: 'ms' },
      ],
      pings: [{ name: 'a to ping.b', from: 'a', to: 'ping.b', intervalMs: 10, samples, flowsLost: 1 }],
      missing: [{ what: 'events', count: 7, reason: 'there were too many' }],
    },
  };
}

test('the page of a run draws its pings, what was done, and how long nothing was answered', async () => {
  const page = await renderPage(await html(failing(), pair));
  expect([page.plots, page.fetched, page.canvases.length]).toEqual([1, [], 1]);
  const [plot] = page.canvases;
  for (const word of ['link.down a-b', 'link.up a-b', '1000.0 ms', 'to the end', 'ms', '%']) {
    expect(plot?.texts).toContain(word);
  }
  // The second outage is as wide as the first: a second each.
  const widths = plot?.rectangles.map(([, , width]) => width) ?? [];
  expect(widths).toHaveLength(2);
  expect(Math.abs((widths[0] ?? 0) - (widths[1] ?? 0))).toBeLessThanOrEqual(5);
  expect(plot?.points).toBeGreaterThan(200);
  expect(page.text).toContain('outage of a to ping.b below 1sinfinitefailed');
  expect(page.text).toContain('a to ping.b1.000 s1000.0 mslink.down a-b, 0.00 ms before');
  expect(page.text).toContain('a to ping.b3.000 sto the endlink.up a-b, 1000.0 ms before');
  expect(page.text).toContain('no <link>\nmore');
  expect(page.text).toContain('events7there were too many');
});

test('the page of a sweep draws a plot an expectation, with its band', async () => {
  const results = cellsOf(gridOf(new Map([['loss', '0%,1%,5%']])), 7, 1).map((cell, index) => ({
    cell,
    status: 'passed' as const,
    verdicts: [{ expectation: 'outage', ok: true, measured: index, unit: 'ms' as const }],
  }));
  const page = await renderPage(await sweepHtml('x', 1, results));
  expect([page.plots, page.fetched, page.canvases.length]).toEqual([1, [], 1]);
  expect(page.canvases[0]?.texts).toContain('loss');
  // The median and both ends of its interval, for three values.
  expect(page.canvases[0]?.points).toBeGreaterThanOrEqual(9);
});

test('JUnit tells what failed, what broke, and what was not judged', () => {
  const run = failing();
  const failed = junit(run);
  expect(failed).toContain('tests="2" failures="2" errors="0" skipped="0" time="5.000"');
  expect(failed).toContain('<failure message="measured infinite">');
  expect(failed).toContain('name="step 3: link.up a-b"');
  expect(failed).toContain('<failure message="no &lt;link&gt;">no &lt;link&gt;\nmore</failure>');
  const result = { ...run.result, verdicts: [], steps: [] };
  const broken = junit({ ...run, status: 'broken', error: 'no lab', details: ['why'], result });
  expect(broken).toContain('tests="2" failures="0" errors="1" skipped="1"');
  expect(broken).toContain('<skipped message="the run was broken"/>');
  expect(broken).toContain('<error message="no lab">no lab\nwhy</error>');
});
