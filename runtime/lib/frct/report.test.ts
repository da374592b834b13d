import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesUpTo, fieldAt, u32, u8 } from '../../../tests/support/any-message.ts';
import { pciBytes } from './pci.ts';
import { bitmapOffset, Report, reportContents, reportFields } from './report.ts';
import { toSeqno } from './sequence.ts';

test('the table: 16 bytes behind the header, then the bitmap', () => {
  expect(reportFields.map(({ name, offset, width }) => [name, offset, width])).toEqual([
    ['contents', 0, 1],
    ['spare', 1, 1],
    ['delay', 2, 2],
    ['end', 4, 4],
    ['credit', 8, 4],
    ['duplicates', 12, 4],
  ]);
  expect(bitmapOffset).toBe(28);
  expect(reportContents).toEqual({ end: 1, endReached: 2 });
});

test('what is written is read, and lies where the table says', () => {
  fc.assert(
    fc.property(
      u8,
      fc.integer({ min: 0, max: 0xffff }),
      fc.array(u32, { minLength: 3, maxLength: 3 }),
      (contents, ticks, [end = 0, credit = 0, duplicates = 0]) => {
        const start = 5;
        const memory = Buffer.alloc(start + bitmapOffset + 3, 0xa5);
        const report = new Report();
        Object.assign(report, {
          contents,
          delay: ticks / 100,
          end: toSeqno(end),
          credit: toSeqno(credit),
          duplicates: toSeqno(duplicates),
        });
        report.write(memory, start);
        const at = start + pciBytes;
        expect(fieldAt(reportFields, 'contents', memory, at)).toBe(contents);
        expect(fieldAt(reportFields, 'spare', memory, at)).toBe(0);
        expect(fieldAt(reportFields, 'end', memory, at)).toBe(end);
        expect(fieldAt(reportFields, 'credit', memory, at)).toBe(credit);
        expect(fieldAt(reportFields, 'duplicates', memory, at)).toBe(duplicates);
        const again = new Report();
        expect(again.read(memory, start, memory.length)).toBe(true);
        // A delay is cut to 10 us, never lengthened: a round trip must not look shorter than it was.
        expect(again.delay).toBeLessThanOrEqual(report.delay + 1e-9);
        expect(again.delay).toBeGreaterThan(report.delay - 0.0101);
        report.delay = again.delay;
        expect(again).toEqual(report);
        expect(memory.subarray(0, at).every((byte) => byte === 0xa5)).toBe(true);
        expect(memory.subarray(at + 16).every((byte) => byte === 0xa5)).toBe(true);
      },
    ),
  );
});

test('a delay that is too long for the field is the longest', () => {
  const memory = Buffer.alloc(bitmapOffset);
  const report = new Report();
  report.delay = 1e6;
  report.write(memory, 0);
  report.read(memory, 0, memory.length);
  expect(report.delay).toBeCloseTo(655.35);
});

test('what is shorter has no report; random bytes are read or refused', () => {
  const memory = Buffer.alloc(100);
  for (let length = 0; length < bitmapOffset; length += 1) {
    expect(new Report().read(memory, 3, 3 + length)).toBe(false);
  }
  fc.assert(
    fc.property(bytesUpTo(60), (bytes) => {
      expect(new Report().read(bytes, 0, bytes.length)).toBe(bytes.length >= bitmapOffset);
    }),
  );
});
