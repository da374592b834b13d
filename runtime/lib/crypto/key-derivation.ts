/** The keys of a flow, from what a handshake agreed on. Source: end-to-end.md 4.1, 4.2, 5.2. */
import { createHash, hkdfSync } from 'node:crypto';
import type { Digest } from './algorithms.ts';

/** Length of the key of a flow, whatever its cipher takes of it. */
const flowKeyBytes = 32;

const sha256 = (...parts: readonly Buffer[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

function derive(kdf: string, secret: Buffer, salt: Buffer, label: string): Buffer {
  return Buffer.from(hkdfSync(kdf, secret, salt, label, flowKeyBytes));
}

/** The digest of a handshake that names none. */
const kdfName = (kdf: Digest | undefined): string => kdf?.name ?? 'sha256';

/** From a Diffie-Hellman secret and the two public keys as they travelled, in any order. */
export function agreedKey(secret: Buffer, a: Buffer, b: Buffer, kdf: Digest | undefined): Buffer {
  const [lower, higher] = Buffer.compare(a, b) <= 0 ? [a, b] : [b, a];
  return derive(kdfName(kdf), secret, sha256(lower, higher), 'o7s-ossl-dhe');
}

/** From an encapsulated secret and the public key it was encapsulated to, as it travels. */
export function encapsulatedKey(secret: Buffer, publicKey: Buffer, kdf: Digest | undefined): Buffer {
  return derive(kdfName(kdf), secret, sha256(publicKey), 'o7s-ossl-encap');
}

/** The salt of all keys that follow the first one of a flow. */
export function rotationSalt(firstKey: Buffer): Buffer {
  return sha256(firstKey);
}

/** The key that follows a key. */
export function nextKey(key: Buffer, salt: Buffer): Buffer {
  return derive('sha256', key, salt, 'o7s-key-rotation');
}
