/** The certificates and keys of tests/fixtures/certificates. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { TrustStore } from '../../runtime/lib/crypto/certificates.ts';

/** The path of a file of the folder. */
function certificateFile(name: string): URL {
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
