/**
 * FRCT, the flow and retransmission control of an end point: messages in order and, where the QoS allows no loss, all of
 * them. Source: end-to-end.md 7, 9, 10; what our own ends do besides is ADR 0020.
 */
import type { ErrorCode } from '../errors.ts';
import { type Deadlines, type Millis, never } from '../time/clock.ts';
import { type FrctCounters, newFrctCounters } from './counters.ts';
import { type FrctLimits, frctLimits, inactivityMs } from './limits.ts';
import { Pci, pciBytes, pciFlag, windowMask, writePci } from './pci.ts';
import { type Delivery, Receiver } from './receiver.ts';
import { bitmapOffset, Report, reportContents } from './report.ts';
import { Sender } from './sender.ts';
import { type Seqno, toSeqno } from './sequence.ts';

/** What FRCT calls. Every call may call FRCT in turn. */
export interface FrctPort extends Delivery {
  /**
   * Sends a packet, which lies in `memory` during this call only. False when there is no room for it now; `resume`
   * is then to be called once there is.
   */
  send(memory: Buffer, start: number, end: number): boolean;
  /** A write that was refused may succeed now. */
  writable(): void;
  /** After `finish` or `close`: all that was sent is acknowledged. Comes once. */
  settled(): void;
  /** The flow is down for good. Comes once. */
  down(code: ErrorCode): void;
}

export interface FrctSetup {
  /** Whether the QoS allows no loss: what is lost is sent again. Otherwise there is order only. */
  readonly reliable: boolean;
  /** 32 random bits. */
  readonly initialSeqno: number;
  /** Maximum packet lifetime of the layer below, ms. */
  readonly mplMs: Millis;
  /** Longest packet that the flow below takes, bytes. */
  readonly maxPacketBytes: number;
  readonly limits?: FrctLimits;
  /** Packets that may be under way until something of them is known to have arrived; as many as `limits` say when absent. */
  readonly startPackets?: number | undefined;
}

export interface LastWord {
  /** As `send` would get it. */
  readonly packet: Buffer;
  readonly untilMs: Millis;
}

const { data, drf, ack, fc, rdvs, extended } = pciFlag;
/** Of a packet that is sent again: what is as in the first transmission. */
const lastingFlags = data | drf;
/** What a prototype's packet without data may have. */
const bareFlags = drf | ack | fc | rdvs;

/** Times that a peer's end may have been lost, or its answer, in a row. */
const endsAwaited = 3;

/** Who is at the other end, as its first packet shows. */
type Peer = 'unknown' | 'prototype' | 'ours';
/** The own half of the stream: open, its end told but not acknowledged, or over. */
type Ending = 'open' | 'ending' | 'ended';

/** Times in ms; sequence numbers are those of the run, and a right edge is the first that may not be sent. */
export interface FrctFacts {
  /** Longest time a packet lives in the layer, an acknowledgement is held back, and a packet is sent again. */
  readonly mplMs: Millis;
  readonly ackMs: Millis;
  readonly retransmitMs: Millis;
  /** Of the round trip. */
  readonly deviationMs: Millis;
  /** How long an acknowledgement is waited for now. */
  readonly timeoutMs: Millis;
  /** Round trips that were measured. */
  readonly estimates: number;
  readonly sender: {
    readonly left: number;
    readonly right: number;
    /** The number of the next packet. */
    readonly next: number;
    /** After which silence a run is over. */
    readonly inactiveMs: Millis;
  };
  readonly receiver: {
    readonly left: number;
    readonly right: number;
    /** The left edge as the other end was told it last. */
    readonly acknowledged: number;
    readonly inactiveMs: Millis;
  };
}

/**
 * One end of FRCT. It is driven from outside: `now` is an argument, `flush` is to be called at the end of every turn in
 * which packets came or messages were taken, and `advance` at `nextDeadline`.
 */
export class Frct implements Deadlines {
  readonly counters: FrctCounters = newFrctCounters();
  readonly #reliable: boolean;
  readonly #mplMs: Millis;
  #maxPacketBytes: number;
  /** Longest packet without data, bytes. */
  #bareBytesMax: number;
  readonly #limits: FrctLimits;
  readonly #port: FrctPort;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #pci = new Pci();
  readonly #report = new Report();
  /** Packets that are not kept are written here. */
  #scratch: Buffer = Buffer.allocUnsafeSlow(2048);
  #peer: Peer = 'unknown';
  /** The flag that makes this end known; a prototype need not see it. */
  #mark: number = extended;
  #down = false;
  #ending: Ending = 'open';
  #settled = false;
  #endAt: Millis = never;
  #endWait: Millis = 0;
  #endSince: Millis = 0;
  /** All data is acknowledged, and the end was told again since. */
  #endAlone = false;
  /** Something happened since the last `flush`. */
  #touched = false;
  #lastSentAt: Millis = 0;
  #lastReceivedAt: Millis = 0;

  constructor(setup: FrctSetup, port: FrctPort) {
    const limits = setup.limits ?? frctLimits;
    this.#reliable = setup.reliable;
    this.#mplMs = setup.mplMs;
    this.#limits = limits;
    this.#maxPacketBytes = setup.maxPacketBytes;
    this.#bareBytesMax = Math.min(setup.maxPacketBytes, bitmapOffset + limits.ours.window / 8);
    this.#port = port;
    this.#sender = new Sender(
      setup.reliable,
      toSeqno(setup.initialSeqno),
      limits,
      this.counters,
      setup.startPackets,
    );
    this.#receiver = new Receiver(setup.reliable, setup.mplMs, port, limits, this.counters);
  }

  /** Longest message a write takes, bytes. */
  get maxMessageBytes(): number {
    return this.#maxPacketBytes - pciBytes;
  }

  /** From here on the flow below takes packets of so many bytes at most; what was written before stays as it is. */
  limitPackets(bytes: number): void {
    this.#maxPacketBytes = bytes;
    this.#bareBytesMax = Math.min(bytes, bitmapOffset + this.#limits.ours.window / 8);
  }

  /** Whether all that was sent is acknowledged, and where it was told, the end too. */
  get isSettled(): boolean {
    return (
      this.#sender.outstanding === 0 && (this.#ending !== 'ending' || this.#peer !== 'ours') && !this.#down
    );
  }

  /** Whether the peer speaks the extensions; undefined before its first packet. */
  get peerExtended(): boolean | undefined {
    return this.#peer === 'unknown' ? undefined : this.#peer === 'ours';
  }

  /** Messages sent and not acknowledged; none without reliability. */
  get outstanding(): number {
    return this.#sender.outstanding;
  }

  /** Bytes kept for retransmission, and received but not taken. */
  get bytesHeld(): number {
    return this.#sender.packets.bytesHeld + this.#receiver.bytesHeld;
  }

  /** Since when the peer's window has been refusing writes; undefined while it does not. */
  get closedSince(): Millis | undefined {
    return this.#sender.closedSince;
  }

  /** Whether writes wait for the peer's window. Without it what the peer has no room for is lost, and sent again. */
  get obeysWindow(): boolean {
    return this.#sender.obeysWindow;
  }

  set obeysWindow(obeys: boolean) {
    this.#sender.obeysWindow = obeys;
    if (!obeys) this.#touched = true;
  }

  /** Smoothed round trip in ms, 0 before the first measurement. */
  get roundTrip(): Millis {
    return this.#sender.rtt.smoothed;
  }

  /** Times and sequence numbers, for people and metrics. */
  get facts(): FrctFacts {
    const { rtt, packets, rwe, timeout } = this.#sender;
    const inactiveMs = (side: 'sender' | 'receiver'): Millis => inactivityMs(side, this.#mplMs, this.#limits);
    return {
      mplMs: this.#mplMs,
      ackMs: this.#limits.ackMaxMs,
      retransmitMs: this.#limits.retransmitMs,
      deviationMs: rtt.deviation,
      timeoutMs: timeout,
      estimates: rtt.samples,
      sender: {
        left: packets.lwe >>> 0,
        right: rwe >>> 0,
        next: packets.seqno >>> 0,
        inactiveMs: inactiveMs('sender'),
      },
      receiver: {
        left: this.#receiver.lwe >>> 0,
        right: this.#receiver.rwe >>> 0,
        acknowledged: this.#receiver.lastAcknowledged >>> 0,
        inactiveMs: inactiveMs('receiver'),
      },
    };
  }

  /** Packets that may be under way at once. */
  get window(): number {
    return this.#sender.window;
  }

  /**
   * Until when a packet of the flow may come that deserves an answer, for whoever can keep the flow so long: the last
   * retransmissions of a prototype; of our own ends, that are told of a release besides, an end of the stream that is
   * told once more because the answer was lost.
   */
  get lateUntil(): Millis {
    if (this.#peer === 'ours' && this.#ending === 'ended') {
      return this.#lastReceivedAt + endsAwaited * this.#sender.timeout;
    }
    return Math.max(
      this.#lastSentAt + inactivityMs('sender', this.#mplMs, this.#limits),
      this.#lastReceivedAt + inactivityMs('receiver', this.#mplMs, this.#limits),
    );
  }

  /**
   * Sends a message, or refuses it: the window is closed, too much is under way, or the port is full. After a refusal
   * `writable` comes. False also once the flow is finished or down; then nothing comes.
   */
  write(message: Uint8Array, now: Millis): boolean {
    if (this.#down || this.#ending !== 'open') return false;
    const sender = this.#sender;
    const bytes = message.length;
    const packetBytes = pciBytes + bytes;
    if (!sender.admits(bytes, packetBytes, now)) return false;
    const { packets } = sender;
    let at = 0;
    let memory: Buffer;
    if (this.#reliable) {
      at = packets.reserve(packetBytes);
      memory = packets.memory;
    } else {
      memory = this.#scratchOf(packetBytes);
    }
    memory.set(message, at + pciBytes);
    const first = packets.lwe === packets.seqno ? drf : 0;
    const told = this.#writeDataPci(memory, at, data | first, packets.seqno);
    if (!this.#send(memory, at, at + packetBytes)) {
      sender.refuse(bytes);
      return false;
    }
    sender.sent(at, packetBytes, bytes, now);
    this.#lastSentAt = now;
    this.counters.messagesSent += 1;
    if (told) this.#receiver.told(false, now);
    return true;
  }

  /** Takes a packet that came. Its memory is the engine's from now on. */
  receive(memory: Buffer, start: number, end: number, now: Millis): void {
    if (this.#down) {
      this.counters.droppedDown += 1;
      return;
    }
    const pci = this.#pci;
    if (!pci.read(memory, start, end)) {
      this.counters.droppedShort += 1;
      return;
    }
    const { flags } = pci;
    const receiver = this.#receiver;
    this.#touched = true;
    this.#lastReceivedAt = now;
    if (this.#peer === 'unknown') this.#learn((flags & extended) !== 0, now);
    if (this.#tellsFirst(flags) && (flags & ack) === 0) receiver.runBegan(pci.ackno, pci.seqno, now);
    if ((flags & drf) !== 0) receiver.runFlag(pci.seqno, (flags & data) !== 0, now);
    if ((flags & data) === 0) return this.#receiveBare(flags, memory, start, end, now);
    if ((flags & (ack | fc | rdvs)) !== 0) this.#receiveControl(flags, 0, undefined, 0, 0, now);
    receiver.data(pci.seqno, memory, start + pciBytes, end, now);
  }

  /** The application took a message of so many bytes. */
  taken(bytes: number): void {
    if (this.#down) return;
    this.#receiver.taken(bytes);
    if (this.#receiver.tellNow) this.#touched = true;
  }

  /** To be called at the end of a turn: what became due in it is sent together. */
  flush(now: Millis): void {
    this.#touched = false;
    if (this.#down) return;
    const sender = this.#sender;
    const receiver = this.#receiver;
    while (sender.mayResend()) {
      const seqno = sender.nextLost();
      if (sender.isTooOld(seqno, now)) return this.#goDown();
      if (!this.#sendAgain(seqno, now)) break;
    }
    if (sender.blocked && sender.admitsAgain(pciBytes)) {
      this.#port.writable();
      if (this.#down) return;
    }
    if (receiver.isDue) this.#acknowledge(this.#reliable ? ack | fc : fc, now);
    else if (receiver.windowAsked) this.#acknowledge(fc, now);
    if (this.#ending !== 'open' && !this.#settled) this.#checkSettled(now);
  }

  nextDeadline(): Millis {
    if (this.#down) return never;
    if (this.#touched) return 0;
    return Math.min(this.#sender.nextDeadline(), this.#receiver.nextDeadline(), this.#endAt);
  }

  advance(now: Millis): void {
    if (this.#down) return;
    const sender = this.#sender;
    this.#receiver.advance(now);
    if (!sender.advance(now)) return this.#goDown();
    if (sender.isProbeDue(now) && this.#sendAgain(sender.takeProbe(now), now)) this.counters.probes += 1;
    if (sender.isRendezvousDue(now) && this.#sendBare(rdvs, now)) this.counters.rendezvousSent += 1;
    if (this.#endAt <= now) this.#tellEnd(now);
    this.flush(now);
  }

  /** The port has room again. */
  resume(now: Millis): void {
    this.flush(now);
  }

  /** No more messages follow: a peer of ours is told the end of the stream, which it acknowledges. Idempotent. */
  finish(now: Millis): void {
    if (this.#down || this.#ending !== 'open') return;
    this.#sender.giveUpWaiting();
    this.#touched = true;
    if (this.#peer === 'prototype') {
      this.#ending = 'ended';
      return;
    }
    this.#ending = 'ending';
    this.#endSince = now;
    this.#endWait = this.#sender.timeout;
    this.#tellEnd(now);
  }

  /** As `finish`, and nobody reads any more: what comes is acknowledged and thrown away. Idempotent. */
  close(now: Millis): void {
    if (this.#down) return;
    this.#receiver.discard();
    this.finish(now);
    // What is not acknowledged yet would be sent to nobody.
    if (this.#receiver.isBehind) this.#receiver.tellNow = true;
    this.flush(now);
  }

  /** Nothing carries the flow any more: from here on it neither sends nor tells anything. */
  stop(): void {
    this.#down = true;
    this.#endAt = never;
    this.#sender.stop();
    this.#receiver.stop();
  }

  /**
   * What answers a peer that has not heard the last acknowledgement, for who can keep the flow when this end is gone, and
   * until when; undefined when nothing that comes deserves an answer.
   */
  lastWord(now: Millis): LastWord | undefined {
    if (this.#down || !this.#receiver.running) return undefined;
    // One of ours that has not acknowledged the end is told of the release.
    if (this.#peer === 'ours' ? this.#ending !== 'ended' : !this.#reliable) return undefined;
    const end = this.#writeBare(this.#reliable ? ack | fc : fc, false, now);
    return { packet: Buffer.from(this.#scratch.subarray(0, end)), untilMs: this.lateUntil };
  }

  /**
   * Whether a packet without a CRC, on a flow that has one, is to be believed: the prototype forgets it behind packets
   * without data and behind retransmissions (end-to-end.md 6), also of what was acknowledged. One of ours never does.
   */
  isWithoutCrc(packet: Buffer): boolean {
    const pci = this.#pci;
    if (this.#peer === 'ours' || !pci.read(packet, 0, packet.length)) return false;
    if ((pci.flags & data) === 0) return packet.length === pciBytes && (pci.flags & ~bareFlags) === 0;
    return this.#peer === 'prototype' && this.#receiver.isNearWindow(pci.seqno);
  }

  #receiveBare(flags: number, memory: Buffer, start: number, end: number, now: Millis): void {
    const report = this.#report;
    if (this.#peer !== 'ours' || (flags & extended) === 0 || !report.read(memory, start, end)) {
      return this.#receiveControl(flags, 0, undefined, 0, 0, now);
    }
    this.#receiveControl(flags, report.delay, memory, start + bitmapOffset, end, now);
    if ((flags & fc) !== 0) {
      this.#sender.setCredit(report.credit, report.duplicates);
      if ((report.contents & reportContents.endReached) !== 0 && this.#ending === 'ending') this.#endTold();
    }
    if ((report.contents & reportContents.end) !== 0 && !this.#receiver.setEnd(report.end)) {
      this.counters.ignoredEnd += 1;
    }
  }

  #receiveControl(
    flags: number,
    delay: Millis,
    memory: Buffer | undefined,
    bitmap: number,
    end: number,
    now: Millis,
  ): void {
    const { ackno, window } = this.#pci;
    const sender = this.#sender;
    if (
      (flags & ack) !== 0 &&
      this.#reliable &&
      !sender.acknowledge(ackno, delay, memory, bitmap, end, now)
    ) {
      this.counters.ignoredAck += 1;
    }
    if ((flags & fc) !== 0 && !sender.setWindow(window)) this.counters.ignoredWindow += 1;
    if ((flags & rdvs) !== 0) {
      this.counters.rendezvousReceived += 1;
      this.#receiver.asked();
    }
  }

  #learn(isExtended: boolean, now: Millis): void {
    if (isExtended) {
      this.#peer = 'ours';
      this.#sender.extend(now);
      this.#receiver.extend();
      return;
    }
    this.#peer = 'prototype';
    this.#mark = 0;
    this.#sender.limitToPackets();
    // It knows no end of the stream.
    if (this.#ending === 'ending') this.#endTold();
  }

  #endTold(): void {
    this.#ending = 'ended';
    this.#endAt = never;
  }

  /** Tells the end, also a peer that is not known yet: a prototype does not look at it. */
  #tellEnd(now: Millis): void {
    if (now - Math.max(this.#endSince, this.#sender.lastProgressAt) > this.#limits.retransmitMs) {
      // Of who never sent a packet, it is not known whether he listens for an end.
      if (this.#peer === 'ours' && this.#reliable) return this.#goDown();
      return this.#endTold();
    }
    this.#endAt = now + this.#endWait;
    this.#endWait = Math.min(this.#limits.rtoMaxMs, this.#endWait * 2);
    if (this.#sendBare(0, now, true)) this.counters.endsSent += 1;
  }

  #checkSettled(now: Millis): void {
    if (this.isSettled) {
      this.#settled = true;
      this.#port.settled();
    } else if (this.#sender.outstanding === 0 && !this.#endAlone) {
      // Only the end is missing by now: ask anew from the start.
      this.#endAlone = true;
      this.#endWait = this.#sender.timeout;
      this.#endAt = now + this.#endWait;
    }
  }

  #acknowledge(what: number, now: Millis): void {
    if (this.#sendBare(what, now)) this.counters.acknowledgementsSent += 1;
  }

  /** Sends a packet without data; to a peer of ours it carries everything there is to tell. */
  #sendBare(purpose: number, now: Millis, isEnd = false): boolean {
    const end = this.#writeBare(purpose, isEnd, now);
    if (!this.#send(this.#scratch, 0, end)) return false;
    if (((this.#scratch[0] as number) & fc) !== 0) this.#receiver.told(this.#reports, now);
    return true;
  }

  /** Whether a packet without data carries all there is to tell. */
  get #reports(): boolean {
    return this.#receiver.running && this.#peer === 'ours';
  }

  /** Writes a packet without data to `#scratch`; where it ends. */
  #writeBare(purpose: number, isEnd: boolean, now: Millis): number {
    const sender = this.#sender;
    const receiver = this.#receiver;
    const reports = this.#reports;
    let flags = purpose | this.#mark;
    if (reports) flags |= this.#reliable ? ack | fc : fc;
    let seqno: Seqno = 0;
    // Whatever comes first, a prototype takes it for the start of the run (end-to-end.md 9.1), and until something of
    // the run is acknowledged this may come first.
    if (!sender.anchored) {
      flags |= drf;
      seqno = this.#reliable ? sender.first : sender.packets.seqno;
    }
    const memory = this.#scratchOf(this.#bareBytesMax);
    const window = (flags & fc) === 0 ? 0 : receiver.rwe & windowMask;
    const first = this.#tellsFirst(flags) ? sender.first : 0;
    writePci(memory, 0, flags, window, seqno, (flags & ack) === 0 ? first : receiver.lwe);
    return reports || isEnd ? this.#writeReport(memory, reports, isEnd, now) : pciBytes;
  }

  /** Where the packet ends. */
  #writeReport(memory: Buffer, hasRun: boolean, isEnd: boolean, now: Millis): number {
    const receiver = this.#receiver;
    const report = this.#report;
    report.contents =
      (isEnd ? reportContents.end : 0) | (receiver.endReached ? reportContents.endReached : 0);
    report.delay = hasRun ? now - receiver.lastDataAt : 0;
    report.end = isEnd ? this.#sender.packets.seqno : 0;
    report.credit = hasRun ? receiver.credit : 0;
    report.duplicates = receiver.duplicates;
    report.write(memory, 0);
    const room = this.#bareBytesMax - bitmapOffset;
    return bitmapOffset + receiver.reordered.writeBitmap(receiver.lwe, memory, bitmapOffset, room);
  }

  /**
   * Whether a packet with these flags, and without ACK, says in `ackno` where its run began; a prototype does not look
   * there. Data of a reliable flow does until something is acknowledged; of best effort everything that could start a
   * run, for what was lost before the first packet that comes is to be known as skipped.
   */
  #tellsFirst(flags: number): boolean {
    if ((flags & extended) === 0) return false;
    return this.#reliable ? (flags & (data | drf)) === data : (flags & drf) !== 0;
  }

  /** Whether the number waited for and the window were told. */
  #writeDataPci(memory: Buffer, at: number, lasting: number, seqno: Seqno): boolean {
    const sender = this.#sender;
    const receiver = this.#receiver;
    const flags = lasting | this.#mark;
    const first = this.#tellsFirst(flags) && !sender.anchored ? sender.first : undefined;
    // Without a run of the peer's an acknowledgement and a window would be noise to it (end-to-end.md 9.2).
    if (!receiver.running || (this.#reliable && first !== undefined)) {
      writePci(memory, at, flags, 0, seqno, first ?? 0);
      return false;
    }
    const ackFlags = this.#reliable ? ack | fc : fc;
    writePci(memory, at, flags | ackFlags, receiver.rwe, seqno, first ?? (this.#reliable ? receiver.lwe : 0));
    return true;
  }

  #sendAgain(seqno: Seqno, now: Millis): boolean {
    const sender = this.#sender;
    const { packets } = sender;
    const slot = seqno & packets.mask;
    const at = packets.at[slot] as number;
    const { memory } = packets;
    const told = this.#writeDataPci(memory, at, (memory[at] as number) & lastingFlags, seqno);
    if (!this.#send(memory, at, at + (packets.bytes[slot] as number))) return false;
    sender.sentAgain(seqno, now);
    this.counters.retransmissions += 1;
    if (told) this.#receiver.told(false, now);
    return true;
  }

  #send(memory: Buffer, start: number, end: number): boolean {
    if (this.#port.send(memory, start, end)) return true;
    this.counters.refusedByPort += 1;
    return false;
  }

  #scratchOf(bytes: number): Buffer {
    if (this.#scratch.length < bytes) this.#scratch = Buffer.allocUnsafeSlow(bytes);
    return this.#scratch;
  }

  #goDown(): void {
    this.stop();
    this.#port.down('EFLOWDOWN');
  }
}
