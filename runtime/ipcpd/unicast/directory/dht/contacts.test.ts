import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytes } from '../../../../../tests/support/any-message.ts';
import { type Contact, Contacts } from './contacts.ts';
import { compareDistance, sharedBits } from './distance.ts';

const own = Buffer.alloc(28);
const everywhere = (_address: number): boolean => true;
const anyIds = fc.uniqueArray(bytes(28), {
  maxLength: 120,
  selector: (id) => id.toString('hex'),
});
const filled = (ids: readonly Buffer[], max: number, isReachable = everywhere): Contacts => {
  const contacts = new Contacts(own, max, isReachable);
  for (const [index, id] of ids.entries()) contacts.heard({ id, address: index + 1 }, 3, index);
  return contacts;
};

test('the nearest to a key are found, in order, and only reachable ones', () => {
  fc.assert(
    fc.property(anyIds, bytes(28), fc.nat(12), (ids, key, count) => {
      const isReachable = (address: number): boolean => address % 3 !== 0;
      const contacts = filled(ids, 1000, isReachable);
      const wanted = ids
        .filter((_id, index) => isReachable(index + 1))
        .toSorted((a, b) => compareDistance(a, b, key));
      expect(contacts.closest(key, count).map(({ id }) => id)).toEqual(wanted.slice(0, count));
      for (const [index, id] of wanted.slice(0, 10).entries()) {
        expect(contacts.countNearer(key, id, 1000)).toBe(index);
      }
    }),
  );
});

test('however many come, the table is bounded and knows those nearest to the own id', () => {
  fc.assert(
    fc.property(anyIds, fc.integer({ min: 1, max: 40 }), (ids, max) => {
      const contacts = filled(ids, max);
      expect(contacts.size).toBe(Math.min(ids.length, max));
      const sizes = contacts.bucketSizes();
      const all = ids.map((id) => sharedBits(id, own));
      // A bucket that is smaller than the fullest by two or more has everybody there is.
      const fullest = Math.max(0, ...sizes);
      for (const [bucket, size] of sizes.entries()) {
        if (size < fullest - 1)
          expect(size, `bucket ${bucket}`).toBe(all.filter((one) => one === bucket).length);
      }
    }),
  );
});

test('a member with another id or another address is another member', () => {
  const contacts = new Contacts(own, 10, everywhere);
  const peer = { id: Buffer.alloc(28, 1), address: 5 };
  const { contact, isNew } = contacts.heard(peer, 3, 0);
  expect(isNew).toBe(true);
  (contact as Contact).failures = 1;
  expect(contacts.heard(peer, 0, 7)).toEqual({ contact, isNew: false });
  expect(contact).toMatchObject({ extensions: 0, heardAt: 7, failures: 0 });
  expect(contacts.heard({ ...peer, id: Buffer.alloc(28, 2) }, 0, 8).isNew).toBe(true);
  expect(contacts.size).toBe(1);
  expect(contacts.heard({ id: Buffer.alloc(28, 2), address: 6 }, 0, 9).isNew).toBe(true);
  expect(contacts.size).toBe(1);
  expect(contacts.get(5)).toBeUndefined();
  expect(contacts.get(6)).toMatchObject({ address: 6 });
});

test('in a full table who has no route goes first, and takes nobody else’s place', () => {
  const gone = new Set<number>();
  const contacts = new Contacts(own, 4, (address) => !gone.has(address));
  const peer = (address: number): { id: Buffer; address: number } => ({
    id: Buffer.alloc(28, 0x80 + address),
    address,
  });
  for (const address of [1, 2, 3, 4]) contacts.heard(peer(address), 3, address);
  gone.add(9);
  expect(contacts.heard(peer(9), 3, 9).contact).toBeUndefined();
  expect(contacts.heard(peer(5), 3, 9).contact).toBeUndefined();
  gone.add(2);
  expect(contacts.heard(peer(5), 3, 10).isNew).toBe(true);
  expect([...contacts.values()].map(({ address }) => address)).toEqual([1, 3, 4, 5]);
  gone.add(1);
  contacts.dropAbsent(0);
  expect(contacts.size).toBe(4);
  contacts.dropAbsent(1);
  expect(contacts.size).toBe(3);
});

test('an id does not keep the message alive that it came in', () => {
  const message = Buffer.alloc(1000, 7);
  const contacts = new Contacts(own, 4, everywhere);
  const { contact } = contacts.heard({ id: message.subarray(10, 38), address: 1 }, 3, 0);
  message.fill(0);
  expect(contact?.id).toEqual(Buffer.alloc(28, 7));
});

test('buckets in which nobody was heard are known, up to the nearest that has members', () => {
  const contacts = new Contacts(own, 10, everywhere);
  const inBucket = (bucket: number): Buffer => {
    const id = Buffer.alloc(28);
    id[bucket >> 3] = 0x80 >> (bucket & 7);
    return id;
  };
  contacts.heard({ id: inBucket(0), address: 1 }, 3, 100);
  contacts.heard({ id: inBucket(3), address: 2 }, 3, 50);
  expect(contacts.silentBuckets(40)).toEqual([1, 2]);
  expect(contacts.silentBuckets(60)).toEqual([1, 2, 3]);
  const near = contacts.get(2);
  if (near !== undefined) contacts.remove(near);
  expect(contacts.silentBuckets(200)).toEqual([0]);
});
