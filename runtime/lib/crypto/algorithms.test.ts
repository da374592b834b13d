import { createCipheriv, createHash, getCipherInfo } from 'node:crypto';
import { expect, test } from 'vitest';
import { byId, byName, ciphers, digests, keyExchanges, rankOf, stronger } from './algorithms.ts';

test('ids and ranks are those of the document', () => {
  const rows = (table: readonly { name: string; id: number; rank: number }[]): string[] =>
    table.map(({ name, id, rank }) => `${name} ${id} ${rank}`);
  expect(rows(ciphers)).toEqual([
    'aes-128-ctr 904 1',
    'aes-192-ctr 905 2',
    'aes-256-ctr 906 3',
    'aes-128-gcm 895 4',
    'aes-192-gcm 898 5',
    'aes-256-gcm 901 6',
    'chacha20-poly1305 1018 7',
  ]);
  expect(rows(digests)).toEqual([
    'blake2s256 1057 1',
    'sha256 672 2',
    'sha3-256 1097 3',
    'sha384 673 4',
    'sha3-384 1098 5',
    'blake2b512 1056 6',
    'sha512 674 7',
    'sha3-512 1099 8',
  ]);
  expect(rows(keyExchanges)).toEqual([
    'ffdhe2048 1126 1',
    'prime256v1 415 2',
    'X25519 1034 3',
    'ffdhe3072 1127 4',
    'secp384r1 715 5',
    'ffdhe4096 1128 6',
    'X448 1035 7',
    'secp521r1 716 8',
    'ML-KEM-512 1454 9',
    'ML-KEM-768 1455 10',
    'ML-KEM-1024 1456 11',
    'X25519MLKEM768 2053 12',
    'X448MLKEM1024 2054 13',
  ]);
});

test('sizes and ids are those of OpenSSL', () => {
  for (const { name, id, keyBytes, ivBytes, tagBytes } of ciphers) {
    expect(getCipherInfo(name), name).toMatchObject({ nid: id, keyLength: keyBytes, ivLength: ivBytes });
    if (tagBytes === 0) continue;
    const cipher = createCipheriv(name as 'aes-256-gcm', Buffer.alloc(keyBytes), Buffer.alloc(ivBytes));
    cipher.final();
    expect(cipher.getAuthTag(), name).toHaveLength(tagBytes);
  }
  for (const { name, bytes } of digests) expect(createHash(name).digest(), name).toHaveLength(bytes);
});

test('an algorithm is found by name and id, or not', () => {
  const [weakest] = ciphers;
  expect(byName(ciphers, 'aes-128-ctr')).toBe(weakest);
  expect(byName(ciphers, 'AES-128-CTR')).toBeUndefined();
  expect(byId(ciphers, 904)).toBe(weakest);
  expect(byId(ciphers, 0)).toBeUndefined();
  expect(byId(digests, 1096)).toBeUndefined();
});

test('the stronger of two has the higher rank, and anything is stronger than nothing', () => {
  const [weak, strong] = [ciphers[0], ciphers[6]];
  expect(stronger(weak, strong)).toBe(strong);
  expect(stronger(strong, weak)).toBe(strong);
  expect(stronger(undefined, weak)).toBe(weak);
  expect(stronger(weak, undefined)).toBe(weak);
  expect(stronger(undefined, undefined)).toBeUndefined();
  expect([rankOf(undefined), rankOf(strong)]).toEqual([0, 7]);
});
