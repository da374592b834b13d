import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  getDiffieHellman,
  type KeyObject,
} from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { curveKey, groupKey, montgomeryKey } from '../../../tests/support/known-keys.ts';
import { systemKeys } from '../../irmd/key-source.ts';
import { byName, digests, type KeyExchange, keyExchanges } from './algorithms.ts';
import { encodeDer, encodeDerInteger } from './der.ts';
import { ffdhePrimes } from './ffdhe.ts';
import { agreedKey, encapsulatedKey, nextKey, rotationSalt } from './key-derivation.ts';
import {
  agree,
  decapsulateWith,
  encapsulateTo,
  generateKeys,
  type PrivateKey,
  type PublicKey,
  publicHalf,
  readPublicKey,
  readStaticKey,
  readStaticPublicKey,
} from './key-exchange.ts';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const sha256 = (...parts: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
const spki = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' });

function exchangeOf(name: string): KeyExchange {
  const exchange = byName(keyExchanges, name);
  if (exchange === undefined) throw new Error(`no exchange ${name}`);
  return exchange;
}

function read(bytes: Buffer, raw = false): PublicKey {
  const key = readPublicKey(bytes, raw);
  if (key === undefined) throw new Error('no key');
  return key;
}

/** Both directions of an exchange between two known keys; the secret and the two public keys. */
function between(name: string, a: KeyObject, b: KeyObject): { secret: Buffer; a: Buffer; b: Buffer } {
  const exchange = exchangeOf(name);
  const own = (key: KeyObject): PrivateKey => ({ exchange, parts: [key] });
  const secret = agree(own(a), read(spki(b)));
  if (secret === undefined) throw new Error('no secret');
  expect(agree(own(b), read(spki(a)))).toEqual(secret);
  return { secret, a: spki(a), b: spki(b) };
}

const keyOf = ({ secret, a, b }: { secret: Buffer; a: Buffer; b: Buffer }, kdf = 'sha256'): string => {
  const key = agreedKey(secret, a, b, byName(digests, kdf));
  expect(agreedKey(secret, b, a, byName(digests, kdf))).toEqual(key);
  return key.toString('hex');
};

describe('the vectors of the document', () => {
  test('prime256v1, with every digest', () => {
    const curve = 'prime256v1';
    const got = between(
      curve,
      curveKey(curve, Buffer.alloc(32, 0x11)),
      curveKey(curve, Buffer.alloc(32, 0x22)),
    );
    expect(got.a.toString('hex')).toBe(
      '3059301306072a8648ce3d020106082a8648ce3d030107034200040217e617f0b6443928278f96999e69a23a4f2c152bdf6d6cdf66e5b80282d4ed194a7debcb97712d2dda3ca85aa8765a56f45fc758599652f2897c65306e5794',
    );
    expect(got.b.toString('hex')).toBe(
      '3059301306072a8648ce3d020106082a8648ce3d03010703420004d65a93977caa3d1b081852ff57a79e465f1660577304baead505dd3a48589cf350185e895372df6221ea3a137557e473fddb6755f05bd507c3c533fce9c91285',
    );
    expect(got.secret.toString('hex')).toBe(
      'ccfc261f58193c98ca4ad4a53bbac6f0ee29bc4d48438090446908622ca79af6',
    );
    expect(sha256(got.a, got.b).toString('hex')).toBe(
      'd0aa8a2876b5d169470bfb6f5867e05a28b317f1c0df983aca78781a50218c70',
    );
    expect(Object.fromEntries(digests.map(({ name }) => [name, keyOf(got, name)]))).toEqual({
      sha256: '682d8c3487814288431056120316ad36a8e700c9db6b8fc75717ff13a102d21e',
      sha384: 'fe5910dd8dbd736fe01dbbd5b0d6196e131a6cd5f3c41e1e1f2045dc704bf57e',
      sha512: '2c62df20bd255f0f007a4c5b67353230f42ebacff0325e6ddd2b27baedf97dfc',
      'sha3-256': '51bce956a9779b19f3911ab7f7de0c9d1f25660616b3a697db964b0f3ed435ce',
      'sha3-384': '92189961af0fec2bb5b68cd88f8a16dc1ffdf028fc4c0ce472ed4194e456bba0',
      'sha3-512': 'be0cd17453dbb8ac20d89d2a9942f6f5a7391aef6b88a5919f69d9b1b8f326c8',
      blake2b512: '3f33d4d7c93fabf87f5ce22275f6d73ce09c493225920cedbe60333d11a0991b',
      blake2s256: '5635d8e8a2fa50d88f0a0aba3fb064131cd150d150e9687c4f88209b79a26320',
    });
    // A handshake that names no digest.
    expect(agreedKey(got.secret, got.a, got.b, undefined).toString('hex')).toBe(keyOf(got, 'sha256'));
  });

  test('X25519', () => {
    const key = (byte: number): KeyObject => montgomeryKey('x25519', Buffer.alloc(32, byte));
    const got = between('X25519', key(0x11), key(0x22));
    expect(got.a.toString('hex')).toBe(
      '302a300506032b656e0321007b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13',
    );
    expect(got.b.toString('hex')).toBe(
      '302a300506032b656e0321000faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20',
    );
    expect(got.secret.toString('hex')).toBe(
      '9e004098efc091d4ec2663b4e9f5cfd4d7064571690b4bea97ab146ab9f35056',
    );
    // B's key is the lower of the two.
    expect(sha256(got.b, got.a).toString('hex')).toBe(
      'e924d03324a877b188099777998ab7763cff7c91f5bed291d3e2eb52e4720f5f',
    );
    expect(keyOf(got)).toBe('e1ac4df5539bbe0d43a180086d1508b0146382c70b126cbc61f43fd6c7b5bc19');
  });

  test('X448, secp384r1, secp521r1', () => {
    const x448 = (byte: number): KeyObject => montgomeryKey('x448', Buffer.alloc(56, byte));
    expect(keyOf(between('X448', x448(0x11), x448(0x22)))).toBe(
      'e6f3c9dc444e35955b3e338c743bd301ba88edc9d552b70eeb29b10826cadb07',
    );
    const p384 = (byte: number): KeyObject => curveKey('secp384r1', Buffer.alloc(48, byte));
    expect(keyOf(between('secp384r1', p384(0x11), p384(0x22)))).toBe(
      '902015e3d219850bc70d0d3638d6cbdfaeaaa4caeccc6904145cb5f3110550ca',
    );
    const p521 = (byte: number): KeyObject => curveKey('secp521r1', Buffer.alloc(64, byte));
    const got = between('secp521r1', p521(0x11), p521(0x22));
    expect(got.secret).toHaveLength(66);
    expect(got.secret.toString('hex')).toMatch(/^00216f03/);
    expect(keyOf(got)).toBe('3a2d4034f4fca54bbd318e79f5972ec6d09fd62512fd93b6b893ddcb782f6056');
  });

  test('ffdhe2048, whose secret loses its leading zeros', () => {
    const key = (text: string): KeyObject => groupKey('ffdhe2048', sha256(Buffer.from(text)));
    const got = between('ffdhe2048', key('a'), key('b37'));
    expect([got.a.length, got.b.length]).toEqual([552, 553]);
    expect(sha256(got.a).toString('hex')).toBe(
      '2c77df374cc8399ce59f5cac20636360d2c28523f7b7d109a6a041d5f8c8602d',
    );
    expect(sha256(got.b).toString('hex')).toBe(
      '08732ad100beb3820fc795f5674b4a960a962357124e9b410f6d8940202b618e',
    );
    expect(got.secret).toHaveLength(255);
    expect(got.secret.toString('hex')).toMatch(/^404d9c5ab0ae9ce3/);
    expect(sha256(got.a, got.b).toString('hex')).toBe(
      '41987749d471bc87b68410d774ddf396f8d29c63a79350115cb49f23ece06725',
    );
    expect(keyOf(got)).toBe('33d9e2fd7aa379b0802fe20b4487976c89c28dc54a9c2433b4348a2eb5d0cecb');
    expect(keyOf(between('ffdhe2048', key('a'), key('b1')))).toBe(
      '9975400111473a3114c59467fbf6270067aa6f59e72e0f14c36974df0e38b6f9',
    );
  });

  test('an encapsulated secret', () => {
    const secret = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
    const publicKey = Buffer.from('o7s test public key');
    expect(sha256(publicKey).toString('hex')).toBe(
      '917848f6baff98bbf5c36f92bc442a300ee9a27cba70f035037ffcf6514727a4',
    );
    expect(encapsulatedKey(secret, publicKey, byName(digests, 'sha256')).toString('hex')).toBe(
      'bbd44ce17413a57a214c1dd219ed4441ad734863308156e6b3c74c7af3ac786a',
    );
  });

  test('keys that follow each other', () => {
    const first = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
    const salt = rotationSalt(first);
    expect(salt.toString('hex')).toBe('630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd');
    const second = nextKey(first, salt);
    expect(second.toString('hex')).toBe('cf95b6c68e77b8713cdfd62033f2bea52f621b894e197be6934c6ff99735d1a5');
    expect(nextKey(second, salt).toString('hex')).toBe(
      '4c3544057ff00629fb982b8c17201efcbee072bc377c0496131bc840903559b9',
    );
  });
});

test('the primes are those of RFC 7919', () => {
  // p = 2^b - 2^(b-64) + (floor(2^(b-130) e) + X) 2^64 - 1
  const precision = 5000n;
  let e = 0n;
  for (let term = 1n << precision, n = 1n; term > 0n; term /= n, n += 1n) e += term;
  for (const [name, bits, x] of [
    ['ffdhe2048', 2048n, 560_316n],
    ['ffdhe3072', 3072n, 2_625_351n],
    ['ffdhe4096', 4096n, 5_736_041n],
  ] as const) {
    const digits = e >> (precision - (bits - 130n));
    const prime = (1n << bits) - (1n << (bits - 64n)) + ((digits + x) << 64n) - 1n;
    expect(ffdhePrimes.get(name)?.toString('hex'), name).toBe(prime.toString(16));
  }
});

const lengths: Readonly<Record<string, readonly number[]>> = {
  prime256v1: [91],
  X25519: [44],
  secp384r1: [120],
  X448: [68],
  secp521r1: [158],
  'ML-KEM-512': [822, 768],
  'ML-KEM-768': [1206, 1088],
  'ML-KEM-1024': [1590, 1568],
  X25519MLKEM768: [1216, 1120],
  X448MLKEM1024: [1624, 1624],
};

describe.each(keyExchanges)('$name', (exchange) => {
  const raw = exchange.kind === 'hybrid';

  test('fresh keys agree, and the other side recognises them', () => {
    const a = generateKeys(exchange, systemKeys);
    expect(read(a.publicKey.bytes, raw)).toMatchObject({ exchange, bytes: a.publicKey.bytes });
    const [publicLength, answerLength] = lengths[exchange.name] ?? [];
    if (publicLength !== undefined) expect(a.publicKey.bytes).toHaveLength(publicLength);
    if (exchange.kind === 'dh') {
      const b = generateKeys(exchange, systemKeys);
      const secret = agree(a.privateKey, read(b.publicKey.bytes));
      expect(secret?.length).toBeGreaterThan(30);
      expect(agree(b.privateKey, read(a.publicKey.bytes))).toEqual(secret);
      expect(encapsulateTo(a.publicKey, systemKeys)).toBeUndefined();
      expect(decapsulateWith(a.privateKey, Buffer.alloc(32))).toBeUndefined();
      return;
    }
    const made = encapsulateTo(read(a.publicKey.bytes, raw), systemKeys);
    if (made === undefined) throw new Error('nothing encapsulated');
    expect(made.ciphertext).toHaveLength(answerLength ?? -1);
    expect(decapsulateWith(a.privateKey, made.ciphertext)).toEqual(made.shared);
    expect(decapsulateWith(a.privateKey, made.ciphertext.subarray(1))).toBeUndefined();
    expect(agree(a.privateKey, a.publicKey)).toBeUndefined();
  });

  test('keys of another exchange are refused', () => {
    const own = generateKeys(exchange, systemKeys);
    for (const other of keyExchanges) {
      if (other === exchange) continue;
      expect(agree(own.privateKey, generateKeys(other, systemKeys).publicKey)).toBeUndefined();
    }
  });

  test('a key that is cut, longer or altered is refused, or of no use', () => {
    const { publicKey, privateKey } = generateKeys(exchange, systemKeys);
    const { bytes } = publicKey;
    expect(readPublicKey(Buffer.concat([bytes, Buffer.alloc(1)]), raw)).toBeUndefined();
    expect(readPublicKey(bytes, !raw)).toBeUndefined();
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), (length) => {
        const cut = readPublicKey(bytes.subarray(0, length), raw);
        // A raw key is known by its length alone: cut to that of another exchange, it is one of that.
        const isOther =
          raw && keyExchanges.some(({ name, kind }) => kind === 'hybrid' && lengths[name]?.[0] === length);
        expect(cut === undefined).toBe(!isOther);
      }),
      { numRuns: 30 },
    );
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const altered = Buffer.from(bytes);
        altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const key = readPublicKey(altered, raw);
        if (key === undefined) return;
        expect(key.bytes).toEqual(altered);
        // Whatever comes of it, nothing is thrown.
        agree(privateKey, key);
        encapsulateTo(key, systemKeys);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a static key of a server', () => {
  test.each(['ML-KEM-512', 'ML-KEM-768', 'ML-KEM-1024'])('%s, from PEM', (name) => {
    const exchange = exchangeOf(name);
    const pair = generateKeyPairSync(name.toLowerCase() as 'ml-kem-768');
    const own = readStaticKey(
      exchange,
      Buffer.from(pair.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    );
    const peer = readStaticPublicKey(
      exchange,
      Buffer.from(pair.publicKey.export({ type: 'spki', format: 'pem' })),
    );
    if (own === undefined || peer === undefined) throw new Error('not read');
    const made = encapsulateTo(peer, systemKeys);
    expect(decapsulateWith(own, made?.ciphertext ?? Buffer.alloc(0))).toEqual(made?.shared);
    expect(publicHalf(own).bytes).toEqual(peer.bytes);
  });

  test.each([
    ['X25519MLKEM768', 'ml-kem-768', 'x25519', 2400, 32],
    ['X448MLKEM1024', 'ml-kem-1024', 'x448', 3168, 56],
  ] as const)('%s, from raw bytes', (name, kem, curve, kemBytes, curveBytes) => {
    const exchange = exchangeOf(name);
    const first = systemKeys.keyPair({ type: kem });
    const second = systemKeys.keyPair({ type: curve });
    const end = (key: KeyObject, bytes: number): Buffer =>
      key.export({ type: 'pkcs8', format: 'der' }).subarray(-bytes);
    const file = Buffer.concat([end(first.privateKey, kemBytes), end(second.privateKey, curveBytes)]);
    const own = readStaticKey(exchange, file);
    if (own === undefined) throw new Error('not read');
    const { bytes } = publicHalf(own);
    const peer = readStaticPublicKey(exchange, bytes);
    if (peer === undefined) throw new Error('not read');
    const made = encapsulateTo(peer, systemKeys);
    expect(decapsulateWith(own, made?.ciphertext ?? Buffer.alloc(0))).toEqual(made?.shared);
    expect(readStaticKey(exchange, file.subarray(1))).toBeUndefined();
    expect(readStaticPublicKey(exchange, bytes.subarray(1))).toBeUndefined();
  });

  test('is not one of another exchange, nor of no exchange at all', () => {
    const pair = generateKeyPairSync('ml-kem-512');
    const pem = Buffer.from(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    expect(readStaticKey(exchangeOf('ML-KEM-768'), pem)).toBeUndefined();
    expect(readStaticKey(exchangeOf('ML-KEM-512'), Buffer.from('no key'))).toBeUndefined();
    const publicPem = Buffer.from(pair.publicKey.export({ type: 'spki', format: 'pem' }));
    expect(readStaticPublicKey(exchangeOf('ML-KEM-768'), publicPem)).toBeUndefined();
    expect(readStaticPublicKey(exchangeOf('ML-KEM-512'), Buffer.from('no key'))).toBeUndefined();
  });
});

describe('a public key is refused', () => {
  const group = (y: Buffer): Buffer => {
    const good = spki(groupKey('ffdhe2048', sha256(Buffer.from('a'))));
    // Sequence header of four bytes, then the algorithm.
    const algorithm = good.subarray(4, 8 + good.readUInt16BE(6));
    return encodeDer(0x30, algorithm, encodeDer(0x03, Buffer.of(0), encodeDerInteger(y)));
  };
  const p = ffdhePrimes.get('ffdhe2048') ?? Buffer.alloc(0);
  const own = generateKeys(exchangeOf('ffdhe2048'), systemKeys);

  test.each([
    ['0', Buffer.of(0)],
    ['1', Buffer.of(1)],
    ['p - 1', Buffer.from((BigInt(`0x${p.toString('hex')}`) - 1n).toString(16), 'hex')],
    ['p', p],
  ])('a number of the group that yields nothing: %s', (_name, y) => {
    const key = readPublicKey(group(y), false);
    expect(key === undefined ? undefined : agree(own.privateKey, key)).toBeUndefined();
  });

  test.each([
    ['x25519', 'X25519', '302a300506032b656e032100', 32],
    ['x448', 'X448', '3042300506032b656f033900', 56],
  ] as const)('a point of small order: %s', (_type, name, prefix, bytes) => {
    const key = read(Buffer.concat([hex(prefix), Buffer.alloc(bytes)]));
    expect(agree(generateKeys(exchangeOf(name), systemKeys).privateKey, key)).toBeUndefined();
  });

  test('of a curve or an algorithm outside the table', () => {
    for (const key of [
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey,
      generateKeyPairSync('ed25519').publicKey,
      systemKeys.keyPair({ type: 'dh', prime: getDiffieHellman('modp14').getPrime(), generator: 2 })
        .publicKey,
    ]) {
      expect(readPublicKey(key.export({ type: 'spki', format: 'der' }), false)).toBeUndefined();
    }
  });

  test('of random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, raw) => {
        expect(readPublicKey(Buffer.from(bytes), raw)).toBeUndefined();
      }),
    );
  });
});
