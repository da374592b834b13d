/** All that happens in a lab, as one stream: what the testbed sees, and what the irmd of each node tells. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  type IpcpInfo,
  type IrmChange,
  type IrmEvent,
  type IrmSnapshot,
  O7sError,
} from '../runtime/lib/index.ts';
import { IrmManager } from './deploy/irm-manager.ts';
import { TestbedError } from './errors.ts';
import { EventQueue } from './event-queue.ts';
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
  /** A node was added, or made again after it had ended. */
  | { readonly event: 'node.started'; readonly at: number; readonly node: string }
  /** The snapshot comes when the stream of an irmd begins: at first, and after the irmd was started again. */
  | ((IrmSnapshot | IrmEvent) & { readonly node: string })
  /** The irmd of a node does not answer, or no more. */
  | { readonly event: 'irmd.ended'; readonly at: number; readonly node: string };

export interface LabEventsOptions {
  /** Only what concerns these nodes, and the lab itself; all by default. */
  nodes?: readonly string[] | undefined;
  /** Finds the lab again, with the nodes it has by then: those are told of that it had not before. */
  again?: (() => Promise<Lab | undefined>) | undefined;
  /** How often the counters of our nodes are told, in ms; never by default. */
  countersMs?: number | undefined;
}

/** How often to look for nodes that are new, and for an irmd that answers again, in milliseconds. */
const lookMs = 1_000;

/** How often the irmd of another runtime is asked, in milliseconds. */
const foreignMs = 2_000;

/** The lab as it is, each node as it is, then each change, until the lab has ended or the signal aborts. */
export async function* labEvents(
  lab: Lab,
  signal: AbortSignal,
  options: LabEventsOptions = {},
): AsyncGenerator<LabEvent, void, void> {
  const { nodes: only = [], again = async () => lab, countersMs } = options;
  const isWanted = (name: string): boolean => only.length === 0 || only.includes(name);
  const wantedNodes = (of: Lab): LabNode[] => of.nodes().filter(({ name }) => isWanted(name));
  const names = wantedNodes(lab).map(({ name }) => name);
  yield { event: 'lab', at: Date.now(), lab: lab.name, testbed: lab.testbed, nodes: names };

  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const queue = new EventQueue<LabEvent>();
  const tell = (event: LabEvent): Promise<void> => queue.push(event);

  const work = new Set<Promise<void>>();
  const background = (task: Promise<void>): void => {
    const guarded = task
      .catch((error: unknown) => (stop.aborted ? undefined : queue.end(error)))
      .finally(() => work.delete(guarded));
    work.add(guarded);
  };

  const there = new Map(wantedNodes(lab).map((node) => [node.name, node]));
  const foreign = new Set<string>();
  const note = async (of: Lab): Promise<void> => {
    const { topology } = (await of.record()) ?? {};
    for (const { name, runtime } of topology?.nodes ?? []) if (runtime !== undefined) foreign.add(name);
  };
  const follow = (name: string, isNew: boolean): void => {
    const tellOf = foreign.has(name) ? tellOfForeign : tellOfNode;
    background(tellOf(name, () => there.get(name), tell, { signal: stop, isNew, countersMs }));
  };
  /** Nodes that ended, by name: one that has just ended may still be found. */
  const gone = new Map<string, string>();
  let watching = new AbortController();
  const watch = (of: Lab): void => {
    watching.abort();
    const own = new AbortController();
    watching = own;
    background(
      (async () => {
        const until = AbortSignal.any([stop, own.signal]);
        for await (const change of of.watch(until)) {
          if (until.aborted) return;
          // A node may be told of twice while one watch takes over from another.
          if (change.event === 'node.ended') {
            const node = there.get(change.node);
            if (node === undefined) continue;
            there.delete(change.node);
            gone.set(change.node, node.id);
          }
          await tell(change);
          if (change.event === 'lab.ended') queue.end();
        }
      })(),
    );
  };
  const look = async (): Promise<void> => {
    for (;;) {
      await delay(lookMs, undefined, { signal: stop });
      const found = await again();
      const isNew = ({ name, id }: LabNode): boolean => !there.has(name) && gone.get(name) !== id;
      const added = found === undefined ? [] : wantedNodes(found).filter(isNew);
      if (found === undefined || added.length === 0) continue;
      await note(found);
      for (const node of added) {
        there.set(node.name, node);
        await tell({ event: 'node.started', at: Date.now(), node: node.name });
        follow(node.name, true);
      }
      watch(found);
    }
  };

  await note(lab);
  watch(lab);
  for (const name of there.keys()) follow(name, false);
  background(look());
  try {
    yield* queue.events(signal);
  } finally {
    ended.abort();
    await Promise.all(work);
  }
}

interface TellOptions {
  readonly signal: AbortSignal;
  /** The node was just added: its irmd is not missed before it has been there. */
  readonly isNew: boolean;
  readonly countersMs: number | undefined;
}

/** Tells what the irmd of a node tells, from its snapshot on, and again when it answers again, while there is the node. */
async function tellOfNode(
  name: string,
  find: () => LabNode | undefined,
  tell: (event: LabEvent) => Promise<void>,
  { signal, isNew, countersMs }: TellOptions,
): Promise<void> {
  let wasThere = !isNew;
  for (let node = find(); node !== undefined && !signal.aborted; node = find()) {
    try {
      await using irm = await node.irm(signal);
      wasThere = true;
      for await (const event of irm.events(signal, { countersMs })) await tell({ node: name, ...event });
    } catch (error) {
      // What an irmd has to say ends with it, and with its node; the lab goes on.
      if (!(error instanceof O7sError) && !(error instanceof TestbedError)) throw error;
    }
    if (signal.aborted) return;
    if (wasThere) await tell({ event: 'irmd.ended', at: Date.now(), node: name });
    wasThere = false;
    await delay(lookMs, undefined, { signal }).catch(() => {});
  }
}

/** The irmd of another runtime tells nothing: it is asked now and then which IPCPs it has. */
async function tellOfForeign(
  name: string,
  find: () => LabNode | undefined,
  tell: (event: LabEvent) => Promise<void>,
  { signal, isNew }: TellOptions,
): Promise<void> {
  const rest = { dropped: 0, names: [], processes: [], flows: [], layers: [] };
  let known: ReadonlyMap<string, IpcpInfo> | undefined;
  let wasThere = !isNew;
  for (let node = find(); node !== undefined && !signal.aborted; node = find()) {
    const found = await new IrmManager(node, signal).infos().catch((error: unknown) => {
      if (signal.aborted || error instanceof TestbedError) return undefined;
      throw error;
    });
    if (signal.aborted) return;
    const at = Date.now();
    if (found === undefined && wasThere) await tell({ event: 'irmd.ended', at, node: name });
    else if (found !== undefined && known === undefined) {
      await tell({ event: 'snapshot', at, node: name, ipcps: [...found.values()], ...rest });
    } else if (found !== undefined) {
      for (const event of changes(known ?? new Map(), found)) await tell({ ...event, at, node: name });
    }
    wasThere = found !== undefined;
    known = found;
    await delay(foreignMs, undefined, { signal }).catch(() => {});
  }
}

function changes(before: ReadonlyMap<string, IpcpInfo>, after: ReadonlyMap<string, IpcpInfo>): IrmChange[] {
  const gone = [...before.values()].filter(({ name, pid }) => after.get(name)?.pid !== pid);
  const came = [...after.values()].filter(({ name, pid }) => before.get(name)?.pid !== pid);
  const joined = [...after.values()].filter(({ name, pid, layer }) => {
    const old = before.get(name);
    return layer !== null && (old?.pid !== pid || old.layer === null);
  });
  return [
    // Whether it was destroyed or killed, that irmd does not know.
    ...gone.map(({ name, pid }) => ({ event: 'ipcp.crashed' as const, pid, name })),
    ...came.map((ipcp) => ({
      event: 'ipcp.created' as const,
      ipcp: { ...ipcp, layer: null, state: 'boot' as const },
    })),
    ...joined.map((ipcp) => ({ event: 'ipcp.bootstrapped' as const, ipcp })),
  ];
}
