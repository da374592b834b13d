/** Private keys from the bytes a test knows, and a source that hands one out instead of fresh ones. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { derTag, encodeDer, encodeDerInteger } from '../../runtime/lib/crypto/der.ts';
import { ffdhePrimes } from '../../runtime/lib/crypto/ffdhe.ts';
import type { KeySource } from '../../runtime/lib/crypto/key-exchange.ts';

const version = (number: number): Buffer => encodeDer(derTag.integer, Buffer.of(number));
const octets = (...content: readonly Buffer[]): Buffer => encodeDer(derTag.octetString, ...content);
const objectId = (hex: string): Buffer => encodeDer(derTag.objectId, Buffer.from(hex, 'hex'));

function pkcs8(algorithm: Buffer, key: Buffer): KeyObject {
  const der = encodeDer(derTag.sequence, version(0), algorithm, octets(key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

/** An X25519 or X448 key. */
export function montgomeryKey(type: 'x25519' | 'x448', raw: Buffer): KeyObject {
  const id = type === 'x25519' ? '2b656e' : '2b656f';
  return pkcs8(encodeDer(derTag.sequence, objectId(id)), octets(raw));
}

const curveIds: Readonly<Record<string, string>> = {
  prime256v1: '2a8648ce3d030107',
  secp384r1: '2b81040022',
  secp521r1: '2b81040023',
};

/** A key of a named curve, from its scalar. */
export function curveKey(namedCurve: string, scalar: Buffer): KeyObject {
  const curve = encodeDer(0xa0, objectId(curveIds[namedCurve] ?? ''));
  const der = encodeDer(derTag.sequence, version(1), octets(scalar), curve);
  return createPrivateKey({ key: der, format: 'der', type: 'sec1' });
}

/** A key of a group, from its exponent. */
export function groupKey(group: string, exponent: Buffer): KeyObject {
  const prime = ffdhePrimes.get(group);
  if (prime === undefined) throw new Error(`no group ${group}`);
  const parameters = encodeDer(derTag.sequence, encodeDerInteger(prime), version(2));
  const algorithm = encodeDer(derTag.sequence, objectId('2a864886f70d010301'), parameters);
  return pkcs8(algorithm, encodeDerInteger(exponent));
}

/** Hands out one key pair, whatever is asked for. */
export function knownKeys(privateKey: KeyObject): KeySource {
  return {
    keyPair: () => ({ privateKey, publicKey: createPublicKey(privateKey) }),
    encapsulate: () => {
      throw new Error('nothing to encapsulate here');
    },
  };
}
