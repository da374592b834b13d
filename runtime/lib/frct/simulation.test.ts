/**
 * Whole flows in virtual time over paths that lose, double, delay and reorder packets: among our own ends, and with a
 * model of the prototype at one end. tests/sim/frct-long.ts runs many more.
 */
import { describe, expect, test } from 'vitest';
import { OursEnd, PrototypeEnd } from '../../../tests/sim/frct/ends.ts';
import { LossyLink } from '../../../tests/sim/frct/lossy-link.ts';
import { Prototype } from '../../../tests/sim/frct/prototype.ts';
import { Seeded } from '../../../tests/support/seeded.ts';
import { type Outcome, runScenario } from '../../../tests/sim/frct/scenario.ts';
import { VirtualTime } from '../../../tests/sim/frct/virtual-time.ts';

const seeds = 200;

test(`${seeds} flows from seeds: in order and complete, never stuck, memory bounded, the end seen`, () => {
  const outcomes: Outcome[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const outcome = runScenario(seed);
    // To see what happened: runScenario(seed, (time, from, packet) => ...).
    expect(outcome.fault, `seed ${seed}`).toBeUndefined();
    outcomes.push(outcome);
  }
  // What the seeds cover.
  const kinds = new Set(outcomes.map(({ peer, reliable }) => `${peer} ${reliable}`));
  expect(kinds.size).toBe(4);
  expect(Math.max(...outcomes.map(({ loss }) => loss))).toBe(0.3);
  expect(outcomes.reduce((sum, { messages }) => sum + messages, 0)).toBeGreaterThan(30_000);
});

test('a seed gives the same flow each time', () => {
  for (const seed of [3, 17, 48]) {
    const runs = [0, 1].map(() => {
      const packets: string[] = [];
      const outcome = runScenario(seed, (time, from, packet) => {
        packets.push(`${time} ${from} ${packet.toString('hex', 0, 12)}`);
      });
      return { outcome, packets };
    });
    expect(runs[1]).toEqual(runs[0]);
  }
});

const habits = {
  messages: 40,
  messageBytesMin: 5,
  messageBytesMax: 100,
  writePause: 0,
  writePauses: 0,
  readPause: 0,
  readPauses: 0,
};

describe('numbers that wrap', () => {
  test.each([0, 0x7fff_ffe0, 0xffff_ffe0, 0x00ff_ffe0])('from %i on', (initialSeqno) => {
    const time = new VirtualTime();
    const random = new Seeded(initialSeqno + 1);
    const ends: OursEnd[] = [];
    const traits = { loss: 0.2, duplication: 0.1, delay: 3, jitter: 5 };
    for (const index of [0, 1]) {
      const link = new LossyLink(time, random, traits, (packet) => ends[1 - index]!.arrive(packet));
      const options = { reliable: true, initialSeqno: initialSeqno + index };
      ends.push(
        new OursEnd(index, time, random, { ...habits, messages: 500 }, options, (packet) =>
          link.send(packet),
        ),
      );
    }
    for (const end of ends) end.start();
    const done = time.run(60_000, () => ends.every(({ endSeen, isSettled }) => endSeen && isSettled));
    expect(ends.map(({ fault }) => fault)).toEqual([undefined, undefined]);
    expect(done).toBe(true);
    expect(ends.map(({ read }) => read.length)).toEqual([500, 500]);
  });
});

/** The model must have the defects that it is there for: two of it, over a path that loses nothing. */
describe('the model of the prototype', () => {
  function pair(reliable = true): {
    time: VirtualTime;
    ends: [Prototype, Prototype];
    sent: string[];
    /** Messages that each end has read. */
    read: [number, number];
    lose: (from: number) => void;
  } {
    const time = new VirtualTime(1000);
    const sent: string[] = [];
    const read: [number, number] = [0, 0];
    const lost = new Set<number>();
    const ends = [0, 1].map(
      (index) =>
        new Prototype(
          time,
          new Seeded(index),
          { reliable, mplMs: 100, lostWakeUps: 0 },
          {
            send: (packet) => {
              sent.push(`${index} ${packet.toString('hex', 0, 1)}`);
              if (!lost.has(index)) time.after(0.2, () => ends[1 - index]!.receive(packet));
            },
            readable: () => {
              while (ends[index]!.read() !== undefined) read[index]! += 1;
            },
            writable: () => {},
            down: () => {},
          },
        ),
    ) as [Prototype, Prototype];
    return { time, ends, sent, read, lose: (from) => lost.add(from) };
  }

  const message = Buffer.from('x');

  test('a server that answers late is never heard (9.1)', () => {
    const { time, ends, sent, read } = pair();
    ends[0].writeBlocking(message);
    time.run(1100, () => false);
    expect(sent.slice(0, 2)).toEqual(['0 03', '1 0c']);
    ends[1].writeBlocking(message);
    time.run(60_000, () => false);
    expect(read).toEqual([0, 1]);
  });

  test('one that answers at once is', () => {
    const { time, ends, read } = pair();
    ends[0].writeBlocking(message);
    time.run(1005, () => false);
    ends[1].writeBlocking(message);
    time.run(60_000, () => false);
    expect(read).toEqual([1, 1]);
    expect([ends[0].isQuiet, ends[1].isQuiet]).toEqual([true, true]);
  });

  test('a window of 0 blocks the first write for ever (9.2)', () => {
    const { time, ends } = pair();
    ends[0].writeBlocking(message);
    time.run(1050, () => false);
    ends[0].writeBlocking(message);
    time.run(2000, () => false);
    expect(ends[1].writeBlocking(message)).toBe(false);
  });

  test('it renumbers after 131 s and is then refused, where acknowledgements kept the run alive (9.3)', () => {
    const { time, ends, read } = pair();
    for (let count = 0; count < 3; count += 1) {
      ends[0].writeBlocking(message);
      ends[1].writeBlocking(message);
      time.run(time.now + 60_000, () => false);
    }
    // Only one side goes on: the other hears it, and is not heard for 131 s.
    for (let count = 0; count < 3; count += 1) {
      ends[0].writeBlocking(message);
      time.run(time.now + 60_000, () => false);
    }
    expect(read).toEqual([3, 6]);
    ends[1].writeBlocking(message);
    time.run(time.now + 60_000, () => false);
    expect(read).toEqual([3, 6]);
  });

  test('without an answer it sends again after 1, 3, 7, 15, 31 and 63 s', () => {
    const { time, ends, sent, lose } = pair();
    lose(0);
    ends[0].writeBlocking(message);
    const at: number[] = [];
    for (let seconds = 1; seconds < 127; seconds += 1) {
      const before = sent.length;
      time.run(1000 + seconds * 1000, () => false);
      if (sent.length > before) at.push(seconds);
    }
    expect(at).toEqual([1, 3, 7, 15, 31, 63]);
    time.run(200_000, () => false);
    expect(ends[0].isDown).toBe(true);
  });

  test('best effort, one way: it stops after 64 packets (7.9)', () => {
    const { time, ends } = pair(false);
    let written = 0;
    while (ends[0].writeBlocking(message)) {
      written += 1;
      time.run(time.now + 1, () => false);
    }
    expect(written).toBe(64);
  });
});

describe('with one of ours at the other end, none of that happens', () => {
  function flow(
    reliable: boolean,
    oursWrites: number,
    prototypeWrites: number,
    slow: number,
  ): { ours: OursEnd; prototype: PrototypeEnd; done: boolean } {
    const time = new VirtualTime(1000);
    const random = new Seeded(5);
    const traits = { loss: 0, duplication: 0, delay: 0.2, jitter: 0 };
    const there = new LossyLink(time, random, traits, (packet) => prototype.arrive(packet));
    const back = new LossyLink(time, random, traits, (packet) => ours.arrive(packet));
    const pauses = { writePause: slow, writePauses: slow === 0 ? 0 : 0.5 };
    const ours: OursEnd = new OursEnd(
      0,
      time,
      random,
      { ...habits, ...pauses, messages: oursWrites },
      { reliable },
      (packet) => there.send(packet),
    );
    const prototype: PrototypeEnd = new PrototypeEnd(
      1,
      time,
      random,
      { ...habits, ...pauses, messages: prototypeWrites },
      { reliable, blocking: true, lostWakeUps: 0 },
      (packet) => back.send(packet),
    );
    ours.start();
    prototype.start();
    const done = time.run(
      5_000_000,
      () => ours.read.length === prototypeWrites && prototype.read.length === oursWrites,
    );
    return { ours, prototype, done };
  }

  test.each([
    ['reliable, both ways', true, 400, 400, 0],
    ['reliable, slow writers on both sides', true, 40, 40, 2000],
    ['reliable, only ours writes', true, 400, 0, 0],
    ['reliable, only the prototype writes', true, 0, 400, 0],
    ['best effort, both ways', false, 400, 400, 0],
    ['best effort, only ours writes', false, 400, 0, 0],
    ['best effort, only the prototype writes', false, 0, 400, 0],
    ['best effort, slow', false, 40, 40, 2000],
  ] as const)('%s', (_name, reliable, oursWrites, prototypeWrites, slow) => {
    const { ours, prototype, done } = flow(reliable, oursWrites, prototypeWrites, slow);
    expect([ours.fault, prototype.fault, done]).toEqual([undefined, undefined, true]);
    expect(prototype.frct.runs).toBe(oursWrites + prototypeWrites === 0 ? 0 : 1);
  });

  test('silences of more than 131 s, after which the prototype renumbers', () => {
    const { ours, done } = flow(true, 4, 12, 400_000);
    expect([ours.fault, done]).toEqual([undefined, true]);
    expect(ours.frct.counters.runs).toBeGreaterThan(1);
  });
});
