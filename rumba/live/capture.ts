/** Frames of a link into a file, for as long as a view wants. */
import { open, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { TestbedError } from '../errors.ts';
import { linkNamed } from '../links/live.ts';
import { recordOf } from '../orchestrate.ts';
import type { Lab } from '../testbeds/testbed.ts';

export interface Capture {
  readonly link: string;
  /** Absolute path. */
  readonly file: string;
  /** Resolves when it has ended, with what there is to complain of, such as frames that were lost; else with null. */
  readonly ended: Promise<string | null>;
  /** Ends it; resolves when all that was captured is in the file. */
  end(): Promise<void>;
}

/** How long a capture may take to end before it is killed, in milliseconds. */
const endMs = 5_000;

/** Starts a capture at the first end of a link, into a file in the current folder. Rejects with EFAILED where it cannot. */
export async function startCapture(lab: Lab, link: string): Promise<Capture> {
  const { topology } = await recordOf(lab);
  const found = linkNamed(topology, link);
  const file = resolve(`${lab.name}-${link}-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.pcap`);
  const target = await open(file, 'wx').catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new TestbedError('EFAILED', `cannot capture into ${file}: ${code ?? message}`, {
      hint: 'start the view in a folder that you may write',
    });
  });
  try {
    const running = await lab.capture(found, found.ends[0]?.node ?? '');
    let said = '';
    running.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const lastWords = (): string | undefined => said.trim().split('\n').at(-1) || undefined;
    // Its first bytes say that it has begun.
    const begun = new Promise<void>((began) => void running.stdout.once('readable', () => began()));
    const failed = running.ended.then(() => {
      const reason = lastWords() ?? 'it ended at once';
      throw new TestbedError('EFAILED', `cannot capture on link ${link}: ${reason}`);
    });
    failed.catch(() => {});
    await Promise.race([begun, failed]);
    let isWanted = true;
    const written = pipeline(running.stdout, target.createWriteStream());
    const ended = written.then(
      async () => {
        await running.ended.catch(() => {});
        return lastWords() ?? (isWanted ? 'it ended by itself' : null);
      },
      (error: unknown) => {
        running.kill('SIGKILL');
        return String(error);
      },
    );
    const end = async (): Promise<void> => {
      isWanted = false;
      running.stdin.end();
      const timer = setTimeout(() => running.kill('SIGKILL'), endMs);
      await ended;
      clearTimeout(timer);
    };
    return { link, file, ended, end };
  } catch (error) {
    await target.close();
    await rm(file, { force: true });
    throw error;
  }
}
