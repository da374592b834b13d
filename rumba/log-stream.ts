/** The logs of several nodes as one stream of lines, in the order of their times. */
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as delay } from 'node:timers/promises';
import { type LogLine, parseLogLine } from './log-lines.ts';
import type { LabNode, LogFile } from './testbeds/testbed.ts';

/** What has logs: a node, or what was kept of it. */
export type LogSource = Pick<LabNode, 'name' | 'logs' | 'readLog'>;

export interface PlacedLine extends LogLine {
  readonly node: string;
  readonly log: string;
  /** ms since 1970: its time, else that of the line before, else that of the last change of the log. */
  readonly at: number;
  /** Bytes of the log right before this line that were left out. */
  readonly leftOut?: number;
}

export interface LogOptions {
  /** Only logs of this name. */
  log?: string | undefined;
  /** Go on with what is written from now on, until the signal aborts. */
  follow: boolean;
  /** How often logs that are followed are looked at, in ms; 200 by default. */
  everyMs?: number | undefined;
  /** Of each log only the last so many bytes of what is new at a look; all by default. */
  newestBytes?: number | undefined;
  /** Called when all that was there at first was given. */
  onCaughtUp?: (() => Promise<void> | void) | undefined;
  signal: AbortSignal;
}

/** How often logs that are followed are looked at, in milliseconds. */
const followMs = 200;

/** Longest line, in characters; what is longer is cut. */
const lineMax = 64 * 1024;

/** Lines of a log that are held back, to put what came late in its place. */
const heldMax = 32;

/**
 * All lines there are, then, if wanted, those that come.
 *
 * @param nodes gives the nodes there are at a time. One that comes later is read from then on, one that goes no more.
 */
export async function* logLines(
  nodes: () => Promise<readonly LogSource[]> | readonly LogSource[],
  { log, follow, everyMs = followMs, newestBytes, onCaughtUp, signal }: LogOptions,
): AsyncGenerator<PlacedLine, void, void> {
  let readers = new Map<string, LogReader>();
  for (let first = true; first || (follow && !signal.aborted); first = false) {
    if (!first) await delay(everyMs, undefined, { signal }).catch(() => {});
    const there = await nodes();
    const found = await Promise.all(
      there.map(async (node) => {
        const all = await node.logs().catch(() => []);
        return all.filter(({ name }) => log === undefined || name === log).map((file) => ({ node, file }));
      }),
    );
    // What is there of a node that was made again is another log.
    const names = new Set(there.map(({ name }) => name));
    readers = new Map([...readers].filter(([, { node }]) => names.has(node)));
    const sources = found.flat().map(({ node, file }) => {
      const key = `${node.name} ${file.name}`;
      const reader = readers.get(key) ?? new LogReader(node.name, file.name);
      readers.set(key, reader);
      return inOrder(reader.lines(node, file, { isLast: !follow, newestBytes }));
    });
    yield* merged(sources, signal);
    if (first) await onCaughtUp?.();
  }
}

/**
 * Lines of a log in the order of their times. Two daemons write one log, and either may be held up between looking at the
 * clock and writing. A line without a time stays behind that before it.
 */
async function* inOrder(lines: AsyncIterable<PlacedLine>): AsyncGenerator<PlacedLine, void, void> {
  const held: PlacedLine[] = [];
  for await (const line of lines) {
    const before = held.findLastIndex(({ at }) => at <= line.at);
    held.splice(before + 1, 0, line);
    if (held.length > heldMax) yield* held.splice(0, 1);
  }
  yield* held;
}

/** Lines of several logs, each of which is in order, in the order of all: no more of each is held than one. */
async function* merged(
  sources: readonly AsyncGenerator<PlacedLine, void, void>[],
  signal: AbortSignal,
): AsyncGenerator<PlacedLine, void, void> {
  const next = async (source: AsyncGenerator<PlacedLine, void, void>) => {
    const { value, done } = await source.next();
    return done === true ? undefined : { line: value, source };
  };
  const heads = (await Promise.all(sources.map(next))).filter((head) => head !== undefined);
  while (heads.length > 0 && !signal.aborted) {
    let at = 0;
    for (let other = 1; other < heads.length; other++) {
      if ((heads[other]?.line.at ?? 0) < (heads[at]?.line.at ?? 0)) at = other;
    }
    const head = heads[at];
    if (head === undefined) return;
    yield head.line;
    const after = await next(head.source);
    if (after === undefined) heads.splice(at, 1);
    else heads[at] = after;
  }
}

interface ReadOptions {
  /** Nothing is read later: what is not complete is a line, too. */
  readonly isLast: boolean;
  readonly newestBytes: number | undefined;
}

/** Reads one log, from where it stopped before. */
class LogReader {
  readonly node: string;
  readonly #name: string;
  #decoder = new StringDecoder('utf8');
  #from = 0;
  #rest = '';
  #lastTime: number | undefined;
  /** Bytes that were left out before the next line. */
  #leftOut = 0;
  /** The line that is read now began in what was left out. */
  #isTorn = false;

  constructor(node: string, name: string) {
    this.node = node;
    this.#name = name;
  }

  /**
   * The lines of what the file had when it was looked at. One without a time goes with that before it, else with the
   * file's.
   */
  async *lines(
    node: LogSource,
    { bytes, modifiedAt }: LogFile,
    { isLast, newestBytes }: ReadOptions,
  ): AsyncGenerator<PlacedLine, void, void> {
    // It was emptied, or made anew.
    if (bytes < this.#from) this.#goTo(0);
    if (newestBytes !== undefined && bytes - this.#from > newestBytes) {
      const left = this.#leftOut + bytes - newestBytes - this.#from;
      this.#goTo(bytes - newestBytes);
      this.#leftOut = left;
      this.#isTorn = true;
    }
    while (this.#from < bytes) {
      const chunk = await node.readLog(this.#name, this.#from).catch(() => Buffer.alloc(0));
      if (chunk.length === 0) break;
      this.#from += chunk.length;
      const parts = (this.#rest + this.#decoder.write(chunk)).split('\n');
      this.#rest = parts.pop() ?? '';
      for (const part of parts) yield* this.#line(part, modifiedAt);
      if (this.#rest.length > lineMax) yield* this.#takeRest(modifiedAt);
    }
    if (isLast && this.#rest !== '') yield* this.#takeRest(modifiedAt);
  }

  #goTo(from: number): void {
    this.#from = from;
    this.#rest = '';
    this.#decoder = new StringDecoder('utf8');
    this.#leftOut = 0;
    this.#isTorn = false;
  }

  *#takeRest(modifiedAt: number): Generator<PlacedLine, void, void> {
    const text = this.#rest;
    this.#rest = '';
    yield* this.#line(text, modifiedAt);
  }

  *#line(text: string, modifiedAt: number): Generator<PlacedLine, void, void> {
    if (this.#isTorn) {
      this.#isTorn = false;
      this.#leftOut += Buffer.byteLength(text) + 1;
      return;
    }
    const parsed = parseLogLine(text);
    this.#lastTime = parsed.time ?? this.#lastTime;
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    yield {
      node: this.node,
      log: this.#name,
      at: this.#lastTime ?? modifiedAt,
      ...parsed,
      ...(leftOut === 0 ? {} : { leftOut }),
    };
  }
}
