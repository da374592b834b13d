/** The ring of which cables fail and heal under traffic, as it is shipped: its report agrees with the frames themselves. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { lossOf, outageOf, type Sample } from '../../rumba/storyboard/ping.ts';
import type { PlayResult } from '../../rumba/storyboard/play.ts';
import { run } from '../support/command.ts';
import { parsePcap } from '../support/pcap.ts';
import { renderPage } from '../support/rendered-page.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pingBytes = 64;

interface Seen {
  /** When each passed, ms since 1970, by its number. */
  readonly requests: ReadonlyMap<number, number>;
  readonly replies: ReadonlyMap<number, number>;
}

/** The pings of the storyboard among the frames: they end a frame, and have zeros behind their kind and number. */
function pingsIn(files: readonly string[]): Seen {
  const [requests, replies] = [new Map<number, number>(), new Map<number, number>()];
  for (const file of files) {
    for (const { time, bytes } of parsePcap(readFileSync(file)).frames) {
      const message = bytes.subarray(-pingBytes);
      const kind = message.length < pingBytes ? undefined : message.readUInt32BE(0);
      if ((kind !== 0 && kind !== 1) || message.subarray(8).some((byte) => byte !== 0)) continue;
      const id = message.readUInt32BE(4);
      const of = kind === 0 ? requests : replies;
      of.set(id, Math.min(of.get(id) ?? Number.POSITIVE_INFINITY, Number(time) / 1e6));
    }
  }
  return { requests, replies };
}

test('a cable fails and heals under traffic: what the report shows is what the frames say', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'o7s-ring-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  // This machine may be busy; what is measured is held against the frames, not against limits.
  const limits = ['patience=28s', 'rtt=20s', 'lost=90%'].flatMap((each) => ['--set', each]);
  const board = `${root}topologies/storyboards/ring-heals.ts`;
  const words = ['run', board, '--testbed', 'netns', '-o', folder, ...limits];
  const { status, stdout, stderr } = await run(process.execPath, [`${root}bin/o7s-testbed.js`, ...words]);
  expect({ status, stdout, stderr }).toMatchObject({ status: 0 });

  const results = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as PlayResult;
  const [ping] = results.pings;
  const samples = ping?.samples ?? [];
  const intervalMs = ping?.intervalMs ?? 0;
  expect(samples).toHaveLength(2_500);
  expect(results.missing).toEqual([]);

  // Both cables of a: what did not leave by one of them, because there was no way, is lost; all that came back counts.
  const { requests, replies } = pingsIn(['a-b', 'f-a'].map((link) => join(folder, 'pcaps', `${link}.pcap`)));
  const answered = samples.flatMap(({ rttMs }, id) => (rttMs === null ? [] : [id]));
  expect(answered.filter((id) => !requests.has(id))).toEqual([]);
  expect(requests.size).toBeGreaterThan(samples.length / 2);
  expect(answered.filter((id) => !replies.has(id))).toEqual([]);
  // The last may have come back when nobody waited for them any more.
  const isEarly = (id: number): boolean => id < samples.length - 500;
  expect([...replies.keys()].filter(isEarly).toSorted((x, y) => x - y)).toEqual(answered.filter(isEarly));
  const captured = samples.map(({ at, rttMs }, id): Sample => {
    const [sent, back] = [requests.get(id), replies.get(id)];
    if (sent === undefined) return { at, rttMs: null };
    return {
      at: sent - (results.origin ?? 0),
      rttMs: rttMs === null || back === undefined ? null : back - sent,
    };
  });
  for (const [id, { rttMs }] of captured.entries()) {
    // The cable is within the way that the program measures.
    if (rttMs !== null) expect(rttMs).toBeLessThanOrEqual((samples[id]?.rttMs ?? 0) + 1);
  }
  const outage = outageOf(samples, intervalMs);
  // Silence is noticed after 4 s; a cable that loses everything for 6 s is one for as long as nobody did.
  expect(outage).toBeGreaterThan(1_000);
  expect(outage).toBeLessThan(28_000);
  // Several seconds for a program that is late to send what is on the cable at once.
  expect(Math.abs(outageOf(captured, intervalMs) - outage)).toBeLessThan(5_000);

  const page = await renderPage(readFileSync(join(folder, 'report.html'), 'utf8'));
  expect([page.plots, page.fetched]).toEqual([1, []]);
  expect(page.text).toContain(`${(lossOf(samples) * 100).toFixed(2)} %`);
  const shown = `${outage.toFixed(1)} ms`;
  expect(page.text).toContain(`${shown}link.set`);
  const [plot] = page.canvases;
  expect(plot?.points).toBeGreaterThan(answered.length / 2);
  for (const word of ['link.set c-d', 'link.reset c-d', 'link.down c-d', 'link.up c-d', shown]) {
    expect(plot?.texts).toContain(word);
  }
  // The shade of an outage is as wide as the outage was long: the axis goes from the first ping to the last.
  const wide = Math.max(...(plot?.rectangles ?? []).map(([, , width = 0]) => width));
  const share = wide / 1_160 / (outage / ((samples.at(-1)?.at ?? 0) - (samples[0]?.at ?? 0)));
  // The axes beside it take some.
  expect(share).toBeGreaterThan(0.8);
  expect(share).toBeLessThanOrEqual(1.01);
});
