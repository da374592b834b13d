/** The frames of a link, written into a file for as long as somebody wants. */
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { TestbedError } from '../errors.ts';
import type { TopologyLink } from '../model/topology.ts';
import type { Lab } from '../testbeds/testbed.ts';

/** How much of what a capture complains of is kept, in characters. */
const saidMax = 4_096;

export interface Recording {
  readonly file: string;
  /**
   * Resolves when all that was captured is in the file, with what the capture has to say of it, such as frames that it
   * missed. Rejects with EFAILED where it ended before, or the file could not be written.
   */
  end(): Promise<string | undefined>;
}

/** Begins at the first end of a link. Resolves once frames are taken; rejects with EFAILED where that fails. */
export async function recordLink(lab: Lab, link: TopologyLink, file: string): Promise<Recording> {
  const opened = await lab.capture(link, link.ends[0]?.node ?? '');
  let said = '';
  opened.stderr.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(-saidMax)));
  const begun = Promise.withResolvers<undefined>();
  let isEnding = false;
  const fault = (reason: string): TestbedError =>
    new TestbedError('EFAILED', `cannot capture on link ${link.name} into ${file}: ${reason}`);
  // Settles when nothing more is written, with why if it was not told to end.
  const over = pipeline(
    opened.stdout,
    async function* (parts: AsyncIterable<Buffer>) {
      for await (const part of parts) {
        // The first are the header of the file: it has begun.
        begun.resolve(undefined);
        yield part;
      }
    },
    createWriteStream(file),
  ).then(
    () => (isEnding ? undefined : fault(`it ended by itself: ${said.trim().split('\n').at(-1)}`)),
    (error: unknown) => fault(error instanceof Error ? error.message : String(error)),
  );
  const end = async (): Promise<string | undefined> => {
    isEnding = true;
    opened.stdin.end();
    const failure = await over;
    if (failure !== undefined) opened.kill('SIGTERM');
    await opened.ended;
    if (failure !== undefined) throw failure;
    return said.trim() || undefined;
  };
  const early = await Promise.race([begun.promise, over]);
  if (early !== undefined) await end();
  return { file, end };
}
