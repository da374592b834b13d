/** All that happens in a lab, as one stream: what the testbed sees, and what the irmd of each node tells. */
import { setTimeout as delay } from 'node:timers/promises';
import { type IrmEvent, type IrmSnapshot, O7sError } from '../runtime/lib/index.ts';
import { EventQueue } from './event-queue.ts';
import type { Lab, LabChange } from './testbeds/testbed.ts';

/** Times are ms since 1970. */
export type LabEvent =
  | {
      readonly event: 'lab';
      readonly at: number;
      readonly lab: string;
      readonly testbed: string;
      readonly nodes: readonly string[];
    }
  | LabChange
  /** A node that was not there before. */
  | { readonly event: 'node.added'; readonly at: number; readonly node: string }
  /** A snapshot comes anew when an irmd answers that had not, or no more. */
  | ((IrmSnapshot | IrmEvent) & { readonly node: string })
  /** The irmd of a node does not answer, or no more. */
  | { readonly event: 'irmd.ended'; readonly at: number; readonly node: string };

export interface LabEventOptions {
  /** How often the counters of nodes are told, in ms; never by default. */
  readonly countersMs?: number | undefined;
}

/** How often a lab is looked at for new nodes, and an irmd that does not answer is asked again, in milliseconds. */
const lookMs = 500;

/**
 * The lab as it is, each node as it is, then each change, until the lab has ended or the signal aborts. Nodes that are
 * added through this lab, and those whose irmd is started again, are followed too.
 */
export async function* labEvents(
  lab: Lab,
  signal: AbortSignal,
  options: LabEventOptions = {},
): AsyncGenerator<LabEvent, void, void> {
  const names = lab.nodes().map((node) => node.name);
  yield { event: 'lab', at: Date.now(), lab: lab.name, testbed: lab.testbed, nodes: names };
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const queue = new EventQueue<LabEvent>();
  const followed = new Map<string, Promise<void>>();
  const follow = (node: string, isNew: boolean): void => {
    const around = { queue, stop, countersMs: options.countersMs };
    const following = followNode(lab, node, isNew, around).finally(() => followed.delete(node));
    followed.set(node, following);
  };
  for (const name of names) follow(name, false);
  const watching = watchLab(lab, queue, stop).then(
    () => queue.end(),
    (error: unknown) => queue.end(stop.aborted ? undefined : error),
  );
  const looking = everyLook(stop, () => {
    for (const { name } of lab.nodes()) {
      if (followed.has(name)) continue;
      queue.push({ event: 'node.added', at: Date.now(), node: name });
      follow(name, true);
    }
  });
  try {
    yield* queue.events(signal);
  } finally {
    ended.abort();
    await Promise.all([watching, looking, ...followed.values()]);
  }
}

/** Watches the lab, again whenever nodes have come: what it had before is all that a testbed watches. */
async function watchLab(lab: Lab, queue: EventQueue<LabEvent>, stop: AbortSignal): Promise<void> {
  const gone = new Set<string>();
  while (!stop.aborted) {
    const changed = new AbortController();
    const known = namesOf(lab);
    const looking = everyLook(AbortSignal.any([stop, changed.signal]), () => {
      if (namesOf(lab) !== known) changed.abort();
    });
    try {
      // A lab in which there are no nodes yet has nothing to watch.
      if (known === '') await looking;
      for await (const change of lab.watch(AbortSignal.any([stop, changed.signal]))) {
        if (change.event === 'node.ended') {
          if (gone.has(change.node)) continue;
          gone.add(change.node);
        }
        queue.push(change);
        if (change.event === 'lab.ended') return;
      }
      for (const name of gone) if (!lab.nodes().some((node) => node.name === name)) gone.delete(name);
    } finally {
      changed.abort();
      await looking;
    }
  }
}

const namesOf = (lab: Lab): string =>
  lab
    .nodes()
    .map(({ name }) => name)
    .join(' ');

async function everyLook(signal: AbortSignal, look: () => void): Promise<void> {
  while (!signal.aborted) {
    look();
    await delay(lookMs, undefined, { signal }).catch(() => {});
  }
}

/**
 * What the irmd of a node tells, whenever there is one, as long as the lab has the node. That of a new one is not missed
 * before it has been there.
 */
async function followNode(
  lab: Lab,
  name: string,
  isNew: boolean,
  around: { queue: EventQueue<LabEvent>; stop: AbortSignal; countersMs: number | undefined },
): Promise<void> {
  const { queue, stop, countersMs } = around;
  let isTold = isNew;
  for (;;) {
    const node = lab.nodes().find((each) => each.name === name);
    if (node === undefined || stop.aborted) return;
    try {
      await using irm = await node.irm(stop);
      for await (const event of irm.events(stop, { countersMs })) {
        isTold = false;
        queue.push({ node: name, ...event });
      }
    } catch (error) {
      // A node that has ended cannot even be asked.
      if (!(error instanceof O7sError) && !(error instanceof Error)) throw error;
    }
    if (stop.aborted) return;
    if (!isTold) queue.push({ event: 'irmd.ended', at: Date.now(), node: name });
    isTold = true;
    await delay(lookMs, undefined, { signal: stop }).catch(() => {});
  }
}
