import fc from 'fast-check';
import { expect, test } from 'vitest';
import { never } from '../time/clock.ts';
import { Liveness } from './liveness.ts';

test('a keepalive a quarter of the timeout after the last packet, the peer dead after all of it', () => {
  const liveness = new Liveness(4000, 10);
  expect(liveness.nextDeadline()).toBe(1010);
  expect(liveness.advance(1009)).toBeUndefined();
  expect(liveness.advance(1010)).toBe('keepalive');
  expect(liveness.nextDeadline()).toBe(2010);
  liveness.sent(1500);
  expect(liveness.nextDeadline()).toBe(2500);
  expect(liveness.advance(2010)).toBeUndefined();
  expect(liveness.advance(2500)).toBe('keepalive');
  expect(liveness.advance(3500)).toBe('keepalive');
  expect(liveness.nextDeadline()).toBe(4010);
  expect(liveness.advance(4009)).toBeUndefined();
  expect(liveness.advance(4010)).toBe('dead');
  expect(liveness.nextDeadline()).toBe(never);
  expect(liveness.advance(1e9)).toBeUndefined();
});

test('any packet postpones the end', () => {
  const liveness = new Liveness(1000, 0);
  liveness.received(999);
  expect(liveness.advance(1000)).toBe('keepalive');
  liveness.sent(1900);
  expect(liveness.advance(1998)).toBeUndefined();
  expect(liveness.advance(1999)).toBe('dead');
});

test('timeout 0 switches both off', () => {
  const liveness = new Liveness(0, 5);
  expect(liveness.nextDeadline()).toBe(never);
  expect(liveness.advance(1e12)).toBeUndefined();
});

test('called at its deadlines, it always moves on, and ends', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 4, max: 1_000_000 }),
      fc.integer({ min: 0, max: 1e6 }),
      (timeout, start) => {
        const liveness = new Liveness(timeout, start);
        const actions: string[] = [];
        for (let now = liveness.nextDeadline(); now < never; now = liveness.nextDeadline()) {
          actions.push(liveness.advance(now) ?? 'nothing');
          expect(liveness.nextDeadline()).toBeGreaterThan(now);
          expect(actions.length).toBeLessThan(10);
        }
        expect(actions).toEqual(['keepalive', 'keepalive', 'keepalive', 'dead']);
      },
    ),
  );
});
