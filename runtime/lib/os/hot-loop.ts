/**
 * Adaptive polling. Waking a process that sleeps costs more than anything a packet needs, most of all on another,
 * idle processor. While events come in quick succession the event loop therefore does not sleep between
 * them: it looks again at once, and gives the processor away in between to whoever wants it. Events that come
 * singly are waited for asleep, so that an idle or lightly used process costs nothing.
 */
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { libc } from './libc.ts';

/** Events closer together than this are a stream, ms. */
const streamGapMs = 0.15;
/** How long to look for the next event of a stream before sleeping, ms. */
const lookMs = 0.1;

/** On a single processor whoever looks takes the time of the process it waits for. */
const shared = availableParallelism() === 1;

let lastEvent = 0;
let lookUntil = 0;
let looking = false;

/** To be told of every event of the data path. */
export function dataEvent(): void {
  const now = performance.now();
  const gap = now - lastEvent;
  lastEvent = now;
  if (gap > streamGapMs || shared) return;
  lookUntil = now + lookMs;
  if (looking) return;
  looking = true;
  setImmediate(look);
}

function look(): void {
  if (performance.now() < lookUntil) {
    libc.yieldProcessor();
    setImmediate(look);
  } else {
    looking = false;
  }
}
