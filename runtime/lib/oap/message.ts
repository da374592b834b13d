/** The messages of the allocation handshake. Source: end-to-end.md 3.1, 3.2. */
import { ciphers, digests } from '../crypto/algorithms.ts';
import { fieldTable, headerBytes } from '../wire/fields.ts';

export const oapFields = fieldTable([
  ['idHigh', 'u64', 'first half of the random id, chosen by the requester'],
  ['idLow', 'u64', 'second half of the id; a response repeats both'],
  ['timestamp', 'u64', "sender's wall clock", 'ns since 1970 UTC'],
  ['cipher', 'u16', 'OpenSSL object id of the cipher, 0 none'],
  ['kdf', 'u16', 'object id of the key derivation digest, 0 none'],
  ['digest', 'u16', 'object id of the digest the sender signs with, 0 none'],
  ['certificateLength', 'u16', 'certificate that follows', 'bytes'],
  ['keyExchangeLength', 'u16', 'bit 15 raw key, bit 14 client encapsulated, rest length of the key', 'bytes'],
  ['dataLength', 'u16', 'piggybacked data', 'bytes'],
]);

/** Bytes of a message without certificate, key and data. */
export const oapHeaderBytes: number = headerBytes(oapFields);

const idBytes = 16;
const offset = {
  timestamp: 16,
  cipher: 24,
  kdf: 26,
  digest: 28,
  certificateLength: 30,
  keyExchange: 32,
  dataLength: 34,
} as const;

/** The digests a message may name, by id, as `node:crypto` calls them, with their length. */
export const oapDigests: ReadonlyMap<number, readonly [name: string, bytes: number]> = new Map(
  digests.map(({ id, name, bytes }) => [id, [name, bytes]]),
);

const cipherIds: ReadonlySet<number> = new Set(ciphers.map(({ id }) => id));

/** The digest of a request that names none (end-to-end.md 3.1). */
const defaultDigest: readonly [name: string, bytes: number] = ['sha384', 48];

/** In the place of the key's length: the key is raw and not DER. */
export const keyIsRaw = 0x8000;
/** In the same place: the client has encapsulated a secret, and the key is the ciphertext. */
export const clientEncapsulated = 0x4000;

/** The digest over a request that its response carries. */
export function requestDigest(digest: number): readonly [name: string, bytes: number] {
  return oapDigests.get(digest) ?? defaultDigest;
}

export interface OapMessage {
  /** 16 bytes. */
  readonly id: Buffer;
  /** ns since 1970 UTC. */
  readonly timestamp: bigint;
  readonly cipher: number;
  readonly kdf: number;
  readonly digest: number;
  readonly certificate: Buffer;
  /** `keyIsRaw` and `clientEncapsulated`, the flags F and R of the document. */
  readonly keyFlags: number;
  readonly key: Buffer;
  readonly data: Buffer;
  /** Only in a response: the digest over the whole request. */
  readonly requestHash: Buffer;
  /** Only with a certificate. */
  readonly signature: Buffer;
}

/** Encodes a message. Lengths follow from the parts. */
export function encodeOap(message: OapMessage): Buffer {
  const header = Buffer.alloc(oapHeaderBytes);
  message.id.copy(header, 0, 0, idBytes);
  header.writeBigUInt64BE(message.timestamp, offset.timestamp);
  header.writeUInt16BE(message.cipher, offset.cipher);
  header.writeUInt16BE(message.kdf, offset.kdf);
  header.writeUInt16BE(message.digest, offset.digest);
  header.writeUInt16BE(message.certificate.length, offset.certificateLength);
  header.writeUInt16BE(message.keyFlags | message.key.length, offset.keyExchange);
  header.writeUInt16BE(message.data.length, offset.dataLength);
  const { certificate, key, data, requestHash, signature } = message;
  return Buffer.concat([header, certificate, key, data, requestHash, signature]);
}

/** Why a message was refused. */
export type OapFault = 'short' | 'unknown algorithm' | 'left-over bytes';

/**
 * Decodes a message; every part is a copy-free piece of `bytes`.
 *
 * @param hashBytes length of the request hash: 0 for a request, that of the request's digest for a response.
 */
export function decodeOap(bytes: Buffer, hashBytes: number): OapMessage | OapFault {
  if (bytes.length < oapHeaderBytes) return 'short';
  const keyField = bytes.readUInt16BE(offset.keyExchange);
  const lengths = [
    bytes.readUInt16BE(offset.certificateLength),
    keyField & 0x3fff,
    bytes.readUInt16BE(offset.dataLength),
    hashBytes,
  ] as const;
  if (bytes.length < oapHeaderBytes + lengths[0] + lengths[1] + lengths[2] + lengths[3]) return 'short';

  const cipher = bytes.readUInt16BE(offset.cipher);
  const kdf = bytes.readUInt16BE(offset.kdf);
  const digest = bytes.readUInt16BE(offset.digest);
  if (cipher !== 0 && !cipherIds.has(cipher)) return 'unknown algorithm';
  if (kdf !== 0 && !oapDigests.has(kdf)) return 'unknown algorithm';
  if (digest !== 0 && !oapDigests.has(digest)) return 'unknown algorithm';

  let at = oapHeaderBytes;
  const next = (length: number): Buffer => bytes.subarray(at, (at += length));
  const certificate = next(lengths[0]);
  const key = next(lengths[1]);
  const data = next(lengths[2]);
  const requestHash = next(lengths[3]);
  const signature = bytes.subarray(at);
  if (certificate.length === 0 && signature.length > 0) return 'left-over bytes';
  return {
    id: bytes.subarray(0, idBytes),
    timestamp: bytes.readBigUInt64BE(offset.timestamp),
    cipher,
    kdf,
    digest,
    certificate,
    keyFlags: keyField & 0xc000,
    key,
    data,
    requestHash,
    signature,
  };
}
