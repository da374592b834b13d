/**
 * Both ends of the allocation handshake, for flows without authentication and encryption. Pure: wall-clock
 * time and random bytes are arguments. Source: end-to-end.md 3.3, 3.4.
 */
import { createHash } from 'node:crypto';
import type { ErrorCode } from '../errors.ts';
import { replayEntriesMax } from '../limits.ts';
import { decodeOap, encodeOap, type OapMessage, requestDigest } from './message.ts';

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

/** The requester's end: makes the request, judges the response. */
export class OapRequest {
  /** The message to piggyback on the flow request. */
  readonly bytes: Buffer;
  readonly #id: Buffer;

  /** `id` is 16 fresh random bytes, `timestamp` the wall clock in ns since 1970. */
  constructor(id: Buffer, timestamp: bigint) {
    this.#id = id;
    this.bytes = encodeOap(plainMessage(id, timestamp, nothing));
  }

  /** Judges the response piggyback of an accepted flow: undefined when it is good. */
  judge(response: Buffer): ErrorCode | undefined {
    const message = decodeOap(response, requestDigest(0)[1]);
    if (typeof message === 'string') return 'ECRYPT';
    if (!message.id.equals(this.#id)) return 'ECRYPT';
    // A certificate that cannot be checked proves nothing, so the peer is not who it claims to be.
    if (message.certificate.length > 0) return 'ECRYPT';
    if (!message.requestHash.equals(hashOf(this.bytes, 0))) return 'ECRYPT';
    return undefined;
  }
}

export type OapVerdict = { readonly response: Buffer } | { readonly error: ErrorCode };

/** The server's end: judges requests of all names of a node, and remembers them against replay. */
export class OapServer {
  /** Time stamps by `id:timestamp`, in order of arrival. */
  readonly #seen = new Map<string, bigint>();

  /** `now` is the wall clock in ns since 1970. */
  answer(request: Buffer, now: bigint): OapVerdict {
    const message = decodeOap(request, 0);
    if (typeof message === 'string') return { error: 'EAUTH' };
    const ageMs = (now - message.timestamp) / nsPerMs;
    if (ageMs > ageMsMax || ageMs < -aheadMsMax) return { error: 'EAUTH' };
    this.#forget(now);
    const key = `${message.id.toString('hex')}:${message.timestamp}`;
    if (this.#seen.has(key) || this.#seen.size >= replayEntriesMax) return { error: 'EAUTH' };
    this.#seen.set(key, message.timestamp);
    if (message.certificate.length > 0) return { error: 'EAUTH' };
    if (message.key.length > 0) return { error: 'ECRYPT' };
    return { response: encodeOap(plainMessage(message.id, now, hashOf(request, message.digest))) };
  }

  #forget(now: bigint): void {
    // Stamps differ from arrival by at most the tolerances above, so the front is the oldest but for those.
    for (const [key, timestamp] of this.#seen) {
      if ((now - timestamp) / nsPerMs <= ageMsMax + aheadMsMax) break;
      this.#seen.delete(key);
    }
  }
}
