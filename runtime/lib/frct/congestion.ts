/**
 * How many packets may be under way between two of our own ends. The window follows what the path was seen to deliver,
 * not single losses: a path that loses packets at random keeps its rate, one that is full is not filled further.
 * Source: ADR 0020.
 */
import { type Millis, never } from '../time/clock.ts';
import { distance, type Seqno } from './sequence.ts';

export interface CongestionLimits {
  readonly windowMin: number;
  readonly windowInitial: number;
  readonly windowMax: number;
}

/** Round trips of which the best delivery rate counts. */
const roundsRemembered = 10;
/** How long the shortest round trip counts; then the window is narrowed for two round trips to measure it anew. */
const roundTripRemembered: Millis = 10_000;
/** What is under way besides rate times round trip: ends answer in turns, not packet by packet. */
const slack: Millis = 5;
/** The start is over when the rate grew by less than this in some rounds, or when a queue has formed, or with much loss. */
const startupGrowth = 1.25;
const startupRoundsMax = 3;
const startupLossMax = 0.2;
/** A queue: so many round trips in a row that are this much longer than the shortest. */
const queuedRoundTrip = 1.5;
const queuedRoundTrips = 8;
/** Window as a multiple of rate times shortest round trip. It goes up where losses cost rate, down where they do not. */
const gain = { min: 1.05, usual: 1.25, max: 2, probe: 1.5 } as const;
/** One round in so many looks whether there is more to be had. */
const probeEvery = 8;
const drainRoundsMax = 2;
const lossNoted = 0.02;
/** A rate that counts as no worse than the best. */
const rateKept = 0.9;

/** Packets that may be sent for one that arrived, until the path is full, and while the window is narrowed. */
const creditUntilFull = 2;
const creditOfDrain = 1;

type Phase = 'startup' | 'steady' | 'drain';

export class CongestionWindow {
  readonly #limits: CongestionLimits;
  #window: number;
  /** Packets that may be sent before more arrive: what is found lost at once is not sent again at once. */
  #credit: number;
  #phase: Phase = 'startup';
  /** The shortest there was, and the shortest since `#measuredFrom`. */
  #roundTrip: Millis = never;
  #recentRoundTrip: Millis = never;
  #queuedRoundTrips = 0;
  #measuredFrom: Millis;
  /** Packets a ms, of the last rounds; 0 where there was none. */
  readonly #rates = new Float64Array(roundsRemembered);
  readonly #lossShares = new Float64Array(roundsRemembered);
  #rateIndex = 0;
  #best = 0;
  #gain: number = gain.usual;
  #rounds = 0;
  /** The round ends when a packet from this number on has arrived. */
  #roundEnd: Seqno;
  #roundStart: Millis;
  #delivered = 0;
  #lost = 0;
  /** Whether the window held packets back in this round. */
  #limited = false;
  #bestOfStartup = 0;
  #roundsWithoutGrowth = 0;
  #drainRounds = 0;

  /** `next` is the number that is sent next. */
  constructor(next: Seqno, limits: CongestionLimits, now: Millis) {
    this.#limits = limits;
    this.#window = limits.windowInitial;
    this.#credit = limits.windowInitial;
    this.#roundEnd = next;
    this.#roundStart = now;
    this.#measuredFrom = now;
  }

  get window(): number {
    return this.#window;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Shortest round trip of late. */
  get roundTrip(): Millis {
    return this.#roundTrip;
  }

  /** Best delivery rate of the last rounds, packets a ms. */
  get rate(): number {
    return this.#best;
  }

  /** Whether one more packet may be sent. */
  admits(underWay: number): boolean {
    return underWay < this.#window && (this.#credit >= 1 || underWay < this.#limits.windowMin);
  }

  /** A packet was sent. */
  sent(): void {
    this.#credit -= 1;
  }

  /** The window held a packet back. */
  heldBack(): void {
    this.#limited = true;
  }

  lost(): void {
    this.#lost += 1;
  }

  /** Nothing came back for a whole timeout: begin anew, one packet beside those that may still arrive. */
  timedOut(underWay: number): void {
    this.#window = underWay + 1;
    this.#credit = 1;
  }

  /** The flow rested: what is held back now is not the path's doing. */
  rested(next: Seqno, now: Millis): void {
    this.#credit = this.#limits.windowInitial;
    this.#beginRound(next, now);
  }

  /**
   * Packets arrived at the peer.
   *
   * @param newest the furthest of them, `next` the number that is sent next
   * @param roundTrip ms, negative when this acknowledgement does not tell it
   */
  arrived(
    packets: number,
    underWay: number,
    newest: Seqno,
    next: Seqno,
    roundTrip: Millis,
    now: Millis,
  ): void {
    if (roundTrip >= 0) {
      this.#roundTrip = Math.min(this.#roundTrip, roundTrip);
      this.#recentRoundTrip = Math.min(this.#recentRoundTrip, roundTrip);
      const isQueued = roundTrip > this.#roundTrip * queuedRoundTrip + slack;
      this.#queuedRoundTrips = isQueued ? this.#queuedRoundTrips + 1 : 0;
    }
    this.#delivered += packets;
    const { windowInitial, windowMax } = this.#limits;
    const earned = packets * this.#creditPerArrival(underWay);
    this.#credit = Math.min(Math.max(0, this.#credit) + earned, Math.max(earned, windowInitial));
    if (this.#phase === 'startup' && this.#queuedRoundTrips >= queuedRoundTrips) {
      // What arrived so far in this round came as fast as the path can.
      if (this.#limited) this.#endRound(next, now);
      this.#phase = 'steady';
    }
    if (this.#phase === 'startup') {
      const grows = this.#limited || this.#window < windowInitial;
      if (grows) this.#window = Math.min(windowMax, this.#window + packets);
    } else {
      const target = this.#target();
      this.#window = this.#window < target ? Math.min(target, this.#window + packets) : target;
    }
    if (distance(this.#roundEnd, newest) >= 0) this.#endRound(next, now);
  }

  #target(): number {
    const { windowMin, windowInitial, windowMax } = this.#limits;
    if (this.#roundTrip === never) return windowInitial;
    const perRoundTrip = this.#best * this.#roundTrip;
    if (this.#phase === 'drain') return Math.max(windowMin, Math.floor(perRoundTrip / 2));
    const wanted = Math.ceil(Math.max(this.#gainNow() * perRoundTrip, perRoundTrip + this.#best * slack));
    return Math.min(windowMax, Math.max(windowMin, wanted));
  }

  #gainNow(): number {
    return this.#rounds % probeEvery === 0 ? Math.max(gain.probe, this.#gain) : this.#gain;
  }

  #creditPerArrival(underWay: number): number {
    if (this.#phase === 'drain') return creditOfDrain;
    const full = this.#phase === 'steady' && underWay >= this.#best * this.#roundTrip;
    return full ? this.#gainNow() : creditUntilFull;
  }

  #beginRound(next: Seqno, now: Millis): void {
    this.#roundEnd = next;
    this.#roundStart = now;
    this.#delivered = 0;
    this.#lost = 0;
    this.#limited = false;
  }

  #endRound(next: Seqno, now: Millis): void {
    const elapsed = now - this.#roundStart;
    const rate = elapsed > 0 ? this.#delivered / elapsed : 0;
    const lossShare = this.#lost / (this.#lost + this.#delivered);
    const limited = this.#limited;
    this.#rounds += 1;
    // A flow that had nothing more to send shows what it sent, not what the path carries.
    if (limited || rate > this.#best) this.#remember(rate, lossShare);
    if (limited) this.#judge(rate, lossShare);
    if (this.#phase === 'drain') this.#drain(now);
    else if (now - this.#measuredFrom > roundTripRemembered) this.#measureAnew(limited, now);
    this.#beginRound(next, now);
  }

  #remember(rate: number, lossShare: number): void {
    if (this.#phase === 'drain') return;
    this.#rateIndex = (this.#rateIndex + 1) % roundsRemembered;
    this.#rates[this.#rateIndex] = rate;
    this.#lossShares[this.#rateIndex] = lossShare;
    this.#best = 0;
    for (const one of this.#rates) if (one > this.#best) this.#best = one;
  }

  #leastLoss(): number {
    let least = 1;
    for (const one of this.#lossShares) if (one < least) least = one;
    return least;
  }

  #judge(rate: number, lossShare: number): void {
    if (this.#phase === 'startup') {
      if (rate >= this.#bestOfStartup * startupGrowth) {
        this.#bestOfStartup = rate;
        this.#roundsWithoutGrowth = 0;
        return;
      }
      this.#roundsWithoutGrowth += lossShare > startupLossMax ? startupRoundsMax : 1;
      if (this.#roundsWithoutGrowth >= startupRoundsMax) this.#phase = 'steady';
    } else if (this.#phase === 'steady') {
      const packets = this.#lost + this.#delivered;
      const least = this.#leastLoss();
      const noise = 2 * Math.sqrt((least * (1 - least)) / packets);
      if (lossShare > least + noise + lossNoted) this.#gain = Math.max(gain.min, this.#gain * 0.85);
      else if (rate < this.#best * rateKept) this.#gain = Math.min(gain.max, this.#gain * 1.2);
      else this.#gain += (gain.usual - this.#gain) / 2;
    }
  }

  /** The path may have become longer. With nothing held back, the recent round trips are without a queue of ours. */
  #measureAnew(limited: boolean, now: Millis): void {
    if (limited && this.#phase === 'steady') {
      this.#phase = 'drain';
      this.#drainRounds = 0;
    } else if (this.#recentRoundTrip !== never) {
      this.#roundTrip = this.#recentRoundTrip;
    }
    this.#recentRoundTrip = never;
    this.#measuredFrom = now;
  }

  #drain(now: Millis): void {
    this.#drainRounds += 1;
    if (this.#drainRounds < drainRoundsMax) return;
    this.#phase = 'steady';
    this.#measureAnew(false, now);
  }
}
