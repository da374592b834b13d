import fc from 'fast-check';
import { expect, test } from 'vitest';
import { never } from '../../../../lib/time/clock.ts';
import { Agenda, type Task } from './agenda.ts';

test('tasks are done in order of time, then of coming, and not before', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(50), fc.boolean()), { maxLength: 300 }),
      fc.array(fc.nat(60), { maxLength: 10 }),
      (planned, visits) => {
        const agenda = new Agenda();
        const done: number[] = [];
        const tasks: Task[] = planned.map(([time], index) => agenda.at(time, () => done.push(index)));
        for (const [index, [, isCancelled]] of planned.entries()) {
          if (isCancelled) tasks[index]?.cancel();
        }
        const wanted = [...planned.keys()].filter((index) => planned[index]?.[1] === false);
        const timeOf = (index: number): number => planned[index]?.[0] ?? 0;
        wanted.sort((a, b) => timeOf(a) - timeOf(b) || a - b);
        expect(agenda.size).toBe(wanted.length);
        for (const now of [...visits.toSorted((a, b) => a - b), 60]) {
          agenda.advance(now);
          expect(done).toEqual(wanted.filter((index) => timeOf(index) <= now));
          expect(agenda.nextDeadline()).toBe(
            timeOf(wanted[done.length] ?? -1) || (done.length < wanted.length ? 0 : never),
          );
          expect(agenda.size).toBe(wanted.length - done.length);
        }
        for (const task of tasks) task.cancel();
        expect([agenda.size, agenda.nextDeadline()]).toEqual([0, never]);
      },
    ),
  );
});

test('what a task adds for a time that has come is done in the same go; a task may cancel others', () => {
  const agenda = new Agenda();
  const done: string[] = [];
  const late = agenda.at(9, () => done.push('late'));
  agenda.at(3, (now) => {
    done.push('first');
    late.cancel();
    agenda.at(now, () => done.push('at once'));
    agenda.at(now + 1, () => done.push('later'));
  });
  agenda.advance(3);
  expect(done).toEqual(['first', 'at once']);
  expect(agenda.nextDeadline()).toBe(4);
  agenda.advance(100);
  expect(done).toEqual(['first', 'at once', 'later']);
});

test('cancelled tasks do not pile up', () => {
  const agenda = new Agenda();
  for (let count = 0; count < 10_000; count += 1) agenda.at(1e9, () => {}).cancel();
  expect(agenda.size).toBe(0);
  expect(agenda.nextDeadline()).toBe(never);
});
