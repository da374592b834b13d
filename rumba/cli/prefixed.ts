/** Output of several programs, whose lines say whose they are. */
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { writeTo } from './output.ts';

/** Writes every line of a stream with a prefix; resolves at its end. */
export async function prefixed(from: Readable, prefix: string, to: Writable): Promise<void> {
  for await (const line of createInterface({ input: from, crlfDelay: Infinity }))
    await writeTo(to, `${prefix}${line}\n`);
}
