/**
 * What one management flow has still to carry. Entries wait, not messages: what leaves is what the database says then,
 * so nothing waits that is no longer true, and no more than the database holds.
 *
 * A prototype is sent LSUs, a few at a time. A member of our kind is sent as many updates in a packet as fit, and
 * again until it acknowledges them.
 */
import { type Millis, never } from '../../../lib/time/clock.ts';
import type { Address } from '../address.ts';
import { inOrder, type LinkEntry } from './database.ts';
import {
  ageMax,
  numbersIn,
  recordsIn,
  writeAcknowledgement,
  writeUpdateRecord,
  writeUpdatesHeader,
} from './extended-updates.ts';
import { emptyUpdate, lsuBytes, updateState, writeLsu } from './lsu.ts';

/** A flow to a neighbour's routing component. */
export interface ManagementFlow {
  readonly peer: Address;
  /** Whether the peer understands more than LSUs. */
  readonly isExtended: boolean;
  /** Before this nothing may be sent (unicast-layer.md 2.4). */
  readonly readyAt: Millis;
  /** Longest message it carries, in bytes. */
  readonly maxMessageBytes: number;
}

/** Times in ms, sizes in bytes, and counts. Parameters, so that a test need not wait for them. */
export interface OutboxLimits {
  /** LSUs sent in one go, and the pause after them: the prototype's buffers are few (unicast-layer.md 5.6). */
  readonly burst: number;
  readonly pauseMs: Millis;
  /** Longest packet of updates. */
  readonly packetBytesMax: number;
  /** Packets that may be under way unacknowledged. */
  readonly windowPackets: number;
  /** How long an acknowledgement may wait for others. */
  readonly acknowledgeMs: Millis;
  /** Bounds of the time after which a packet is taken for lost. */
  readonly resendMinMs: Millis;
  readonly resendMaxMs: Millis;
}

export const outboxLimits: OutboxLimits = {
  burst: 64,
  pauseMs: 10,
  packetBytesMax: 1400,
  windowPackets: 32,
  acknowledgeMs: 20,
  resendMinMs: 100,
  resendMaxMs: 5000,
};

export interface OutboxCounts {
  messagesOut: number;
  updatesOut: number;
  resent: number;
}

interface Sent {
  readonly at: Millis;
  readonly entries: readonly LinkEntry[];
}

export class Outbox<Flow extends ManagementFlow> {
  readonly flow: Flow;
  /** Whether the settling time is over. */
  isReady = false;
  /** Of several flows to one peer only the last is sent updates. */
  isInUse = true;
  lastSentAt: Millis;
  readonly #limits: OutboxLimits;
  readonly #counts: OutboxCounts;
  readonly #send: (flow: Flow, message: Buffer) => void;
  readonly #memory: Buffer;
  readonly #pending = new Set<LinkEntry>();
  /** When those have to leave, to a member of our kind. */
  #leaveAt: Millis = never;
  /** LSUs sent since `#burstAt`. */
  #burst = 0;
  #burstAt: Millis;
  #nextNumber = 0;
  readonly #sent = new Map<number, Sent>();
  /** Smoothed round trip, in ms; negative before the first. */
  #roundTrip = -1;
  /** Resends without an acknowledgement in between. */
  #backoff = 0;
  readonly #toAcknowledge: number[] = [];
  #acknowledgeAt: Millis = never;

  /** Messages are written to `memory`, which is free again when `send` returns. */
  constructor(
    flow: Flow,
    limits: OutboxLimits,
    counts: OutboxCounts,
    memory: Buffer,
    send: (flow: Flow, message: Buffer) => void,
    now: Millis,
  ) {
    this.flow = flow;
    this.#limits = limits;
    this.#counts = counts;
    this.#memory = memory;
    this.#send = send;
    this.lastSentAt = now;
    this.#burstAt = now;
  }

  /** Entries that wait. */
  get size(): number {
    return this.#pending.size;
  }

  /** Packets of updates that are not acknowledged. */
  get underWay(): number {
    return this.#sent.size;
  }

  /**
   * Has an entry sent. Until `leaveAt` it may wait for others, towards a member of our kind. A prototype is told nothing
   * about its own links: it would announce them for ever (6.4).
   */
  add(entry: LinkEntry, leaveAt: Millis): void {
    if (!this.isReady || !this.isInUse) return;
    if (this.flow.isExtended || (!entry.isWithdrawn && entry.source !== this.flow.peer)) {
      this.#pending.add(entry);
      this.#leaveAt = Math.min(this.#leaveAt, leaveAt);
    }
  }

  /** Answers the peer's word about a link of its own with an entry that has a higher number. */
  answer(entry: LinkEntry): void {
    if (this.isReady && this.isInUse && !entry.isWithdrawn) this.#pending.add(entry);
  }

  /** The peer has what the entry says. */
  isKnown(entry: LinkEntry): void {
    this.#pending.delete(entry);
  }

  /** Has the whole database sent, in its order. */
  addAll(entries: readonly LinkEntry[], now: Millis): void {
    for (const entry of entries.toSorted(inOrder)) this.add(entry, now);
  }

  /** Stops sending updates. */
  retire(): void {
    this.isInUse = false;
    this.#pending.clear();
    this.#sent.clear();
  }

  /** A packet of updates came in. */
  received(number: number, now: Millis): void {
    // What is not acknowledged comes again.
    if (!this.isReady) return;
    this.#toAcknowledge.push(number);
    this.#acknowledgeAt = Math.min(this.#acknowledgeAt, now + this.#limits.acknowledgeMs);
  }

  /** The peer acknowledges a packet of updates. */
  acknowledged(number: number, now: Millis): void {
    const sent = this.#sent.get(number);
    if (sent === undefined) return;
    this.#sent.delete(number);
    // A packet sent again has a number of its own, so that every acknowledgement tells of one sending.
    const sample = now - sent.at;
    this.#roundTrip = this.#roundTrip < 0 ? sample : this.#roundTrip + (sample - this.#roundTrip) / 8;
    this.#backoff = 0;
  }

  /** Has sent again what is not acknowledged, without waiting for its time. */
  sendAgain(now: Millis): void {
    this.#backoff = 0;
    this.#takeBack(0, now);
  }

  /** Sends an LSU past all that waits. */
  sendLsu(destination: Address, source: Address, seqno: number, now: Millis): void {
    writeLsu(this.#memory, 0, destination, source, seqno);
    this.#counts.updatesOut += 1;
    this.#write(lsuBytes, now);
  }

  /** Sends a packet without updates, for the peer to acknowledge. */
  sendEmpty(now: Millis): void {
    this.#sendUpdates([], now);
  }

  /** Sends what may leave now. */
  flush(now: Millis): void {
    if (!this.isReady) return;
    if (this.flow.isExtended) this.#flushUpdates(now);
    else this.#flushLsus(now);
  }

  nextDeadline(): Millis {
    if (!this.isReady) return this.flow.readyAt;
    if (!this.flow.isExtended) return this.#pending.size > 0 ? this.#burstAt + this.#limits.pauseMs : never;
    const first = this.#sent.values().next();
    const resendAt = first.done === true ? never : first.value.at + this.#resendMs();
    const isBlocked = this.#pending.size === 0 || this.#sent.size >= this.#limits.windowPackets;
    return Math.min(this.#acknowledgeAt, resendAt, isBlocked ? never : this.#leaveAt);
  }

  #flushLsus(now: Millis): void {
    const { burst, pauseMs } = this.#limits;
    if (now >= this.#burstAt + pauseMs) {
      this.#burst = 0;
      this.#burstAt = now;
    }
    for (const entry of this.#pending) {
      if (this.#burst === burst) return;
      this.#pending.delete(entry);
      if (entry.isWithdrawn || entry.index < 0) continue;
      this.#burst += 1;
      this.sendLsu(entry.destination, entry.source, entry.seqno, now);
    }
  }

  #flushUpdates(now: Millis): void {
    this.#takeBackLost(now);
    const bytes = Math.min(this.#memory.length, this.flow.maxMessageBytes);
    // Where not even one fits, whoever sends it drops and counts it.
    const numbersMax = Math.max(1, numbersIn(bytes));
    // A peer that sends much is not kept waiting for room in its window.
    const isMuch = this.#toAcknowledge.length >= this.#limits.windowPackets / 4;
    if (this.#acknowledgeAt <= now || isMuch) {
      this.#acknowledgeAt = never;
      while (this.#toAcknowledge.length > 0) {
        this.#write(writeAcknowledgement(this.#memory, 0, this.#toAcknowledge.splice(0, numbersMax)), now);
      }
    }
    const recordsMax = Math.max(1, recordsIn(bytes));
    if (this.#leaveAt > now && this.#pending.size < recordsMax) return;
    let entries: LinkEntry[] = [];
    for (const entry of this.#pending) {
      if (this.#sent.size >= this.#limits.windowPackets) return;
      this.#pending.delete(entry);
      if (entry.index >= 0) entries.push(entry);
      if (entries.length < recordsMax) continue;
      this.#sendUpdates(entries, now);
      entries = [];
    }
    if (entries.length > 0) this.#sendUpdates(entries, now);
    this.#leaveAt = never;
  }

  #takeBackLost(now: Millis): void {
    if (this.#takeBack(this.#resendMs(), now)) this.#backoff += 1;
  }

  /** Has sent again what was sent so long ago and is not acknowledged; true where there was any. */
  #takeBack(ageMs: Millis, now: Millis): boolean {
    const lost = [...this.#sent].filter(([, { at }]) => at + ageMs <= now);
    for (const [number, { entries }] of lost) {
      this.#sent.delete(number);
      this.#counts.resent += 1;
      for (const entry of entries) if (entry.index >= 0) this.#pending.add(entry);
      // Something has to be under way for the peer to be heard of again.
      if (entries.length === 0) this.#sendUpdates(entries, now);
    }
    if (lost.length > 0) this.#leaveAt = now;
    return lost.length > 0;
  }

  #sendUpdates(entries: readonly LinkEntry[], now: Millis): void {
    const number = this.#nextNumber;
    this.#nextNumber = (number + 1) >>> 0;
    let at = writeUpdatesHeader(this.#memory, 0, number);
    for (const entry of entries) {
      const isDetailed = entry.state === updateState.detailed;
      record.source = entry.source;
      record.destination = entry.destination;
      record.seqno = entry.seqno;
      record.state = entry.state;
      record.maxMessageBytes = isDetailed ? entry.maxMessageBytes : 0;
      record.age = Math.min(ageMax, Math.floor((now - entry.stampedAt) / 1000));
      at = writeUpdateRecord(this.#memory, at, record);
    }
    this.#sent.set(number, { at: now, entries });
    this.#counts.updatesOut += entries.length;
    this.#write(at, now);
  }

  #write(end: number, now: Millis): void {
    this.lastSentAt = now;
    this.#counts.messagesOut += 1;
    this.#send(this.flow, this.#memory.subarray(0, end));
  }

  #resendMs(): Millis {
    const { resendMinMs, resendMaxMs } = this.#limits;
    const expected = this.#roundTrip < 0 ? firstResendMs : Math.max(resendMinMs, 3 * this.#roundTrip);
    return Math.min(resendMaxMs, expected * 2 ** Math.min(this.#backoff, backoffMax));
  }
}

/** Wait for the first acknowledgement of a flow, whose round trip nobody knows yet. */
const firstResendMs = 500;
const backoffMax = 10;
const record = emptyUpdate();
