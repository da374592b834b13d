import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytes } from '../../../../../tests/support/any-message.ts';
import { compareDistance } from './distance.ts';
import { Lookup, type LookupOptions } from './lookup.ts';
import type { Peer } from './message.ts';

const key = Buffer.alloc(28);
const peer = (address: number): Peer => {
  const id = Buffer.alloc(28);
  id.writeUInt32BE(address);
  return { id, address };
};
const lookup = (options: Partial<LookupOptions> = {}): Lookup =>
  new Lookup({ key, width: 3, parallel: 2, askedMax: 50, candidatesMax: 20, ...options });
const asked = (one: Lookup): number[] => {
  const found: number[] = [];
  for (let next = one.next(); next !== undefined; next = one.next()) found.push(next);
  return found;
};

test('the nearest are asked first, a few at a time, until as many as were wanted have answered', () => {
  const one = lookup();
  for (const address of [50, 40, 30, 20]) one.add(peer(address));
  expect(asked(one)).toEqual([20, 30]);
  one.answered(peer(30));
  one.add(peer(10));
  expect(asked(one)).toEqual([10]);
  one.answered(peer(20));
  one.answered(peer(10));
  expect(asked(one)).toEqual([]);
  expect(one.isComplete).toBe(true);
  expect(one.closest()).toEqual([10, 20, 30].map(peer));
});

test('others are asked in place of those who are late or do not answer', () => {
  const one = lookup();
  for (const address of [10, 20, 30, 40, 50]) one.add(peer(address));
  expect(asked(one)).toEqual([10, 20]);
  one.late(10);
  expect(asked(one)).toEqual([30]);
  one.failed(20);
  expect(asked(one)).toEqual([40]);
  one.answered(peer(30));
  expect(asked(one)).toEqual([50]);
  one.answered(peer(40));
  expect(one.isComplete).toBe(false);
  one.answered(peer(50));
  // Enough have answered: the late one is not waited for, though nearer.
  expect(one.isComplete).toBe(true);
  one.answered(peer(10));
  expect(one.closest()).toEqual([10, 30, 40].map(peer));
});

test('with fewer than were wanted, late ones are waited for', () => {
  const one = lookup();
  one.add(peer(10));
  one.add(peer(20));
  asked(one);
  one.answered(peer(10));
  one.late(20);
  expect(one.isComplete).toBe(false);
  one.failed(20);
  expect(one.isComplete).toBe(true);
});

test('those asked whatever their distance come last and all at once', () => {
  const one = lookup();
  one.add(peer(10));
  for (const address of [91, 92, 93, 10, 0]) one.addOther(address);
  expect(asked(one)).toEqual([10]);
  one.answered(peer(10));
  expect(asked(one)).toEqual([91, 92, 93]);
  one.failed(91);
  one.answered(peer(92));
  expect(one.isComplete).toBe(false);
  // Of whom an id becomes known that is near, the distance counts.
  one.answered({ ...peer(5), address: 93 });
  expect(one.isComplete).toBe(true);
  expect(one.closest().map(({ address }) => address)).toEqual([93, 10, 92]);
});

test('who answers with another id than was expected is the one that answered', () => {
  const one = lookup();
  one.add(peer(10));
  asked(one);
  one.answered({ id: peer(77).id, address: 10 });
  expect(one.closest()).toEqual([{ id: peer(77).id, address: 10 }]);
  expect(one.isComplete).toBe(true);
});

test('in any network of honest members the nearest are found; nobody is asked twice', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(bytes(28), { minLength: 1, maxLength: 60, selector: (id) => id.toString('hex') }),
      bytes(28),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.nat(3), { maxLength: 200 }),
      (ids, target, width, parallel, chances) => {
        const members = ids.map((id, index) => ({ id, address: index + 1 }));
        const sorted = members.toSorted((a, b) => compareDistance(a.id, b.id, target));
        const one = lookup({ key: target, width, parallel, candidatesMax: 128 });
        one.add(members[0] as Peer);
        const open: number[] = [];
        const all = new Set<number>();
        for (let step = 0; !one.isComplete; step += 1) {
          for (const address of asked(one)) {
            expect(all.has(address)).toBe(false);
            all.add(address);
            open.push(address);
          }
          const [at] = open.splice((chances[step] ?? 0) % Math.max(open.length, 1), 1);
          const member = members[(at ?? 0) - 1];
          if (member === undefined) break;
          one.answered(member);
          for (const near of sorted.slice(0, 8)) one.add(near);
        }
        expect(one.closest()).toEqual(sorted.slice(0, width));
        expect(all.size).toBeLessThanOrEqual(width + 4 + 1);
      },
    ),
  );
});

test('however many are named, candidates and requests are bounded', () => {
  const one = lookup({ askedMax: 5, candidatesMax: 4, width: 100, parallel: 100 });
  for (let address = 100; address > 0; address -= 1) one.add(peer(address));
  expect(asked(one)).toEqual([1, 2, 3, 4]);
  for (const address of [1, 2, 3, 4]) one.answered(peer(address));
  for (const address of [200, 201, 202]) one.addOther(address);
  expect(asked(one)).toEqual([200]);
  one.failed(200);
  expect(one.isComplete).toBe(true);
});
