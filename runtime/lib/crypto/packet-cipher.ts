/** Seals and opens the packets of a flow. Source: end-to-end.md 5.1. */
import {
  type CipherGCMOptions,
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  type KeyObject,
} from 'node:crypto';
import type { Cipher } from './algorithms.ts';
import { KeyRing, type RingSlot, rotationPackets } from './key-ring.ts';

/** Fills memory with random bytes. */
export type FillRandom = (memory: Buffer) => void;

/** The bit of an IV's first byte that tells the phase of the key. */
const phaseBit = 0x80;

/** IVs drawn at once: the call costs more than the bytes. */
const ivsDrawn = 64;

/** In which order keys are tried on a packet: what opened the last one first. */
const slotsAhead: readonly RingSlot[] = ['current', 'next', 'previous'];
const slotsBehind: readonly RingSlot[] = ['previous', 'current', 'next'];

export class PacketCipher {
  /** Bytes a sealed packet is longer by. */
  readonly overhead: number;
  readonly #cipher: Cipher;
  readonly #keys: KeyRing;
  readonly #options: CipherGCMOptions;
  readonly #fillRandom: FillRandom;
  readonly #ivs: Buffer;
  #nextIv: number;

  /** `key` has 32 bytes, whatever the cipher takes of them. `period` is a power of 2, and another one in tests only. */
  constructor(cipher: Cipher, key: Buffer, fillRandom: FillRandom, period: number = rotationPackets) {
    this.#cipher = cipher;
    this.#keys = new KeyRing(cipher, key, period);
    this.#fillRandom = fillRandom;
    this.overhead = cipher.ivBytes + cipher.tagBytes;
    this.#options = cipher.tagBytes === 0 ? {} : { authTagLength: cipher.tagBytes };
    this.#ivs = Buffer.alloc(ivsDrawn * cipher.ivBytes);
    this.#nextIv = this.#ivs.length;
  }

  /**
   * Writes the sealed form of a packet to `target` from `at`, where there is room for `overhead` bytes more than the
   * packet has. Every call draws an IV of its own, so that the same packet may be sealed again.
   */
  sealInto(target: Buffer, at: number, plain: Uint8Array, start: number, end: number): void {
    const { ivBytes, tagBytes } = this.#cipher;
    const keys = this.#keys;
    const key = keys.sealing();
    const iv = this.#drawIv();
    const first = iv[0] ?? 0;
    iv[0] = keys.phase === 0 ? first & ~phaseBit : first | phaseBit;
    const cipher = createCipheriv(this.#name, key, iv, this.#options);
    iv.copy(target, at);
    cipher.update(plain.subarray(start, end)).copy(target, at + ivBytes);
    if (tagBytes > 0) {
      cipher.final();
      cipher.getAuthTag().copy(target, at + ivBytes + end - start);
    }
    keys.sealed();
  }

  /** The packet in a sealed one; undefined when it is too short, or was not sealed with a key of this flow. */
  open(sealed: Buffer, start: number, end: number): Buffer | undefined {
    if (end - start < this.overhead) return undefined;
    const { ivBytes, tagBytes } = this.#cipher;
    const keys = this.#keys;
    const iv = sealed.subarray(start, start + ivBytes);
    if (tagBytes === 0) {
      const phase = ((sealed[start] ?? 0) & phaseBit) === 0 ? 0 : 1;
      const decipher = createDecipheriv(this.#name, keys.receivedUnproven(phase), iv, this.#options);
      return decipher.update(sealed.subarray(start + ivBytes, end));
    }
    keys.received();
    const body = sealed.subarray(start + ivBytes, end - tagBytes);
    const tag = sealed.subarray(end - tagBytes, end);
    for (const slot of keys.peerIsBehind ? slotsBehind : slotsAhead) {
      const key = keys.key(slot);
      const plain = key === undefined ? undefined : this.#tryOpen(key, iv, body, tag);
      if (plain === undefined) continue;
      keys.openedWith(slot);
      return plain;
    }
    return undefined;
  }

  #tryOpen(key: KeyObject, iv: Buffer, body: Buffer, tag: Buffer): Buffer | undefined {
    const decipher = createDecipheriv(this.#name, key, iv, this.#options);
    decipher.setAuthTag(tag);
    const plain = decipher.update(body);
    try {
      decipher.final();
    } catch {
      // The tag is not of this key, IV and body.
      return undefined;
    }
    return plain;
  }

  /** The types of Node tell ciphers with a tag from those without; here one class calls both alike. */
  get #name(): CipherGCMTypes {
    return this.#cipher.name as CipherGCMTypes;
  }

  #drawIv(): Buffer {
    if (this.#nextIv === this.#ivs.length) {
      this.#fillRandom(this.#ivs);
      this.#nextIv = 0;
    }
    return this.#ivs.subarray(this.#nextIv, (this.#nextIv += this.#cipher.ivBytes));
  }
}
