/** How the links of a lab are: impaired, down, or as they were made. */
import { setTimeout as delay } from 'node:timers/promises';
import type { LinkState } from '../links/wiring.ts';
import { impairmentText, isPerfect } from '../model/impairment.ts';
import type { Lab } from '../testbeds/testbed.ts';
import type { ImpairmentEvent } from './events.ts';

/** How often links are looked at, in milliseconds. */
const lookMs = 2_000;

/** Tells of each link whose state is another than before, until the signal aborts. */
export async function watchLinks(
  lab: () => Lab,
  { signal, onChange }: { signal: AbortSignal; onChange: (event: ImpairmentEvent) => void },
): Promise<void> {
  const told = new Map<string, string>();
  while (!signal.aborted) {
    // A lab that is being made, or taken down, has none to look at.
    const links =
      (
        await lab()
          .record()
          .catch(() => undefined)
      )?.topology.links ?? [];
    const states =
      links.length === 0
        ? []
        : await lab()
            .linkStates(links, signal)
            .catch(() => []);
    for (const [link, of] of Map.groupBy(states, (state) => state.link)) {
      const text = stateText(of);
      if (text === (told.get(link) ?? '')) continue;
      told.set(link, text);
      onChange({ event: 'impairment', at: Date.now(), link, text });
    }
    await delay(lookMs, undefined, { signal }).catch(() => {});
  }
}

/** What is wrong with a link, in words; empty for nothing. Each end of a LAN has a state of its own. */
export function stateText(states: readonly LinkState[]): string {
  const texts = states.map(({ node, isDown, isDead, splice }) => {
    const place = node === undefined ? '' : `${node}: `;
    if (isDown) return `${place}down`;
    if (isDead === true) return `${place}dead, its wire has ended`;
    if (splice === undefined || splice.impairments.every(isPerfect)) return '';
    const [there, back] = splice.impairments.map(impairmentText);
    return place + (there === back ? there : `there ${there}, back ${back}`);
  });
  return texts.filter((text) => text !== '').join('; ');
}
