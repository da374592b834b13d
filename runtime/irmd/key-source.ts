/** The keys that handshakes of this node draw. Edge: they are as random as OpenSSL makes them. */
import { encapsulate, generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';
import type { KeySource, KeySpec } from '../lib/crypto/key-exchange.ts';

/** Node's types leave this overload out. */
type GenerateInGroup = (type: 'dh', options: Extract<KeySpec, { type: 'dh' }>) => KeyPairKeyObjectResult;

export const systemKeys: KeySource = {
  keyPair: (spec) => {
    switch (spec.type) {
      case 'ec':
        return generateKeyPairSync('ec', { namedCurve: spec.namedCurve });
      case 'dh':
        return (generateKeyPairSync as unknown as GenerateInGroup)('dh', spec);
      case 'x25519':
        return generateKeyPairSync('x25519');
      case 'x448':
        return generateKeyPairSync('x448');
      case 'ml-kem-512':
        return generateKeyPairSync('ml-kem-512');
      case 'ml-kem-768':
        return generateKeyPairSync('ml-kem-768');
      case 'ml-kem-1024':
        return generateKeyPairSync('ml-kem-1024');
    }
  },
  encapsulate: (publicKey) => encapsulate(publicKey),
};
