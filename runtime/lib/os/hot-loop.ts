/**
 * How the data path waits while events come in quick succession. Waking a process that sleeps costs more than anything
 * a packet needs, most of all on another, idle processor; and an event that comes through Node's event loop costs
 * more than the system calls it leads to.
 *
 * In a process of the data path alone (`dedicateProcess`) this loop therefore asks the kernel itself, at the very
 * descriptor libuv waits at, and hands events of the data path to their handlers. What else is ready there stays for
 * libuv, to which it goes back at once then, when a handler asked for it, when nothing came for a moment, and at least
 * once a millisecond. In any other process it only keeps the event loop from sleeping for a moment, since what the
 * program does in between is not for it to delay.
 *
 * Events that come singly are waited for asleep, so that an idle or lightly used process costs nothing.
 */
import { arch, availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';
import { addressOf, eventLoopFd, libc } from './libc.ts';

/** Events closer together than this are a stream, ms. */
const streamGapMs = 0.15;
/** How long to look for the next event of a stream without sleeping, ms. */
const lookMs = 0.1;
/** How long a dedicated process stays away from the event loop while it is busy, ms. */
const awayMs = 1;
/**
 * How long a dedicated process sleeps outside the event loop, ms. Longer than the kernel's own tick: a timer that is due
 * sooner makes it set the processor's clock at each sleep, which costs more than the rest of it.
 */
const sleepMs = 20;
const eventsMax = 64;
/** struct epoll_event is packed on x86-64 alone. */
const eventBytes = arch() === 'x64' ? 12 : 16;
const dataOffset = eventBytes - 8;

export const pollEvent = { readable: 1, writable: 4, failed: 0x18 } as const;

/** Handles an event of a descriptor; false when it is none of the data path's. */
export type HotHandler = (events: number) => boolean;

/** On a single processor whoever looks takes the time of the process it waits for. */
const shared = availableParallelism() === 1;
/** What the event loop of the process waits at: undefined where there is none to be had, null until it is asked for. */
let loopFd: number | undefined | null = null;
const handlers: (HotHandler | undefined)[] = [];
const events = Buffer.alloc(eventsMax * eventBytes);
const eventsAt = addressOf(events);

let dedicated = false;
/** When the process has to be awake, on the clock of `performance.now`. */
let wakeAt = Number.POSITIVE_INFINITY;
/** Events of the last call of `handleEvents`. */
let handled = 0;
let lastEvent = 0;
let looking = false;
let leaving = false;

/** This process carries packets and does little else: from now on the data path waits by itself. Of its main thread. */
export function dedicateProcess(): void {
  loopFd = eventLoopFd();
  dedicated = loopFd !== undefined;
}

/** Takes a descriptor that libuv watches into the data path, or out of it. */
export function setHotHandler(fd: number, handler: HotHandler | undefined): void {
  handlers[fd] = handler;
}

/** To be told of every event of the data path that comes through the event loop. */
export function dataEvent(): void {
  const now = performance.now();
  const gap = now - lastEvent;
  lastEvent = now;
  if (looking || gap > streamGapMs || (shared && !dedicated)) return;
  looking = true;
  setImmediate(dedicated ? carry : look);
}

/** Whether the data path has had nothing to do for `ms`. */
export function isDataQuiet(ms: number): boolean {
  return performance.now() - lastEvent > ms;
}

/** A dedicated process does not sleep beyond this time; infinity when nothing is due. */
export function wakeBy(at: number): void {
  wakeAt = at;
}

/** How long events may be waited for, `ms` at most, without sleeping beyond what is due. */
export function untilDue(ms: number): number {
  return Math.max(0, Math.min(ms, Math.ceil(wakeAt - performance.now())));
}

/** What a handler has begun needs the event loop, which a dedicated process otherwise leaves waiting for a moment. */
export function leaveHotLoop(): void {
  leaving = true;
}

/**
 * Waits up to `ms` for events of the data path and handles them, outside the event loop; 0 only looks. Ends at once when
 * anything else in the process is ready, and then, as when a handler asked for it, returns true: the event loop should
 * have a turn.
 */
export function handleEvents(ms: number): boolean {
  // Another thread has an event loop of its own, which nobody can name.
  if (loopFd === null) loopFd = isMainThread ? eventLoopFd() : undefined;
  if (loopFd === undefined) return true;
  leaving = false;
  const count = libc.epollWait(loopFd, eventsAt, eventsMax, ms) as number;
  for (let index = 0; index < count; index += 1) {
    const handler = handlers[events.readInt32LE(index * eventBytes + dataOffset)];
    if (handler === undefined || !handler(events.readUInt32LE(index * eventBytes))) leaving = true;
  }
  handled = count;
  return leaving;
}

/** Lets the event loop look again at once instead of sleeping, and gives the processor away in between. */
function look(): void {
  if (performance.now() < lastEvent + lookMs) {
    libc.yieldProcessor();
    setImmediate(look);
  } else {
    looking = false;
  }
}

/** Waits for and handles events of the data path. */
function carry(): void {
  let now = performance.now();
  const until = now + awayMs;
  for (;;) {
    const sleeps = shared || now > lastEvent + lookMs;
    const wanted = handleEvents(sleeps ? Math.max(0, Math.min(sleepMs, Math.ceil(wakeAt - now))) : 0);
    now = performance.now();
    if (handled > 0) {
      lastEvent = now;
    } else if (sleeps) {
      looking = false;
      return;
    } else {
      libc.yieldProcessor();
    }
    if (wanted || now > until) return void setImmediate(carry);
  }
}
