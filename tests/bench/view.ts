/**
 * What the live view costs: 50 nodes with 500 flows, replayed in a real pseudo-terminal at the pace of a lab.
 *
 *     node --conditions=@o7s/source tests/bench/view.ts [NODES (50)] [FLOWS (500)] [SECONDS (20)]
 *
 * For each view: processor time while nobody touches a key, bytes and lines written for a frame, processor time of a key
 * and its frame beyond that, and how long after a key the new screen is complete, which other work on the machine lengthens.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { recordedLab } from '../support/recorded-lab.ts';
import { Screen } from '../support/screen.ts';

const [nodes = 50, flows = 500, seconds = 20] = process.argv.slice(2).map(Number);
const program = fileURLToPath(new URL('../../bin/o7s-testbed.js', import.meta.url));
const views = ['topology', 'grid', 'layer', 'flows', 'links', 'events'];
const keysPressed = 40;
/** A screen is complete when nothing was written for so long, in milliseconds. */
const quietMs = 25;

const folder = mkdtempSync(join(tmpdir(), 'o7s-view-'));
const file = join(folder, 'events.ndjson');
const length = views.length * (seconds + 10) + 30;
const events = recordedLab({ nodes, flows, seconds: length, periodMs: nodes <= 20 ? 1_000 : 2_000 });
writeFileSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(''));

/** Processor time of a process, in ms. */
function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const screen = new Screen(process.execPath, [program, 'tui', '--replay', file], { columns: 120, rows: 40 });
await screen.shows(/500 flows|\d+ flows/);
await delay(3_000);
process.stdout.write(`${nodes} nodes, ${flows} flows, ${seconds} s a view, 120x40\n\n`);
process.stdout.write(
  'view      at rest  frames/s  bytes/frame  lines/frame  processor a key  key to screen, median and worst of 40\n',
);
for (const [at, view] of views.entries()) {
  screen.type(String(at + 1));
  await delay(1_500);
  const before = { ms: processorMs(screen.pid), written: screen.written.length, now: performance.now() };
  await delay(seconds * 1_000);
  const part = screen.written.slice(before.written);
  const took = performance.now() - before.now;
  const rest = ((processorMs(screen.pid) - before.ms) / took) * 100;
  const frames = part.split('\u001b[?2026h').length - 1;
  // ink clears the rest of each line that it writes, and of no other.
  const lines = part.split('\u001b[K').length - 1;
  const times: number[] = [];
  const beforeKeys = { ms: processorMs(screen.pid), now: performance.now() };
  for (let key = 0; key < keysPressed; key++) times.push(await keyToScreen(key % 20 < 10 ? 'j' : 'k'));
  times.sort((one, other) => one - other);
  const resting = (rest / 100) * (performance.now() - beforeKeys.now);
  const perKey = Math.max(0, processorMs(screen.pid) - beforeKeys.ms - resting) / keysPressed;
  const per = (count: number): string => (frames === 0 ? '-' : (count / frames).toFixed(1));
  process.stdout.write(
    [
      view.padEnd(9),
      `${rest.toFixed(1)} %`.padStart(7),
      ((frames * 1_000) / took).toFixed(1).padStart(9),
      per(part.length).padStart(12),
      per(lines).padStart(12),
      `${perKey.toFixed(1)} ms`.padStart(16),
      `  ${times[Math.floor(times.length / 2)]?.toFixed(1)} ms, ${times.at(-1)?.toFixed(1)} ms\n`,
    ].join(' '),
  );
}
screen.type('q');
await screen.exited;
rmSync(folder, { recursive: true });

/** ms from a key to the last byte of what it changed. */
async function keyToScreen(key: string): Promise<number> {
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
