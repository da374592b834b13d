/** The messages of an enrolment, told apart only by their place on the flow. Source: unicast-layer.md 4.1. */
import { EnrollmentAck, EnrollmentRequest, EnrollmentResponse } from '../../lib/pb/gen/enrollment.js';
import { numberOf } from '../../lib/pb/int64.ts';
import { configFromMessage, configToMessage, type ToldLayer } from './layer-config.ts';

/** Bytes of the number that names an enrolment. */
export const enrollmentIdBytes = 8;
/** Longest message a prototype reads whole. */
export const enrollmentBytesMax = 1023;

/** What a joiner says. All but the id is ours: a prototype neither says it nor reads it. */
export interface Request {
  readonly id: Buffer;
  readonly extensions: number;
  /** The layer it wants; any when undefined. */
  readonly layer: string | undefined;
  readonly type: number | undefined;
  /** The address it would take. */
  readonly address: number | undefined;
}

/** What a member answers. */
export interface Response {
  readonly id: Buffer;
  /** The member's clock, ns since 1970. */
  readonly time: bigint;
  /** Negative when it refuses. */
  readonly response: number;
  readonly extensions: number;
  /** Ours: why it refuses. */
  readonly reason: string | undefined;
  /** Ours: the address to take, where the one that was proposed is taken. */
  readonly address: number | undefined;
  /** Undefined in a refusal. */
  readonly layer: ToldLayer | undefined;
}

export interface Ack {
  readonly id: Buffer;
  /** 0 for success. */
  readonly result: number;
}

const nsPerSecond = 1_000_000_000n;

export function encodeRequest({ id, extensions, layer, type, address }: Request): Buffer {
  return Buffer.from(
    EnrollmentRequest.encode({
      id,
      ...(extensions === 0 ? {} : { extensions }),
      ...(layer === undefined ? {} : { layer }),
      ...(type === undefined ? {} : { ipcpType: type }),
      ...(address === undefined ? {} : { address }),
    }).finish(),
  );
}

/** Reads a request; undefined for anything else. */
export function decodeRequest(bytes: Uint8Array): Request | undefined {
  return tried(() => {
    const message = EnrollmentRequest.decode(bytes);
    const id = Buffer.from(message.id);
    if (id.length !== enrollmentIdBytes) return undefined;
    return {
      id,
      extensions: message.extensions ?? 0,
      layer: given(message, 'layer'),
      type: given(message, 'ipcpType'),
      address: addressOf(message),
    };
  });
}

export function encodeResponse({ id, time, response, extensions, reason, address, layer }: Response): Buffer {
  return Buffer.from(
    EnrollmentResponse.encode({
      id,
      tSec: Number(time / nsPerSecond),
      tNsec: Number(time % nsPerSecond),
      response,
      ...(layer === undefined ? {} : { conf: configToMessage(layer.config, layer.peer) }),
      ...(extensions === 0 ? {} : { extensions }),
      ...(reason === undefined ? {} : { reason }),
      ...(address === undefined ? {} : { address }),
    }).finish(),
  );
}

/**
 * Reads a response; undefined for anything else.
 *
 * @throws O7sError ENOTSUP for a layer this IPCP cannot be in.
 */
export function decodeResponse(bytes: Uint8Array): Response | undefined {
  const message = tried(() => EnrollmentResponse.decode(bytes));
  if (message === undefined) return undefined;
  const conf = message.conf ?? undefined;
  return {
    id: Buffer.from(message.id),
    time: BigInt(numberOf(message.tSec)) * nsPerSecond + BigInt(message.tNsec),
    response: message.response,
    extensions: message.extensions ?? 0,
    reason: given(message, 'reason')?.replaceAll(unprintable, '?'),
    address: addressOf(message),
    layer: conf === undefined ? undefined : configFromMessage(conf),
  };
}

export function encodeAck({ id, result }: Ack): Buffer {
  return Buffer.from(EnrollmentAck.encode({ id, result }).finish());
}

/** Reads an acknowledgement; undefined for anything else. */
export function decodeAck(bytes: Uint8Array): Ack | undefined {
  return tried(() => {
    const { id, result } = EnrollmentAck.decode(bytes);
    return { id: Buffer.from(id), result };
  });
}

/** An optional field as it came; without it a message shows a default of its kind. */
function given<M extends object, F extends keyof M>(message: M, field: F): NonNullable<M[F]> | undefined {
  return Object.hasOwn(message, field) ? (message[field] ?? undefined) : undefined;
}

/** What is no address counts as none. */
function addressOf(message: EnrollmentRequest | EnrollmentResponse): number | undefined {
  const address = given(message, 'address');
  const number = address === undefined ? 0 : numberOf(address);
  return number === 0 || number > 0xffff_ffff ? undefined : number;
}

/** What comes from another member is shown to people. */
const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;

/** What decoding brings; undefined where the bytes are no such message. */
function tried<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}
