/** Flows that share a slow link: they use it, evenly, and few packets wait for it. */
import { describe, expect, test } from 'vitest';
import { type BottleneckOptions, throughBottleneck } from './bottleneck.ts';

const slow: BottleneckOptions = { congestion: 'mb-ecn', rate: 1e6, beginSeconds: 6, seconds: 12 };

describe('mb-ecn', () => {
  test.each<readonly [string, BottleneckOptions]>([
    ['one flow', { ...slow, senders: 1 }],
    ['two flows', slow],
    ['eight flows', { ...slow, senders: 8, offered: 1 }],
    ['a flow that begins beside another that has all', { ...slow, apartMs: 3000 }],
    ['flows over a faster link', { ...slow, rate: 1e7, bytes: 1400, beginSeconds: 3, seconds: 3 }],
  ])('%s', (_who, options) => {
    const { begin, later } = throughBottleneck(options);
    expect(begin.used).toBeGreaterThan(0.7);
    expect(later.used).toBeGreaterThan(0.9);
    expect(later.leastShare).toBeGreaterThan(0.8);
    expect(later.lost).toBe(0);
    expect(later.meanQueue).toBeLessThan(64);
    expect(later.longestQueue).toBeLessThan(150);
  });

  test('of one seed is the same each time', () => {
    const short = { ...slow, beginSeconds: 1, seconds: 2 };
    expect(throughBottleneck(short)).toEqual(throughBottleneck(short));
  });
});

test('without it the queue is full, and what does not fit is lost', () => {
  const { later } = throughBottleneck({ ...slow, congestion: 'none', seconds: 4 });
  expect(later).toMatchObject({ longestQueue: 1024 });
  expect(later.meanQueue).toBeGreaterThan(1000);
  // Six times what fits is offered.
  expect(later.lost).toBeGreaterThan(10_000);
});
