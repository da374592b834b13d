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
  const slot = 2 ** 24;

  test('lets a slow sender go without holding anything', () => {
    const sender = new EcnSender(0);
    for (let packet = 1; packet < 200; packet += 1) {
      expect(sender.outgoing(1400, packet * 100_000_000)).toBe(0);
    }
  });

  test('holds what is beyond the bytes of a slot until the next begins, and doubles them in slow start', () => {
    const sender = new EcnSender(0);
    for (let packet = 1; packet <= 46; packet += 1) expect(sender.outgoing(1400, 1000)).toBe(0);
    expect(sender.outgoing(1400, 1000)).toBe(slot - 1000);
    expect([sender.packets, sender.bytes, sender.bytesMax]).toEqual([47, 47 * 1400, 65_536]);
    expect(sender.outgoing(1400, slot)).toBe(0);
    expect([sender.bytesMax, sender.regime]).toEqual([131_072, 'Slow start']);
  });

  test('shrinks its window by what the receiver told, and grows by steps when that is over', () => {
    const sender = new EcnSender(0);
    for (let packet = 0; packet < 20; packet += 1) sender.outgoing(1000, 1000);
    sender.updated(1024);
    for (let packet = 0; packet < 20; packet += 1) sender.outgoing(1000, slot + packet);
    expect([sender.bytesMax, sender.regime]).toEqual([65_536 - 65_536 / 8, 'Multiplicative dec']);
    // A level counts for 32 packets.
    for (let packet = 0; packet < 32; packet += 1) sender.outgoing(1000, slot + 100);
    sender.outgoing(1000, 2 * slot);
    expect(sender.regime).toBe('Additive inc');
    expect(sender.level).toBe(0);
  });

  test('takes shorter slots for many packets, with the same rate', () => {
    const sender = new EcnSender(0);
    for (let packet = 0; packet < 130; packet += 1) sender.outgoing(64, 1000);
    sender.outgoing(64, slot);
    expect([sender.windowNs, sender.bytesMax]).toEqual([slot / 4, 65_536 / 4]);
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
            expect(sender.windowNs).toBeGreaterThanOrEqual(2 ** 16);
            expect(sender.windowNs).toBeLessThanOrEqual(2 ** 30);
          }
        },
      ),
    );
  });
});
