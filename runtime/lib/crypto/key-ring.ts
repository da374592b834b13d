/**
 * The keys of one end of an encrypted flow, and when one takes the place of another. Source: end-to-end.md 4.3, 5.2.
 *
 * Both directions share one count of packets, so every packet that is lost makes the counts of the two ends differ, and
 * with them the moments at which they change keys. So an end that has followed the other to a new key does not take that
 * step again at its own boundary, and takes it there whether a packet that left or one that came crossed it. What comes
 * in, if its cipher proves which key it was sealed with, is believed more than any count: an end that finds the other
 * one key ahead follows it. Where nothing is lost all this is as in the document; ADR 0021 tells what it mends.
 */
import { createSecretKey, type KeyObject } from 'node:crypto';
import type { Cipher } from './algorithms.ts';
import { nextKey, rotationSalt } from './key-derivation.ts';

/** Packets of a flow, both directions together, for which a key is used. */
export const rotationPackets: number = 2 ** 20;

/** Which key a packet was sealed with, as seen from this end. */
export type RingSlot = 'previous' | 'current' | 'next';

interface RingKey {
  /** 32 bytes, which the next key is derived from. */
  readonly whole: Buffer;
  /** What the cipher takes of them. An object, because a cipher starts five times faster with one than with bytes. */
  readonly cipherKey: KeyObject;
}

export class KeyRing {
  readonly #period: number;
  readonly #keyBytes: number;
  readonly #salt: Buffer;
  /** Packets sealed and received, modulo 2^32. */
  #count = 0;
  /** Packets since the key changed. */
  #age = 0;
  /** Changes of the key, modulo 2. */
  #phase: 0 | 1 = 0;
  #previous: RingKey | undefined;
  #current: RingKey;
  #next: RingKey | undefined;
  #peerIsBehind = false;
  /** Whether the key is to change before the next packet leaves. */
  #due = false;

  /** `period` is a power of 2; others than the default are for tests. */
  constructor(cipher: Cipher, key: Buffer, period: number = rotationPackets) {
    this.#period = period;
    this.#keyBytes = cipher.keyBytes;
    this.#salt = rotationSalt(key);
    this.#current = this.#ringKey(Buffer.from(key));
  }

  /** The phase that a packet sealed now bears. */
  get phase(): 0 | 1 {
    return (this.#count & this.#period) === 0 ? 0 : 1;
  }

  /** The key of a slot; only the previous one may be missing. */
  key(slot: RingSlot): KeyObject | undefined {
    switch (slot) {
      case 'previous':
        return this.#previous?.cipherKey;
      case 'current':
        return this.#current.cipherKey;
      case 'next':
        return this.#following().cipherKey;
    }
  }

  /** Whether the last packet that was opened had been sealed with the previous key. */
  get peerIsBehind(): boolean {
    return this.#peerIsBehind;
  }

  /** The key to seal the next packet with; then `phase` is what that packet bears. */
  sealing(): KeyObject {
    if (this.#due) this.#rotate();
    return this.#current.cipherKey;
  }

  /** A packet was sealed. */
  sealed(): void {
    this.#counted();
    if (this.#due) this.#rotate();
    if (this.#age >= this.#period / 2 && !this.#peerIsBehind) this.#previous = undefined;
  }

  /** A packet came in, whether or not it can be opened. */
  received(): void {
    this.#counted();
  }

  /** What came in was opened. */
  openedWith(slot: RingSlot): void {
    if (slot === 'next') this.#rotate();
    else this.#peerIsBehind = slot === 'previous';
  }

  /**
   * A packet came in of which nothing proves the key: the one to open it with. The phase it bears and the count decide,
   * as in the prototype.
   */
  receivedUnproven(phase: 0 | 1): KeyObject {
    if (phase !== this.#phase && this.#age >= this.#period - this.#period / 4) this.#rotate();
    this.#counted();
    return this.#current.cipherKey;
  }

  #counted(): void {
    const before = this.phase;
    this.#count = (this.#count + 1) >>> 0;
    this.#age += 1;
    if (this.phase !== before && this.#phase === before) this.#due = true;
  }

  #rotate(): void {
    this.#previous = this.#current;
    this.#current = this.#following();
    this.#next = undefined;
    this.#age = 0;
    this.#phase = this.#phase === 0 ? 1 : 0;
    this.#peerIsBehind = false;
    this.#due = false;
  }

  #following(): RingKey {
    this.#next ??= this.#ringKey(nextKey(this.#current.whole, this.#salt));
    return this.#next;
  }

  #ringKey(whole: Buffer): RingKey {
    return { whole, cipherKey: createSecretKey(whole.subarray(0, this.#keyBytes)) };
  }
}
