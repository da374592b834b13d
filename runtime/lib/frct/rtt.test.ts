import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { never } from '../time/clock.ts';
import { frctLimits } from './limits.ts';
import { RoundTrip } from './rtt.ts';

const times = { rtoInitialMs: 1000, rtoMinMs: 0.25, rtoMaxMs: 68_719.476736 };
const after = (...samples: readonly number[]): RoundTrip => {
  const rtt = new RoundTrip(times);
  for (const sample of samples) rtt.sample(sample);
  return rtt;
};

describe('end-to-end.md 7.7', () => {
  test('before a sample: srtt 0, mdev 10 ms, RTO 1 s, doubled for each timeout up to 68.7 s', () => {
    const rtt = after();
    expect([rtt.smoothed, rtt.deviation, rtt.measured]).toEqual([0, 10, false]);
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((doublings) => rtt.timeout(0, never, doublings))).toEqual([
      1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 68_719.476736,
    ]);
  });

  test('the first sample: srtt = m, mdev = m / 2, RTO = srtt + 4 mdev', () => {
    const rtt = after(80);
    expect([rtt.smoothed, rtt.deviation, rtt.timeout(0, never, 0)]).toEqual([80, 40, 240]);
  });

  test('later ones: an eighth of the difference, a quarter of the growth of mdev, a 32nd of its shrinking', () => {
    const grown = after(80, 400);
    // d = 320: srtt + 40; |d| - mdev = 280, a quarter is 70.
    expect([grown.smoothed, grown.deviation]).toEqual([120, 110]);
    const shrunk = after(80, 80);
    // d = 0: |d| - mdev = -40, a quarter is -10, an eighth of that -1.25.
    expect([shrunk.smoothed, shrunk.deviation]).toEqual([80, 38.75]);
  });

  test('least values: srtt 1 us, mdev 100 ns, RTO 250 us', () => {
    const rtt = after(0);
    expect(rtt.smoothed).toBe(0.001);
    expect(rtt.deviation).toBe(0.0001);
    expect(rtt.timeout(0, never, 0)).toBe(0.25);
  });
});

test('a margin for the acknowledgement that is held back, and a most before doubling', () => {
  const rtt = after(...Array.from({ length: 500 }, () => 1));
  expect(rtt.timeout(0, never, 0)).toBeCloseTo(1, 1);
  expect(rtt.timeout(20, never, 0)).toBeCloseTo(21);
  expect(rtt.timeout(20, 15, 0)).toBe(15);
  expect(rtt.timeout(20, 15, 2)).toBe(60);
});

test('the limits in force wait longer than a prototype holds an acknowledgement back, and not for long', () => {
  const rtt = new RoundTrip(frctLimits);
  for (let count = 0; count < 100; count += 1) rtt.sample(0.3);
  expect(rtt.timeout(frctLimits.ackAllowanceMs, never, 0)).toBeGreaterThan(16);
  expect(rtt.timeout(frctLimits.ackAllowanceMs, never, 20)).toBe(frctLimits.rtoMaxMs);
});

test('whatever is sampled, srtt lies within the samples and RTO is no shorter', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1e5, noNaN: true }), { minLength: 1, maxLength: 50 }),
      (samples) => {
        const rtt = after(...samples);
        expect(rtt.smoothed).toBeGreaterThanOrEqual(Math.min(...samples) - 1e-6);
        expect(rtt.smoothed).toBeLessThanOrEqual(Math.max(0.001, ...samples) + 1e-6);
        expect(rtt.deviation).toBeGreaterThan(0);
        expect(rtt.timeout(0, never, 0)).toBeGreaterThanOrEqual(
          Math.min(times.rtoMaxMs, Math.max(0.25, rtt.smoothed)),
        );
      },
    ),
  );
});
