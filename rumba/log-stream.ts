/** The logs of several nodes as one stream of lines, in the order of their times. */
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as delay } from 'node:timers/promises';
import { type LogLine, parseLogLine } from './log-lines.ts';
import type { LabNode } from './testbeds/testbed.ts';

export interface PlacedLine extends LogLine {
  readonly node: string;
  readonly log: string;
}

export interface LogOptions {
  /** Only logs of this name. */
  log?: string | undefined;
  /** Go on with what is written from now on, until the signal aborts. */
  follow: boolean;
  /** How often logs that are followed are looked at, in ms; 200 by default. */
  everyMs?: number | undefined;
  signal: AbortSignal;
}

/** How often logs that are followed are looked at, in milliseconds. */
const followMs = 200;

/** Longest line, in bytes; what is longer is cut. */
const lineBytesMax = 64 * 1024;

/** All lines there are, then, if wanted, those that come. A node that ends meanwhile is left out from then on. */
export async function* logLines(
  nodes: readonly LabNode[],
  { log, follow, everyMs = followMs, signal }: LogOptions,
): AsyncGenerator<PlacedLine, void, void> {
  const files = new Map<string, LogReader>();
  for (let first = true; first || (follow && !signal.aborted); first = false) {
    if (!first) await delay(everyMs, undefined, { signal }).catch(() => {});
    const found = await Promise.all(
      nodes.map(async (node) => {
        const all = await node.logs().catch(() => []);
        return all.filter(({ name }) => log === undefined || name === log).map((file) => ({ node, file }));
      }),
    );
    const lines = await Promise.all(
      found.flat().map(async ({ node, file }) => {
        const key = `${node.name} ${file.name}`;
        const reader = files.get(key) ?? new LogReader(node, file.name);
        files.set(key, reader);
        return await reader.read(file.modifiedAt, { isLast: !follow });
      }),
    );
    yield* lines.flat().toSorted((one, other) => one.order - other.order);
  }
}

/** Reads one log, from where it stopped before. */
class LogReader {
  readonly #node: LabNode;
  readonly #name: string;
  readonly #decoder = new StringDecoder('utf8');
  #from = 0;
  #rest = '';
  #lastTime: number | undefined;

  constructor(node: LabNode, name: string) {
    this.#node = node;
    this.#name = name;
  }

  /**
   * The lines that are complete, or all of them if nothing is read later. One without a time goes with that before it,
   * else with the file's.
   */
  async read(
    modifiedAt: number,
    { isLast }: { isLast: boolean },
  ): Promise<(PlacedLine & { readonly order: number })[]> {
    const lines: string[] = [];
    for (;;) {
      const chunk = await this.#node.readLog(this.#name, this.#from).catch(() => Buffer.alloc(0));
      this.#from += chunk.length;
      const parts = (this.#rest + this.#decoder.write(chunk)).split('\n');
      this.#rest = parts.pop() ?? '';
      lines.push(...parts);
      if (this.#rest.length > lineBytesMax || (isLast && chunk.length === 0 && this.#rest !== '')) {
        lines.push(this.#rest);
        this.#rest = '';
      }
      if (chunk.length === 0) break;
    }
    return lines.map((line) => {
      const parsed = parseLogLine(line);
      this.#lastTime = parsed.time ?? this.#lastTime;
      const order = this.#lastTime ?? modifiedAt;
      return { node: this.#node.name, log: this.#name, ...parsed, order };
    });
  }
}
