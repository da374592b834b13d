/** A lab as what a view draws from: one that runs, or one that is being built. */
import { EventQueue } from '../event-queue.ts';
import { labEvents } from '../events.ts';
import type { DeployEvent } from '../deploy/deploy.ts';
import { logLines } from '../log-stream.ts';
import type { Topology } from '../model/topology.ts';
import { findAgain } from '../testbeds/known.ts';
import type { Lab } from '../testbeds/testbed.ts';
import { labActions } from './actions.ts';
import type { LiveEvent, LiveSource } from './events.ts';
import { commandsOf } from './commands.ts';
import { sampleInterfaces } from './interfaces.ts';
import { watchLinks } from './links.ts';
import { logEvents } from './log-events.ts';

/** How often counters and interfaces are asked for: once a second, and less often where there are many nodes. */
const periodMs = (nodes: number): number => (nodes <= 20 ? 1_000 : 2_000);

/** How much of the logs there are is shown at first, and of what comes between two looks, in bytes of all nodes. */
const logBytes = 2 * 1024 * 1024;
/** At least so much of each log, in bytes. */
const logBytesLeast = 64 * 1024;

/** A lab that runs. */
export async function labSource(lab: Lab): Promise<LiveSource> {
  const following = new Following();
  const record = await lab.record();
  if (record !== undefined) {
    const at = Date.parse(record.createdAt);
    following.tellRecorded(record.topology, at);
    for (const event of commandsOf(record.topology, at)) following.push(event);
    for (const { name } of record.topology.nodes) {
      const isThere = lab.nodes().some((node) => node.name === name);
      if (!isThere) following.push({ event: 'node.ended', at: Date.now(), node: name });
    }
  }
  following.start(lab);
  return following.source(lab.name);
}

/** A lab that is being built: hand on what is told of it. */
export interface BuildSource {
  readonly source: LiveSource;
  readonly onEvent: (event: DeployEvent) => void;
  /** From here on it can be followed. */
  readonly onLab: (lab: Lab) => void;
}

export function buildSource(name: string, topology: Topology): BuildSource {
  const following = new Following();
  following.push({ event: 'topology', at: Date.now(), topology });
  return {
    source: following.source(name),
    onLab: (lab) => following.start(lab),
    onEvent: (event) => {
      for (const told of deployEvents(event, Date.now())) following.push(told);
    },
  };
}

/** A step of a deployment as events of a view. */
function deployEvents(event: DeployEvent, at: number): LiveEvent[] {
  switch (event.type) {
    case 'phaseStarted':
      return [{ event: 'phase', at, phase: event.phase, done: 0, total: event.total }];
    case 'phaseDone':
      return [{ event: 'phase', at, phase: event.phase, done: event.total, total: event.total }];
    case 'stepStarted':
      return [];
    case 'stepDone': {
      const { step, done, total, ms } = event;
      const { node, command = step.text, phase } = step;
      return [
        { event: 'phase', at, phase, done, total },
        { event: 'command', at, node: node ?? null, command, ms, error: null },
      ];
    }
    case 'stepFailed': {
      const { step, ms, error } = event;
      const { node, command = step.text } = step;
      const text = error instanceof Error ? error.message : String(error);
      return [{ event: 'command', at, node: node ?? null, command, ms, error: text }];
    }
  }
}

/** Gathers what is told of a lab, from when it is there. */
class Following {
  readonly #queue = new EventQueue<LiveEvent>();
  readonly #lab = Promise.withResolvers<Lab>();
  readonly #logs = Promise.withResolvers<void>();
  #started: Lab | undefined;
  #isFollowed = false;
  #nodes = 0;
  /** The topology that the record of the lab had last, as JSON. */
  #recorded: string | undefined;
  readonly #actions = labActions({ lab: () => this.#started, note: (event) => void this.#queue.push(event) });

  push(event: LiveEvent): void {
    if (event.event === 'topology') this.#nodes = event.topology.nodes.length;
    void this.#queue.push(event);
  }

  /** Tells of a topology of the record, if it is another than before. */
  tellRecorded(topology: Topology, at: number): void {
    const text = JSON.stringify(topology);
    if (text === this.#recorded) return;
    this.#recorded = text;
    this.push({ event: 'topology', at, topology });
  }

  start(lab: Lab): void {
    this.#started = lab;
    this.#lab.resolve(lab);
  }

  source(title: string): LiveSource {
    return {
      title,
      events: (signal) => this.#events(signal),
      followLogs: () => this.#logs.resolve(),
      actions: this.#actions,
    };
  }

  async *#events(signal: AbortSignal): AsyncGenerator<LiveEvent, void, void> {
    if (this.#isFollowed) throw new Error('a lab is followed once');
    this.#isFollowed = true;
    const ended = new AbortController();
    const stop = AbortSignal.any([signal, ended.signal]);
    const following = this.#follow(stop);
    try {
      yield* this.#queue.events(signal);
    } finally {
      ended.abort();
      await Promise.all([following, this.#actions[Symbol.asyncDispose]()]);
    }
  }

  async #follow(stop: AbortSignal): Promise<void> {
    const aborted = new Promise<undefined>((resolve) => {
      stop.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    const lab = await Promise.race([this.#lab.promise, aborted]);
    if (lab === undefined) return;
    const queue = this.#queue;
    // What the lab says ends with it; the view stays until it is closed.
    const again = (): Promise<Lab | undefined> => this.#lookAgain(lab);
    const current = (): Lab => this.#started ?? lab;
    const period = periodMs(this.#nodes);
    const told = queue.take(labEvents(lab, stop, { again, countersMs: period }));
    const measured = sampleInterfaces(current, {
      periodMs: period,
      signal: stop,
      onSample: (event) => void queue.push(event),
    });
    const watched = watchLinks(current, { signal: stop, onChange: (event) => void queue.push(event) });
    const logged = this.#followLogs(current, stop, aborted);
    try {
      await Promise.all([told, measured, watched, logged]);
    } catch (error) {
      if (!stop.aborted) queue.end(error);
    }
  }

  /** The lab by now: other commands may give it nodes that this one does not know, and another topology. */
  async #lookAgain(lab: Lab): Promise<Lab | undefined> {
    const found = await findAgain(lab);
    if (found === undefined) return undefined;
    this.#started = found;
    const topology = (await found.record().catch(() => undefined))?.topology;
    // What it is being made into was told before.
    if (topology !== undefined && this.#recorded === undefined) this.#recorded = JSON.stringify(topology);
    else if (topology !== undefined) this.tellRecorded(topology, Date.now());
    return found;
  }

  async #followLogs(lab: () => Lab, stop: AbortSignal, aborted: Promise<undefined>): Promise<void> {
    await Promise.race([this.#logs.promise, aborted]);
    if (stop.aborted) return;
    const lines = logLines(() => lab().nodes(), {
      follow: true,
      everyMs: periodMs(this.#nodes),
      newestBytes: Math.max(logBytesLeast, Math.round(logBytes / Math.max(1, this.#nodes))),
      signal: stop,
    });
    for await (const line of lines) {
      for (const event of logEvents(line)) await this.#queue.push(event);
    }
  }
}
