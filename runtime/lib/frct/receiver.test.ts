/** Every state of the receiving half, and every kind of packet in it. */
import { describe, expect, test } from 'vitest';
import { type FrctCounters, newFrctCounters } from './counters.ts';
import { frctLimits } from './limits.ts';
import { Receiver } from './receiver.ts';

const start = 1000;
const windowOf = { prototype: frctLimits.window, ours: frctLimits.ours.window };

class Subject {
  readonly counters: FrctCounters = newFrctCounters();
  readonly log: string[] = [];
  readonly receiver: Receiver;

  constructor(reliable: boolean, isOurs: boolean) {
    this.receiver = new Receiver(
      reliable,
      100,
      {
        deliver: (memory, from, to) => {
          this.log.push(memory.toString('latin1', from, to));
          this.receiver.taken(to - from);
        },
        ended: () => this.log.push('end'),
      },
      frctLimits,
      this.counters,
    );
    if (isOurs) this.receiver.extend();
  }

  data(seqno: number): void {
    const memory = Buffer.from(String(seqno));
    this.receiver.data(seqno, memory, 0, memory.length, 0);
  }

  /** What changes: messages, the end, counters, and whether an answer is due. */
  during(event: (subject: Subject) => void): string {
    this.receiver.told(true, 0);
    this.log.length = 0;
    const before = { ...this.counters };
    event(this);
    const counted = (Object.keys(before) as (keyof FrctCounters)[]).filter(
      (name) => name !== 'messagesDelivered' && this.counters[name] !== before[name],
    );
    const due = this.receiver.tellNow || this.receiver.windowAsked ? ['answer'] : [];
    return [...this.log, ...counted, ...due].join(' ') || '-';
  }
}

/** How each state is reached. */
const states: Record<string, (subject: Subject) => void> = {
  'no run': () => {},
  running: ({ receiver }) => receiver.runFlag(start, true, 0),
  'a packet missing': (subject) => {
    subject.receiver.runFlag(start, true, 0);
    subject.data(start + 2);
  },
  'end told': ({ receiver }) => {
    receiver.runFlag(start, true, 0);
    receiver.setEnd(start + 3);
  },
  'end reached': (subject) => {
    subject.receiver.runFlag(start, true, 0);
    subject.receiver.setEnd(start + 1);
    subject.data(start);
  },
};

const events: Record<string, (subject: Subject) => void> = {
  'the next': (subject) => subject.data(start),
  'one ahead': (subject) => subject.data(start + 1),
  'two ahead': (subject) => subject.data(start + 2),
  'an old one': (subject) => subject.data(start - 1),
  'outside the window': (subject) => subject.data(start + 40_000),
  'DRF of the same run': ({ receiver }) => receiver.runFlag(start, true, 0),
  'DRF of another run': ({ receiver }) => receiver.runFlag(start + 5_000_000, true, 0),
  'where the run began': ({ receiver }) => receiver.runBegan(start, start + 5, 0),
  RDVS: ({ receiver }) => receiver.asked(),
  'an end': ({ receiver }) => void receiver.setEnd(start + 3),
  'an end before what came': ({ receiver }) => void receiver.setEnd(start - 1),
};

// The columns are the states, in their order.
const reliableOurs: Record<keyof typeof events, readonly string[]> = {
  'the next': ['droppedNoRun', '1000', '1000 answer', '1000', 'droppedDuplicate answer'],
  'one ahead': ['droppedNoRun', 'answer', 'answer', 'answer', 'droppedAfterEnd answer'],
  'two ahead': ['droppedNoRun', 'answer', 'droppedDuplicate answer', 'answer', 'droppedAfterEnd answer'],
  'an old one': [
    'droppedNoRun',
    'droppedDuplicate answer',
    'droppedDuplicate answer',
    'droppedDuplicate answer',
    'droppedDuplicate answer',
  ],
  'outside the window': [
    'droppedNoRun',
    'droppedOutsideWindow answer',
    'droppedOutsideWindow answer',
    'droppedAfterEnd answer',
    'droppedAfterEnd answer',
  ],
  'DRF of the same run': ['runs', '-', '-', '-', '-'],
  'DRF of another run': ['runs', '-', '-', '-', '-'],
  'where the run began': ['runs', '-', '-', '-', '-'],
  RDVS: ['-', 'answer', 'answer', 'answer', 'answer'],
  'an end': ['-', 'answer', 'answer', 'answer', '-'],
  'an end before what came': ['-', '-', '-', '-', '-'],
};

const bestEffortOurs: Record<keyof typeof events, readonly string[]> = {
  'the next': ['droppedNoRun', '1000', 'droppedLate', 'droppedLate', 'droppedLate'],
  'one ahead': ['droppedNoRun', '1001 skipped', 'droppedLate', 'droppedLate', 'droppedAfterEnd answer'],
  'two ahead': ['droppedNoRun', '1002 skipped', 'droppedLate', 'droppedLate', 'droppedAfterEnd answer'],
  'an old one': ['droppedNoRun', 'droppedLate', 'droppedLate', 'droppedLate', 'droppedLate'],
  'outside the window': [
    'droppedNoRun',
    '41000 skipped answer',
    '41000 skipped answer',
    'droppedAfterEnd answer',
    'droppedAfterEnd answer',
  ],
  'DRF of the same run': ['runs', '-', '-', '-', '-'],
  'DRF of another run': ['runs', '-', '-', '-', '-'],
  'where the run began': ['runs', '-', '-', '-', '-'],
  RDVS: ['-', 'answer', 'answer', 'answer', 'answer'],
  'an end': ['-', 'end skipped answer', 'end answer', 'answer', '-'],
  'an end before what came': ['-', '-', '-', '-', '-'],
};

describe.each([
  ['reliable', true, reliableOurs],
  ['best effort', false, bestEffortOurs],
] as const)('%s', (_name, reliable, table) => {
  for (const [name, event] of Object.entries(events)) {
    for (const [index, [state, reach]] of Object.entries(states).entries()) {
      test(`${state}: ${name}`, () => {
        const subject = new Subject(reliable, true);
        reach(subject);
        expect(subject.during(event)).toBe(table[name]![index]);
      });
    }
  }
});

test.each(['prototype', 'ours'] as const)('the window towards one of %s', (peer) => {
  const subject = new Subject(true, peer === 'ours');
  subject.receiver.runFlag(start, true, 0);
  expect(subject.receiver.rwe).toBe(start + windowOf[peer]);
  subject.data(start + windowOf[peer] - 1);
  expect(subject.counters.droppedOutsideWindow).toBe(0);
  subject.data(start + windowOf[peer]);
  expect(subject.counters.droppedOutsideWindow).toBe(1);
});
