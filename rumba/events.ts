/** All that happens in a lab, as one stream: what the testbed sees, and what the irmd of each node tells. */
import { type IrmEvent, type IrmSnapshot, O7sError } from '../runtime/lib/index.ts';
import type { Lab, LabChange, LabNode } from './testbeds/testbed.ts';

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
  | ((IrmSnapshot | IrmEvent) & { readonly node: string })
  /** The irmd of a node does not answer, or no more. */
  | { readonly event: 'irmd.ended'; readonly at: number; readonly node: string };

/** The lab as it is, each node as it is, then each change, until the lab has ended or the signal aborts. */
export async function* labEvents(lab: Lab, signal: AbortSignal): AsyncGenerator<LabEvent, void, void> {
  const nodes = lab.nodes();
  const names = nodes.map((node) => node.name);
  yield { event: 'lab', at: Date.now(), lab: lab.name, testbed: lab.testbed, nodes: names };
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const queue: LabEvent[] = [];
  let wake = (): void => {};
  let running = 1;
  let failure: unknown;
  const take = async (source: AsyncIterable<LabEvent>): Promise<void> => {
    for await (const event of source) {
      queue.push(event);
      wake();
    }
  };
  const follow = take(lab.watch(stop))
    .catch((error: unknown) => {
      if (!stop.aborted) failure = error;
    })
    .finally(() => {
      running--;
      wake();
    });
  // What an irmd has to say ends with it; the lab goes on.
  const told = nodes.map((node) => take(nodeEvents(node, stop)).catch(() => {}));
  try {
    while (!signal.aborted) {
      const event = queue.shift();
      if (event !== undefined) yield event;
      else if (running === 0) break;
      else await nextOf(stop, (resume) => (wake = resume));
    }
    if (failure !== undefined) throw failure as Error;
  } finally {
    ended.abort();
    await Promise.all([follow, ...told]);
  }
}

async function* nodeEvents(node: LabNode, signal: AbortSignal): AsyncGenerator<LabEvent, void, void> {
  try {
    await using irm = await node.irm(signal);
    for await (const event of irm.events(signal)) yield { node: node.name, ...event };
  } catch (error) {
    if (!(error instanceof O7sError)) throw error;
  }
  if (!signal.aborted) yield { event: 'irmd.ended', at: Date.now(), node: node.name };
}

/** Waits to be woken, or for the signal. */
async function nextOf(signal: AbortSignal, register: (resume: () => void) => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const resume = (): void => resolve();
  register(resume);
  signal.addEventListener('abort', resume, { once: true });
  if (signal.aborted) resume();
  await promise;
  signal.removeEventListener('abort', resume);
}
