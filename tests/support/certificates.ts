/** The certificates and keys of tests/fixtures/certificates. */
import { createPrivateKey, createPublicKey, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { TrustStore } from '../../runtime/lib/crypto/certificates.ts';
import { derChildren, derTag, encodeDer, readDer } from '../../runtime/lib/crypto/der.ts';

/** The path of a file of the folder. */
export function certificateFile(name: string): URL {
  return new URL(`../fixtures/certificates/${name}.pem`, import.meta.url);
}

export function certificateOf(name: string): X509Certificate {
  return new X509Certificate(readFileSync(certificateFile(name)));
}

/** Certificate and key of an end point. */
export function identityOf(name: string): { readonly certificate: Buffer; readonly key: KeyObject } {
  const key = createPrivateKey(readFileSync(certificateFile(`${name}.key`)));
  return { certificate: certificateOf(name).raw, key };
}

export function storeOf(...names: readonly string[]): TrustStore {
  return new TrustStore(names.map(certificateOf));
}

/** The certificate of an end point that `root` issued, issued anew for another key: for kinds that OpenSSL 3.0 lacks. */
export function reissued(
  name: string,
  key: KeyObject,
): { readonly certificate: Buffer; readonly key: KeyObject } {
  const { raw } = certificateOf(name);
  const whole = readDer(raw, 0, raw.length);
  const [signed, algorithm] = (whole && derChildren(raw, whole)) ?? [];
  const fields = (signed && derChildren(raw, signed)) ?? [];
  // Version, serial number, algorithm, issuer, validity, subject, key.
  const keyAt = 6;
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const parts = fields.map(({ at, end }, index) => (index === keyAt ? publicKey : raw.subarray(at, end)));
  const tbs = encodeDer(derTag.sequence, ...parts);
  const signature = sign('sha256', tbs, identityOf('root').key);
  const named = raw.subarray(algorithm?.at, algorithm?.end);
  const bits = encodeDer(derTag.bitString, Buffer.of(0), signature);
  return { certificate: encodeDer(derTag.sequence, tbs, named, bits), key };
}
