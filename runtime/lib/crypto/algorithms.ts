/**
 * The algorithms a handshake may name, each with its OpenSSL object id, which stands for it on the wire, and its rank:
 * of two, the higher is the stronger. Source: end-to-end.md 3.2.
 */

interface Algorithm {
  /** As `enc.conf` spells it; a cipher and a digest are called so by `node:crypto` too. */
  readonly name: string;
  readonly id: number;
  readonly rank: number;
}

const cipherNames = [
  'aes-128-ctr',
  'aes-192-ctr',
  'aes-256-ctr',
  'aes-128-gcm',
  'aes-192-gcm',
  'aes-256-gcm',
  'chacha20-poly1305',
] as const;
export type CipherName = (typeof cipherNames)[number];

export interface Cipher extends Algorithm {
  readonly name: CipherName;
  readonly keyBytes: number;
  readonly ivBytes: number;
  /** 0 for a cipher that proves nothing about where a packet comes from. */
  readonly tagBytes: number;
}

const cipherRows: Record<CipherName, readonly [id: number, keyBytes: number, ivBytes: number, tag: number]> =
  {
    'aes-128-ctr': [904, 16, 16, 0],
    'aes-192-ctr': [905, 24, 16, 0],
    'aes-256-ctr': [906, 32, 16, 0],
    'aes-128-gcm': [895, 16, 12, 16],
    'aes-192-gcm': [898, 24, 12, 16],
    'aes-256-gcm': [901, 32, 12, 16],
    'chacha20-poly1305': [1018, 32, 12, 16],
  };

/** In order of rank. */
export const ciphers: readonly Cipher[] = cipherNames.map((name, index) => {
  const [id, keyBytes, ivBytes, tagBytes] = cipherRows[name];
  return { name, id, rank: index + 1, keyBytes, ivBytes, tagBytes };
});

export interface Digest extends Algorithm {
  /** Length of what it yields. */
  readonly bytes: number;
}

/** In order of rank: for key derivation, signatures, and the hash over a request. */
export const digests: readonly Digest[] = (
  [
    ['blake2s256', 1057, 32],
    ['sha256', 672, 32],
    ['sha3-256', 1097, 32],
    ['sha384', 673, 48],
    ['sha3-384', 1098, 48],
    ['blake2b512', 1056, 64],
    ['sha512', 674, 64],
    ['sha3-512', 1099, 64],
  ] as const
).map(([name, id, bytes], index) => ({ name, id, rank: index + 1, bytes }));

export interface KeyExchange extends Algorithm {
  /** Diffie-Hellman, key encapsulation, or the latter joined with the former. */
  readonly kind: 'dh' | 'kem' | 'hybrid';
}

/** In order of rank. The id is not on the wire: the form of a key tells which it is of. */
export const keyExchanges: readonly KeyExchange[] = (
  [
    ['ffdhe2048', 1126, 'dh'],
    ['prime256v1', 415, 'dh'],
    ['X25519', 1034, 'dh'],
    ['ffdhe3072', 1127, 'dh'],
    ['secp384r1', 715, 'dh'],
    ['ffdhe4096', 1128, 'dh'],
    ['X448', 1035, 'dh'],
    ['secp521r1', 716, 'dh'],
    ['ML-KEM-512', 1454, 'kem'],
    ['ML-KEM-768', 1455, 'kem'],
    ['ML-KEM-1024', 1456, 'kem'],
    ['X25519MLKEM768', 2053, 'hybrid'],
    ['X448MLKEM1024', 2054, 'hybrid'],
  ] as const
).map(([name, id, kind], index) => ({ name, id, rank: index + 1, kind }));

/** The algorithm of a name; undefined when the table has none. */
export function byName<T extends Algorithm>(table: readonly T[], name: string): T | undefined {
  return table.find((one) => one.name === name);
}

/** The algorithm of an id; undefined when the table has none, as for 0, which stands for nothing named. */
export function byId<T extends Algorithm>(table: readonly T[], id: number): T | undefined {
  return table.find((one) => one.id === id);
}

/** The stronger of two, either of which may be missing. */
export function stronger<T extends Algorithm>(a: T | undefined, b: T | undefined): T | undefined {
  return rankOf(a) >= rankOf(b) ? a : b;
}

/** 0 for what is missing. */
export function rankOf(algorithm: Algorithm | undefined): number {
  return algorithm?.rank ?? 0;
}
