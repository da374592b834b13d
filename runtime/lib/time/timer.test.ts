import { expect, onTestFinished, test } from 'vitest';
import { until } from '../../../tests/support/until.ts';
import { type Deadlines, type Millis, never } from './clock.ts';
import { DeadlineTimer, monotonicNow } from './timer.ts';

/** Wants to be called at a time, and keeps when it was. */
class Subject implements Deadlines {
  deadline: Millis;
  readonly calledAt: Millis[] = [];
  readonly #next: Millis;

  constructor(deadline: Millis, next: Millis = never) {
    this.deadline = deadline;
    this.#next = next;
  }

  nextDeadline(): Millis {
    return this.deadline;
  }

  advance(now: Millis): void {
    this.calledAt.push(now);
    this.deadline = this.#next;
  }
}

function timer(): DeadlineTimer {
  const made = new DeadlineTimer();
  onTestFinished(() => made.close());
  return made;
}

test('calls each at its deadline, never before', async () => {
  const deadlines = timer();
  const start = monotonicNow();
  const subjects = [30, 10, 20].map((ms) => new Subject(start + ms, start + ms + 25));
  for (const subject of subjects) deadlines.add(subject);
  await until('both calls of all', () => subjects.every((subject) => subject.calledAt.length >= 1));
  for (const [index, ms] of [30, 10, 20].entries()) {
    expect(subjects[index]?.calledAt[0]).toBeGreaterThanOrEqual(start + ms);
  }
});

test('a deadline that came nearer is kept, one that is deleted is not', async () => {
  const deadlines = timer();
  const near = new Subject(never);
  const gone = new Subject(monotonicNow() + 5);
  deadlines.add(near);
  deadlines.add(gone);
  deadlines.delete(gone);
  near.deadline = monotonicNow() + 15;
  deadlines.update(near);
  await until('the call', () => near.calledAt.length === 1);
  expect(gone.calledAt).toEqual([]);
});

test('one that adds or deletes others while it is called disturbs nobody', async () => {
  const deadlines = timer();
  const late = new Subject(monotonicNow() + 1);
  const first: Deadlines = {
    nextDeadline: () => monotonicNow() + 3_600_000,
    advance: () => {},
  };
  const adder = new Subject(monotonicNow() + 1);
  const advance = adder.advance.bind(adder);
  adder.advance = (now) => {
    advance(now);
    deadlines.delete(first);
    deadlines.add(late);
  };
  deadlines.add(first);
  deadlines.add(adder);
  await until('the one added later', () => late.calledAt.length === 1);
});
