/**
 * The receiving half of FRCT: runs of the peer, order, the window, and which acknowledgements are due.
 * Source: end-to-end.md 7.6, 7.9, 9; ADR 0020.
 */
import { type Millis, never } from '../time/clock.ts';
import type { FrctCounters } from './counters.ts';
import type { FrctLimits } from './limits.ts';
import { ReorderBuffer } from './reorder-buffer.ts';
import { distance, isBefore, plus, type Seqno } from './sequence.ts';

/** Best effort: an edge that was told so often is taken for known. */
const tellingsTrusted = 6;

/** Gets each message, in order, and the end behind the last one. */
export interface Delivery {
  /** A message, in memory that is the taker's from now on. */
  deliver(memory: Buffer, start: number, end: number): void;
  /** The peer sends nothing more, and all before that has been delivered. Comes once. */
  ended(): void;
}

export class Receiver {
  /** Whether the peer has started a run; before that there is nothing to acknowledge and no window to give. */
  running = false;
  /** The number that is waited for. */
  lwe: Seqno = 0;
  /** The right window edge: the first number that is not taken. It never goes back within a run. */
  rwe: Seqno = 0;
  /** Something is to be told at the end of this turn. */
  tellNow = false;
  /** The peer has asked for the window. */
  windowAsked = false;
  /** The end that the peer told; meaningless unless `endTold`. */
  end: Seqno = 0;
  endTold = false;
  /** Everything up to the end has arrived. */
  endReached = false;
  /** Packets that came more than once, modulo 2^32. */
  duplicates = 0;
  readonly reordered: ReorderBuffer;

  readonly #reliable: boolean;
  readonly #delivery: Delivery;
  readonly #limits: FrctLimits;
  readonly #counters: FrctCounters;
  /** From this silence of data on, a run with other numbers is a new one. */
  readonly #newRunMs: Millis;
  #extended = false;
  #window: number;
  /** What comes is thrown away: nobody reads any more. */
  #discards = false;
  /** Messages delivered and not taken, and their bytes. */
  #untaken = 0;
  #untakenBytes = 0;
  /** Bytes of messages taken in this run, modulo 2^32. */
  #bytesTaken = 0;
  #lastDataAt: Millis = 0;

  /** Messages since the last acknowledgement. */
  #unacknowledged = 0;
  #tellAt: Millis = never;
  /** Told last: the right window edge, the number waited for, the credit. */
  #toldRwe: Seqno = 0;
  #toldLwe: Seqno = 0;
  #toldCredit = 0;
  /** The peer was told a closed window and may wait for news. */
  #wasClosed = false;
  #repeatsLeft = 0;
  #repeatWait: Millis = 0;
  /** Best effort: the edges told before the last one, the latest first. */
  readonly #earlierRwe = new Int32Array(tellingsTrusted);

  constructor(
    reliable: boolean,
    mplMs: Millis,
    delivery: Delivery,
    limits: FrctLimits,
    counters: FrctCounters,
  ) {
    this.#reliable = reliable;
    this.#delivery = delivery;
    this.#limits = limits;
    this.#counters = counters;
    this.#window = limits.window;
    this.#newRunMs = 3 * mplMs + limits.ackMaxMs + limits.retransmitMs;
    this.reordered = new ReorderBuffer(Math.max(limits.window, limits.ours.window));
  }

  /** The peer has shown that it speaks the extensions. */
  extend(): void {
    this.#extended = true;
    this.#window = this.#limits.ours.window;
    this.#slide();
  }

  /** Bytes of messages that may be sent to this end, from the start of the run, modulo 2^32. */
  get credit(): number {
    return (this.#bytesTaken + this.#limits.receiveBytesMax) | 0;
  }

  /** Bytes of messages held and delivered but not taken. */
  get bytesHeld(): number {
    return this.reordered.bytes + this.#untakenBytes;
  }

  /** The number waited for as the peer was told it last. */
  get lastAcknowledged(): Seqno {
    return this.#toldLwe;
  }

  /** When the latest data came. */
  get lastDataAt(): Millis {
    return this.#lastDataAt;
  }

  /** A packet with DRF came: it starts a run, continues one, or is too early to start another. */
  runFlag(seqno: Seqno, isData: boolean, now: Millis): void {
    if (this.running) {
      // Not rounded up to whole seconds as the prototype's own limit is: its new run may have come faster than its
      // last packet.
      const foreign = isData && seqno !== this.lwe && now - this.#lastDataAt > this.#newRunMs;
      if (!foreign || this.#extended) return;
    }
    this.#start(seqno, now);
  }

  /** A packet came that tells where its run began: what is missing before it belongs to the run. */
  runBegan(first: Seqno, seqno: Seqno, now: Millis): void {
    const behind = distance(first, seqno);
    if (!this.running && behind > 0 && behind < this.#window) this.#start(first, now);
  }

  /** A packet of data came; its message is `memory` from `start` to `end`. */
  data(seqno: Seqno, memory: Buffer, start: number, end: number, now: Millis): void {
    const ahead = distance(this.lwe, seqno);
    if (!this.running) {
      this.#counters.droppedNoRun += 1;
    } else if (this.endTold && distance(this.end, seqno) >= 0) {
      this.#counters.droppedAfterEnd += 1;
      this.tellNow = true;
    } else if (!this.#reliable) {
      this.#anyData(ahead, seqno, memory, start, end, now);
    } else if (ahead < 0) {
      this.#counters.droppedDuplicate += 1;
      this.duplicates = (this.duplicates + 1) | 0;
      this.tellNow = true;
    } else if (distance(this.rwe, seqno) >= 0) {
      this.#counters.droppedOutsideWindow += 1;
      this.tellNow = true;
    } else if (ahead === 0) {
      this.#nextData(memory, start, end, now);
    } else {
      this.#laterData(seqno, memory, start, end, now);
    }
  }

  /** The peer told the number behind its last packet and waits for an answer; false when it cannot be that. */
  setEnd(end: Seqno): boolean {
    if (!this.running) return false;
    const isBeforeData = isBefore(end, this.lwe) || isBefore(end, this.reordered.furthest(this.lwe));
    if (this.endTold ? end !== this.end : isBeforeData) return false;
    this.tellNow = true;
    if (this.endTold) return true;
    this.end = end;
    this.endTold = true;
    if (!this.#reliable && this.lwe !== end) {
      this.#counters.skipped += distance(this.lwe, end);
      this.lwe = end;
    }
    this.#checkEnd();
    return true;
  }

  /** The application took a message. */
  taken(bytes: number): void {
    if (this.#discards) return;
    this.#untaken -= 1;
    this.#untakenBytes -= bytes;
    this.#bytesTaken = (this.#bytesTaken + bytes) | 0;
    if (!this.running) return;
    this.#slide();
    this.#checkWindow();
  }

  /** Nobody reads any more: what waits and what comes counts as taken. */
  discard(): void {
    this.#discards = true;
    this.#untaken = 0;
    this.#bytesTaken = (this.#bytesTaken + this.#untakenBytes) | 0;
    this.#untakenBytes = 0;
    if (!this.running) return;
    this.#slide();
    this.#checkWindow();
  }

  /** The peer asks for the window; without a run there is none to give. */
  asked(): void {
    if (this.running) this.windowAsked = true;
  }

  /** Whether a packet of data with this number may be one of the run: in the window, or not long before it. */
  isNearWindow(seqno: Seqno): boolean {
    return this.running && distance(this.lwe, seqno) >= -this.#window && isBefore(seqno, this.rwe);
  }

  /** Whether an acknowledgement is to leave at the end of a turn. */
  get isDue(): boolean {
    return this.tellNow || this.#unacknowledged >= this.#limits.ackEvery;
  }

  /** Whether an acknowledgement would tell anything new. */
  get isBehind(): boolean {
    return this.running && (this.tellNow || this.#toldLwe !== this.lwe);
  }

  nextDeadline(): Millis {
    return this.#tellAt;
  }

  advance(now: Millis): void {
    if (this.#tellAt > now) return;
    this.#tellAt = never;
    this.tellNow = true;
    if (this.#repeatsLeft === 0) return;
    this.#repeatsLeft = this.#reliable || this.#isInDoubt() ? this.#repeatsLeft - 1 : 0;
    if (this.#repeatsLeft === 0) return;
    this.#tellAt = now + this.#repeatWait;
    this.#repeatWait *= 2;
  }

  /** A packet with the number waited for and the window leaves; with a report, all is told. */
  told(hasReport: boolean, now: Millis): void {
    if (this.#wasClosed && this.rwe !== this.#toldRwe && !this.#extended) this.#repeat(now);
    this.#wasClosed = this.#reliable && this.rwe === this.lwe;
    this.#toldLwe = this.lwe;
    this.#toldRwe = this.rwe;
    if (!this.#reliable) {
      this.#earlierRwe.copyWithin(1, 0, tellingsTrusted - 1);
      this.#earlierRwe[0] = this.rwe;
    }
    this.windowAsked = false;
    this.#unacknowledged = 0;
    if (this.#repeatsLeft === 0) this.#tellAt = never;
    if (hasReport) this.#toldCredit = this.credit;
    // Data carries no report: what only that can tell remains to be told.
    else if (this.#extended && (this.reordered.count > 0 || this.endTold || this.#isCreditDue())) return;
    this.tellNow = false;
  }

  /** Nothing more is to be told. */
  stop(): void {
    this.tellNow = false;
    this.windowAsked = false;
    this.#unacknowledged = 0;
    this.#tellAt = never;
    this.#repeatsLeft = 0;
    this.reordered.clear();
  }

  #start(seqno: Seqno, now: Millis): void {
    this.running = true;
    this.#counters.runs += 1;
    this.lwe = seqno;
    this.rwe = seqno;
    this.reordered.clear();
    this.#lastDataAt = now;
    this.#unacknowledged = 0;
    this.#earlierRwe.fill(seqno);
    this.#toldCredit = this.#limits.ours.bytesInitial;
    this.#wasClosed = false;
    this.#slide();
    // What the peer reckons with before it is told anything.
    this.#toldLwe = seqno;
    this.#toldRwe = plus(seqno, this.#limits.windowInitial);
  }

  /** Reliable: the packet that was waited for. */
  #nextData(memory: Buffer, start: number, end: number, now: Millis): void {
    const bytes = end - start;
    if (this.#untaken > 0 && this.bytesHeld + bytes > this.#limits.receiveBytesMax) {
      this.#counters.droppedNoRoom += 1;
      this.tellNow = true;
      return;
    }
    this.#noteData(now);
    this.#unacknowledged += 1;
    const { reordered } = this;
    // A hole that closes is told at once: the peer waits for it.
    if (reordered.count > 0) this.tellNow = true;
    this.lwe = plus(this.lwe, 1);
    this.#deliver(memory, start, end);
    while (reordered.count > 0) {
      const from = reordered.startOf(this.lwe);
      const to = reordered.endOf(this.lwe);
      const next = reordered.take(this.lwe);
      if (next === undefined) break;
      this.lwe = plus(this.lwe, 1);
      this.#unacknowledged += 1;
      this.#deliver(next, from, to);
    }
    if (this.endTold) this.#checkEnd();
  }

  /** Reliable: a packet behind one that is missing. */
  #laterData(seqno: Seqno, memory: Buffer, start: number, end: number, now: Millis): void {
    if (this.bytesHeld + end - start > this.#limits.receiveBytesMax) {
      this.#counters.droppedNoRoom += 1;
      return;
    }
    if (!this.reordered.add(this.lwe, seqno, memory, start, end)) {
      this.#counters.droppedDuplicate += 1;
      this.duplicates = (this.duplicates + 1) | 0;
      this.tellNow = true;
      return;
    }
    this.#noteData(now);
    // A prototype has no use for it: it learns of a hole only by its own timeout.
    if (this.#extended) this.tellNow = true;
  }

  /** Best effort: whatever is not older than what was delivered. */
  #anyData(ahead: number, seqno: Seqno, memory: Buffer, start: number, end: number, now: Millis): void {
    if (ahead < 0) {
      this.#counters.droppedLate += 1;
      return;
    }
    this.#counters.skipped += ahead;
    this.lwe = plus(seqno, 1);
    this.#lastDataAt = now;
    const bytes = end - start;
    const { receiveBytesMax } = this.#limits;
    if (
      this.#untaken >= this.#window ||
      (this.#untaken > 0 && this.#untakenBytes + bytes > receiveBytesMax)
    ) {
      this.#counters.droppedNoRoom += 1;
    } else {
      this.#deliver(memory, start, end);
    }
    this.#slide();
    this.#checkWindow();
    // A peer that waits for a window sends nothing, and a prototype does not ask either: tell it when it pauses.
    if (!this.#extended && this.#isInDoubt()) this.#repeat(now);
  }

  #noteData(now: Millis): void {
    this.#lastDataAt = now;
    this.#repeatsLeft = 0;
    const { ackDelayMs, ours } = this.#limits;
    const at = now + (this.#extended ? ours.ackDelayMs : ackDelayMs);
    if (this.#tellAt > at) this.#tellAt = at;
  }

  #deliver(memory: Buffer, start: number, end: number): void {
    this.#counters.messagesDelivered += 1;
    if (this.#discards) {
      this.#bytesTaken = (this.#bytesTaken + end - start) | 0;
      this.#slide();
      return;
    }
    this.#untaken += 1;
    this.#untakenBytes += end - start;
    this.#delivery.deliver(memory, start, end);
  }

  #checkEnd(): void {
    if (this.endReached || this.lwe !== this.end) return;
    this.endReached = true;
    this.tellNow = true;
    this.#delivery.ended();
  }

  /** Moves the right window edge to where it is by now. */
  #slide(): void {
    const edge = plus(this.lwe, this.#window - this.#untaken);
    if (isBefore(this.rwe, edge)) this.rwe = edge;
  }

  #isCreditDue(): boolean {
    return ((this.credit - this.#toldCredit) | 0) >= this.#limits.receiveBytesMax / 4;
  }

  /** Tells the window when the peer may run into the edge it knows, and there is enough more to be worth it. */
  #checkWindow(): void {
    const { windowStep } = this.#limits;
    const gained = distance(this.#toldRwe, this.rwe);
    if (!this.#reliable && !this.#extended) {
      if (gained >= windowStep) this.tellNow = true;
      return;
    }
    const left = distance(this.lwe, this.#toldRwe);
    if (gained >= this.#window / 4 && left <= distance(this.#toldLwe, this.#toldRwe) / 2) {
      this.tellNow = true;
    } else if (this.#extended && this.#reliable && this.#isCreditDue()) {
      this.tellNow = true;
    }
  }

  /** Best effort: whether the peer may still hold an edge that it can reach soon. */
  #isInDoubt(): boolean {
    const oldest = this.#earlierRwe[tellingsTrusted - 1] as number;
    return distance(oldest, this.rwe) >= this.#limits.windowStep;
  }

  /** Tells the window once more after a while, and again. */
  #repeat(now: Millis): void {
    const { rendezvousMs, windowRepeats } = this.#limits;
    this.#repeatsLeft = windowRepeats;
    this.#repeatWait = 2 * rendezvousMs;
    this.#tellAt = now + rendezvousMs;
  }
}
