/** Names and the hashes that stand for them in a layer. Source: link-ipcps.md 1.2. */
import { hash } from 'node:crypto';
import { O7sError } from './errors.ts';
import { nameBytesMax } from './limits.ts';

/** A directory hash as `irm` spells it, in the numbering of the enrolment message. */
export const hashAlgorithms = ['SHA3_224', 'SHA3_256', 'SHA3_384', 'SHA3_512'] as const;
export type HashAlgorithm = (typeof hashAlgorithms)[number];

/** What a layer hashes names with: one of the algorithms above, or in a udp layer MD5. */
export type LayerHash = HashAlgorithm | 'MD5';

/** All of them. */
export const layerHashes: readonly LayerHash[] = [...hashAlgorithms, 'MD5'];

const digests: Record<LayerHash, readonly [name: string, bytes: number]> = {
  SHA3_224: ['sha3-224', 28],
  SHA3_256: ['sha3-256', 32],
  SHA3_384: ['sha3-384', 48],
  SHA3_512: ['sha3-512', 64],
  MD5: ['md5', 16],
};

/** Length in bytes of a hash. */
export function hashBytes(algorithm: LayerHash): number {
  return digests[algorithm][1];
}

/** The hash of a name: over exactly its bytes, without terminator or salt. */
export function hashName(name: string, algorithm: LayerHash): Buffer {
  return hash(digests[algorithm][0], name, 'buffer');
}

/** Refuses a name that is longer than a registry or a layer takes. */
export function checkName(name: string, what: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes > nameBytesMax) {
    throw new O7sError('EINVAL', `${what} has ${bytes} bytes`, {
      hint: `use at most ${nameBytesMax}`,
    });
  }
}
