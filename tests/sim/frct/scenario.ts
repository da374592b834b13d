/** One flow between two ends over a bad path, all of it from a seed. */
import { frctLimits } from '../../../runtime/lib/frct/limits.ts';
import { type End, type Habits, OursEnd, PrototypeEnd } from './ends.ts';
import { type LinkTraits, LossyLink } from './lossy-link.ts';
import { Seeded } from '../../support/seeded.ts';
import { VirtualTime } from './virtual-time.ts';

export type Kind = 'ours' | 'prototype';

export interface Outcome {
  readonly seed: number;
  /** The make of the other end, and the mode. */
  readonly peer: Kind;
  readonly reliable: boolean;
  readonly loss: number;
  /** ms of virtual time. */
  readonly took: number;
  readonly messages: number;
  readonly packets: number;
  readonly bytesHeldMax: number;
  /** What went wrong; undefined when nothing did. */
  readonly fault: string | undefined;
  /** The prototype gave up: its retransmission timer ran out, or it began a new run with some of the last outstanding. */
  readonly prototypeFailed: boolean;
}

/** ms of virtual time by which a flow must be done: several tens of timeouts in a row. */
const timeMax = 600_000;

/** Memory that small windows of bytes are tried with; a message must fit. */
const smallLimits = {
  ...frctLimits,
  sendBytesMax: 20_000,
  receiveBytesMax: 40_000,
  ours: { ...frctLimits.ours, bytesInitial: 8000 },
};

/** Gets every packet that is sent, for whoever wants to look at a flow. */
export type Watch = (time: number, from: number, packet: Buffer) => void;

export function runScenario(seed: number, watch?: Watch): Outcome {
  const random = new Seeded(seed);
  const peer = random.pick<Kind>(['ours', 'ours', 'prototype']);
  const reliable = random.chance(0.65);
  const loss = random.pick([0, 0, 0.01, 0.05, 0.1, 0.2, 0.3]);
  const traits = (): LinkTraits => ({
    loss: random.chance(0.8) ? loss : 0,
    duplication: random.pick([0, 0, 0.05, 0.3]),
    delay: random.pick([0.05, 0.5, 5, 50, 200]) * random.between(0.5, 1.5),
    jitter: random.pick([0, 1, 20, 100]),
    ...random.pick([{}, {}, {}, { rate: 1e6, queue: 20 }, { rate: 1e7, queue: 100 }]),
  });
  const messageBytesMax = random.pick([20, 200, 1484]);
  const habits = (): Habits => ({
    messages: random.pick([0, 1, 3, 50, 300, 600]),
    messageBytesMin: 5,
    messageBytesMax,
    writePause: random.pick([0, 5, 100, 2000]),
    writePauses: random.pick([0, 0.01, 0.1]),
    readPause: random.pick([0, 5, 100, 3000]),
    readPauses: random.pick([0, 0.01, 0.1]),
  });
  const both = [habits(), habits()] as const;
  const limits = peer === 'ours' && random.chance(0.3) ? smallLimits : frctLimits;
  const time = new VirtualTime(random.between(0, 10_000));
  const began = time.now;
  const ends: End[] = [];
  const links = [0, 1].map(
    (from) => new LossyLink(time, random, traits(), (packet) => ends[1 - from]!.arrive(packet)),
  );
  const make = (index: 0 | 1, kind: Kind): End => {
    const send = (packet: Buffer): void => {
      watch?.(time.now, index, packet);
      links[index]!.send(packet);
    };
    return kind === 'ours'
      ? new OursEnd(
          index,
          time,
          random,
          both[index],
          {
            reliable,
            limits,
            portRefusals: random.pick([0, 0, 0.02]),
            busyMax: random.pick([0, 0, 10, 100]),
          },
          send,
        )
      : new PrototypeEnd(
          index,
          time,
          random,
          both[index],
          { reliable, blocking: random.chance(0.5), lostWakeUps: random.pick([0, 0.1, 0.3]) },
          send,
        );
  };
  ends.push(make(0, 'ours'), make(1, peer));
  for (const end of ends) end.start();
  const isOver = (): boolean => ends.some(({ fault }) => fault !== undefined) || isDone(ends, reliable);
  const done = time.run(began + timeMax, isOver);
  // On a path that loses packets it may be right to do so.
  const prototypeFailed =
    links.some(({ counts }) => counts.lost > 0) &&
    ends.some((end) => end instanceof PrototypeEnd && (end.isDown || end.frct.hasForgotten));
  const fault =
    ends.find((end) => end.fault !== undefined)?.fault ??
    memoryFault(ends) ??
    (done && !reliable ? countFault(ends) : undefined) ??
    (done || prototypeFailed ? undefined : `not done: ${ends.map((end) => describe(end)).join('; ')}`);
  return {
    seed,
    peer,
    reliable,
    loss,
    took: time.now - began,
    messages: ends[0]!.read.length + ends[1]!.read.length,
    packets: links[0]!.counts.sent + links[1]!.counts.sent,
    bytesHeldMax: Math.max(...ends.map((end) => (end instanceof OursEnd ? end.bytesHeldMax : 0))),
    fault,
    prototypeFailed,
  };
}

function isDone(ends: readonly End[], reliable: boolean): boolean {
  return ends.every((end, index) => {
    const other = ends[1 - index]!;
    if (!end.hasWrittenAll) return false;
    if (reliable && end.read.length !== other.written.count) return false;
    if (!(end instanceof OursEnd)) return reliable || true;
    return (other instanceof OursEnd ? end.endSeen : true) && end.isSettled;
  });
}

function memoryFault(ends: readonly End[]): string | undefined {
  for (const end of ends) {
    if (!(end instanceof OursEnd)) continue;
    const { sendBytesMax, receiveBytesMax } = end.limits;
    // One message always fits.
    const allowed = sendBytesMax + receiveBytesMax + 1496;
    if (end.bytesHeldMax > allowed) return `${end.name} held ${end.bytesHeldMax} bytes, more than ${allowed}`;
  }
  return undefined;
}

/** Best effort among our own ends: a message that was not read is counted. */
function countFault(ends: readonly End[]): string | undefined {
  for (const [index, end] of ends.entries()) {
    const other = ends[1 - index];
    if (!(end instanceof OursEnd && other instanceof OursEnd)) continue;
    const { messagesDelivered, skipped, droppedNoRoom } = end.frct.counters;
    const known = messagesDelivered + skipped + droppedNoRoom;
    if (known !== other.written.count) {
      return `${end.name} knows of ${known} messages (${skipped} skipped), ${other.written.count} were written`;
    }
  }
  return undefined;
}

function describe(end: End): string {
  const { messages } = (end as unknown as { habits: Habits }).habits;
  const more =
    end instanceof OursEnd
      ? ` end seen ${end.endSeen} settled ${end.isSettled} outstanding ${end.frct.outstanding} closed since ${end.frct.closedSince}`
      : '';
  return `${end.name} wrote ${end.written.count} of ${messages}, read ${end.read.length}${end.isDown ? ', down' : ''}${more}`;
}
