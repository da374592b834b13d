import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EndpointIds } from './endpoint-ids.ts';

test('those never used come first, lowest first; then whoever has rested longest, after its rest', () => {
  const ids = new EndpointIds(64, 67);
  expect([ids.take(0), ids.take(0)]).toEqual([64, 65]);
  ids.release(65, 1100);
  ids.release(64, 1050);
  expect([ids.take(2000), ids.take(2000)]).toEqual([66, 67]);
  expect(ids.take(1049)).toBeUndefined();
  expect(ids.take(1050)).toBe(64);
  expect(ids.take(1099)).toBeUndefined();
  expect(ids.take(1100)).toBe(65);
  expect(ids.take(9999)).toBeUndefined();
});

test('a rest is shortened, never made longer', () => {
  const ids = new EndpointIds(1, 3);
  for (const eid of [ids.take(0), ids.take(0), ids.take(0)]) ids.release(eid ?? 0, 1000);
  ids.shorten(2, 500);
  ids.shorten(3, 2000);
  ids.shorten(9, 0);
  expect([1, 2, 3, 9].map((eid) => ids.rests(eid))).toEqual([true, true, true, false]);
  expect(ids.take(499)).toBeUndefined();
  expect(ids.take(500)).toBe(2);
  expect(ids.rests(2)).toBe(false);
  ids.shorten(2, 0);
  expect([ids.take(1000), ids.take(1000), ids.take(1000)]).toEqual([1, 3, undefined]);
});

test('no id is given out twice, nor within its rest, and none is lost', () => {
  const count = 8;
  const step = fc.record({
    what: fc.constantFrom('take', 'release', 'shorten'),
    passed: fc.nat(20),
    rest: fc.nat(60),
    which: fc.nat(count),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const ids = new EndpointIds(1, count);
      const used: number[] = [];
      const restsUntil = new Map<number, number>();
      let now = 0;
      for (const { what, passed, rest, which } of steps) {
        now += passed;
        const fresh = count - used.length - restsUntil.size;
        const free = [...restsUntil].filter(([, until]) => until <= now).map(([eid]) => eid);
        if (what === 'take') {
          const eid = ids.take(now);
          if (eid === undefined) {
            expect([fresh, free]).toEqual([0, []]);
            continue;
          }
          expect(used).not.toContain(eid);
          if (fresh === 0) expect(restsUntil.get(eid)).toBe(Math.min(...restsUntil.values()));
          else expect(restsUntil.has(eid)).toBe(false);
          restsUntil.delete(eid);
          used.push(eid);
        } else if (what === 'release') {
          const eid = used.shift();
          if (eid === undefined) continue;
          ids.release(eid, now + rest);
          restsUntil.set(eid, now + rest);
        } else {
          const until = restsUntil.get(which);
          ids.shorten(which, now + rest);
          if (until !== undefined) restsUntil.set(which, Math.min(until, now + rest));
        }
      }
    }),
  );
});
