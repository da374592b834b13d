import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReorderBuffer } from './reorder-buffer.ts';
import { plus, type Seqno, toSeqno } from './sequence.ts';

const slots = 256;
const memory = Buffer.alloc(4096);

/** The numbers a bitmap tells, as a peer reads it. */
function told(buffer: ReorderBuffer, lwe: Seqno, bytesMax = 1000): Seqno[] {
  const bytes = buffer.writeBitmap(lwe, memory, 3, bytesMax);
  expect(bytes).toBeLessThanOrEqual(bytesMax);
  const seqnos: Seqno[] = [];
  for (let bit = 0; bit < bytes * 8; bit += 1) {
    if ((memory[3 + (bit >> 3)]! & (1 << (bit & 7))) !== 0) seqnos.push(plus(lwe & -8, bit));
  }
  // Below the number waited for, bits mean nothing.
  return seqnos.filter((seqno) => plus(seqno, -lwe) >= 0);
}

describe('packets ahead of a missing one', () => {
  test('are held, told and given away, whatever comes in which order, across 2^32', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0, 5, 0xffff_ff80, 0x7fff_ff80),
        fc.array(
          fc.oneof(
            fc.record({ add: fc.integer({ min: 1, max: slots + 3 }) }),
            fc.record({ move: fc.integer({ min: 1, max: 9 }) }),
          ),
          { maxLength: 120 },
        ),
        (start, steps) => {
          const buffer = new ReorderBuffer(slots);
          const model = new Map<Seqno, number>();
          let lwe = toSeqno(start);
          for (const one of steps) {
            if ('add' in one) {
              const seqno = plus(lwe, one.add);
              const bytes = one.add % 7;
              const added = buffer.add(lwe, seqno, memory, 10, 10 + bytes);
              expect(added).toBe(one.add < slots && !model.has(seqno));
              if (added) model.set(seqno, bytes);
            } else {
              for (let count = 0; count < one.move; count += 1) {
                const held = model.get(lwe);
                if (held !== undefined) expect(buffer.endOf(lwe) - buffer.startOf(lwe)).toBe(held);
                expect(buffer.take(lwe)).toBe(held === undefined ? undefined : memory);
                model.delete(lwe);
                lwe = plus(lwe, 1);
              }
              if (model.has(lwe)) {
                buffer.take(lwe);
                model.delete(lwe);
                lwe = plus(lwe, 1);
              }
            }
            expect(buffer.count).toBe(model.size);
            expect(buffer.bytes).toBe([...model.values()].reduce((sum, bytes) => sum + bytes, 0));
            const all = told(buffer, lwe);
            // The last few may not fit beside the first, but nothing is told that is not held.
            expect(all.every((seqno) => model.has(seqno))).toBe(true);
            const near = [...model.keys()].filter((seqno) => plus(seqno, -lwe) < slots - 8);
            expect(near.every((seqno) => all.includes(seqno))).toBe(true);
          }
        },
      ),
    );
  });

  test('a bitmap is cut where there is no room', () => {
    const buffer = new ReorderBuffer(slots);
    for (let ahead = 1; ahead < 100; ahead += 1) buffer.add(0, ahead, memory, 0, 1);
    expect(told(buffer, 0, 2)).toEqual(Array.from({ length: 15 }, (_, index) => index + 1));
    expect(told(buffer, 0, 0)).toEqual([]);
    expect(told(new ReorderBuffer(slots), 0)).toEqual([]);
  });

  test('all go at once', () => {
    const buffer = new ReorderBuffer(slots);
    for (const ahead of [1, 5, 200]) buffer.add(7, 7 + ahead, memory, 0, 4);
    buffer.clear();
    expect([buffer.count, buffer.bytes]).toEqual([0, 0]);
    expect(told(buffer, 7)).toEqual([]);
    expect(buffer.take(8)).toBeUndefined();
    expect(buffer.add(7, 8, memory, 0, 4)).toBe(true);
  });
});
