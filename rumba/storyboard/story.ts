/** A storyboard: what is to happen to a lab and when, from a seed, and what is expected of it. */
import { TestbedError } from '../errors.ts';
import type { LabEvent } from '../events.ts';
import { parseMs, parseShare } from '../model/impairment.ts';
import { isTopology, type Topology } from '../model/topology.ts';
import { derivedSeed, Seeded } from '../seeded.ts';
import {
  act,
  linkDown,
  linkUp,
  killNode,
  type Named,
  nameOf,
  startNode,
  type StoryAction,
} from './actions.ts';
import { lossOf, outageOf, type PingResult, rttOf } from './ping.ts';
import type { StoryContext } from './context.ts';

/** When a step is done: at a time of the storyboard, after the end of another step, or once something is seen. */
export type StepTime =
  | { readonly atMs: number }
  | { readonly afterStep: number; readonly delayMs: number }
  | { readonly when: string; readonly withinMs: number };

export interface StoryStep extends StoryAction {
  readonly step: number;
  readonly time: StepTime;
}

/** The same for the same file, parameters and seed, byte for byte as JSON. */
export interface StoryPlan {
  readonly name: string;
  readonly seed: number;
  readonly durationMs: number;
  readonly steps: readonly StoryStep[];
  readonly expectations: readonly string[];
}

/**
 * What came of an expectation; `measured` is `infinite` for what had no end, such as an outage, or the round trip of
 * packets without an answer, and null where it could not be measured.
 */
export interface Verdict {
  readonly expectation: string;
  readonly ok: boolean;
  readonly measured: number | 'infinite' | null;
  readonly unit: 'ms' | '%' | '';
}

export interface Outcome {
  readonly pings: ReadonlyMap<string, PingResult>;
  /** By step: how long it took, ms, and whether it was done. */
  readonly steps: ReadonlyMap<number, { readonly ok: boolean; readonly ms: number }>;
}

export interface Expectation {
  readonly text: string;
  evaluate(outcome: Outcome): Omit<Verdict, 'expectation'>;
}

/** A function of a storyboard, run as a step of its own. */
export type StoryCall = (context: StoryContext) => Promise<void> | void;

export type Trigger = (event: LabEvent) => boolean;

const stepsMax = 100_000;

// A file may import another copy of this package than the one that loads it; both know this symbol.
const brand = Symbol.for('o7s-testbed.storyboard');

export interface StoryboardOptions {
  readonly topology: Topology;
  /** How long it lasts. */
  readonly duration: string;
  /** Name of the run; else the topology's, else the file's. */
  readonly name?: string;
  /** Of all that is left to chance, where none is asked for; 1 by default. */
  readonly seed?: number;
  /** Links of which the frames are kept in the run's folder. */
  readonly capture?: readonly Named[];
}

/** A storyboard, as its file exports it. */
export interface Storyboard extends StoryboardOptions {
  readonly tell: (story: Story) => void;
}

/** A storyboard: `export default storyboard({ topology, duration: '10s' }, (story) => { ... })`. */
export function storyboard(options: StoryboardOptions, tell: (story: Story) => void): Storyboard {
  if (!isTopology(options.topology)) throw new TestbedError('ETOPOLOGY', 'the storyboard has no topology');
  if (typeof tell !== 'function')
    throw new TestbedError('ETOPOLOGY', 'the storyboard does not say what happens');
  parseMs(options.duration, 'the duration of the storyboard');
  return Object.freeze(Object.defineProperty({ ...options, tell }, brand, { value: 1 }));
}

export function isStoryboard(value: unknown): value is Storyboard {
  return typeof value === 'object' && value !== null && brand in value;
}

export interface PingOptions {
  readonly from: Named;
  /** The name of a server, such as `ping.d`. */
  readonly to: string;
  /** 10ms by default. */
  readonly interval?: string;
  /** When it begins, 0s by default, and how long it lasts, to the end of the storyboard by default. */
  readonly start?: string;
  readonly duration?: string;
  readonly qos?: string;
}

/** Pings that are measured. */
export interface Ping {
  readonly name: string;
  readonly step: Step;
}

/** A step of the plan, for others to come after. */
export interface Step {
  readonly number: number;
}

export interface PoissonOptions {
  /** Time between two beginnings on average. */
  readonly every: string;
  /** How long each lasts on average. */
  readonly lasting: string;
  readonly start?: string;
  readonly end?: string;
}

export interface FaultOptions {
  readonly count: number;
  /** How long each lasts on average, 1s by default. */
  readonly lasting?: string;
  readonly start?: string;
  readonly end?: string;
  /** What may fail: links and nodes by name; all links by default. */
  readonly links?: readonly Named[];
  readonly nodes?: readonly Named[];
}

/** What a storyboard is written with: steps and expectations, in the order of their times. */
export class Story {
  /** Chance of the storyboard's own, from its seed. */
  readonly random: Seeded;
  readonly topology: Topology;
  readonly #seed: number;
  readonly #durationMs: number;
  readonly #steps: StoryStep[] = [];
  readonly #expectations: Expectation[] = [];
  readonly calls = new Map<number, StoryCall>();
  readonly triggers = new Map<number, Trigger>();
  #draws = 0;

  constructor(board: Storyboard, seed: number) {
    this.topology = board.topology;
    this.#seed = seed;
    this.#durationMs = parseMs(board.duration, 'the duration of the storyboard');
    this.random = new Seeded(derivedSeed(seed, 'story'));
    board.tell(this);
  }

  get expectations(): readonly Expectation[] {
    return this.#expectations;
  }

  /** All steps: those with a time first, by it; others follow what they wait for. */
  plan(name: string): StoryPlan {
    const at = ({ time }: StoryStep): number => ('atMs' in time ? time.atMs : Number.POSITIVE_INFINITY);
    const steps = this.#steps.toSorted((one, other) => {
      const [a, b] = [at(one), at(other)];
      return a === b ? one.step - other.step : a - b;
    });
    return {
      name,
      seed: this.#seed,
      durationMs: this.#durationMs,
      steps,
      expectations: this.#expectations.map(({ text }) => text),
    };
  }

  /** Does something at a time after the lab is ready, `2s`. */
  at(time: string, action: StoryAction | StoryCall): Step {
    return this.#add({ atMs: this.#time(time) }, action);
  }

  /** Does something once another step is done, and a time has passed. */
  after(step: Step, time: string, action: StoryAction | StoryCall): Step {
    return this.#add({ afterStep: step.number, delayMs: parseMs(time, 'the time after a step') }, action);
  }

  /** Does something again and again, as often as it fits. */
  every(
    time: string,
    action: StoryAction | StoryCall,
    { start = '0s', end }: { start?: string; end?: string } = {},
  ): Step[] {
    const [gap, until] = [parseMs(time, 'the time between two'), this.#end(end)];
    if (gap <= 0) throw new TestbedError('ETOPOLOGY', `every ${time} is without end`);
    const steps: Step[] = [];
    for (let at = this.#time(start); at < until; at += gap) steps.push(this.#add({ atMs: at }, action));
    return steps;
  }

  /** Does something the first time that an event of the lab is the one; fails where none is within a time. */
  when(
    label: string,
    isIt: Trigger,
    action: StoryAction | StoryCall,
    { within }: { within?: string } = {},
  ): Step {
    const withinMs = within === undefined ? this.#durationMs : parseMs(within, `the time for ${label}`);
    const step = this.#add({ when: label, withinMs }, action);
    this.triggers.set(step.number, isIt);
    return step;
  }

  /** Pings a name all the while; what `expect` is about. */
  ping({ from, to, interval = '10ms', start = '0s', duration, qos = 'raw' }: PingOptions): Ping {
    const atMs = this.#time(start);
    const lastingMs =
      duration === undefined ? this.#durationMs - atMs : parseMs(duration, 'the duration of a ping');
    const intervalMs = parseMs(interval, 'the interval of a ping');
    const name = `${nameOf(from)} to ${to}`;
    const taken = this.#steps.filter(
      ({ kind, target, parameters }) => kind === 'ping' && target === nameOf(from) && parameters['to'] === to,
    );
    const own = taken.length === 0 ? name : `${name} (${taken.length + 1})`;
    const step = this.#add({ atMs }, act('ping', from, { name: own, to, intervalMs, lastingMs, qos }));
    return { name: own, step };
  }

  /** Things that begin independently of each other, and last as long as it comes: `begin` says what one is. */
  poisson(
    { every, lasting, start = '0s', end }: PoissonOptions,
    begin: (index: number, durationMs: number) => StoryAction | StoryCall,
  ): Step[] {
    const [gap, mean] = [parseMs(every, 'the time between two'), parseMs(lasting, 'how long one lasts')];
    const random = this.#chance('poisson');
    const until = this.#end(end);
    const steps: Step[] = [];
    for (let at = this.#time(start) + random.exponential(gap); at < until; at += random.exponential(gap)) {
      const durationMs = Math.max(1, Math.round(Math.min(random.exponential(mean), until - at)));
      steps.push(this.#add({ atMs: Math.round(at) }, begin(steps.length, durationMs)));
    }
    return steps;
  }

  /** A plan of faults: links that go down and nodes that are killed, each back after a while. */
  faults({ count, lasting = '1s', start = '0s', end, links, nodes = [] }: FaultOptions): Step[] {
    const random = this.#chance('faults');
    const chosen = (links ?? this.topology.links).map(nameOf);
    const targets = [
      ...chosen.map((name) => ({ name, down: linkDown, up: linkUp })),
      ...nodes.map((node) => ({ name: nameOf(node), down: killNode, up: startNode })),
    ];
    if (targets.length === 0) throw new TestbedError('ETOPOLOGY', 'there is nothing that may fail');
    const [from, until, mean] = [
      this.#time(start),
      this.#end(end),
      parseMs(lasting, 'how long a fault lasts'),
    ];
    const busy = new Map<string, number>();
    const drawn = Array.from({ length: count }, () => ({
      at: from + random.next() * (until - from),
      lasting: Math.max(1, random.exponential(mean)),
      target: random.pick(targets),
    })).toSorted((one, other) => one.at - other.at);
    return drawn.flatMap(({ at, lasting: draw, target }) => {
      // What is down already fails again once it is back.
      const begin = Math.max(at, (busy.get(target.name) ?? 0) + 1);
      const back = Math.min(begin + draw, Math.max(until, begin + 1));
      busy.set(target.name, back);
      return [
        this.#add({ atMs: Math.round(begin) }, target.down(target.name)),
        this.#add({ atMs: Math.round(back) }, target.up(target.name)),
      ];
    });
  }

  /** What pings have to show: `expect(ping).loss.below('1%')`, `.rtt.p99.below('5ms')`, `.outage.below('2s')`. */
  expect(ping: Ping): PingExpectations {
    const limit = (what: string, unit: 'ms' | '%', measure: (result: PingResult) => number): Limit => ({
      below: (text) => {
        const most = unit === 'ms' ? parseMs(text, what) : parseShare(text, what) * 100;
        this.#expectations.push({
          text: `${what} of ${ping.name} below ${text}`,
          evaluate: ({ pings }) => {
            const result = pings.get(ping.name);
            if (result === undefined || result.samples.length === 0)
              return { ok: false, measured: null, unit };
            const measured = measure(result);
            return { ok: measured < most, measured: Number.isFinite(measured) ? measured : 'infinite', unit };
          },
        });
      },
    });
    const rtt = (name: string, share: number): Limit =>
      limit(`rtt ${name}`, 'ms', ({ samples }) => rttOf(samples, share));
    return {
      loss: limit('loss', '%', ({ samples }) => lossOf(samples) * 100),
      rtt: { median: rtt('median', 0.5), p95: rtt('p95', 0.95), p99: rtt('p99', 0.99), max: rtt('max', 1) },
      outage: limit('outage', 'ms', ({ samples, intervalMs }) => outageOf(samples, intervalMs)),
    };
  }

  /** At a time, a name answers a node. */
  expectReachable(time: string, from: Named, to: string, { within = '5s' }: { within?: string } = {}): void {
    const withinMs = parseMs(within, 'how long it may take');
    this.#expectStep(
      `${to} reachable from ${nameOf(from)} at ${time} within ${within}`,
      time,
      act('reachable', from, { to, withinMs }),
    );
  }

  /** From a time on, the members of a layer know each other within another. */
  expectConverged(time: string, layer: Named, { within }: { within: string }): void {
    const withinMs = parseMs(within, 'how long it may take');
    this.#expectStep(
      `${nameOf(layer)} converged at ${time} within ${within}`,
      time,
      act('converged', layer, { withinMs }),
    );
  }

  #expectStep(text: string, time: string, action: StoryAction): void {
    const step = this.at(time, action);
    this.#expectations.push({
      text,
      evaluate: ({ steps }) => {
        const { ok = false, ms = null } = steps.get(step.number) ?? {};
        return { ok, measured: ok ? ms : null, unit: 'ms' };
      },
    });
  }

  #add(time: StepTime, what: StoryAction | StoryCall): Step {
    if (this.#steps.length >= stepsMax) {
      throw new TestbedError('ETOPOLOGY', `the storyboard has more than ${stepsMax} steps`);
    }
    const step = this.#steps.length + 1;
    if (typeof what === 'function') {
      this.calls.set(step, what);
      this.#steps.push({ step, time, ...act('call', what.name || 'function') });
    } else {
      this.#steps.push({ step, time, ...what });
    }
    return { number: step };
  }

  /** Chance of its own for each use, so that one more draw here changes nothing there. */
  #chance(purpose: string): Seeded {
    this.#draws += 1;
    return new Seeded(derivedSeed(this.#seed, `${purpose} ${this.#draws}`));
  }

  #time(text: string): number {
    const ms = parseMs(text, 'the time of a step');
    if (ms <= this.#durationMs) return ms;
    throw new TestbedError('ETOPOLOGY', `the time ${text} is after the end of the storyboard`, {
      hint: 'give it a longer duration',
    });
  }

  #end(text: string | undefined): number {
    return text === undefined ? this.#durationMs : this.#time(text);
  }
}

export interface Limit {
  below(limit: string): void;
}

export interface PingExpectations {
  readonly loss: Limit;
  readonly rtt: { readonly median: Limit; readonly p95: Limit; readonly p99: Limit; readonly max: Limit };
  /** The longest time without an answer: what re-routing takes. */
  readonly outage: Limit;
}
