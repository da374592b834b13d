import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeOap,
  encodeOap,
  oapDigests,
  oapFields,
  oapHeaderBytes,
  type OapMessage,
  requestDigest,
} from './message.ts';

const part = (max: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength: max }).map((bytes) => Buffer.from(bytes));
const exactly = (length: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes));
const digest = fc.constantFrom(0, ...oapDigests.keys());

const anyMessage = (hashBytes: number): fc.Arbitrary<OapMessage> =>
  fc
    .record({
      id: exactly(16),
      timestamp: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      cipher: fc.constantFrom(0, 904, 905, 906, 895, 898, 901, 1018),
      kdf: digest,
      digest,
      certificate: part(100),
      keyFlags: fc.constantFrom(0, 0x4000, 0x8000, 0xc000),
      key: part(100),
      data: part(50),
      requestHash: exactly(hashBytes),
      signature: part(80),
    })
    .map((message) =>
      message.certificate.length > 0 ? message : { ...message, signature: Buffer.alloc(0) },
    );

test('what is encoded is decoded, for requests and responses', () => {
  for (const hashBytes of [0, 32, 48, 64]) {
    fc.assert(
      fc.property(anyMessage(hashBytes), (message) => {
        expect(decodeOap(encodeOap(message), hashBytes)).toEqual(message);
      }),
    );
  }
});

test('the table and the encoder agree', () => {
  expect(oapHeaderBytes).toBe(36);
  fc.assert(
    fc.property(anyMessage(48), (message) => {
      const bytes = encodeOap(message);
      const values: Record<string, number | bigint> = {
        idHigh: message.id.readBigUInt64BE(0),
        idLow: message.id.readBigUInt64BE(8),
        timestamp: message.timestamp,
        cipher: message.cipher,
        kdf: message.kdf,
        digest: message.digest,
        certificateLength: message.certificate.length,
        keyExchangeLength: message.keyFlags + message.key.length,
        dataLength: message.data.length,
      };
      for (const { name, offset, width } of oapFields) {
        const found = width === 8 ? bytes.readBigUInt64BE(offset) : bytes.readUInt16BE(offset);
        expect(found, name).toBe(values[name]);
      }
    }),
  );
});

test('every truncation of an announced part is refused', () => {
  fc.assert(
    fc.property(anyMessage(48), (message) => {
      const bytes = encodeOap(message);
      const announced = bytes.length - message.signature.length;
      for (let length = 0; length < announced; length += 1) {
        expect(decodeOap(bytes.subarray(0, length), 48)).toBe('short');
      }
    }),
    { numRuns: 30 },
  );
});

const plain: OapMessage = {
  id: Buffer.alloc(16, 7),
  timestamp: 1n,
  cipher: 0,
  kdf: 0,
  digest: 0,
  certificate: Buffer.alloc(0),
  keyFlags: 0,
  key: Buffer.alloc(0),
  data: Buffer.alloc(0),
  requestHash: Buffer.alloc(0),
  signature: Buffer.alloc(0),
};

test.each([
  ['cipher', { cipher: 907 }],
  ['kdf', { kdf: 1096 }],
  ['digest', { digest: 1 }],
])('an unknown %s is refused', (_name, change) => {
  expect(decodeOap(encodeOap({ ...plain, ...change }), 0)).toBe('unknown algorithm');
});

test('left-over bytes need a certificate', () => {
  expect(decodeOap(Buffer.concat([encodeOap(plain), Buffer.alloc(1)]), 0)).toBe('left-over bytes');
  const signed = { ...plain, certificate: Buffer.from('c'), signature: Buffer.from('s') };
  expect(decodeOap(encodeOap(signed), 0)).toEqual(signed);
});

test('a request that names no digest is hashed with SHA-384', () => {
  expect(requestDigest(0)).toEqual(['sha384', 48]);
  expect(requestDigest(1097)).toEqual(['sha3-256', 32]);
});

test('random bytes are decoded or refused, never more', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(0, 32, 48, 64), (array, hashBytes) => {
      const bytes = Buffer.from(array);
      const message = decodeOap(bytes, hashBytes);
      if (typeof message !== 'string') expect(encodeOap(message)).toEqual(bytes);
    }),
    { numRuns: 1000 },
  );
});
