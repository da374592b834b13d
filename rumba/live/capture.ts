/** Frames of a link into a file, for as long as a view wants. */
import { resolve } from 'node:path';
import { linkNamed } from '../links/changes.ts';
import { type Recording, recordLink } from '../links/recording.ts';
import { recordOf } from '../orchestrate.ts';
import type { Lab } from '../testbeds/testbed.ts';

/** Starts a capture at the first end of a link, into a file in the current folder. Rejects with EFAILED where it ends. */
export async function startCapture(lab: Lab, link: string): Promise<Recording> {
  const { topology } = await recordOf(lab);
  const name = `${lab.name}-${link}-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.pcap`;
  return await recordLink(lab, linkNamed(topology, link), resolve(name));
}
