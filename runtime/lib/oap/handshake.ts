/**
 * Both ends of the allocation handshake. Pure: wall-clock time, random bytes, fresh keys and the contents of files are
 * arguments. Source: end-to-end.md 3.3, 3.4.
 */
import { createHash } from 'node:crypto';
import { byId, ciphers, digests, type Digest, rankOf, stronger } from '../crypto/algorithms.ts';
import { commonName } from '../crypto/certificates.ts';
import type { EncryptionConfig } from '../crypto/encryption-config.ts';
import { agreedKey, encapsulatedKey } from '../crypto/key-derivation.ts';
import {
  agree,
  decapsulateWith,
  encapsulateTo,
  generateKeys,
  type PrivateKey,
  publicHalf,
  type PublicKey,
  readPublicKey,
  readStaticKey,
  readStaticPublicKey,
} from '../crypto/key-exchange.ts';
import { type ErrorCode, O7sError } from '../errors.ts';
import { replayEntriesMax } from '../limits.ts';
import { clientEncapsulated, decodeOap, keyIsRaw, type OapMessage, requestDigest } from './message.ts';
import {
  authorOf,
  type ClientSide,
  digestId,
  encodeSigned,
  type FlowKey,
  type ServerSide,
} from './security.ts';

const nsPerMs = 1_000_000n;
/** A request may be this much ahead of the server's clock, and this old, in ms. */
const aheadMsMax = 100n;
const ageMsMax = 20_000n;

const nothing = Buffer.alloc(0);

function plainMessage(id: Buffer, timestamp: bigint, requestHash: Buffer): OapMessage {
  return {
    id,
    timestamp,
    cipher: 0,
    kdf: 0,
    digest: 0,
    certificate: nothing,
    keyFlags: 0,
    key: nothing,
    data: nothing,
    requestHash,
    signature: nothing,
  };
}

function hashOf(request: Buffer, digest: number): Buffer {
  return createHash(requestDigest(digest)[0]).update(request).digest();
}

/** What a client keeps of its half of a key exchange until the other half comes. */
type ClientSecret =
  | { readonly kind: 'keys'; readonly publicKey: PublicKey; readonly privateKey: PrivateKey }
  /** The key is known already, but for the cipher it is for. */
  | { readonly kind: 'encapsulated'; readonly key: Buffer };

/** The requester's end: makes the request, judges the response. */
export class OapRequest {
  /** The message to piggyback on the flow request. */
  readonly bytes: Buffer;
  readonly #id: Buffer;
  readonly #timestamp: bigint;
  readonly #digest: number;
  readonly #client: ClientSide | undefined;
  readonly #secret: ClientSecret | undefined;
  #flowKey: FlowKey | undefined;
  #fault: string | undefined;

  /**
   * `id` is 16 fresh random bytes, `timestamp` the wall clock in ns since 1970. Without a client's side nothing is
   * signed, encrypted or believed.
   *
   * @throws O7sError EBADF when what the client's side asks for cannot be done.
   */
  constructor(id: Buffer, timestamp: bigint, client?: ClientSide) {
    this.#id = id;
    this.#timestamp = timestamp;
    this.#client = client;
    this.#digest = client === undefined ? 0 : digestId(client);
    let message: OapMessage = { ...plainMessage(id, timestamp, nothing), digest: this.#digest };
    const config = client?.encryption;
    if (client !== undefined && config !== undefined) {
      const { secret, key, keyFlags } = clientKeys(client, config);
      this.#secret = secret;
      message = { ...message, cipher: config.cipher.id, kdf: config.kdf.id, key, keyFlags };
    }
    const bytes = encodeSigned(message, client?.identity);
    if (bytes === undefined) throw new O7sError('EBADF', `the key for ${client?.name ?? ''} cannot sign`);
    this.bytes = bytes;
  }

  /** What seals the flow, once the response was good; undefined when the flow is clear. */
  get flowKey(): FlowKey | undefined {
    return this.#flowKey;
  }

  /** What was wrong with the response. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Judges the response piggyback of an accepted flow: undefined when it is good. */
  judge(response: Buffer): ErrorCode | undefined {
    const outcome = this.#judge(response);
    this.#flowKey = typeof outcome === 'object' ? outcome : undefined;
    this.#fault = typeof outcome === 'string' ? outcome : undefined;
    return typeof outcome === 'string' ? 'ECRYPT' : undefined;
  }

  #judge(response: Buffer): FlowKey | string | undefined {
    const message = decodeOap(response, requestDigest(this.#digest)[1]);
    if (typeof message === 'string') return `the response is malformed: ${message}`;
    if (!message.id.equals(this.#id)) return 'the response is for another request';
    const client = this.#client;
    // A certificate that cannot be checked proves nothing, so the peer is not who it claims to be.
    if (client === undefined && message.certificate.length > 0)
      return 'nobody here can check its certificate';
    const author =
      client === undefined
        ? { certificate: undefined }
        : authorOf(response, message, client.trust, this.#timestamp);
    if ('fault' in author) return author.fault;
    if (!message.requestHash.equals(hashOf(this.bytes, this.#digest))) return 'the request arrived altered';
    if (author.certificate !== undefined) {
      const bears = commonName(author.certificate);
      if (bears !== client?.name) return `its certificate is that of ${quoted(bears)}`;
    }
    const config = client?.encryption;
    return config === undefined ? undefined : this.#keyFrom(message, config);
  }

  #keyFrom(message: OapMessage, config: EncryptionConfig): FlowKey | string {
    const cipher = byId(ciphers, message.cipher);
    if (cipher === undefined || cipher.rank < config.cipher.rank) return 'it offers a weaker cipher';
    const secret = this.#secret;
    if (secret === undefined) return 'nothing was asked for';
    const { name: exchange } = config.exchange;
    if (secret.kind === 'encapsulated') return { cipher, key: secret.key, exchange };
    const adopted = byId(digests, message.kdf);
    if (adopted !== undefined && adopted.rank < config.kdf.rank) return 'it offers a weaker key derivation';
    const key = clientKey(secret, message.key, adopted ?? config.kdf);
    return key === undefined ? 'its key is of no use' : { cipher, key, exchange };
  }
}

/** A name from a certificate as a log shows it: in one line, and no longer than a common name may be. */
function quoted(name: string | undefined): string {
  return name === undefined ? 'nobody' : JSON.stringify(name.slice(0, 64));
}

/** The client's half of a key exchange. */
function clientKeys(
  client: ClientSide,
  config: EncryptionConfig,
): { readonly secret: ClientSecret; readonly key: Buffer; readonly keyFlags: number } {
  const { exchange, kdf, kemMode } = config;
  const raw = exchange.kind === 'hybrid' ? keyIsRaw : 0;
  if (exchange.kind === 'dh' || kemMode === 'server') {
    const made = generateKeys(exchange, client.keys);
    return { secret: { kind: 'keys', ...made }, key: made.publicKey.bytes, keyFlags: raw };
  }
  const { serverKey } = client;
  const peer = serverKey === undefined ? undefined : readStaticPublicKey(exchange, serverKey);
  const made = peer === undefined ? undefined : encapsulateTo(peer, client.keys);
  if (peer === undefined || made === undefined) {
    throw new O7sError('EBADF', `no ${exchange.name} key of the server of ${client.name} is known`);
  }
  const key = encapsulatedKey(made.shared, peer.bytes, kdf);
  return { secret: { kind: 'encapsulated', key }, key: made.ciphertext, keyFlags: raw | clientEncapsulated };
}

/** The key of a flow from the client's keys and what the server answered with. */
function clientKey(
  own: Extract<ClientSecret, { kind: 'keys' }>,
  answer: Buffer,
  kdf: Digest,
): Buffer | undefined {
  const { publicKey, privateKey } = own;
  if (publicKey.exchange.kind === 'dh') {
    const peer = readPublicKey(answer, false);
    const secret = peer === undefined ? undefined : agree(privateKey, peer);
    return secret === undefined ? undefined : agreedKey(secret, publicKey.bytes, answer, kdf);
  }
  const secret = decapsulateWith(privateKey, answer);
  return secret === undefined ? undefined : encapsulatedKey(secret, publicKey.bytes, kdf);
}

export type OapVerdict =
  | {
      readonly response: Buffer;
      /** What seals the flow; absent when it is clear. */
      readonly flowKey?: FlowKey | undefined;
    }
  | { readonly error: ErrorCode };

/** The server's half of a key exchange, as far as its message and its flow need it. */
interface Agreement {
  readonly fields: Pick<OapMessage, 'cipher' | 'kdf' | 'key' | 'keyFlags'>;
  readonly flowKey: FlowKey | undefined;
}

const clear: Agreement = { fields: { cipher: 0, kdf: 0, key: nothing, keyFlags: 0 }, flowKey: undefined };

/** The server's end: judges requests of all names of a node, and remembers them against replay. */
export class OapServer {
  /** Time stamps by `id:timestamp`, in order of arrival. */
  readonly #seen = new Map<string, bigint>();
  #fault: string | undefined;

  /** What was wrong with the last request. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /**
   * Judges a request. `now` is the wall clock in ns since 1970. Without a server's side nothing is signed, encrypted or
   * believed.
   */
  answer(request: Buffer, now: bigint, server?: ServerSide): OapVerdict {
    const refuse = (error: ErrorCode, fault: string): OapVerdict => {
      this.#fault = fault;
      return { error };
    };
    this.#fault = undefined;
    const message = decodeOap(request, 0);
    if (typeof message === 'string') return refuse('EAUTH', `it is malformed: ${message}`);
    const ageMs = (now - message.timestamp) / nsPerMs;
    if (ageMs < -aheadMsMax) return refuse('EAUTH', `it is from ${-ageMs} ms in the future`);
    if (ageMs > ageMsMax) return refuse('EAUTH', `it is ${ageMs} ms old`);
    if (!this.#remember(message, now)) return refuse('EAUTH', 'it is a replay, or one of too many');
    if (server === undefined && message.certificate.length > 0) {
      return refuse('EAUTH', 'nobody here can check its certificate');
    }
    const author =
      server === undefined ? { certificate: undefined } : authorOf(request, message, server.trust, now);
    if ('fault' in author) return refuse('EAUTH', author.fault);
    const agreement = agreeOn(message, server);
    if (typeof agreement === 'string') return refuse('ECRYPT', agreement);
    const response = encodeSigned(
      {
        ...plainMessage(message.id, now, hashOf(request, message.digest)),
        ...agreement.fields,
        digest: server === undefined ? 0 : digestId(server),
      },
      server?.identity,
    );
    if (response === undefined) return refuse('EAUTH', 'the key of this server cannot sign');
    return { response, flowKey: agreement.flowKey };
  }

  /** Whether a request is new; if so, it is not from now on. */
  #remember({ id, timestamp }: OapMessage, now: bigint): boolean {
    this.#forget(now);
    const key = `${id.toString('hex')}:${timestamp}`;
    if (this.#seen.has(key) || this.#seen.size >= replayEntriesMax) return false;
    this.#seen.set(key, timestamp);
    return true;
  }

  #forget(now: bigint): void {
    // Stamps differ from arrival by at most the tolerances above, so the front is the oldest but for those.
    for (const [key, timestamp] of this.#seen) {
      if ((now - timestamp) / nsPerMs <= ageMsMax + aheadMsMax) break;
      this.#seen.delete(key);
    }
  }
}

/** The server's half of a key exchange, or why there is none. */
function agreeOn(message: OapMessage, server: ServerSide | undefined): Agreement | string {
  const config = server?.encryption;
  if (message.key.length === 0) return config === undefined ? clear : 'it asks for no encryption';
  const cipher = stronger(byId(ciphers, message.cipher), config?.cipher);
  if (cipher === undefined) return 'nobody names a cipher';
  if (server === undefined) return 'nobody here encrypts';
  const raw = (message.keyFlags & keyIsRaw) !== 0;
  const asked = byId(digests, message.kdf);
  if ((message.keyFlags & clientEncapsulated) !== 0) {
    if (config === undefined || config.exchange.kind === 'dh') return 'no static key is in use here';
    const { exchange } = config;
    if (rankOf(asked) < config.kdf.rank) return 'it asks for a weaker key derivation';
    if (raw !== (exchange.kind === 'hybrid') || server.staticKey === undefined)
      return 'there is no such static key';
    const own = readStaticKey(exchange, server.staticKey);
    const secret = own === undefined ? undefined : decapsulateWith(own, message.key);
    if (own === undefined || secret === undefined) return 'its secret is not for the static key';
    const key = encapsulatedKey(secret, publicHalf(own).bytes, asked);
    return {
      fields: { cipher: cipher.id, kdf: message.kdf, key: nothing, keyFlags: 0 },
      flowKey: { cipher, key, exchange: exchange.name },
    };
  }
  const kdf = stronger(asked, config?.kdf);
  const peer = readPublicKey(message.key, raw);
  if (peer === undefined) return 'its key cannot be read';
  if (peer.exchange.rank < rankOf(config?.exchange)) return 'its key exchange is too weak';
  const made = answerTo(peer, kdf, server);
  if (made === undefined) return 'its key is of no use';
  return {
    fields: {
      cipher: cipher.id,
      kdf: kdf?.id ?? 0,
      key: made.answer,
      keyFlags: peer.exchange.kind === 'hybrid' ? keyIsRaw : 0,
    },
    flowKey: { cipher, key: made.key, exchange: peer.exchange.name },
  };
}

/** What answers a public key, and the key of the flow; undefined when the public key is no good. */
function answerTo(
  peer: PublicKey,
  kdf: Digest | undefined,
  server: ServerSide,
): { readonly answer: Buffer; readonly key: Buffer } | undefined {
  if (peer.exchange.kind === 'dh') {
    const { publicKey, privateKey } = generateKeys(peer.exchange, server.keys);
    const secret = agree(privateKey, peer);
    if (secret === undefined) return undefined;
    return { answer: publicKey.bytes, key: agreedKey(secret, publicKey.bytes, peer.bytes, kdf) };
  }
  const made = encapsulateTo(peer, server.keys);
  if (made === undefined) return undefined;
  return { answer: made.ciphertext, key: encapsulatedKey(made.shared, peer.bytes, kdf) };
}
