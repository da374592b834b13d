/** Leads the frames of joins through queues of the kernel that impair them, and past them again. See netem.ts. */
import { randomBytes } from 'node:crypto';
import { TestbedError } from '../errors.ts';
import { type Impairments, perfect, underWayMsMax } from '../model/impairment.ts';
import { poll } from '../poll.ts';
import { derivedSeed } from '../seeded.ts';
import type { DirectionCounts, SpliceState } from '../wire/api.ts';
import {
  inSequence,
  interfacesOf,
  leadCommand,
  listCommand,
  type ListedInterface,
  parseList,
  type Ports,
  removeCommand,
} from './commands.ts';
import { type Ground, inLab, nodeGone, untilUp } from './ground.ts';
import {
  parseAlias,
  parseQueues,
  parseSupport,
  probeCommand,
  type Queue,
  queueCommands,
  queuesCommand,
  stageCommands,
  stageOf,
  type Support,
} from './netem.ts';

/** How often queues have to be found empty, one look after the other. */
const emptyLooks = 4;

export class KernelQueues {
  readonly #ground: Ground;
  #support: Promise<Support> | undefined;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** What the kernel of the lab can do; looked at once. */
  async support(signal: AbortSignal): Promise<Support> {
    return await (this.#support ??= this.#probe(signal));
  }

  /** The same. Rejects with EENVIRONMENT where the kernel cannot do it at all. */
  async demand(what: string, signal: AbortSignal): Promise<Support> {
    const support = await this.support(signal);
    if (support !== 'none') return support;
    throw new TestbedError('EENVIRONMENT', `cannot ${what}: its kernel has no netem`, {
      hint: 'load the module there: modprobe sch_netem; or let the wire do it: --by wire',
    });
  }

  /** Whether it is these that impair a join, of which `there` are the interfaces of the lab. */
  has(ports: Ports, there: { has(name: string): boolean }): boolean {
    return there.has(stageOf(ports.near, 'rate').enter);
  }

  /** Leads the frames of a join through queues, or changes these. `what` is for errors. */
  async set(
    ports: Ports,
    mtu: number,
    impairments: Impairments,
    seed: number,
    what: string,
    signal: AbortSignal,
  ): Promise<void> {
    const support = await this.demand(what, signal);
    const there = parseList(await inLab(this.#ground, listCommand, what, signal));
    const ways = waysOf(ports);
    if (!ways.every(({ from }) => there.has(from))) throw nodeGone(what);
    const isNew = !this.has(ports, there);
    const commands = [
      ...(isNew ? ways.flatMap(({ from, to }) => stageCommands(from, to, mtu)) : []),
      ...ways.flatMap(({ from, name }, way) =>
        queueCommands(
          from,
          impairments[way] ?? perfect,
          // Each direction, and each end of a LAN, makes choices of its own. A seed stays.
          parseAlias(there.get(stageOf(from, 'chance').enter)?.alias)?.seed ??
            derivedSeed(derivedSeed(seed, ports.join), name),
          support === 'seeded',
        ),
      ),
    ];
    await inLab(this.#ground, inSequence(commands), what, signal);
    if (!isNew) return;
    await untilUp(this.#ground, entrancesOf(ports), what, signal);
    const leads = ways.map(({ from }) => leadCommand(from, stageOf(from, 'chance').enter));
    await inLab(this.#ground, inSequence(leads), what, signal);
  }

  /** Leads frames straight from port to port again. What is under way arrives before those that come after it. */
  async end(ports: Ports, what: string, signal: AbortSignal): Promise<void> {
    const there = new Set(interfacesOf(this.#ground.labPid));
    const ways = waysOf(ports);
    if (ways.every(({ from }) => there.has(from))) {
      const good = ways.flatMap(({ from }) => queueCommands(from, perfect, 0, false));
      await inLab(this.#ground, inSequence(good), what, signal);
      await this.#drain(ports, what, signal);
      await inLab(this.#ground, inSequence(ways.map(({ from, to }) => leadCommand(from, to))), what, signal);
      await this.#drain(ports, what, signal);
    }
    await this.remove(ports, what, signal);
  }

  /** Leads to and from the ports of a join that were made anew. */
  async rejoin(ports: Ports, what: string, signal: AbortSignal): Promise<void> {
    const commands = waysOf(ports).flatMap(({ from, to }) => [
      leadCommand(stageOf(from, 'rate').leave, to),
      leadCommand(from, stageOf(from, 'chance').enter),
    ]);
    await inLab(this.#ground, inSequence(commands), what, signal);
  }

  /** Takes the queues of a join away; what is under way is lost. */
  async remove(ports: Ports, what: string, signal: AbortSignal): Promise<void> {
    const there = interfacesOf(this.#ground.labPid);
    const own = entrancesOf(ports).filter((device) => there.includes(device));
    if (own.length > 0) await inLab(this.#ground, inSequence(own.map(removeCommand)), what, signal);
  }

  /** What the queues of the lab counted; to be asked for where there are some. */
  async queues(signal: AbortSignal): Promise<ReadonlyMap<string, Queue>> {
    return parseQueues(await inLab(this.#ground, queuesCommand, 'look at queues', signal));
  }

  /** How a join is impaired, by the interfaces of the lab and their queues. */
  state(
    ports: Ports,
    there: ReadonlyMap<string, ListedInterface>,
    queues: ReadonlyMap<string, Queue>,
  ): SpliceState {
    const [one, other] = waysOf(ports).map(({ from }) => {
      const chance = stageOf(from, 'chance').enter;
      return {
        alias: parseAlias(there.get(chance)?.alias),
        chance: queues.get(chance) ?? noQueue,
        rate: queues.get(stageOf(from, 'rate').enter) ?? noQueue,
      };
    });
    if (one === undefined || other === undefined) throw new Error('a join has two ways');
    return {
      splice: ports.join,
      seed: one.alias?.seed ?? 0,
      impairments: [one.alias?.impairment ?? perfect, other.alias?.impairment ?? perfect],
      counts: [countsOf(one.chance, one.rate), countsOf(other.chance, other.rate)],
      queued: [one.chance.qlen + one.rate.qlen, other.chance.qlen + other.rate.qlen],
      restarts: 0,
    };
  }

  /** Waits until nothing is under way. What netem has given its time at a slow rate keeps it: that is not waited for for ever. */
  async #drain(ports: Ports, what: string, signal: AbortSignal): Promise<void> {
    const own = entrancesOf(ports);
    // What has left a queue may take a moment to enter the next one, or to leave.
    let empty = 0;
    const isEmpty = async (): Promise<true | undefined> => {
      const queues = await this.queues(signal);
      empty = own.every((device) => (queues.get(device)?.qlen ?? 0) === 0) ? empty + 1 : 0;
      return empty === emptyLooks ? true : undefined;
    };
    await poll(isEmpty, { what: `what is under way, to ${what}`, deadlineMs: underWayMsMax, signal });
  }

  async #probe(signal: AbortSignal): Promise<Support> {
    const device = `t${randomBytes(6).toString('hex')}`;
    const { stdout } = await this.#ground.run(this.#ground.labPid, probeCommand(device), signal);
    return parseSupport(stdout);
  }
}

const noQueue: Queue = { bytes: 0, packets: 0, drops: 0, requeues: 0, qlen: 0 };

/** The two directions of a join. */
function waysOf({ near, far }: Ports): readonly { from: string; to: string; name: 'there' | 'back' }[] {
  return [
    { from: near, to: far, name: 'there' },
    { from: far, to: near, name: 'back' },
  ];
}

/** The interfaces of a join that have queues. */
function entrancesOf(ports: Ports): string[] {
  return waysOf(ports).flatMap(({ from }) => [stageOf(from, 'chance').enter, stageOf(from, 'rate').enter]);
}

/** netem does not tell which frames it doubled or corrupted: those doubled count as frames that came. */
function countsOf(chance: Queue, rate: Queue): DirectionCounts {
  return {
    framesReceived: chance.packets + chance.drops + chance.qlen,
    bytesReceived: chance.bytes,
    framesDelivered: rate.packets,
    bytesDelivered: rate.bytes,
    lost: chance.drops,
    duplicated: 0,
    corrupted: 0,
    reordered: chance.requeues,
    queueFull: rate.drops,
    noRoom: 0,
    missed: 0,
    tooLong: 0,
    notSent: 0,
  };
}
