/**
 * The directory of a unicast layer: which members serve a name. A policy of the layer; `dht/` is the one the prototype
 * has. Implementations are cores. Source: unicast-layer.md 7.
 */
import type { Deadlines, Millis } from '../../../lib/time/clock.ts';
import type { Address, Reachability } from '../address.ts';

/** The way to the directories of other members. */
export interface DirectoryPort {
  /** Longest message that reaches every member, in bytes; it may change. */
  readonly maxMessageBytes: number;
  /** Sends a message to the directory of a member; false when there is no route to it now. The bytes are the caller's. */
  send(to: Address, message: Buffer): boolean;
  /** True for a member that routing knows to be of our kind; of others nothing is said. */
  isOurs(address: Address): boolean;
}

/** Who serves a name. */
export interface Resolution {
  /** Other members, the one to try first in front; empty when nobody is known to. */
  readonly addresses: readonly Address[];
  /** The name is registered here too. */
  readonly own: boolean;
}

/** Facts for people and metrics, as plain JSON. */
export type DirectoryFacts = Readonly<Record<string, unknown>>;

export interface Directory extends Deadlines {
  /** Counts of messages and of what was dropped, by reason. */
  readonly counters: Readonly<Record<string, number>>;

  /** How much it holds, by name. */
  readonly gauges: Readonly<Record<string, number>>;

  /** Takes what another directory sent; whatever it is, it is handled or counted. Valid only during the call. */
  receive(memory: Buffer, start: number, end: number, now: Millis): void;

  /** Makes it known that this member serves a name, until `unregister`. Idempotent. */
  register(key: Buffer, now: Millis): void;
  unregister(key: Buffer, now: Millis): void;

  /** Finds who serves a name; `done` is called once, during the call where no member has to be asked. */
  query(key: Buffer, now: Millis, done: (resolution: Resolution) => void): void;

  /** A flow to a member for a name failed: what is remembered of the name is no longer believed. */
  doubt(key: Buffer, address: Address, now: Millis): void;

  /**
   * Routing found the first routes to members, or lost the last; what it found at once is to be told at once. Whom routing
   * never told of is not reachable: values of his are not believed. Harmless to repeat.
   */
  reachable(changes: readonly Reachability[], now: Millis): void;

  /** Says goodbye to the members that hold names of this one, and answers what was asked. Nothing may be called later. */
  leave(now: Millis): void;

  metrics(): DirectoryFacts;
}
