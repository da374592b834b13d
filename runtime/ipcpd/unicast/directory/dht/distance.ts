/** Distance between ids of members and keys of names: their exclusive or, taken as a big-endian number. */

import { createHash } from 'node:crypto';
import type { Address } from '../../address.ts';

/** The id of a member of our kind, as long as a hash of the layer: who knows its address need not ask for it. */
export function idOf(address: Address, bytes: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(address);
  return createHash('shake256', { outputLength: bytes }).update(octets).digest();
}

/** Which of two ids is nearer to a key: negative when `a` is, 0 when they are the same. All have one length. */
export function compareDistance(a: Buffer, b: Buffer, key: Buffer): number {
  for (let at = 0; at < key.length; at += 1) {
    const bits = key[at] ?? 0;
    const difference = ((a[at] ?? 0) ^ bits) - ((b[at] ?? 0) ^ bits);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Leading bits that two ids share; those who share more are nearer. */
export function sharedBits(a: Buffer, b: Buffer): number {
  for (let at = 0; at < a.length; at += 1) {
    const difference = (a[at] ?? 0) ^ (b[at] ?? 0);
    if (difference !== 0) return at * 8 + Math.clz32(difference) - 24;
  }
  return a.length * 8;
}

/** A copy of random bytes that shares exactly `bits` leading bits with an id. */
export function withSharedBits(id: Buffer, bits: number, random: Buffer): Buffer {
  const made = Buffer.from(random);
  const at = bits >>> 3;
  id.copy(made, 0, 0, at);
  const bit = 0x80 >>> (bits & 7);
  const above = 0xff & ~(bit | (bit - 1));
  const own = id[at] ?? 0;
  made[at] = (own & above) | (~own & bit) | ((made[at] ?? 0) & (bit - 1));
  return made;
}
