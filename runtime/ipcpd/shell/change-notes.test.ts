import { expect, test } from 'vitest';
import { never } from '../../lib/time/clock.ts';
import { type Changed, ChangeNotes } from './change-notes.ts';

function bench(): { readonly notes: ChangeNotes; readonly told: Changed[]; until: (now: number) => void } {
  const told: Changed[] = [];
  const notes = new ChangeNotes((changed) => told.push(changed));
  const until = (now: number): void => {
    while (notes.nextDeadline() <= now) notes.advance(notes.nextDeadline());
  };
  return { notes, told, until };
}

test('what belongs together is told together, soon', () => {
  const { notes, told, until } = bench();
  notes.ipcpChanged(7, 1000);
  notes.flowChanged(3, false, 1002);
  notes.flowChanged(4, false, 1003);
  notes.flowChanged(3, true, 1004);
  notes.ipcpChanged(7, 1005);
  until(1009);
  expect(told).toEqual([]);
  until(1010);
  const flows = [
    { flowId: 3, up: true },
    { flowId: 4, up: false },
  ];
  expect(told).toEqual([{ ipcps: [7], flows }]);
  expect(notes.nextDeadline()).toBe(never);
});

test('however much changes, it is told ten times a second at most, and the last of it too', () => {
  const { notes, told, until } = bench();
  for (let now = 1000; now < 2000; now += 1) {
    until(now);
    notes.flowChanged(1, now % 2 === 1, now);
  }
  until(3000);
  expect(told.length).toBeLessThanOrEqual(11);
  expect(told.at(-1)).toEqual({ ipcps: [], flows: [{ flowId: 1, up: true }] });
});
