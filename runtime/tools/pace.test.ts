import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Pace } from './pace.ts';

test('packet n is due n gaps after the first', () => {
  const pace = new Pace(100, 8);
  expect([99, 100, 107.9, 108, 124].map((now) => pace.dueBy(now))).toEqual([0, 1, 1, 2, 4]);
  expect(pace.dueAt(3)).toBe(124);
  pace.postpone(50);
  expect([149, 150, 158].map((now) => pace.dueBy(now))).toEqual([0, 1, 2]);
});

test('whoever sends what is due at any times sends what the rate says', () => {
  const sleeps = fc.array(fc.double({ min: 0.01, max: 40, noNaN: true }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(sleeps, fc.double({ min: 0.001, max: 20, noNaN: true }), (waits, gap) => {
      const pace = new Pace(0, gap);
      let now = 0;
      let sent = 0;
      for (const wait of waits) {
        now += wait;
        const due = pace.dueBy(now);
        expect(due).toBeGreaterThanOrEqual(sent);
        sent = due;
      }
      expect(Math.abs(sent - now / gap)).toBeLessThanOrEqual(1.000001);
      expect(pace.dueAt(sent)).toBeGreaterThan(now - 1e-6);
    }),
  );
});
