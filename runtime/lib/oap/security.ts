/** What either side of a name brings to its handshakes, and what comes of them. Source: end-to-end.md 3.3 to 3.5, 4.6. */
import type { KeyObject, X509Certificate } from 'node:crypto';
import { byId, type Cipher, digests } from '../crypto/algorithms.ts';
import { readCertificate, type TrustStore } from '../crypto/certificates.ts';
import type { EncryptionConfig } from '../crypto/encryption-config.ts';
import type { KeySource } from '../crypto/key-exchange.ts';
import { hasOwnDigest, isSignedBy, signMessage } from '../crypto/signatures.ts';
import { encodeOap, type OapMessage } from './message.ts';

/** What one end proves itself with. */
export interface Identity {
  /** X.509, DER. */
  readonly certificate: Buffer;
  readonly key: KeyObject;
}

interface Side {
  readonly identity?: Identity | undefined;
  /** Absent where nothing is encrypted. */
  readonly encryption?: EncryptionConfig | undefined;
  /** What the certificates of others must go back to. */
  readonly trust: TrustStore;
  readonly keys: KeySource;
}

/** The client's side of the name it allocates a flow to. */
export interface ClientSide extends Side {
  /** The name that the server's certificate, if it has one, must bear. */
  readonly name: string;
  /** The file with the server's static public key, for client encapsulation. */
  readonly serverKey?: Buffer | undefined;
}

/** The server's side of a name. */
export interface ServerSide extends Side {
  /** The file with its static private key, for client encapsulation. */
  readonly staticKey?: Buffer | undefined;
}

/** What both ends of a flow seal its packets with. */
export interface FlowKey {
  readonly cipher: Cipher;
  /** 32 bytes. */
  readonly key: Buffer;
  /** The key exchange it comes from. */
  readonly exchange: string;
}

const nsPerMs = 1_000_000n;

/** The digest that a message of this side names: none where the key that signs has its own. */
export function digestId({ identity, encryption }: Pick<Side, 'identity' | 'encryption'>): number {
  if (identity !== undefined && hasOwnDigest(identity.key)) return 0;
  return encryption?.digest.id ?? 0;
}

/** A message as it is sent: with certificate and signature where there is an identity. undefined when it cannot sign. */
export function encodeSigned(message: OapMessage, identity: Identity | undefined): Buffer | undefined {
  if (identity === undefined) return encodeOap(message);
  const bytes = encodeOap({ ...message, certificate: identity.certificate });
  const signature = signMessage(bytes, identity.key, byId(digests, message.digest));
  return signature === undefined ? undefined : Buffer.concat([bytes, signature]);
}

/**
 * Who has signed a message: nobody, when it has no certificate; or why its certificate proves nothing.
 *
 * @param bytes the whole message.
 * @param now ns since 1970.
 */
export function authorOf(
  bytes: Buffer,
  message: OapMessage,
  trust: TrustStore,
  now: bigint,
): { readonly certificate: X509Certificate | undefined } | { readonly fault: string } {
  if (message.certificate.length === 0) return { certificate: undefined };
  const certificate = readCertificate(message.certificate);
  if (certificate === undefined) return { fault: 'the certificate cannot be read' };
  const fault = trust.faultOf(certificate, Number(now / nsPerMs));
  if (fault !== undefined) return { fault };
  const { signature } = message;
  const signed = bytes.subarray(0, bytes.length - signature.length);
  if (isSignedBy(signed, signature, certificate.publicKey, byId(digests, message.digest))) {
    return { certificate };
  }
  return { fault: 'the signature is wrong' };
}
