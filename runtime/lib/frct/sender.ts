/**
 * The sending half of FRCT: what may be sent, what has arrived, what is lost and when that is known.
 * Source: end-to-end.md 7.5, 7.7, 7.8, 7.9, 9; ADR 0020.
 */
import { type Millis, never } from '../time/clock.ts';
import { CongestionWindow } from './congestion.ts';
import type { FrctCounters } from './counters.ts';
import type { FrctLimits } from './limits.ts';
import { ResentQueue } from './resent-queue.ts';
import { RoundTrip } from './rtt.ts';
import { packetState, SentPackets } from './sent-packets.ts';
import { distance, expandWindow, isBefore, plus, type Seqno } from './sequence.ts';

const { lost, resent, held } = packetState;
/** Numbers that a window may lie ahead: beyond, its 24 bits are ambiguous. */
const windowDistanceMax = 1 << 23;
/** Packets that must have overtaken one, on a path that never reordered any, for it to be lost at once. */
const overtakenMax = 3;
/** Reordering is waited for in steps of a quarter of the shortest round trip, a round trip at most. */
const reorderStepsMax = 16;
/** Towards a prototype: packets that are sent again at most for an acknowledgement, or at a timeout. */
const recoveryStep = 8;

export class Sender {
  readonly packets: SentPackets;
  readonly rtt: RoundTrip;
  /** The right window edge: the first number that may not be sent. */
  rwe: Seqno;
  /** The first number of the run. */
  readonly first: Seqno;
  /** Whether the peer is known to know the run, because it has acknowledged something of it. */
  anchored = false;
  /** Packets sent and neither arrived nor taken for lost. */
  underWay = 0;
  /** Packets that are to be sent again. */
  lost = 0;
  /** A write was refused, and not yet told that it can be tried again. */
  blocked = false;
  /** Since when the peer's window holds a write back. */
  closedSince: Millis | undefined;
  /** Whether the peer's window holds writes back. */
  obeysWindow = true;

  readonly #reliable: boolean;
  readonly #limits: FrctLimits;
  readonly #counters: FrctCounters;
  readonly #resentQueue: ResentQueue;
  /** Packets under way at first, where that is less than the window that both ends begin with. */
  readonly #startPackets: number;
  #extended = false;
  #isPrototype = false;
  #congestion: CongestionWindow | undefined;
  /** Without a congestion window: packets that may be sent again before the next acknowledgement. */
  #resendsLeft = 0;
  #outstandingMax: number;
  #refusedBytes = 0;
  /** Bytes of messages sent, and how many the peer lets be sent, both modulo 2^32. */
  #bytesSent = 0;
  #credit: number;
  /** Best effort: the edge as the peer told it, and what it does not count because it was lost. */
  #toldRwe: Seqno;
  #uncounted = 0;
  #assumedRwe: Seqno = 0;
  /** Best effort: a window update was asked for, and one has come since. */
  #windowAsked = false;
  #windowHeard = false;

  #heldCount = 0;
  /** No packet before this one is lost. */
  #resendFrom: Seqno;
  /** Packets sent once and before this one need no more be looked at for loss. */
  #judged: Seqno;
  /** When the latest-sent packet that arrived was sent, its number, and how long it took. */
  #latestSentAt: Millis = -1;
  #latestSeqno: Seqno = 0;
  #latestRoundTrip: Millis = 0;
  /** The number behind the furthest packet that arrived. */
  #furthest: Seqno;
  #reorderingSeen = false;
  #reorderSteps = 1;
  #duplicatesTold = 0;
  #shortestRoundTrip: Millis = never;

  #arrivals = 0;
  #sampleSentAt: Millis = -1;

  #rtoAt: Millis = never;
  #doublings = 0;
  #reorderAt: Millis = never;
  #lastSentAt: Millis = 0;
  #lastProgressAt: Millis = 0;
  #probed = false;
  #rendezvousAt: Millis = never;
  #rendezvousWait: Millis = 0;

  constructor(
    reliable: boolean,
    initialSeqno: Seqno,
    limits: FrctLimits,
    counters: FrctCounters,
    startPackets: number = limits.windowInitial,
  ) {
    this.#reliable = reliable;
    this.#limits = limits;
    this.#counters = counters;
    this.packets = new SentPackets(initialSeqno, limits.sendBytesMax);
    this.rtt = new RoundTrip(limits);
    this.first = initialSeqno;
    this.rwe = plus(initialSeqno, limits.windowInitial);
    this.#toldRwe = this.rwe;
    this.#credit = limits.ours.bytesInitial;
    this.#startPackets = Math.min(startPackets, limits.windowInitial);
    this.#outstandingMax = startPackets < limits.windowInitial ? startPackets : limits.window;
    this.#resendFrom = initialSeqno;
    this.#judged = initialSeqno;
    this.#furthest = initialSeqno;
    this.#resentQueue = new ResentQueue(4 * limits.ours.window);
  }

  /** The peer has shown that it speaks the extensions. */
  extend(now: Millis): void {
    const { ours } = this.#limits;
    this.#extended = true;
    if (!this.#reliable) return;
    this.#outstandingMax = ours.window;
    this.#congestion = new CongestionWindow(
      this.packets.seqno,
      {
        windowMin: ours.congestionWindowMin,
        windowInitial: this.#startPackets,
        windowMax: ours.window,
      },
      now,
    );
    if (this.blocked) this.#congestion.heldBack();
  }

  /** The peer has shown that it does not: it counts packets alone. */
  limitToPackets(): void {
    this.#isPrototype = true;
    this.#outstandingMax = this.#limits.prototypeWindow;
  }

  /** Packets that may be under way. */
  get window(): number {
    return this.#congestion?.window ?? this.#outstandingMax;
  }

  /** How long to wait for an answer that does not come, ms. */
  get timeout(): Millis {
    return this.#timeout();
  }

  /** When something was last acknowledged; 0 before. */
  get lastProgressAt(): Millis {
    return this.#lastProgressAt;
  }

  get outstanding(): number {
    return this.packets.count;
  }

  get started(): boolean {
    return this.packets.seqno !== this.first || this.anchored;
  }

  /** Whether a message of so many bytes may be sent now. A refusal is remembered until `admitsAgain`. */
  admits(bytes: number, packetBytes: number, now: Millis): boolean {
    if (!this.#isOpenFor(bytes)) {
      this.refuse(bytes);
      this.#waitForWindow(now);
      return false;
    }
    this.#noteOpen();
    if (!this.#reliable || this.#isRoomFor(packetBytes)) return true;
    this.refuse(bytes);
    return false;
  }

  /** A write was refused, for whatever reason. */
  refuse(bytes: number): void {
    this.blocked = true;
    this.#refusedBytes = bytes;
  }

  /** Whether a write that was refused can be tried again; true once for each refusal. */
  admitsAgain(pciBytes: number): boolean {
    if (!this.blocked || !this.#isOpenFor(this.#refusedBytes)) return false;
    if (this.#reliable && !this.#isRoomFor(this.#refusedBytes + pciBytes)) return false;
    this.blocked = false;
    return true;
  }

  /** A packet of data left, `bytes` of message in it. */
  sent(at: number, packetBytes: number, bytes: number, now: Millis): void {
    const { packets } = this;
    this.#bytesSent = (this.#bytesSent + bytes) | 0;
    if (!this.#reliable) {
      packets.seqno = plus(packets.seqno, 1);
      packets.lwe = packets.seqno;
      return;
    }
    if (packets.lwe === packets.seqno) {
      const rto = this.#timeout();
      this.#rtoAt = now + rto;
      if (now - this.#lastSentAt > rto) this.#congestion?.rested(packets.seqno, now);
    }
    packets.add(at, packetBytes, now);
    this.underWay += 1;
    this.#congestion?.sent();
    this.#lastSentAt = now;
  }

  /**
   * Takes an acknowledgement and, where there is one, the bitmap of a report (from `bitmap` to `end`).
   * False when it is none that could be.
   */
  acknowledge(
    ackno: Seqno,
    delay: Millis,
    memory: Buffer | undefined,
    bitmap: number,
    end: number,
    now: Millis,
  ): boolean {
    const { packets } = this;
    const count = distance(packets.lwe, ackno);
    if (isBefore(packets.seqno, ackno)) return false;
    if (count < 0 && memory === undefined) return false;
    for (let left = count; left > 0; left -= 1) {
      const slot = packets.lwe & packets.mask;
      if (((packets.state[slot] as number) & held) === 0) this.#arrived(packets.lwe, slot, now);
      else this.#heldCount -= 1;
      packets.drop();
    }
    if (memory !== undefined) this.#holdAll(ackno, memory, bitmap, end, now);
    if (count > 0) this.#advanced(count);
    if (count > 0 || this.#arrivals > 0) this.#progress(delay, now);
    return count >= 0 || memory !== undefined;
  }

  /** Takes the low bits of the peer's right window edge; false when it is none that could be. */
  setWindow(window: number): boolean {
    if (!this.started) return false;
    const { lwe, seqno } = this.packets;
    if (!this.#reliable) {
      const edge = expandWindow(window, this.#toldRwe);
      if (Math.abs(distance(seqno, edge)) >= windowDistanceMax) return false;
      this.#windowHeard = true;
      if (isBefore(this.#toldRwe, edge)) this.#toldRwe = edge;
      this.#openUntil(plus(this.#toldRwe, this.#uncounted));
      return true;
    }
    const edge = expandWindow(window, this.rwe);
    const ahead = distance(lwe, edge);
    if (ahead < 0 || ahead >= windowDistanceMax) return false;
    this.#openUntil(edge);
    return true;
  }

  /** Takes what else a report tells. */
  setCredit(credit: number, duplicates: number): void {
    if (((credit - this.#credit) | 0) > 0) this.#credit = credit;
    this.#openUntil(this.rwe);
    const more = (duplicates - this.#duplicatesTold) | 0;
    if (more <= 0) return;
    this.#duplicatesTold = duplicates;
    // Something was sent again that had only been overtaken: wait longer the next time.
    if (this.#counters.retransmissions > 0) {
      this.#reorderSteps = Math.min(reorderStepsMax, this.#reorderSteps + 1);
    }
  }

  /** Whether a lost packet is to be sent again now. */
  mayResend(): boolean {
    if (this.lost === 0) return false;
    return this.#congestion === undefined ? this.#resendsLeft > 0 : this.#pathAdmits(this.#congestion);
  }

  /** The packet to send again next, where `mayResend`. */
  nextLost(): Seqno {
    const { packets } = this;
    let seqno = isBefore(this.#resendFrom, packets.lwe) ? packets.lwe : this.#resendFrom;
    while (((packets.state[seqno & packets.mask] as number) & lost) === 0) seqno = plus(seqno, 1);
    this.#resendFrom = seqno;
    return seqno;
  }

  /**
   * Whether a packet was first sent so long ago that the flow is down. While others before it are acknowledged its time
   * does not run: a slow path is not a dead one.
   */
  isTooOld(seqno: Seqno, now: Millis): boolean {
    const { firstSentAt, mask } = this.packets;
    const since = Math.max(firstSentAt[seqno & mask] as number, this.#lastProgressAt);
    return now - since > this.#limits.retransmitMs;
  }

  /** A packet was sent again. */
  sentAgain(seqno: Seqno, now: Millis): void {
    const { packets } = this;
    const slot = seqno & packets.mask;
    const state = packets.state[slot] as number;
    if ((state & lost) !== 0) {
      this.lost -= 1;
      this.underWay += 1;
    }
    this.#resendsLeft -= 1;
    this.#congestion?.sent();
    packets.state[slot] = (state & ~lost) | resent;
    packets.sentAt[slot] = now;
    if (this.#extended) this.#resentQueue.push(seqno, now);
    this.#lastSentAt = now;
  }

  nextDeadline(): Millis {
    return Math.min(this.#rtoAt, this.#reorderAt, this.#rendezvousAt, this.#probeAt());
  }

  /** Looks what is lost by now. False when the flow is down: the oldest packet was never acknowledged. */
  advance(now: Millis): boolean {
    if (this.#reorderAt <= now) this.#findLost(now);
    if (this.#rtoAt > now) return true;
    return this.#timedOut(now);
  }

  /** Whether the last packet is to be sent again because nothing comes back: what was lost before it shows then. */
  isProbeDue(now: Millis): boolean {
    return this.#probeAt() <= now;
  }

  /** The packet to probe with: the furthest that has not arrived. */
  takeProbe(now: Millis): Seqno {
    const { packets } = this;
    this.#probed = true;
    this.#rtoAt = now + this.#timeout();
    let seqno = plus(packets.seqno, -1);
    while (((packets.state[seqno & packets.mask] as number) & held) !== 0) seqno = plus(seqno, -1);
    return seqno;
  }

  /** Whether a window update is to be asked for now. */
  isRendezvousDue(now: Millis): boolean {
    if (this.#rendezvousAt > now) return false;
    if (!this.#reliable && !this.#extended && this.#windowAsked && this.#windowHeard) {
      this.#assumeWindow();
      return false;
    }
    this.#windowAsked = true;
    this.#windowHeard = false;
    this.#rendezvousAt = now + this.#rendezvousWait;
    this.#rendezvousWait = Math.min(this.#limits.rendezvousMaxMs, this.#rendezvousWait * 2);
    return true;
  }

  /** Nothing more is to be sent or waited for. */
  stop(): void {
    this.#rtoAt = never;
    this.#reorderAt = never;
    this.#rendezvousAt = never;
    this.underWay = 0;
    this.lost = 0;
    this.blocked = false;
  }

  /** Writes that wait are given up. */
  giveUpWaiting(): void {
    this.blocked = false;
    this.#noteOpen();
  }

  #isOpenFor(bytes: number): boolean {
    if (!this.obeysWindow) return true;
    if (distance(this.packets.seqno, this.rwe) <= 0) return false;
    return this.#isPrototype || !this.#reliable || ((this.#credit - this.#bytesSent - bytes) | 0) >= 0;
  }

  #isRoomFor(packetBytes: number): boolean {
    // Who ignores a prototype's window is not held back by what its node takes either.
    const countMax = this.obeysWindow
      ? this.#outstandingMax
      : Math.max(this.#outstandingMax, this.#limits.window);
    if (this.packets.count >= countMax || !this.packets.hasRoom(packetBytes)) return false;
    // A prototype's reader may need the next packet to see the last one (end-to-end.md 9.4): nothing holds it back.
    return this.#congestion === undefined || this.#pathAdmits(this.#congestion);
  }

  #pathAdmits(congestion: CongestionWindow): boolean {
    if (congestion.admits(this.underWay)) return true;
    congestion.heldBack();
    return false;
  }

  #waitForWindow(now: Millis): void {
    if (this.closedSince !== undefined) return;
    this.closedSince = now;
    this.#windowAsked = false;
    const { rendezvousMs, rendezvousMaxMs } = this.#limits;
    // A peer whose window does not move when it is taken for open does not read.
    const again = this.#uncounted > 0 && this.#toldRwe === this.#assumedRwe;
    this.#rendezvousWait = again ? Math.min(rendezvousMaxMs, this.#rendezvousWait) : rendezvousMs;
    // What a prototype counts falls behind with every loss; it is asked at once.
    this.#rendezvousAt = this.#reliable || this.#extended ? now + this.#rendezvousWait : now;
  }

  #openUntil(edge: Seqno): void {
    if (isBefore(this.rwe, edge)) this.rwe = edge;
    if (this.#isOpenFor(this.#refusedBytes)) this.#noteOpen();
  }

  /** The peer's window holds nothing back. */
  #noteOpen(): void {
    if (this.closedSince === undefined) return;
    this.closedSince = undefined;
    this.#rendezvousAt = never;
  }

  /**
   * A prototype's window moves by what it delivered, so that each loss narrows it for ever (end-to-end.md 7.9). It has
   * answered that it is still closed: what was sent has been delivered or lost by now.
   */
  #assumeWindow(): void {
    const { seqno } = this.packets;
    this.#uncounted = distance(this.#toldRwe, seqno) + this.#limits.window;
    this.#assumedRwe = this.#toldRwe;
    this.#counters.windowsAssumed += 1;
    this.#openUntil(plus(this.#toldRwe, this.#uncounted));
  }

  #timeout(): Millis {
    const { ackAllowanceMs, rtoInitialMs } = this.#limits;
    const { rtt } = this;
    // A loss among many packets shows sooner, and the last packet is sent again before.
    if (this.#extended) return rtt.timeout(rtt.smoothed + 2 * ackAllowanceMs, never, this.#doublings);
    // A prototype acknowledges what its application took: a reader at rest looks like a long way, and is not one.
    const onceMax = Math.max(4 * ackAllowanceMs, 3 * this.#shortestRoundTrip);
    return rtt.timeout(ackAllowanceMs, Math.min(rtoInitialMs, onceMax), this.#doublings);
  }

  #probeAt(): Millis {
    if (!this.#extended || this.#probed || this.underWay === 0 || this.lost > 0 || !this.rtt.measured) {
      return never;
    }
    const { ackAllowanceMs } = this.#limits;
    return Math.max(this.#lastSentAt, this.#lastProgressAt) + 2 * this.rtt.smoothed + ackAllowanceMs / 2;
  }

  /** A packet has arrived at the peer. */
  #arrived(seqno: Seqno, slot: number, now: Millis): void {
    const { packets } = this;
    const state = packets.state[slot] as number;
    const sentAt = packets.sentAt[slot] as number;
    if ((state & lost) === 0) this.underWay -= 1;
    else this.lost -= 1;
    this.#arrivals += 1;
    if ((state & resent) === 0) {
      if (sentAt > this.#sampleSentAt) this.#sampleSentAt = sentAt;
      if (isBefore(seqno, this.#furthest)) this.#reorderingSeen = true;
    } else if (now - sentAt < this.#shortestRoundTrip) {
      // It cannot be the retransmission that arrived.
      return;
    }
    if (!isBefore(seqno, this.#furthest)) this.#furthest = plus(seqno, 1);
    if (
      sentAt > this.#latestSentAt ||
      (sentAt === this.#latestSentAt && isBefore(this.#latestSeqno, seqno))
    ) {
      this.#latestSentAt = sentAt;
      this.#latestSeqno = seqno;
      this.#latestRoundTrip = now - sentAt;
    }
  }

  #holdAll(ackno: Seqno, memory: Buffer, bitmap: number, end: number, now: Millis): void {
    const { packets } = this;
    const { mask, heldBits } = packets;
    if (distance(ackno, packets.lwe) > mask) return;
    let base = ackno & -8;
    for (let at = bitmap; at < end; at += 1, base = plus(base, 8)) {
      const bits = memory[at] as number;
      if (bits === 0) continue;
      let fresh = bits & ~(heldBits[(base & mask) >> 3] as number);
      while (fresh !== 0) {
        const seqno = plus(base, 31 - Math.clz32(fresh & -fresh));
        fresh &= fresh - 1;
        if (isBefore(seqno, packets.lwe) || !isBefore(seqno, packets.seqno)) continue;
        const slot = seqno & mask;
        this.#arrived(seqno, slot, now);
        packets.hold(slot);
        this.#heldCount += 1;
      }
    }
  }

  /** The oldest packet is another one. */
  #advanced(packets: number): void {
    const { lwe } = this.packets;
    this.anchored = true;
    if (isBefore(this.#judged, lwe)) this.#judged = lwe;
    if (isBefore(this.#furthest, lwe)) this.#furthest = lwe;
    this.#resendsLeft = this.lost === 0 ? 0 : Math.min(this.#resendsLeft + packets, recoveryStep);
  }

  #progress(delay: Millis, now: Millis): void {
    const { packets } = this;
    let roundTrip = -1;
    if (this.#sampleSentAt >= 0) {
      roundTrip = Math.max(0, now - this.#sampleSentAt - delay);
      this.#shortestRoundTrip = Math.min(this.#shortestRoundTrip, roundTrip);
      this.rtt.sample(roundTrip);
      this.#sampleSentAt = -1;
    }
    this.#doublings = 0;
    this.#lastProgressAt = now;
    this.#probed = false;
    this.#rtoAt = packets.lwe === packets.seqno ? never : now + this.#timeout();
    const newest = plus(this.#furthest, -1);
    this.#congestion?.arrived(this.#arrivals, this.underWay, newest, packets.seqno, roundTrip, now);
    this.#arrivals = 0;
    if (this.#extended) this.#findLost(now);
    else this.#findExpired(now);
  }

  /**
   * Towards a prototype, which tells of one hole at a time: what was last sent longer ago than the timeout, and is now
   * the oldest, would else wait for one more.
   */
  #findExpired(now: Millis): void {
    const { packets } = this;
    const before = now - this.#timeout();
    let seqno = packets.lwe;
    for (let left = recoveryStep; left > 0 && seqno !== packets.seqno; left -= 1) {
      const slot = seqno & packets.mask;
      if (((packets.state[slot] as number) & lost) === 0) {
        if ((packets.sentAt[slot] as number) > before) return;
        this.#lose(seqno, slot);
        this.#resendsLeft += 1;
      }
      seqno = plus(seqno, 1);
    }
  }

  #reorderWindow(): Millis {
    if (!this.#reorderingSeen && this.#heldCount >= overtakenMax) return 0;
    const shortest = this.#congestion?.roundTrip ?? never;
    return Math.min((this.#reorderSteps * shortest) / 4, this.rtt.smoothed);
  }

  /**
   * Takes packets for lost that were sent before one that arrived, once as much time has passed since they were sent
   * as that one took, and the reordering window besides (RFC 8985).
   */
  #findLost(now: Millis): void {
    const { packets } = this;
    const queue = this.#resentQueue;
    this.#reorderAt = never;
    if (this.#heldCount === 0 && queue.count === 0) {
      this.#judged = packets.lwe;
      return;
    }
    const patience = this.#latestRoundTrip + this.#reorderWindow();
    for (; this.#judged !== packets.seqno; this.#judged = plus(this.#judged, 1)) {
      const slot = this.#judged & packets.mask;
      if (((packets.state[slot] as number) & (lost | resent | held)) !== 0) continue;
      const sentAt = packets.sentAt[slot] as number;
      if (!this.#isOvertaken(this.#judged, sentAt)) break;
      if (sentAt + patience > now) {
        this.#reorderAt = sentAt + patience;
        break;
      }
      this.#lose(this.#judged, slot);
    }
    for (; queue.count > 0; queue.shift()) {
      const seqno = queue.firstSeqno;
      const slot = seqno & packets.mask;
      const sentAt = queue.firstSentAt;
      const gone = isBefore(seqno, packets.lwe) || ((packets.state[slot] as number) & (held | lost)) !== 0;
      // An entry is of the past when its packet was sent once more since.
      if (gone || packets.sentAt[slot] !== sentAt) continue;
      if (!this.#isOvertaken(seqno, sentAt)) break;
      if (sentAt + patience > now) {
        this.#reorderAt = Math.min(this.#reorderAt, sentAt + patience);
        break;
      }
      this.#lose(seqno, slot);
    }
  }

  /** Whether a packet that was sent later has arrived. */
  #isOvertaken(seqno: Seqno, sentAt: Millis): boolean {
    return (
      sentAt < this.#latestSentAt || (sentAt === this.#latestSentAt && isBefore(seqno, this.#latestSeqno))
    );
  }

  #lose(seqno: Seqno, slot: number): void {
    const { packets } = this;
    packets.state[slot] = (packets.state[slot] as number) | lost;
    this.underWay -= 1;
    this.lost += 1;
    this.#congestion?.lost();
    if (isBefore(seqno, this.#resendFrom)) this.#resendFrom = seqno;
  }

  #timedOut(now: Millis): boolean {
    const { packets } = this;
    if (this.isTooOld(packets.lwe, now)) return false;
    this.#counters.timeouts += 1;
    // Packets that left a moment ago may still arrive.
    const { ackAllowanceMs, rtoInitialMs } = this.#limits;
    const roundTrip = this.#extended ? this.rtt.smoothed : Math.min(this.rtt.smoothed, rtoInitialMs);
    const before = now - roundTrip - ackAllowanceMs;
    for (let seqno = packets.lwe; seqno !== packets.seqno; seqno = plus(seqno, 1)) {
      const slot = seqno & packets.mask;
      if (((packets.state[slot] as number) & (held | lost)) !== 0) continue;
      if (seqno === packets.lwe || (packets.sentAt[slot] as number) <= before) this.#lose(seqno, slot);
    }
    this.#resendFrom = packets.lwe;
    this.#resentQueue.clear();
    this.#judged = packets.seqno;
    this.#reorderAt = never;
    this.#doublings += 1;
    this.#probed = true;
    this.#rtoAt = now + this.#timeout();
    this.#resendsLeft = Math.min(2 ** (this.#doublings - 1), recoveryStep);
    this.#congestion?.timedOut(this.underWay);
    return true;
  }
}
