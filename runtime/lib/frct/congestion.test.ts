import { describe, expect, test } from 'vitest';
import { runTransfer } from '../../../tests/sim/frct/transfer.ts';
import { CongestionWindow } from './congestion.ts';

const limits = { windowMin: 4, windowInitial: 64, windowMax: 16_384 };

const pieces = 16;

/** A path of so many packets a ms and a round trip; what is sent beyond what it holds waits in a queue. */
class Path {
  readonly congestion = new CongestionWindow(0, limits, 0);
  rate: number;
  roundTrip: number;
  now = 0;
  #next = 0;

  constructor(rate: number, roundTrip: number) {
    this.rate = rate;
    this.roundTrip = roundTrip;
  }

  /** One round trip with the window full; of its packets a share is lost. */
  round(loss = 0, limited = true): void {
    const { congestion } = this;
    const packets = congestion.window;
    const time = Math.max(this.roundTrip, packets / this.rate);
    const lost = Math.round(packets * loss);
    let arrived = 0;
    for (let piece = 1; piece <= pieces; piece += 1) {
      const so = Math.floor((packets * piece) / pieces);
      const late = Math.max(this.roundTrip, so / this.rate);
      const isLast = piece === pieces;
      if (limited) congestion.heldBack();
      if (isLast) for (let count = 0; count < lost; count += 1) congestion.lost();
      const some = so - arrived - (isLast ? lost : 0);
      const newest = this.#next + so - 1;
      if (some > 0) {
        congestion.arrived(some, packets, newest, this.#next + packets, late, this.now + late);
      }
      arrived = so;
    }
    this.#next += packets;
    this.now += time;
  }
}

describe('the window', () => {
  test('doubles each round trip until the rate no longer grows, then is a little more than what is under way', () => {
    const path = new Path(10, 50);
    const windows = [path.congestion.window];
    while (path.congestion.phase === 'startup') {
      path.round();
      windows.push(path.congestion.window);
    }
    expect(windows.slice(0, 4)).toEqual([64, 128, 256, 512]);
    expect(Math.max(...windows)).toBeLessThan(5 * 500);
    for (let count = 0; count < 20; count += 1) path.round();
    expect(path.congestion.rate).toBeCloseTo(10, 0);
    expect(path.congestion.window).toBeGreaterThanOrEqual(500);
    expect(path.congestion.window).toBeLessThanOrEqual(750);
  });

  test('grows with a path that becomes wider', () => {
    const path = new Path(2, 20);
    for (let count = 0; count < 30; count += 1) path.round();
    expect(path.congestion.window).toBeLessThan(100);
    path.rate = 20;
    for (let count = 0; count < 60; count += 1) path.round();
    expect(path.congestion.window).toBeGreaterThan(350);
  });

  test('is kept where packets are lost at random, as far as three in ten', () => {
    for (const loss of [0.01, 0.1, 0.3]) {
      const path = new Path(10, 50);
      for (let count = 0; count < 100; count += 1) path.round(loss);
      expect(path.congestion.window, `loss ${loss}`).toBeGreaterThan(300);
    }
  });

  test('does not grow while nothing is held back', () => {
    const path = new Path(10, 50);
    for (let count = 0; count < 50; count += 1) path.round(0, false);
    expect(path.congestion.window).toBe(64);
  });

  test('after a timeout begins with one packet, and is back in a few round trips', () => {
    const path = new Path(10, 50);
    for (let count = 0; count < 30; count += 1) path.round();
    const before = path.congestion.window;
    path.congestion.timedOut(3);
    expect(path.congestion.window).toBe(4);
    expect(path.congestion.admits(3)).toBe(true);
    for (let count = 0; count < 10; count += 1) path.round();
    expect(path.congestion.window).toBeGreaterThan(before / 2);
  });

  test('is narrowed every ten seconds, to see whether the path has become longer', () => {
    const path = new Path(10, 50);
    for (let count = 0; count < 30; count += 1) path.round();
    path.roundTrip = 100;
    const phases = new Set<string>();
    const until = path.now + 25_000;
    while (path.now < until) {
      path.round();
      phases.add(path.congestion.phase);
    }
    expect(phases).toEqual(new Set(['steady', 'drain']));
    expect(path.congestion.window).toBeGreaterThan(900);
    expect(path.congestion.window).toBeLessThan(1700);
  });
});

describe('what is sent for what arrived', () => {
  test('much that is found lost at once is not sent again at once', () => {
    const path = new Path(10, 50);
    for (let count = 0; count < 30; count += 1) path.round();
    const { congestion } = path;
    let sent = 0;
    const send = (): void => {
      for (; congestion.admits(limits.windowMin); sent += 1) congestion.sent();
    };
    send();
    sent = 0;
    congestion.arrived(4, 100, 1e6, 1e6 + 1, 50, path.now + 1);
    send();
    // Of a nearly empty path it may fill twice what arrived, and no more.
    expect(sent).toBeLessThanOrEqual(8);
  });

  test('after a rest, the first packets leave together', () => {
    const congestion = new CongestionWindow(0, limits, 0);
    for (let count = 0; count < 64; count += 1) congestion.sent();
    expect(congestion.admits(10)).toBe(false);
    congestion.rested(64, 5000);
    expect(congestion.admits(10)).toBe(true);
  });
});

describe('over a simulated path', () => {
  const back = { loss: 0, duplication: 0, jitter: 0 };
  // Mbit/s, ms of round trip, packets of queue, loss; least share of the rate and most overflow of the queue.
  test.each([
    [1000, 50, 4500, 0, 0.5, 0.12],
    [1000, 50, 1100, 0, 0.35, 0.2],
    [1000, 50, 4500, 0.01, 0.35, 0.02],
    [1000, 50, 4500, 0.3, 0.08, 0.02],
    [100, 1, 100, 0, 0.95, 0.02],
    [10, 50, 50, 0, 0.9, 0.02],
    [1, 2, 20, 0, 0.95, 0.06],
  ])('%s Mbit/s, %s ms, a queue of %s packets, loss %s', (rate, roundTrip, queue, loss, share, overflow) => {
    const delay = roundTrip / 2;
    // The start, a doubling each round trip, is much of it.
    const messages = rate === 1000 ? 30_000 : Math.max(1000, rate * 100);
    const there = { ...back, loss, delay, rate: rate * 1e6, queue };
    const outcome = runTransfer(1, messages, there, { ...back, delay });
    expect(outcome.fault).toBeUndefined();
    expect(outcome.share).toBeGreaterThan(share);
    expect(outcome.overflowed).toBeLessThan(overflow);
    // Hardly more than what was lost is sent again.
    expect(outcome.sentOver).toBeLessThan((1 / (1 - loss)) * (1 + overflow) * 1.03);
  });

  test('four flows side by side share a path of 100 Mbit/s', () => {
    const there = { ...back, delay: 10, rate: 1e8, queue: 200 };
    const outcome = runTransfer(2, 4000, there, { ...back, delay: 10 }, 4);
    expect(outcome.fault).toBeUndefined();
    expect(outcome.share).toBeGreaterThan(0.9);
    expect(outcome.overflowed).toBeLessThan(0.15);
    expect(outcome.slowest).toBeLessThan(2);
  });
});
