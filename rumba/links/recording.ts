/** The frames of a link, written into a file for as long as somebody wants. */
import { open, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { TestbedError } from '../errors.ts';
import type { TopologyLink } from '../model/topology.ts';
import type { Lab } from '../testbeds/testbed.ts';

/** How much of what a capture complains of is kept, in characters. */
const saidMax = 4_096;

/** How long a capture may take to end before it is killed, in milliseconds. */
const endMs = 10_000;

export interface Recording {
  readonly file: string;
  /**
   * Resolves when all that was captured is in the file, with what the capture has to say of it, such as frames that it
   * missed. Rejects with EFAILED where it ended before, or the file could not be written.
   */
  end(): Promise<string | undefined>;
  /** Resolves when nothing more is written, told to end or not, with what there is to complain of. */
  readonly over: Promise<string | undefined>;
}

/** Begins at the first end of a link. Resolves once frames are taken; rejects with EFAILED where that fails. */
export async function recordLink(lab: Lab, link: TopologyLink, file: string): Promise<Recording> {
  const fault = (cause: unknown): TestbedError => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new TestbedError('EFAILED', `cannot capture on link ${link.name} into ${file}: ${reason}`);
  };
  const target = await open(file, 'w').catch((error: unknown) => {
    throw fault(error);
  });
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rm(file, { force: true }));
  undo.defer(() => target.close());
  const opened = await lab.capture(link, link.ends[0]?.node ?? '');
  let said = '';
  opened.stderr.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(-saidMax)));
  const begun = Promise.withResolvers<undefined>();
  let isEnding = false;
  // Settles when nothing more is written, with why if it was not told to end.
  const failed = pipeline(
    opened.stdout,
    async function* (parts: AsyncIterable<Buffer>) {
      for await (const part of parts) {
        // The first are the header of the file: it has begun.
        begun.resolve(undefined);
        yield part;
      }
    },
    target.createWriteStream(),
  )
    .then(
      () => (isEnding ? undefined : fault(`it ended by itself: ${said.trim().split('\n').at(-1)}`)),
      fault,
    )
    .then(async (failure) => {
      if (failure !== undefined) opened.kill('SIGTERM');
      const code = await opened.ended;
      if (failure !== undefined || code === 0) return failure;
      return fault(`it ended with ${code}: ${said.trim().split('\n').at(-1)}`);
    });
  const end = async (): Promise<string | undefined> => {
    isEnding = true;
    opened.stdin.end();
    const timer = setTimeout(() => opened.kill('SIGKILL'), endMs);
    const failure = await failed;
    clearTimeout(timer);
    if (failure !== undefined) throw failure;
    return said.trim() || undefined;
  };
  const early = await Promise.race([begun.promise, failed]);
  if (early !== undefined) throw early;
  undo.move();
  return { file, end, over: failed.then((failure) => failure?.message ?? (said.trim() || undefined)) };
}
