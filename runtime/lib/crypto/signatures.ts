/** Signatures of handshakes. Source: end-to-end.md 3.5. */
import { type KeyObject, sign, verify } from 'node:crypto';
import type { Digest } from './algorithms.ts';

/** The digest of a signer who names none, where his kind of key needs one. */
const defaultDigest = 'sha256';

/** Whether a key hashes in a way of its own, so that no digest is to be named with it. */
export function hasOwnDigest(key: KeyObject): boolean {
  const type = key.asymmetricKeyType ?? '';
  return type === 'ed25519' || type === 'ed448' || type.startsWith('ml-dsa-') || type.startsWith('slh-dsa-');
}

/** What Node is to hash with; undefined for a key that signs nothing here. */
function digestFor(key: KeyObject, digest: Digest | undefined): string | null | undefined {
  if (hasOwnDigest(key)) return null;
  const type = key.asymmetricKeyType;
  return type === 'ec' || type === 'rsa' ? (digest?.name ?? defaultDigest) : undefined;
}

/** ECDSA in DER, RSA after PKCS#1 v1.5, or what the key is for; undefined when the key cannot sign with the digest. */
export function signMessage(message: Buffer, key: KeyObject, digest: Digest | undefined): Buffer | undefined {
  const algorithm = digestFor(key, digest);
  if (algorithm === undefined) return undefined;
  try {
    return sign(algorithm, message, key);
  } catch {
    // RSA has no number for BLAKE2.
    return undefined;
  }
}

export function isSignedBy(
  message: Buffer,
  signature: Buffer,
  key: KeyObject,
  digest: Digest | undefined,
): boolean {
  const algorithm = digestFor(key, digest);
  if (algorithm === undefined) return false;
  try {
    return verify(algorithm, message, key, signature);
  } catch {
    return false;
  }
}
