/** Events that were kept, at the pace at which they happened or another. */
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { TestbedError } from '../errors.ts';
import type { Topology } from '../model/topology.ts';
import { logLines, type LogSource } from '../log-stream.ts';
import { listLogs, readLog } from '../testbeds/log-files.ts';
import { commandsOf } from './commands.ts';
import type { LiveEvent, LiveSource, ReplayControl } from './events.ts';
import { logEvents } from './log-events.ts';

/** Name of the file of events in a run bundle. */
const eventsFile = 'events.ndjson';

/** Longest pause between two events, in milliseconds of the replay. */
const pauseMaxMs = 5_000;

/** How often a replay looks whether it is to go on, in milliseconds. */
const tickMs = 50;

/** What is replayed of a run bundle, or of a file of events as `o7s-testbed events` writes them. */
export function replaySource(path: string): LiveSource {
  const file = existsSync(path) && statSync(path).isDirectory() ? join(path, eventsFile) : path;
  if (!existsSync(file)) {
    throw new TestbedError('EUSAGE', `there is no file ${file}`, {
      hint: 'name the folder of a run, or a file that "o7s-testbed events" wrote',
    });
  }
  const pace = new Pace();
  return {
    title: basename(resolve(path)),
    events: (signal) => replayed(file, pace, signal),
    followLogs: () => {},
    replay: pace,
  };
}

class Pace implements ReplayControl {
  #factor = 1;
  #isPaused = false;
  #isOver = false;

  setSpeed(factor: number): void {
    this.#factor = factor;
  }

  setPaused(paused: boolean): void {
    this.#isPaused = paused;
  }

  toEnd(): void {
    this.#isOver = true;
    this.#isPaused = false;
  }

  /** Waits as long as there was between two events. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    let left = Math.min(ms, pauseMaxMs);
    while (!this.#isOver && !signal.aborted && (left > 0 || this.#isPaused)) {
      const step = Math.min(tickMs, Math.max(1, left / this.#factor));
      await delay(step, undefined, { signal }).catch(() => {});
      if (!this.#isPaused) left -= step * this.#factor;
    }
  }
}

/** What a run was of, where its folder tells. */
function topologyBeside(file: string): Topology | undefined {
  const path = join(dirname(file), 'topology.json');
  if (!existsSync(path)) return undefined;
  try {
    const topology = JSON.parse(readFileSync(path, 'utf8')) as Topology;
    const { nodes, links, layers, registrations, servers } = topology;
    return [nodes, links, layers, registrations, servers].every(Array.isArray) ? topology : undefined;
  } catch {
    return undefined;
  }
}

async function* replayed(
  file: string,
  pace: Pace,
  signal: AbortSignal,
): AsyncGenerator<LiveEvent, void, void> {
  const topology = topologyBeside(file);
  let before: number | undefined;
  let isFirst = true;
  for await (const event of inOrder(recorded(file), loggedBeside(file, signal))) {
    // Small steps are taken together: waiting for them would take longer than they did.
    if (before !== undefined && event.at - before >= 10) await pace.wait(event.at - before, signal);
    if (signal.aborted) return;
    if (isFirst && topology !== undefined) {
      yield { event: 'topology', at: event.at, topology };
      yield* commandsBeside(topology, event.at);
    }
    isFirst = false;
    // What was logged before the first event, while the lab was built, is there at once.
    if (before !== undefined || event.event !== 'log') before = Math.max(before ?? event.at, event.at);
    yield event;
  }
}

/** None where the file is of another version, of which no plan can be made. */
function commandsBeside(topology: Topology, at: number): LiveEvent[] {
  try {
    return commandsOf(topology, at);
  } catch {
    return [];
  }
}

/** Events as they are, and what was logged until each before it. */
async function* inOrder(
  events: AsyncGenerator<LiveEvent, void, void>,
  logged: AsyncGenerator<LiveEvent, void, void>,
): AsyncGenerator<LiveEvent, void, void> {
  let line = await logged.next();
  for await (const event of events) {
    for (; line.done !== true && line.value.at <= event.at; line = await logged.next()) yield line.value;
    yield event;
  }
  for (; line.done !== true; line = await logged.next()) yield line.value;
}

async function* recorded(file: string): AsyncGenerator<LiveEvent, void, void> {
  let number = 0;
  const stream = createReadStream(file, { encoding: 'utf8' });
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
      number++;
      if (line.trim() !== '') yield parseEvent(line, file, number);
    }
  } finally {
    stream.destroy();
  }
}

/** The logs that the folder of a run keeps, a folder a node. */
async function* loggedBeside(file: string, signal: AbortSignal): AsyncGenerator<LiveEvent, void, void> {
  const folder = join(dirname(file), 'logs');
  if (!existsSync(folder)) return;
  const nodes = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }): LogSource => {
      const own = join(folder, name);
      const read = (log: string, from: number): Promise<Buffer> => readLog(own, log, from);
      return { name, logs: async () => listLogs(own), readLog: read };
    });
  for await (const line of logLines(() => nodes, { follow: false, signal })) yield* logEvents(line);
}

/** What a view relies on: the fields of an event that are lists, or objects, by its kind. */
const parts: Readonly<Record<string, readonly string[]>> = {
  lab: ['nodes'],
  topology: ['topology'],
  snapshot: ['ipcps', 'names', 'processes', 'flows', 'layers'],
  counters: ['ipcps', 'flows'],
  interfaces: ['interfaces'],
  'ipcp.created': ['ipcp'],
  'ipcp.bootstrapped': ['ipcp'],
  'ipcp.enrolled': ['ipcp'],
  'adjacency.added': ['adjacency'],
  'adjacency.up': ['adjacency'],
  'adjacency.down': ['adjacency'],
  'adjacency.removed': ['adjacency'],
  'routes.changed': ['set', 'gone'],
  'flow.allocated': ['flow'],
};

function parseEvent(line: string, file: string, number: number): LiveEvent {
  try {
    const value = JSON.parse(line) as Readonly<Record<string, unknown>>;
    const { event, at } = value;
    if (typeof event === 'string' && typeof at === 'number') {
      const missing = parts[event]?.find((part) => typeof value[part] !== 'object' || value[part] === null);
      if (missing === undefined) return value as unknown as LiveEvent;
    }
  } catch {
    // What is no JSON is no event either.
  }
  throw new TestbedError('EUSAGE', `${file}:${number}: this is no event`, {
    hint: 'each line is an object with "event" and "at", as "o7s-testbed events" writes them',
  });
}
