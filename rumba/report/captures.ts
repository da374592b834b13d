/** The captures of a run: a file for each link that the storyboard names, of what passes its first node. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { linkNamed } from '../links/changes.ts';
import { recordLink } from '../links/recording.ts';
import { nameOf } from '../storyboard/actions.ts';
import type { Missing } from '../storyboard/observe.ts';
import type { Storyboard } from '../storyboard/story.ts';
import type { Lab } from '../testbeds/testbed.ts';

/** Starts them; what it gives ends them, waits until they are written, and tells what they lack. */
export async function startCaptures(
  folder: string,
  lab: Lab,
  board: Storyboard,
): Promise<() => Promise<Missing[]>> {
  const links = (board.capture ?? []).map((each) => linkNamed(board.topology, nameOf(each)));
  if (links.length > 0) await mkdir(folder, { recursive: true });
  const begun = await Promise.allSettled(
    links.map(async (link) => ({
      link,
      recording: await recordLink(lab, link, join(folder, `${link.name}.pcap`)),
    })),
  );
  const running = begun.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const end = async (): Promise<Missing[]> => {
    const ended = await Promise.allSettled(
      running.map(async ({ link, recording }) => ({ link, said: await recording.end() })),
    );
    throwFirst(ended);
    return ended.flatMap((each) => {
      const { link, said } = each.status === 'fulfilled' ? each.value : {};
      const count = /^(\d+) frames were not captured/.exec(said ?? '')?.[1];
      if (said === undefined) return [];
      return [
        {
          what: 'frames',
          count: count === undefined ? null : Number(count),
          reason: `link ${link?.name}: ${said}`,
        },
      ];
    });
  };
  if (begun.some(({ status }) => status === 'rejected')) {
    await end();
    throwFirst(begun);
  }
  return end;
}

function throwFirst(all: readonly PromiseSettledResult<unknown>[]): void {
  for (const each of all) if (each.status === 'rejected') throw each.reason;
}
