/** Handshakes with encryption and authentication, both ends against each other. */
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { identityOf, reissued, storeOf } from '../../../tests/support/certificates.ts';
import { knownKeys, montgomeryKey } from '../../../tests/support/known-keys.ts';
import { systemKeys } from '../../irmd/key-source.ts';
import { byName, ciphers, digests, keyExchanges } from '../crypto/algorithms.ts';
import { type EncryptionConfig, parseEncryptionConfig } from '../crypto/encryption-config.ts';
import { OapRequest, OapServer, type OapVerdict } from './handshake.ts';
import { clientEncapsulated, decodeOap, encodeOap, keyIsRaw, type OapMessage } from './message.ts';
import type { ClientSide, FlowKey, ServerSide } from './security.ts';

const ms = 1_000_000n;
const start = BigInt(Date.UTC(2030, 0, 1)) * ms;
const trust = storeOf('root', 'intermediate');

let ids = 0;
function freshId(): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE((ids += 1), 12);
  return bytes;
}

/** What an `enc.conf` says; undefined for none. */
function conf(text: string | undefined): EncryptionConfig | undefined {
  if (text === undefined) return undefined;
  const setting = parseEncryptionConfig(Buffer.from(text));
  if (setting.kind !== 'on') throw new Error(JSON.stringify(setting));
  return setting.config;
}

const client = (text?: string, more: Partial<ClientSide> = {}): ClientSide => ({
  name: 'svc',
  trust,
  keys: systemKeys,
  encryption: conf(text),
  ...more,
});
const server = (text?: string, more: Partial<ServerSide> = {}): ServerSide => ({
  trust,
  keys: systemKeys,
  encryption: conf(text),
  ...more,
});

const requestOf = (side: ClientSide): OapRequest => new OapRequest(freshId(), start, side);
const answerTo = (bytes: Buffer, side: ServerSide): OapVerdict =>
  new OapServer().answer(bytes, start + ms, side);

interface Outcome {
  readonly client: FlowKey | undefined;
  readonly server: FlowKey | undefined;
  readonly request: OapMessage;
  readonly response: OapMessage;
}

function decoded(bytes: Buffer, hashBytes: number): OapMessage {
  const message = decodeOap(bytes, hashBytes);
  if (typeof message === 'string') throw new Error(message);
  return message;
}

/** A handshake that both ends find good. */
function shake(clientSide: ClientSide, serverSide: ServerSide): Outcome {
  const request = requestOf(clientSide);
  const verdict = answerTo(request.bytes, serverSide);
  if ('error' in verdict) throw new Error(verdict.error);
  const fault = request.judge(verdict.response);
  if (fault !== undefined) throw new Error(request.fault);
  const asked = decoded(request.bytes, 0);
  const hashBytes = digests.find(({ id }) => id === asked.digest)?.bytes ?? 48;
  return {
    client: request.flowKey,
    server: verdict.flowKey,
    request: asked,
    response: decoded(verdict.response, hashBytes),
  };
}

const encoded = (bytes: Buffer, change: Partial<OapMessage>): Buffer =>
  encodeOap({ ...decoded(bytes, 0), ...change });

describe.each(keyExchanges)('with $name', ({ name, kind }) => {
  test.each(ciphers)('and $name both ends have the same key', (cipher) => {
    const got = shake(client(`kex=${name}\ncipher=${cipher.name}`), server());
    expect(got.client).toEqual(got.server);
    expect(got.client).toMatchObject({ cipher, exchange: name });
    expect(got.client?.key).toHaveLength(32);
    expect(got.request.keyFlags).toBe(kind === 'hybrid' ? keyIsRaw : 0);
    expect(got.response.keyFlags).toBe(kind === 'hybrid' ? keyIsRaw : 0);
  });

  test('both configured, and no two handshakes have the same key', () => {
    const text = `kex=${name}\n`;
    const [a, b] = [shake(client(text), server(text)), shake(client(text), server(text))];
    expect(a.client).toEqual(a.server);
    expect(a.client?.key).not.toEqual(b.client?.key);
  });
});

const kems = keyExchanges.filter(({ kind }) => kind !== 'dh');

/** The files of a server's static key. */
function staticFiles(name: string): { readonly own: Buffer; readonly its: Buffer } {
  const pem = (key: KeyObject): Buffer => Buffer.from(key.export({ type: 'pkcs8', format: 'pem' }));
  const publicPem = (key: KeyObject): Buffer => Buffer.from(key.export({ type: 'spki', format: 'pem' }));
  const hybrids = {
    X25519MLKEM768: ['ml-kem-768', 2400, 'x25519', 32],
    X448MLKEM1024: ['ml-kem-1024', 3168, 'x448', 56],
  } as const;
  if (name === 'X25519MLKEM768' || name === 'X448MLKEM1024') {
    const [kem, kemBytes, curve, curveBytes] = hybrids[name];
    const [first, second] = [systemKeys.keyPair({ type: kem }), systemKeys.keyPair({ type: curve })];
    const end = (key: KeyObject, bytes: number): Buffer =>
      key.export({ type: 'pkcs8', format: 'der' }).subarray(-bytes);
    const raw = (key: KeyObject): Buffer => key.export({ format: 'raw-public' });
    return {
      own: Buffer.concat([end(first.privateKey, kemBytes), end(second.privateKey, curveBytes)]),
      its: Buffer.concat([raw(first.publicKey), raw(second.publicKey)]),
    };
  }
  const pair = systemKeys.keyPair({ type: name.toLowerCase() as 'ml-kem-768' });
  return { own: pem(pair.privateKey), its: publicPem(pair.publicKey) };
}

describe.each(kems)('the client encapsulates with $name', ({ name, kind }) => {
  const files = staticFiles(name);
  const text = `kex=${name}\nkem_mode=client\n`;

  test('and both ends have the same key', () => {
    const got = shake(
      client(`${text}kdf=sha512`, { serverKey: files.its }),
      server(`kex=${name}\ncipher=chacha20-poly1305`, { staticKey: files.own }),
    );
    expect(got.client).toEqual(got.server);
    expect(got.client).toMatchObject({ exchange: name, cipher: { name: 'chacha20-poly1305' } });
    expect(got.request.keyFlags).toBe(clientEncapsulated | (kind === 'hybrid' ? keyIsRaw : 0));
    expect([got.response.keyFlags, got.response.key.length]).toEqual([0, 0]);
    expect(got.response.kdf).toBe(byName(digests, 'sha512')?.id);
  });

  test('but not without the key of the server, or with another one', () => {
    expect(() => requestOf(client(text))).toThrow(/^no .* key of the server of svc is known$/);
    const request = requestOf(client(text, { serverKey: files.its }));
    expect(answerTo(request.bytes, server(`kex=${name}`))).toEqual({ error: 'ECRYPT' });
    expect(answerTo(request.bytes, server(`kex=${name}`, { staticKey: Buffer.from('x') }))).toEqual({
      error: 'ECRYPT',
    });
    // Which key it was meant for only shows when packets come.
    const other = answerTo(request.bytes, server(`kex=${name}`, { staticKey: staticFiles(name).own }));
    if ('error' in other) throw new Error(other.error);
    expect(request.judge(other.response)).toBeUndefined();
    expect(request.flowKey?.key).not.toEqual(other.flowKey?.key);
  });

  test('and the server refuses what is below its configuration', () => {
    const request = requestOf(client(text, { serverKey: files.its }));
    const own = { staticKey: files.own };
    expect(answerTo(request.bytes, server())).toEqual({ error: 'ECRYPT' });
    expect(answerTo(request.bytes, server('kex=X25519', own))).toEqual({ error: 'ECRYPT' });
    expect(answerTo(request.bytes, server(`kex=${name}\nkdf=sha512`, own))).toEqual({ error: 'ECRYPT' });
    const flipped = encoded(request.bytes, { keyFlags: decoded(request.bytes, 0).keyFlags ^ keyIsRaw });
    expect(answerTo(flipped, server(`kex=${name}`, own))).toEqual({ error: 'ECRYPT' });
    const cut = encoded(request.bytes, { key: decoded(request.bytes, 0).key.subarray(1) });
    expect(answerTo(cut, server(`kex=${name}`, own))).toEqual({ error: 'ECRYPT' });
  });
});

describe('whether a flow is encrypted', () => {
  test.each([
    ['neither side is configured', undefined, undefined, undefined],
    ['only the client is', 'cipher=aes-128-gcm', undefined, 'aes-128-gcm'],
    ['the client is stronger', 'cipher=aes-256-gcm', 'cipher=aes-128-gcm', 'aes-256-gcm'],
    ['the server is stronger', 'cipher=aes-128-gcm', 'cipher=chacha20-poly1305', 'chacha20-poly1305'],
  ])('%s', (_name, clientText, serverText, cipher) => {
    const got = shake(client(clientText), server(serverText));
    expect(got.client).toEqual(got.server);
    expect(got.client?.cipher.name).toBe(cipher);
  });

  test('only the server is: it refuses', () => {
    const request = requestOf(client());
    expect(answerTo(request.bytes, server(''))).toEqual({ error: 'ECRYPT' });
  });
});

describe('the stronger key derivation counts', () => {
  test.each([
    ['sha512', 'sha256', 674],
    ['sha256', 'sha3-512', 1099],
    ['blake2s256', undefined, 1057],
  ])('%s and %s', (clientKdf, serverKdf, id) => {
    const got = shake(client(`kdf=${clientKdf}`), server(serverKdf && `kdf=${serverKdf}`));
    expect(got.client).toEqual(got.server);
    expect(got.response.kdf).toBe(id);
  });

  test('and a request that names none is answered with none, or with that of the server', () => {
    const key = montgomeryKey('x25519', Buffer.alloc(32, 1));
    const side = client('kex=X25519', { keys: knownKeys(key) });
    const { bytes } = requestOf(side);
    const nameless = encoded(bytes, { kdf: 0 });
    for (const [text, kdf] of [
      [undefined, 0],
      ['kdf=sha512', 674],
    ] as const) {
      const verdict = answerTo(nameless, server(text));
      if ('error' in verdict) throw new Error(verdict.error);
      expect(decoded(verdict.response, 32).kdf).toBe(kdf);
      expect(verdict.flowKey?.key).toHaveLength(32);
    }
  });
});

describe('the server takes the key exchange of the client if it is strong enough', () => {
  test('not if it is weaker', () => {
    const { bytes } = requestOf(client('kex=prime256v1'));
    expect(answerTo(bytes, server('kex=X25519'))).toEqual({ error: 'ECRYPT' });
  });

  test('if it is stronger', () => {
    const got = shake(client('kex=X448'), server('kex=X25519'));
    expect(got.client).toEqual(got.server);
    expect(got.server?.exchange).toBe('X448');
  });
});

/** Every row of the table of refusals (end-to-end.md 3.4), but for the failures of reading files. */
describe('the server refuses, in this order', () => {
  const x25519 = requestOf(client('kex=X25519'));
  const asked = decoded(x25519.bytes, 0);
  const signed = requestOf(client(undefined, { identity: identityOf('client') }));
  const curve = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey;

  test.each<[string, Buffer, ServerSide, string]>([
    ['what is too short', Buffer.alloc(35), server(), 'EAUTH'],
    ['what announces more than there is', x25519.bytes.subarray(0, -1), server(), 'EAUTH'],
    ['left-over bytes', Buffer.concat([x25519.bytes, Buffer.alloc(1)]), server(), 'EAUTH'],
    ['an unknown cipher', encoded(x25519.bytes, { cipher: 907 }), server(), 'EAUTH'],
    ['an unknown key derivation', encoded(x25519.bytes, { kdf: 1096 }), server(), 'EAUTH'],
    ['an unknown digest', encoded(x25519.bytes, { digest: 1 }), server(), 'EAUTH'],
    ['101 ms of the future', encoded(x25519.bytes, { timestamp: start + 102n * ms }), server(), 'EAUTH'],
    ['20 001 ms of the past', encoded(x25519.bytes, { timestamp: start - 20_000n * ms }), server(), 'EAUTH'],
    [
      'a certificate that is none',
      encoded(x25519.bytes, { certificate: Buffer.from('no certificate'), signature: Buffer.alloc(70) }),
      server(),
      'EAUTH',
    ],
    ['a certificate of nobody known', signed.bytes, server(undefined, { trust: storeOf() }), 'EAUTH'],
    [
      'a certificate, where nothing is believed',
      signed.bytes,
      server('', { trust: storeOf('other-root') }),
      'EAUTH',
    ],
    [
      'a wrong signature',
      encoded(signed.bytes, { timestamp: decoded(signed.bytes, 0).timestamp + 1n }),
      server(),
      'EAUTH',
    ],
    ['no signature', encoded(signed.bytes, { signature: Buffer.alloc(0) }), server(), 'EAUTH'],
    ['no key, though configured', requestOf(client()).bytes, server(''), 'ECRYPT'],
    ['a key without a cipher', encoded(x25519.bytes, { cipher: 0 }), server(), 'ECRYPT'],
    ['a key that cannot be read', encoded(x25519.bytes, { key: asked.key.subarray(1) }), server(), 'ECRYPT'],
    [
      'a curve outside the table',
      encoded(x25519.bytes, { key: curve.export({ type: 'spki', format: 'der' }) }),
      server(),
      'ECRYPT',
    ],
    ['a raw key that is none', encoded(x25519.bytes, { keyFlags: keyIsRaw }), server(), 'ECRYPT'],
    ['a key exchange that is too weak', x25519.bytes, server('kex=X448'), 'ECRYPT'],
    [
      'a point of small order',
      encoded(x25519.bytes, { key: Buffer.concat([asked.key.subarray(0, 12), Buffer.alloc(32)]) }),
      server(),
      'ECRYPT',
    ],
  ])('%s', (_name, bytes, side, error) => {
    const oap = new OapServer();
    expect(oap.answer(bytes, start + ms, side)).toEqual({ error });
    expect(oap.fault).toMatch(/^[a-z].*[^.]$/);
  });

  test('a replay, even of a request that was refused', () => {
    const oap = new OapServer();
    const weak = requestOf(client('kex=prime256v1')).bytes;
    expect(oap.answer(weak, start, server('kex=X448'))).toEqual({ error: 'ECRYPT' });
    expect(oap.answer(weak, start, server())).toEqual({ error: 'EAUTH' });
  });

  test('when its own key cannot sign', () => {
    const { bytes } = requestOf(client('kex=X25519'));
    const side = server('digest=blake2b512', { identity: identityOf('svc-rsa') });
    expect(answerTo(bytes, side)).toEqual({ error: 'EAUTH' });
  });

  test('and when a cipher but no key comes without configuration, it answers in the clear', () => {
    const verdict = answerTo(encoded(requestOf(client()).bytes, { cipher: 906, digest: 672 }), server());
    if ('error' in verdict) throw new Error(verdict.error);
    expect(verdict.flowKey).toBeUndefined();
    expect(decoded(verdict.response, 32)).toMatchObject({ cipher: 0, kdf: 0, digest: 0 });
  });
});

describe('authentication', () => {
  const mlDsa = generateKeyPairSync('ml-dsa-44').privateKey;
  const identities = {
    EC: identityOf('svc-ec'),
    RSA: identityOf('svc-rsa'),
    Ed25519: identityOf('svc-ed25519'),
    'ML-DSA': reissued('svc-ed25519', mlDsa),
  };

  describe.each(Object.entries(identities))('with %s', (_name, identity) => {
    test.each([
      ['in the clear', undefined],
      ['encrypted', 'kex=X25519\ndigest=sha512'],
    ])('of both sides, %s', (_how, text) => {
      const own = identityOf('client');
      const got = shake(client(text, { identity: own }), server(text, { identity }));
      expect(got.client).toEqual(got.server);
      expect(got.request.certificate).toEqual(own.certificate);
      expect(got.response.certificate).toEqual(identity.certificate);
    });

    test('every altered bit of the response is noticed', () => {
      const request = requestOf(client('kex=X25519'));
      const verdict = answerTo(request.bytes, server('kex=X25519', { identity }));
      if ('error' in verdict) throw new Error(verdict.error);
      fc.assert(
        fc.property(fc.nat(verdict.response.length * 8 - 1), (bit) => {
          const altered = Buffer.from(verdict.response);
          altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          expect(request.judge(altered)).toBe('ECRYPT');
          expect(request.flowKey).toBeUndefined();
        }),
        { numRuns: 150 },
      );
      expect(request.judge(verdict.response)).toBeUndefined();
    });

    test('every altered bit of the request is noticed', () => {
      const { bytes } = requestOf(client('kex=X25519', { identity }));
      fc.assert(
        fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
          const altered = Buffer.from(bytes);
          altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          expect(answerTo(altered, server())).toEqual({ error: expect.any(String) as string });
        }),
        { numRuns: 150 },
      );
      expect('response' in answerTo(bytes, server())).toBe(true);
    });
  });

  test('a key with a digest of its own names none', () => {
    const side = { identity: identities.Ed25519 };
    const got = shake(client('digest=sha512', side), server('digest=sha512', side));
    expect([got.request.digest, got.response.digest]).toEqual([0, 0]);
  });

  test('each side signs with its own digest', () => {
    const got = shake(
      client('digest=sha3-512', { identity: identityOf('client') }),
      server('digest=blake2s256', { identity: identities.EC }),
    );
    expect([got.request.digest, got.response.digest]).toEqual([1099, 1057]);
  });

  test('the server does not care what the client is called', () => {
    expect(() => shake(client(undefined, { identity: identityOf('elsewhere') }), server())).not.toThrow();
  });

  test.each([
    ['elsewhere', 'its certificate is that of "elsewhere"'],
    ['svc-hidden', 'its certificate is that of "elsewhere"'],
    ['svc-slash', 'its certificate is that of "svc/elsewhere"'],
    ['nameless', 'its certificate is that of nobody'],
    ['svc-foreign', 'nobody known has issued it'],
    ['svc-self', 'nobody known has issued it'],
    ['svc-old', 'the certificate has expired'],
    ['svc-early', 'the certificate is not valid yet'],
    ['svc-critical', 'the certificate has a critical extension that nobody knows here'],
  ])('the client does not believe %s', (name, fault) => {
    const request = requestOf(client('kex=X25519'));
    const verdict = answerTo(request.bytes, server('kex=X25519', { identity: identityOf(name) }));
    if ('error' in verdict) throw new Error(verdict.error);
    expect(request.judge(verdict.response)).toBe('ECRYPT');
    expect(request.fault).toBe(fault);
    expect(request.flowKey).toBeUndefined();
  });

  test('a certificate with the key of another proves nothing', () => {
    const identity = { certificate: identities.EC.certificate, key: identityOf('elsewhere').key };
    const request = requestOf(client());
    const verdict = answerTo(request.bytes, server(undefined, { identity }));
    if ('error' in verdict) throw new Error(verdict.error);
    expect(request.judge(verdict.response)).toBe('ECRYPT');
    expect(request.fault).toBe('the signature is wrong');
    expect(answerTo(requestOf(client(undefined, { identity })).bytes, server())).toEqual({ error: 'EAUTH' });
  });

  test('who cannot sign makes no request', () => {
    const side = client('digest=blake2b512', { identity: identities.RSA });
    expect(() => requestOf(side)).toThrow(expect.objectContaining({ code: 'EBADF' }) as Error);
  });
});

describe('the client refuses a response', () => {
  const request = requestOf(client('kex=X25519\ncipher=aes-256-gcm\nkdf=sha384'));
  const verdict = answerTo(request.bytes, server());
  if ('error' in verdict) throw new Error(verdict.error);
  const good = verdict.response;
  const changed = (change: Partial<OapMessage>): Buffer => encodeOap({ ...decoded(good, 32), ...change });
  const x448 = createPublicKey(montgomeryKey('x448', Buffer.alloc(56, 3))).export({
    type: 'spki',
    format: 'der',
  });

  test.each([
    ['without a key', { key: Buffer.alloc(0) }],
    ['with a key of another kind', { key: x448 }],
    ['with a broken key', { key: decoded(good, 32).key.subarray(1) }],
    ['without a cipher', { cipher: 0 }],
    ['with a weaker cipher', { cipher: 895 }],
    ['with a weaker key derivation', { kdf: 672 }],
    ['for another request', { id: Buffer.alloc(16) }],
    ['to an altered request', { requestHash: Buffer.alloc(32) }],
  ])('%s', (_name, change) => {
    expect(request.judge(changed(change))).toBe('ECRYPT');
    expect(request.fault).toMatch(/^[a-z]/);
  });

  test.each([
    ['a stronger cipher', { cipher: 1018 }],
    ['a stronger key derivation', { kdf: 674 }],
    ['no key derivation', { kdf: 0 }],
    ['flags, which say nothing', { keyFlags: keyIsRaw | clientEncapsulated }],
    ['another time', { timestamp: 0n }],
  ])('but takes %s', (_name, change) => {
    expect(request.judge(changed(change))).toBeUndefined();
    expect(request.flowKey).toBeDefined();
  });

  test('and ignores algorithms that it did not ask for', () => {
    const plain = requestOf(client());
    const answer = answerTo(plain.bytes, server());
    if ('error' in answer) throw new Error(answer.error);
    const told = encodeOap({ ...decoded(answer.response, 48), cipher: 901, kdf: 672, key: x448 });
    expect(plain.judge(told)).toBeUndefined();
    expect(plain.flowKey).toBeUndefined();
  });

  test('cut anywhere, or random', () => {
    for (let length = 0; length < good.length; length += 1) {
      expect(request.judge(good.subarray(0, length))).toBe('ECRYPT');
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(request.judge(Buffer.from(bytes))).toBe('ECRYPT');
      }),
    );
  });
});

describe('whatever a server is sent', () => {
  const sides = [
    server(),
    server(''),
    server('kex=X448'),
    server('kex=ML-KEM-768', { identity: identityOf('svc-ec') }),
  ];

  test('random bytes are refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...sides), (bytes, side) => {
        expect(answerTo(Buffer.from(bytes), side)).toEqual({ error: expect.any(String) as string });
      }),
    );
  });

  test('every truncation is refused', () => {
    const { bytes } = requestOf(client('kex=X25519', { identity: identityOf('client') }));
    for (let length = 0; length < bytes.length; length += 1) {
      expect(answerTo(bytes.subarray(0, length), server())).toEqual({ error: 'EAUTH' });
    }
  });

  test('an altered request is refused, or its answer is by the client', () => {
    const side = client('kex=X25519');
    const request = requestOf(side);
    fc.assert(
      fc.property(fc.nat(request.bytes.length * 8 - 1), fc.constantFrom(...sides), (bit, other) => {
        const altered = Buffer.from(request.bytes);
        altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const verdict = answerTo(altered, other);
        if ('response' in verdict) expect(request.judge(verdict.response)).toBe('ECRYPT');
      }),
      { numRuns: 400 },
    );
  });

  test('messages of plausible fields are answered or refused', () => {
    const part = (max: number): fc.Arbitrary<Buffer> =>
      fc.uint8Array({ maxLength: max }).map((bytes) => Buffer.from(bytes));
    const keys = keyExchanges.map(({ name }) => decoded(requestOf(client(`kex=${name}`)).bytes, 0).key);
    const message = fc.record({
      cipher: fc.constantFrom(0, ...ciphers.map(({ id }) => id)),
      kdf: fc.constantFrom(0, ...digests.map(({ id }) => id)),
      digest: fc.constantFrom(0, ...digests.map(({ id }) => id)),
      certificate: fc.oneof(
        fc.constant(Buffer.alloc(0)),
        part(200),
        fc.constant(identityOf('client').certificate),
      ),
      keyFlags: fc.constantFrom(0, keyIsRaw, clientEncapsulated, keyIsRaw | clientEncapsulated),
      key: fc.oneof(part(100), fc.constantFrom(...keys)),
      signature: part(100),
    });
    const base = requestOf(client()).bytes;
    fc.assert(
      fc.property(message, fc.constantFrom(...sides), (fields, side) => {
        const signature = fields.certificate.length === 0 ? Buffer.alloc(0) : fields.signature;
        const verdict = answerTo(encoded(base, { ...fields, signature }), side);
        // Nobody else's certificate is ever believed.
        if (fields.certificate.length > 0) expect(verdict).toEqual({ error: 'EAUTH' });
      }),
      { numRuns: 300 },
    );
  });
});
