import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { identityOf } from '../../../tests/support/certificates.ts';
import { digests } from './algorithms.ts';
import { hasOwnDigest, isSignedBy, signMessage } from './signatures.ts';

const message = Buffer.from('a handshake');
const [, sha256, sha3] = digests;

function signed(key: KeyObject, digest = sha256): Buffer {
  const signature = signMessage(message, key, digest);
  if (signature === undefined) throw new Error('not signed');
  return signature;
}

const keys: Readonly<Record<string, KeyObject>> = {
  ec: identityOf('svc-ec').key,
  'ec of 521 bits': identityOf('client').key,
  rsa: identityOf('svc-rsa').key,
  ed25519: identityOf('svc-ed25519').key,
  'ml-dsa-44': generateKeyPairSync('ml-dsa-44').privateKey,
  'slh-dsa-sha2-128f': generateKeyPairSync('slh-dsa-sha2-128f').privateKey,
};

describe.each(Object.entries(keys))('%s', (_name, key) => {
  const publicKey = createPublicKey(key);

  test('what is signed is verified, and nothing else', () => {
    const signature = signed(key);
    expect(isSignedBy(message, signature, publicKey, sha256)).toBe(true);
    expect(isSignedBy(Buffer.from('another'), signature, publicKey, sha256)).toBe(false);
    const altered = Buffer.from(signature);
    altered[10] = (altered[10] ?? 0) ^ 1;
    expect(isSignedBy(message, altered, publicKey, sha256)).toBe(false);
    expect(isSignedBy(message, signature.subarray(1), publicKey, sha256)).toBe(false);
    expect(isSignedBy(message, Buffer.alloc(0), publicKey, sha256)).toBe(false);
    const other = createPublicKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    expect(isSignedBy(message, signature, other, sha256)).toBe(false);
  });

  test('the digest matters where the key has none of its own', () => {
    const signature = signed(key, sha3);
    expect(isSignedBy(message, signature, publicKey, sha3)).toBe(true);
    expect(isSignedBy(message, signature, publicKey, sha256)).toBe(hasOwnDigest(key));
  });

  test('who names no digest means SHA-256', () => {
    const signature = signMessage(message, key, undefined) ?? Buffer.alloc(0);
    expect(isSignedBy(message, signature, publicKey, sha256)).toBe(true);
  });
});

test('every digest signs with EC keys; with RSA all but BLAKE2', () => {
  const [ec, rsa] = [identityOf('svc-ec').key, identityOf('svc-rsa').key];
  for (const digest of digests) {
    expect(signMessage(message, ec, digest), digest.name).toBeInstanceOf(Buffer);
    const signature = signMessage(message, rsa, digest);
    if (digest.name.startsWith('blake2')) expect(signature).toBeUndefined();
    else expect(isSignedBy(message, signature ?? Buffer.alloc(0), createPublicKey(rsa), digest)).toBe(true);
  }
});

test('a key that is not for signatures signs nothing', () => {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  expect(signMessage(message, privateKey, sha256)).toBeUndefined();
  expect(isSignedBy(message, Buffer.alloc(64), publicKey, sha256)).toBe(false);
});
