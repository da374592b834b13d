/** Frames of a link into a file, for as long as a view wants. */
import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { TestbedError } from '../errors.ts';
import { linkNamed } from '../links/live.ts';
import { recordOf } from '../orchestrate.ts';
import type { Lab } from '../testbeds/testbed.ts';

export interface Capture {
  /** Absolute path. */
  readonly file: string;
  /** Resolves when all that was captured is in the file. */
  end(): Promise<void>;
}

/** Starts a capture at the first end of a link, into a file in the current folder. Rejects with EFAILED where it ends. */
export async function startCapture(lab: Lab, link: string): Promise<Capture> {
  const { topology } = await recordOf(lab);
  const found = linkNamed(topology, link);
  const running = await lab.capture(found, found.ends[0]?.node ?? '');
  let said = '';
  running.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const name = `${lab.name}-${link}-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.pcap`;
  const file = resolve(name);
  // Its first bytes say that it has begun.
  const begun = new Promise<void>((began) => void running.stdout.once('readable', () => began()));
  const failed = running.ended.then(() => {
    const reason = said.trim().split('\n').at(-1) || 'it ended at once';
    throw new TestbedError('EFAILED', `cannot capture on link ${link}: ${reason}`);
  });
  failed.catch(() => {});
  await Promise.race([begun, failed]);
  const written = pipeline(running.stdout, createWriteStream(file));
  // Where it cannot be written, that is told when it is ended.
  written.catch(() => {});
  return {
    file,
    end: async () => {
      running.stdin.end();
      await running.ended;
      await written;
    },
  };
}
