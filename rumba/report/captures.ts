/** The captures of a run: a file for each link that the storyboard names, of what passes its first node. */
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { linkNamed } from '../links/live.ts';
import { nameOf } from '../storyboard/actions.ts';
import type { Storyboard } from '../storyboard/story.ts';
import type { Lab } from '../testbeds/testbed.ts';

/** Starts them; what it gives ends them and waits until they are written. */
export async function startCaptures(
  folder: string,
  lab: Lab,
  board: Storyboard,
): Promise<() => Promise<void>> {
  const links = (board.capture ?? []).map((each) => linkNamed(board.topology, nameOf(each)));
  if (links.length > 0) await mkdir(folder, { recursive: true });
  const running = await Promise.all(
    links.map(async (link) => {
      const opened = await lab.capture(link, link.ends[0]?.node ?? '');
      opened.stderr.resume();
      const written = pipeline(opened.stdout, createWriteStream(join(folder, `${link.name}.pcap`)));
      // Where it cannot be written, that is told when the captures are ended.
      written.catch(() => {});
      // Its first bytes say that it has begun.
      const begun = new Promise<void>((resolve) => void opened.stdout.once('data', () => resolve()));
      await Promise.race([begun, written]);
      return { opened, written };
    }),
  );
  return async () => {
    for (const { opened } of running) opened.stdin.end();
    await Promise.all(running.map(({ written }) => written));
  };
}
