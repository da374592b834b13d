/**
 * Flows of several members that share a slow link, in virtual time: what share of it they use, how evenly, and how many
 * packets wait for it. Everything comes from one seed.
 */
import type { CongestionPolicy } from '../../runtime/lib/rpc/api.ts';
import { type End, type Member, UnicastNet } from './unicast-net.ts';

export interface BottleneckOptions {
  readonly congestion: CongestionPolicy;
  /** Of the slow link, bytes a second. */
  readonly rate: number;
  /** Of a message. */
  readonly bytes?: number;
  readonly senders?: number;
  /** When each sender begins, ms after the one before. */
  readonly apartMs?: number;
  /** What each sender offers, in rates of the slow link. */
  readonly offered?: number;
  readonly delayMs?: number;
  /** Of what is looked at, s; what was before is of the beginning. */
  readonly seconds?: number;
  readonly beginSeconds?: number;
  readonly seed?: number;
}

/** What a time of a bottleneck was like. */
export interface BottleneckFacts {
  /** Share of the link that arrived as messages and headers. */
  readonly used: number;
  /** The least share of a sender in what it would have if all had the same. */
  readonly leastShare: number;
  readonly meanQueue: number;
  readonly longestQueue: number;
  readonly lost: number;
}

const dtHeaderBytes = 15;
const stepMs = 10;

/** A star of senders around a member from which the slow link leads to the one that serves. */
export function throughBottleneck(options: BottleneckOptions): {
  readonly begin: BottleneckFacts;
  readonly later: BottleneckFacts;
} {
  const {
    congestion,
    rate,
    bytes = 1000,
    senders: count = 2,
    apartMs = 0,
    offered = 3,
    delayMs = 1,
  } = options;
  const { seconds = 30, beginSeconds = 10, seed = 1 } = options;
  const net = new UnicastNet({ seed, config: { congestion }, link: { delayMs } });
  const { time } = net.world;
  const middle = net.add('middle');
  net.bootstrap(middle);
  const joined = (name: string, link = {}): Member => {
    const member = net.add(name);
    net.link(member, middle, { delayMs, ...link });
    net.join(member, middle);
    return member;
  };
  const senders = Array.from({ length: count }, (_, index) => joined(`sender${index}`));
  const server = joined('server', { rate });
  const slow = net.world.links.at(-1)!;
  server.serve('sink');
  net.run(3000);
  const ends = senders.map((sender) => {
    const flow = net.allocate(sender, 'sink');
    if (flow?.outcome.kind !== 'accepted') throw new Error(`${sender.name} has no flow`);
    return flow.end;
  });
  const sinks = server.served.get('sink')!;
  for (const sink of sinks) sink.onPacket = () => {};
  const gapMs = (bytes / (rate * offered)) * 1000;
  const message = Buffer.alloc(bytes);
  const send = (end: End, at: number): void =>
    time.at(at, () => {
      if (!end.isPaused) end.say(message);
      send(end, time.now + gapMs);
    });
  for (const [index, end] of ends.entries()) send(end, time.now + index * (apartMs + gapMs / count));

  const factsOf = (forSeconds: number): BottleneckFacts => {
    const before = sinks.map((sink) => sink.packets);
    const lostBefore = slow.counts.overflowed;
    slow.counts.queued = 0;
    let queued = 0;
    const steps = (forSeconds * 1000) / stepMs;
    for (let step = 0; step < steps; step += 1) {
      net.run(stepMs);
      queued += slow.waiting(middle.node);
    }
    const heard = sinks.map((sink, index) => sink.packets - before[index]!);
    const all = heard.reduce((sum, each) => sum + each, 0);
    return {
      used: (all * (bytes + dtHeaderBytes)) / (rate * forSeconds),
      leastShare: all === 0 ? 0 : (Math.min(...heard) * count) / all,
      meanQueue: queued / steps,
      longestQueue: slow.counts.queued,
      lost: slow.counts.overflowed - lostBefore,
    };
  };
  return { begin: factsOf(beginSeconds), later: factsOf(seconds) };
}
