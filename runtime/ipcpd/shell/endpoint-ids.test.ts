import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EndpointIds } from './endpoint-ids.ts';

test('lowest first, and one that was used rests', () => {
  const ids = new EndpointIds(64, 67, 1000);
  expect([ids.take(0), ids.take(0)]).toEqual([64, 65]);
  ids.release(64, 100);
  expect(ids.take(100)).toBe(66);
  expect(ids.take(1099)).toBe(67);
  expect(ids.take(1099)).toBeUndefined();
  expect(ids.take(1100)).toBe(64);
});

test('no id is given out twice, nor within its rest', () => {
  const rest = 50;
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(20)), { maxLength: 200 }), (steps) => {
      const ids = new EndpointIds(1, 8, rest);
      const used: number[] = [];
      const freedAt = new Map<number, number>();
      let now = 0;
      for (const [take, passed] of steps) {
        now += passed;
        if (take) {
          const eid = ids.take(now);
          const free = [1, 2, 3, 4, 5, 6, 7, 8].filter(
            (one) => !used.includes(one) && now - (freedAt.get(one) ?? -rest) >= rest,
          );
          if (eid === undefined) expect(free).toEqual([]);
          else {
            expect(free).toContain(eid);
            used.push(eid);
          }
        } else {
          const eid = used.shift();
          if (eid === undefined) continue;
          ids.release(eid, now);
          freedAt.set(eid, now);
        }
      }
    }),
  );
});
