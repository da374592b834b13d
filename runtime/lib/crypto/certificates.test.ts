import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { certificateOf, identityOf, storeOf } from '../../../tests/support/certificates.ts';
import { commonName, readCertificate, TrustStore } from './certificates.ts';

const now = Date.UTC(2030, 0, 1);
const all = storeOf('root', 'intermediate', 'too-deep', 'constrained', 'elsewhere');

/** Thousands of signatures are checked, which takes seconds of a processor, and so much longer where others want it too. */
const computingMs = 300_000;

describe('a certificate is believed', () => {
  test.each(['svc-ec', 'svc-rsa', 'svc-ed25519', 'client', 'elsewhere', 'intermediate', 'root'])(
    '%s',
    (name) => {
      expect(all.faultOf(certificateOf(name), now)).toBeUndefined();
    },
  );

  test('if it is itself among those that are trusted', () => {
    expect(storeOf('svc-self').faultOf(certificateOf('svc-self'), now)).toBeUndefined();
  });

  test('whatever the order of those that are trusted, and with others of the same name among them', () => {
    expect(
      storeOf('other-root', 'intermediate', 'root').faultOf(certificateOf('svc-ec'), now),
    ).toBeUndefined();
  });
});

describe('a certificate is not believed', () => {
  test.each([
    ['svc-foreign', 'nobody known has issued it'],
    ['svc-self', 'nobody known has issued it'],
    ['svc-by-leaf', 'nobody known has issued it'],
    ['svc-old', 'the certificate has expired'],
    ['svc-early', 'the certificate is not valid yet'],
    ['svc-too-deep', 'its issuer Intermediate is too far from it'],
    ['svc-constrained', 'its issuer Constrained constrains names, which nobody checks here'],
    ['svc-critical', 'the certificate has a critical extension that nobody knows here'],
  ])('%s: %s', (name, fault) => {
    expect(all.faultOf(certificateOf(name), now)).toBe(fault);
  });

  test('whose chain has a gap, or ends in no root', () => {
    const certificate = certificateOf('svc-ec');
    expect(storeOf('root').faultOf(certificate, now)).toBe('nobody known has issued it');
    expect(storeOf('intermediate').faultOf(certificate, now)).toBe(
      'nobody known has issued its issuer Intermediate',
    );
    expect(storeOf().faultOf(certificate, now)).toBe('nobody known has issued it');
    // It is there itself, but it is no root.
    expect(storeOf('svc-ec').faultOf(certificate, now)).toBe('nobody known has issued it');
  });

  test('when one above it is out of its time', () => {
    expect(all.faultOf(certificateOf('svc-ec'), Date.UTC(2019, 0, 1))).toBe(
      'the certificate is not valid yet',
    );
    expect(all.faultOf(certificateOf('svc-ec'), Date.UTC(2200, 0, 1))).toBe('the certificate has expired');
  });

  test.each(['svc-ec', 'svc-rsa', 'svc-ed25519', 'intermediate', 'root'])(
    '%s with any bit altered',
    (name) => {
      const { raw } = certificateOf(name);
      for (let bit = 0; bit < raw.length * 8; bit += 1) {
        const altered = Buffer.from(raw);
        altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const certificate = readCertificate(altered);
        if (certificate === undefined) continue;
        expect(all.faultOf(certificate, now), `bit ${bit}`).toBeDefined();
        commonName(certificate);
      }
    },
    computingMs,
  );

  test('nor anything by one that was altered, though it is trusted', () => {
    for (const name of ['intermediate', 'root']) {
      const { raw } = certificateOf(name);
      for (let bit = 0; bit < raw.length * 8; bit += 1) {
        const altered = Buffer.from(raw);
        altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const certificate = readCertificate(altered);
        if (certificate === undefined) continue;
        // Whatever becomes of it, nothing is thrown.
        new TrustStore([certificate]).faultOf(certificateOf('svc-ed25519'), now);
      }
    }
  });
});

test('many copies of one certificate cost no more than one', () => {
  const store = new TrustStore(Array.from({ length: 200 }, () => certificateOf('intermediate')));
  expect(store.faultOf(certificateOf('svc-ec'), now)).toBeDefined();
});

test.each([
  ['svc-ec', 'svc'],
  ['svc-rsa', 'svc'],
  ['svc-hidden', 'elsewhere'],
  ['svc-slash', 'svc/elsewhere'],
  ['nameless', undefined],
])('the common name of %s is %s', (name, expected) => {
  expect(commonName(certificateOf(name))).toBe(expected);
});

test('a certificate in a message is DER, whole and alone', () => {
  const { certificate } = identityOf('svc-ec');
  expect(readCertificate(certificate)).toBeInstanceOf(X509Certificate);
  expect(readCertificate(Buffer.concat([certificate, Buffer.alloc(1)]))).toBeUndefined();
  expect(readCertificate(certificate.subarray(0, -1))).toBeUndefined();
  expect(readCertificate(Buffer.from(certificateOf('svc-ec').toString()))).toBeUndefined();
  expect(readCertificate(Buffer.alloc(0))).toBeUndefined();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(readCertificate(Buffer.from(bytes))).toBeUndefined();
    }),
  );
});
