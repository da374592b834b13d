import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { distance, expandWindow, isBefore, plus, toSeqno } from './sequence.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

test('numbers are modulo 2^32, and the one before is told by the signed difference', () => {
  expect(toSeqno(0xffff_ffff)).toBe(-1);
  expect(plus(toSeqno(0xffff_ffff), 1)).toBe(0);
  expect(plus(toSeqno(0x7fff_ffff), 1)).toBe(toSeqno(0x8000_0000));
  expect(distance(toSeqno(0xffff_fff0), 0x10)).toBe(0x20);
  expect(distance(0x10, toSeqno(0xffff_fff0))).toBe(-0x20);
  expect(isBefore(toSeqno(0xffff_ffff), 0)).toBe(true);
  expect(isBefore(0, toSeqno(0xffff_ffff))).toBe(false);
  expect(isBefore(5, 5)).toBe(false);
});

test('of two numbers less than half the range apart, one is before the other, wherever they lie', () => {
  fc.assert(
    fc.property(u32, fc.integer({ min: 1, max: 2 ** 31 - 1 }), (start, steps) => {
      const a = toSeqno(start);
      const b = plus(a, steps);
      expect(isBefore(a, b)).toBe(true);
      expect(isBefore(b, a)).toBe(false);
      expect(distance(a, b)).toBe(steps);
      expect(distance(b, a)).toBe(-steps);
      expect(plus(b, -steps)).toBe(a);
      // What V8 calls a small integer.
      expect(b).toBe(b | 0);
    }),
  );
});

describe('24 bits of a window edge', () => {
  test.each([
    ['the captured crossing of 2^24', 0x00ff_fff1 + 64, 0x00_00f1, 0x0100_00f1],
    ['no crossing', 0x1234_5678, 0x34_6000, 0x1234_6000],
    ['behind by a little stays behind', 0x1234_5678, 0x34_5600, 0x1234_5600],
    ['behind by 2^23 - 1 stays behind', 0x0180_0000, 0x00_0001, 0x0100_0001],
    ['behind by 2^23 goes on', 0x0180_0000, 0x00_0000, 0x0200_0000],
    ['across 2^32', 0xffff_fff0, 0x00_0010, 0x0000_0010],
    // Only ever forwards: of an older edge, told before the crossing, comes one far ahead, which is for the caller to refuse.
    ['an edge from before a crossing', 0x0100_0010, 0xff_fff0, 0x01ff_fff0],
  ])('%s', (_name, rwe, window, edge) => {
    expect(expandWindow(window, toSeqno(rwe))).toBe(toSeqno(edge));
  });

  test('an edge up to 2^23 ahead is found from any edge known before', () => {
    fc.assert(
      fc.property(u32, fc.integer({ min: 0, max: 2 ** 23 - 1 }), (known, ahead) => {
        const edge = plus(toSeqno(known), ahead);
        expect(expandWindow(edge & 0xff_ffff, toSeqno(known))).toBe(edge);
      }),
    );
  });
});
