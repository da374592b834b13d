/**
 * What the shell asks of an IPCP of any type. Implementations are cores: they take packets and `now`, and
 * speak through what they were given; they open no socket, start no timer and read no clock.
 */
import type { LayerHash } from '../../lib/names.ts';
import type { QosSpec } from '../../lib/qos.ts';
import type { Deadlines, Millis } from '../../lib/time/clock.ts';
import type { Packet } from '../../lib/wire/packet.ts';

/** Who uses a flow of a layer: an application, or an IPCP above. */
export interface FlowUser {
  /** Takes a packet; it is valid only until the turn ends. */
  deliver(packet: Packet): void;
  /** The flow went down with its device, or came up again. */
  setUp(up: boolean): void;
  /** The other end released the flow: nothing more comes. */
  released(): void;
}

/** One end of a flow that a layer provides. */
export interface LayerFlow {
  /** Room its packets need in front, in bytes, for this layer and those below; it may grow with them. */
  readonly headerBytes: number;
  /** Sends a packet, writing headers in front of it. The packet is used up. */
  write(packet: Packet): void;
  /** Releases the end. Idempotent. */
  deallocate(now: Millis): void;
}

export type FlowOutcome =
  | { readonly kind: 'accepted'; readonly piggyback: Buffer }
  /** `response` is the peer's, negative. */
  | { readonly kind: 'refused'; readonly response: number }
  | { readonly kind: 'unanswered' };

/** A request for a flow that came in over the layer; `respond` with the same handle answers it. */
export interface FlowRequest {
  readonly handle: number;
  readonly hash: Buffer;
  readonly qos: QosSpec;
  readonly piggyback: Buffer;
}

export interface LayerEvents {
  flowRequested(request: FlowRequest): void;
}

/** Counts of what a layer did and dropped, by reason. */
export type LayerCounters = Readonly<Record<string, number>>;

export interface Layer extends Deadlines {
  readonly hash: LayerHash;
  /** Longest message a flow of the layer carries, in bytes. */
  readonly maxMessageBytes: number;
  readonly counters: LayerCounters;

  register(hash: Buffer): void;
  unregister(hash: Buffer): void;

  /** Asks whether the layer knows a name; `done` is called once. */
  query(hash: Buffer, now: Millis, done: (known: boolean) => void): void;

  /** Requests a flow; packets may come for `user` before `done` is called, once. */
  allocate(
    hash: Buffer,
    qos: QosSpec,
    piggyback: Buffer,
    user: FlowUser,
    now: Millis,
    done: (outcome: FlowOutcome) => void,
  ): LayerFlow;

  /** Accepts a request that came in; undefined when the layer can no longer. */
  accept(handle: number, piggyback: Buffer, user: FlowUser, now: Millis): LayerFlow | undefined;

  /** Refuses a request that came in, with a negative response. */
  refuse(handle: number, response: number): void;

  /** Ends everything the layer holds open. */
  close(): void;
}
