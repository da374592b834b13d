/**
 * What the live view costs: 50 nodes with 500 flows, replayed in a real pseudo-terminal at the pace of a lab. For each view:
 * processor time while nobody touches a key, bytes written for a frame, processor time of a key and its frame beyond that, and
 * how long after a key the new screen is complete.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { recordedLab } from '../../support/recorded-lab.ts';
import { Screen } from '../../support/screen.ts';
import { type Bench, figure } from '../bench.ts';
import { o7sTestbed } from '../lab.ts';
import { processorMs } from '../measure.ts';
import { median } from '../numbers.ts';
import type { Subject } from '../table.ts';

const [nodes, flows] = [50, 500];
const views = ['topology', 'grid', 'layer', 'flows', 'links', 'events'];
/** A screen is complete when nothing was written for so long, in milliseconds. */
const quietMs = 25;

export const view: Bench = {
  about: 'processor time, bytes and delay of the live view of 50 nodes',
  async *measure({ quick, number }) {
    if (quick && number > 0) return;
    const [seconds, keys] = quick ? [3, 10] : [20, 40];
    const folder = mkdtempSync(join(tmpdir(), 'o7s-view-'));
    try {
      const file = join(folder, 'events.ndjson');
      const length = views.length * (seconds + 10) + 30;
      const events = recordedLab({ nodes, flows, seconds: length, periodMs: 2000 });
      writeFileSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
      const [program = '', ...words] = o7sTestbed;
      const screen = new Screen(program, [...words, 'tui', '--replay', file], { columns: 120, rows: 40 });
      await screen.shows(/\d+ flows/);
      await delay(3000);
      for (const [at, name] of views.entries()) {
        screen.type(String(at + 1));
        await delay(1500);
        yield* costs(screen, name, seconds, keys);
      }
      screen.type('q');
      await screen.exited;
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

async function* costs(
  screen: Screen,
  name: string,
  seconds: number,
  keys: number,
): ReturnType<Bench['measure']> {
  const of = (what: string, unit: string): Subject => ({
    what: `view ${name}: ${what}`,
    unit,
    better: 'less',
  });
  const before = { ms: processorMs(screen.pid), written: screen.written.length, now: performance.now() };
  await delay(seconds * 1000);
  const part = screen.written.slice(before.written);
  const rest = (processorMs(screen.pid) - before.ms) / (performance.now() - before.now);
  yield figure(of('processor at rest', '%'), 'ours', rest * 100);
  const frames = part.split('\u001b[?2026h').length - 1;
  if (frames > 0) yield figure(of('written for a frame', 'bytes'), 'ours', part.length / frames);
  const times: number[] = [];
  const beforeKeys = { ms: processorMs(screen.pid), now: performance.now() };
  // Events begin at their end, where there is nothing below.
  const [there, back] = name === 'events' ? ['k', 'j'] : ['j', 'k'];
  for (let key = 0; key < keys; key += 1) times.push(await keyToScreen(screen, key % 20 < 10 ? there : back));
  const resting = rest * (performance.now() - beforeKeys.now);
  const perKey = Math.max(0, processorMs(screen.pid) - beforeKeys.ms - resting) / keys;
  yield figure(of('processor time of a key', 'ms'), 'ours', perKey);
  yield figure(of('from a key to the screen', 'ms'), 'ours', median(times));
}

/** ms from a key to the last byte of what it changed. */
async function keyToScreen(screen: Screen, key: string): Promise<number> {
  await delay(120);
  const before = screen.written.length;
  const since = performance.now();
  screen.type(key);
  let last = since;
  let length = before;
  for (;;) {
    await delay(1);
    const now = performance.now();
    if (screen.written.length !== length) {
      length = screen.written.length;
      last = now;
    }
    if (length !== before && now - last > quietMs) return last - since;
    if (now - since > 1_000) return now - since;
  }
}
