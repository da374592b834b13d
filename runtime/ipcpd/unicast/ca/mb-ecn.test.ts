import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EcnReceiver, EcnSender } from './mb-ecn.ts';

describe('the receiver', () => {
  test('tells of constant congestion as the prototype was seen to', () => {
    const receiver = new EcnReceiver();
    const told: [packet: number, level: number][] = [];
    for (let packet = 1; packet <= 51; packet += 1) {
      const level = receiver.incoming(1);
      if (level >= 0) told.push([packet, level]);
    }
    expect(told).toEqual([
      [1, 1],
      [3, 3],
      [11, 11],
      [19, 19],
      [27, 27],
      [35, 32],
      [43, 32],
      [51, 32],
    ]);
  });

  test.each([
    [
      [0, 0, 0],
      [-1, -1, -1],
    ],
    [[5], [5]],
    // The level falls to a quarter with each packet without a mark; only its end is told.
    [
      [16, 0, 0, 0],
      [16, -1, -1, 0],
    ],
    [
      [16, 0, 0, 0, 3],
      [16, -1, -1, 0, 3],
    ],
  ])('marks %j give updates %j', (marks, updates) => {
    const receiver = new EcnReceiver();
    expect(marks.map((mark) => receiver.incoming(mark))).toEqual(updates);
  });

  test('settles at about 32 times the mark', () => {
    const receiver = new EcnReceiver();
    for (let packet = 0; packet < 1000; packet += 1) receiver.incoming(7);
    expect(receiver.level).toBeGreaterThan(32 * 7 - 32);
    expect(receiver.level).toBeLessThanOrEqual(32 * 8);
  });
});

describe('the sender', () => {
  const interval = 2 ** 24;
  const [first, burst] = [16_384, 15_000];
  /** Sends packets that are each held as long as it says, until a time or for that many; when the last may leave, ns. */
  const send = (sender: EcnSender, from: number, packets: number, bytes = 1000): number => {
    let now = from;
    for (let packet = 0; packet < packets; packet += 1) now += sender.outgoing(bytes, now);
    return now;
  };

  test('lets a slow sender go without holding anything, and its rate as it was', () => {
    const sender = new EcnSender(0);
    for (let packet = 1; packet < 200; packet += 1) {
      expect(sender.outgoing(1400, packet * 100_000_000)).toBe(0);
    }
    expect([sender.bytesMax, sender.regime]).toEqual([first, 'Slow start']);
  });

  test('lets a burst go at once, and what is beyond at the rate', () => {
    const sender = new EcnSender(0);
    expect(send(sender, 1000, burst / 1000)).toBe(1000);
    const perPacket = (1000 / first) * interval;
    expect(sender.outgoing(1000, 1000)).toBeCloseTo(perPacket, 0);
    expect(sender.outgoing(1000, 1000 + perPacket)).toBeCloseTo(perPacket, 0);
    expect([sender.packets, sender.bytes, sender.windowNs]).toEqual([17, 17_000, interval]);
  });

  test('doubles a rate that is too low in each interval, until the first sign of congestion', () => {
    const sender = new EcnSender(0);
    let now = 0;
    const rates = new Set<number>();
    while (now < 5 * interval) {
      now = send(sender, now, 1);
      rates.add(sender.bytesMax / first);
    }
    expect([...rates]).toEqual([1, 2, 4, 8, 16]);
    sender.updated(1);
    expect(sender.bytesMax).toBe(8 * first);
    sender.updated(1);
    sender.updated(0);
    expect(sender.bytesMax).toBe(8 * first);
  });

  test.each([
    ['in proportion', 64, 1 - 64 / 2048, 1 - 63 / 2048],
    ['by an eighth at most', 2000, 7 / 8, 7 / 8],
  ])('takes less for a level that does not fall: %s', (_how, level, factor, next) => {
    const sender = new EcnSender(0);
    send(sender, 0, 10);
    sender.updated(level);
    sender.outgoing(1000, interval);
    expect([sender.bytesMax, sender.regime]).toEqual([
      Math.floor((first / 2) * factor),
      'Multiplicative dec',
    ]);
    send(sender, interval, 10);
    // What waits becomes less.
    sender.updated(level - 1);
    sender.outgoing(1000, 3 * interval);
    expect(sender.bytesMax).toBe(Math.floor((first / 2) * factor));
    send(sender, 3 * interval, 10);
    sender.outgoing(1000, 5 * interval);
    expect(sender.bytesMax).toBe(Math.floor((first / 2) * factor * next));
  });

  test('grows by steps when congestion is over, if it has something to send', () => {
    const sender = new EcnSender(0);
    send(sender, 0, 10);
    sender.updated(1);
    sender.updated(0);
    const grown: number[] = [];
    let now = interval;
    for (let step = 0; step < 3; step += 1) {
      const before = sender.bytesMax;
      now = send(sender, now, 60);
      grown.push(sender.bytesMax / before);
    }
    expect(sender.regime).toBe('Additive inc');
    expect(Math.min(...grown)).toBeGreaterThan(1);
    const { bytesMax } = sender;
    for (let packet = 0; packet < 100; packet += 1) sender.outgoing(10, (now += interval));
    expect(sender.bytesMax).toBeLessThanOrEqual(Math.ceil(bytesMax * (17 / 16)));
  });

  test('believes a level for 32 packets', () => {
    const sender = new EcnSender(0);
    sender.updated(500);
    send(sender, 0, 32);
    expect([sender.level, sender.sinceUpdate]).toEqual([500, 32]);
    send(sender, interval, 1);
    expect(sender.level).toBe(0);
  });

  test('keeps a least rate, whatever it is told', () => {
    const sender = new EcnSender(0);
    let now = 0;
    for (let round = 0; round < 300; round += 1) {
      sender.updated(65_535);
      now = send(sender, now, 10) + interval;
    }
    expect(sender.bytesMax).toBe(128);
  });

  test('never holds anything longer than a second, or less than nothing', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.nat(2000), fc.oneof(fc.nat(1000), fc.nat(2_000_000_000)), fc.option(fc.nat(65_535))),
          { maxLength: 300 },
        ),
        (steps) => {
          const sender = new EcnSender(0);
          let now = 0;
          for (const [bytes, passed, told] of steps) {
            now += passed;
            if (told !== null) sender.updated(told);
            const hold = sender.outgoing(bytes, now);
            expect(hold).toBeGreaterThanOrEqual(0);
            expect(hold).toBeLessThanOrEqual(1_000_000_000);
            expect(sender.bytesMax).toBeGreaterThan(0);
          }
        },
      ),
    );
  });
});
