/** What is seen of a lab while a storyboard is played, and what of it is missing. */
import { setTimeout as delay } from 'node:timers/promises';
import { labEvents, type LabEvent } from '../events.ts';
import type { LinkState } from '../links/wiring.ts';
import type { TopologyLink } from '../model/topology.ts';
import type { Lab } from '../testbeds/testbed.ts';
import type { Trigger } from './story.ts';

/** How often links are looked at, in milliseconds. */
const lookMs = 500;

/** How many events, and looks at links, are kept. */
const eventsMax = 100_000;
const looksMax = 20_000;

/** Something that was seen, or should have been, and is not in a result. */
export interface Missing {
  readonly what: 'events' | 'link states' | 'frames';
  /** How many; null where nobody knows. */
  readonly count: number | null;
  readonly reason: string;
}

/** The events of a lab, and the steps that wait for one. */
export class EventLog {
  readonly events: LabEvent[] = [];
  readonly #triggers: Map<number, Trigger>;
  readonly #waiting = new Map<number, PromiseWithResolvers<string | undefined>>();
  #tooMany = 0;
  #tooFast = 0;
  #failure: string | undefined;

  constructor(triggers: ReadonlyMap<number, Trigger>) {
    this.#triggers = new Map(triggers);
    for (const step of triggers.keys()) this.#waiting.set(step, Promise.withResolvers());
  }

  /** Resolves when the event of a step was seen, or with the reason why it never will be. */
  seen(step: number): Promise<string | undefined> {
    return this.#waiting.get(step)?.promise ?? Promise.resolve('it waits for nothing');
  }

  get missing(): Missing[] {
    const all: Missing[] = [];
    if (this.#tooMany > 0) {
      all.push({ what: 'events', count: this.#tooMany, reason: `no more than ${eventsMax} are kept` });
    }
    if (this.#tooFast > 0) {
      all.push({
        what: 'events',
        count: this.#tooFast,
        reason: 'nodes told them faster than they were read',
      });
    }
    if (this.#failure !== undefined) all.push({ what: 'events', count: null, reason: this.#failure });
    return all;
  }

  /** Takes all that happens until the signal aborts. Never rejects. */
  async watch(lab: Lab, signal: AbortSignal, now: () => number): Promise<void> {
    let reason = 'the lab tells nothing more';
    try {
      for await (const event of labEvents(lab, signal)) this.#take(event);
    } catch (error) {
      reason = messageOf(error);
    }
    if (signal.aborted) return;
    this.#failure = `none are seen after ${(now() / 1000).toFixed(3)} s: ${reason}`;
    for (const { resolve } of this.#waiting.values()) resolve(`events: ${this.#failure}`);
  }

  #take(event: LabEvent): void {
    if (this.events.length < eventsMax) this.events.push(event);
    else this.#tooMany += 1;
    if (event.event === 'snapshot') this.#tooFast += event.dropped;
    for (const [step, isIt] of this.#triggers) {
      let outcome: string | undefined;
      try {
        if (!isIt(event)) continue;
      } catch (error) {
        outcome = messageOf(error);
      }
      this.#triggers.delete(step);
      this.#waiting.get(step)?.resolve(outcome);
    }
  }
}

/** How impaired links were, in turn; links that are as they should be are left out. */
export class LinkLog {
  readonly looks: { readonly at: number; readonly states: readonly LinkState[] }[] = [];
  #tooMany = 0;
  #failed = 0;
  #reason = '';

  get missing(): Missing[] {
    const all: Missing[] = [];
    if (this.#tooMany > 0) {
      all.push({ what: 'link states', count: this.#tooMany, reason: `no more than ${looksMax} are kept` });
    }
    if (this.#failed > 0) all.push({ what: 'link states', count: this.#failed, reason: this.#reason });
    return all;
  }

  /** Looks now and then until the signal aborts. Never rejects. */
  async watch(
    lab: Lab,
    links: readonly TopologyLink[],
    signal: AbortSignal,
    now: () => number,
  ): Promise<void> {
    while (!signal.aborted) {
      try {
        const states = await lab.linkStates(links, signal);
        if (this.looks.length >= looksMax) this.#tooMany += 1;
        else {
          const bad = states.filter(({ splice, isDown }) => splice !== undefined || isDown);
          this.looks.push({ at: now(), states: bad });
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#failed += 1;
        this.#reason = messageOf(error);
      }
      await delay(lookMs, undefined, { signal }).catch(() => {});
    }
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
