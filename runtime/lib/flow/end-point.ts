/**
 * One end of a flow below its messages: what becomes of packets between the application and the socket to its node.
 * Order and retransmission, protection, signs of life, and what waits in either direction. Source: end-to-end.md 1, 7, 8.
 */
import type { ErrorCode } from '../errors.ts';
import { Frct, type FrctPort } from '../frct/frct.ts';
import type { FrctLimits } from '../frct/limits.ts';
import { flowSendBytesMax, messageBytesMax, readAheadBytesMax, readAheadMax } from '../limits.ts';
import type { UnixStream } from '../os/unix-socket.ts';
import { isOrdered, isReliable, type QosSpec } from '../qos.ts';
import type { Deadlines, Millis } from '../time/clock.ts';
import { type DeadlineTimer, monotonicNow } from '../time/timer.ts';
import { type Flushable, flushLater } from './flush-queue.ts';
import {
  droppedBytes,
  FrameReader,
  FrameWriter,
  frameKind,
  lastWordHeaderBytes,
  limitBytes,
  type OnFrame,
  streamEnded,
  streamWouldBlock,
} from './framing.ts';
import { Liveness } from './liveness.ts';
import { MessageQueue } from './message-queue.ts';
import type { PacketProtection } from './protection.ts';
import type { StreamOwner } from './rendezvous.ts';

export interface FlowCounters {
  messagesSent: number;
  messagesReceived: number;
}

/** Messages and packets of the flow that were lost, as far as this end knows. */
export interface FlowDrops {
  /** Packets whose CRC was wrong, on a flow that has one. */
  badCrc: number;
  /** Packets that were not sealed with the key of the flow, which is encrypted. */
  notOpened: number;
  /** Packets that this node dropped because too many waited for this end to read. None where FRCT is in force. */
  unread: number;
  /** Messages that came while this end did not want any: it is write-only. */
  unwanted: number;
  /** Messages written to a reliable flow that were not acknowledged when it was closed. */
  unacknowledged: number;
}

export interface EndPointSetup {
  /** The QoS in force. */
  readonly qos: QosSpec;
  /** Longest packet that the layer takes, bytes. */
  readonly maxPacketBytes: number;
  /** Longest time a packet lives in the layer, ms. */
  readonly mplMs: Millis;
  /** What packets get on their way; absent for those that travel as they are. */
  readonly protection?: PacketProtection | undefined;
  /** 32 random bits. */
  readonly initialSeqno: number;
  readonly timer: DeadlineTimer;
  readonly frctLimits?: FrctLimits | undefined;
  /** Packets that may be under way at first; as many as FRCT begins with when absent. */
  readonly startPackets?: number | undefined;
}

/**
 * What happens to an end point, besides messages that come and go: `end`, the peer sends no more; `settled`, all that
 * was sent before `finish` or `close` is acknowledged; `lost`, FRCT has given up; the others as a flow tells them.
 */
export type EndPointEvent = 'end' | 'settled' | 'lost' | 'down' | 'up' | 'dealloc' | 'peer';

/** Who has an end point. Every call may call it in turn. */
export interface EndPointUser {
  /** Packets came: all that came together. */
  arrived(): void;
  /** A write that was refused may succeed now. */
  writable(): void;
  /** What was written has left to the node. */
  left(): void;
  happened(event: EndPointEvent): void;
}

const nobody: EndPointUser = {
  arrived: () => {},
  writable: () => {},
  left: () => {},
  happened: () => {},
};
const empty = Buffer.alloc(0);
/** Socket reads a late call makes good at most: what came in the meantime is not to be taken for lost. */
const lateReadsMax = 16;

export class EndPoint implements Deadlines, Flushable, FrctPort, StreamOwner {
  readonly counters: FlowCounters = { messagesSent: 0, messagesReceived: 0 };
  readonly drops: FlowDrops = { badCrc: 0, notOpened: 0, unread: 0, unwanted: 0, unacknowledged: 0 };
  /** Absent where the QoS asks for no order. */
  readonly frct: Frct | undefined;
  /** Why nothing more will come; what came before is still there. */
  fault: ErrorCode | undefined;
  /** Whether the device below is up; the flow goes on when it is again. */
  deviceUp = true;
  /** The peer sends nothing more. */
  peerEnded = false;
  /** What comes is thrown away. */
  refuses = false;
  /** Who has it. */
  user: EndPointUser = nobody;

  readonly #protection: PacketProtection | undefined;
  /** Longest packet that the layer takes, bytes. */
  #maxPacketBytes: number;
  readonly #timer: DeadlineTimer;
  readonly #liveness: Liveness;
  readonly #reader: FrameReader;
  readonly #writer = new FrameWriter(flowSendBytesMax);
  readonly #messages = new MessageQueue();
  #stream: UnixStream | undefined;
  /** When the packets that are being looked at came; 0 before the first of them. */
  #cameAt: Millis = 0;
  #flushQueued = false;
  /** The last read left nothing in the socket. */
  #isDry = false;
  #messagesFlushed = 0;
  #closed = false;

  constructor(setup: EndPointSetup) {
    const { qos, protection, mplMs, initialSeqno, frctLimits: limits } = setup;
    this.#protection = protection;
    this.#maxPacketBytes = setup.maxPacketBytes;
    this.#timer = setup.timer;
    this.#liveness = new Liveness(qos.timeout, monotonicNow());
    // What the layer below lets through may be longer than what it takes.
    this.#reader = new FrameReader(messageBytesMax, true);
    if (isOrdered(qos)) {
      const reliable = isReliable(qos);
      const { startPackets } = setup;
      const ends = { reliable, mplMs, initialSeqno, maxPacketBytes: this.#openBytesMax, startPackets };
      this.frct = new Frct(limits === undefined ? ends : { ...ends, limits }, this);
    }
  }

  /** Longest message a write takes now, in bytes: what the layer carries, which may change with it. */
  get maxMessageBytes(): number {
    return Math.max(0, this.frct === undefined ? this.#openBytesMax : this.frct.maxMessageBytes);
  }

  /** Takes over a connected stream, or shuts it when the flow was let go before it came. To be called once. */
  attach(stream: UnixStream): void {
    if (this.#closed) return stream[Symbol.dispose]();
    this.#stream = stream;
    this.#timer.add(this);
    stream.watch(true, false);
  }

  /** Messages that can be taken. */
  get waiting(): number {
    return this.#messages.length;
  }

  /** Bytes that were written and have not left to the node. */
  get unsentBytes(): number {
    return this.#writer.pending;
  }

  /** Whether all that was written has left to the node and, where the flow is reliable, is acknowledged. */
  get isDrained(): boolean {
    return (this.frct === undefined || this.frct.isSettled) && this.#writer.pending === 0;
  }

  /** Takes the next message; undefined when none is there. */
  take(): Buffer | undefined {
    const message = this.#messages.shift();
    if (message === undefined) return undefined;
    if (this.frct !== undefined) {
      this.frct.taken(message.length);
      this.#flushLater();
    } else if (this.waiting === 0) {
      this.#watch();
    }
    return message;
  }

  /** Throws away what can be taken. */
  discard(): void {
    while (this.take() !== undefined) this.drops.unwanted += 1;
  }

  /**
   * Sends a message of at most `maxMessageBytes`, or refuses it: then `writable` is told once it may be tried again. An
   * empty one is only a sign of life.
   */
  write(message: Uint8Array): boolean {
    const isSent =
      this.frct === undefined || message.length === 0
        ? this.#sendMessage(message)
        : this.frct.write(message, monotonicNow());
    if (!isSent) return false;
    this.counters.messagesSent += 1;
    this.#flushLater();
    return true;
  }

  /** Hands what was written to the node, and tells the peer what there is to tell. */
  flush(): void {
    this.#flushQueued = false;
    if (this.#stream === undefined || this.#closed) return;
    if (this.frct !== undefined) {
      this.frct.flush(monotonicNow());
      this.#timer.update(this);
    }
    this.#flushWriter();
  }

  /**
   * As `read`, unless the last read has just shown that nothing more is there: whoever takes messages until there is none
   * spares a system call.
   */
  readMore(): void {
    if (this.#isDry) this.#isDry = false;
    else this.read();
  }

  /** Looks whether anything has come. */
  read(): void {
    const stream = this.#stream;
    if (stream === undefined || this.#isOver) return;
    this.#filled(this.#reader.fill(stream, this.#onFrame));
  }

  /** As `read`, but stops this thread until something comes, `patienceMs` at most. */
  readBlocking(patienceMs: Millis): void {
    const stream = this.#stream;
    if (stream === undefined || this.#isOver) return;
    let patience = patienceMs;
    if (this.frct !== undefined) {
      const left = this.frct.nextDeadline() - monotonicNow();
      if (left <= 0) return this.advance(monotonicNow());
      patience = Math.min(patience, left);
    }
    this.#filled(this.#reader.fillBlocking(stream, this.#onFrame, patience));
  }

  /** Tells the other end of a direct flow that this end is up or down; a layer does not pass it on. */
  tellState(up: boolean): void {
    this.#writer.push(frameKind.state, Buffer.of(up ? 1 : 0));
    this.#flushWriter();
  }

  /** No more messages follow. */
  finish(): void {
    this.frct?.finish(monotonicNow());
    this.flush();
  }

  /** Nobody reads any more and nothing more is written; what was written still goes its way. */
  close(): void {
    this.#messages.clear();
    this.frct?.close(monotonicNow());
    this.flush();
  }

  /** Lets the flow go. */
  release(): void {
    if (this.#closed) return;
    const { frct } = this;
    const stream = this.#stream;
    if (frct !== undefined) {
      this.drops.unacknowledged += frct.outstanding;
      if (stream !== undefined && !this.#isOver) this.#leaveLastWord(frct, stream);
      frct.stop();
    }
    this.#closed = true;
    this.#timer.delete(this);
    stream?.[Symbol.dispose]();
    this.#messages.clear();
  }

  nextDeadline(): Millis {
    const ofLiveness = this.#liveness.nextDeadline();
    return this.frct === undefined ? ofLiveness : Math.min(ofLiveness, this.frct.nextDeadline());
  }

  advance(now: Millis): void {
    const { frct } = this;
    if (frct === undefined) {
      // While the application does not read, what the peer sends is not seen either.
      if (this.#isFull) this.#liveness.received(now);
    } else {
      // A process that was held up has the answers in its socket: without them everything would look lost.
      let reads = 0;
      do this.read();
      while (this.#reader.full && (reads += 1) < lateReadsMax);
      const later = monotonicNow();
      if (frct.nextDeadline() <= Math.max(now, later)) frct.advance(Math.max(now, later));
      this.#flushWriter();
    }
    const action = this.#liveness.advance(now);
    if (action === 'keepalive') {
      this.#writer.push(frameKind.packet, empty);
      this.#flushWriter();
    } else if (action === 'dead') {
      this.#goDown('EFLOWPEER', 'peer');
    }
  }

  onReadable(): void {
    this.read();
  }

  onWritable(): void {
    this.#flushWriter();
    if (this.frct === undefined || this.#isOver) return;
    this.frct.resume(monotonicNow());
    this.#flushWriter();
    this.#timer.update(this);
  }

  /** What FRCT sends. */
  send(memory: Buffer, start: number, end: number): boolean {
    if (this.#push(memory, start, end)) return true;
    this.#flushWriter();
    return this.#push(memory, start, end);
  }

  /** What FRCT delivers. */
  deliver(memory: Buffer, start: number, end: number): void {
    if (this.refuses) {
      this.drops.unwanted += 1;
      this.frct?.taken(end - start);
      return;
    }
    this.#messages.push(memory.subarray(start, end));
    this.counters.messagesReceived += 1;
  }

  writable(): void {
    this.user.writable();
  }

  ended(): void {
    this.peerEnded = true;
    this.user.happened('end');
  }

  settled(): void {
    this.user.happened('settled');
  }

  down(code: ErrorCode): void {
    this.#goDown(code, 'lost');
  }

  /** Longest packet before it is sealed. */
  get #openBytesMax(): number {
    return Math.max(0, this.#maxPacketBytes - (this.#protection?.overhead ?? 0));
  }

  /** Nothing more comes or goes. */
  get #isOver(): boolean {
    return this.#closed || this.fault === 'EFLOWDOWN';
  }

  /** Whether so much waits to be taken that the rest is left in the node. */
  get #isFull(): boolean {
    return this.#messages.length >= readAheadMax || this.#messages.bytes >= readAheadBytesMax;
  }

  readonly #onFrame: OnFrame = (kind, { memory }, start, end) => {
    if (kind !== frameKind.packet) return this.#told(kind, memory, start, end);
    // A sign of life.
    if (start === end) return;
    if (this.frct !== undefined) return this.#receive(this.frct, memory, start, end);
    const message =
      this.#protection === undefined ? memory.subarray(start, end) : this.#open(memory, start, end);
    if (message === undefined || message.length === 0) return;
    if (this.refuses) {
      this.drops.unwanted += 1;
      return;
    }
    this.#messages.push(message);
    this.counters.messagesReceived += 1;
  };

  /** The node has something to tell. */
  #told(kind: number, memory: Buffer, start: number, end: number): void {
    if (kind === frameKind.state) {
      this.deviceUp = memory[start] === 1;
      this.user.happened(this.deviceUp ? 'up' : 'down');
    } else if (kind === frameKind.dropped && end - start === droppedBytes) {
      this.drops.unread += memory.readUInt32BE(start);
    } else if (kind === frameKind.limit && end - start === limitBytes) {
      this.#maxPacketBytes = memory.readUInt32BE(start);
      this.frct?.limitPackets(this.#openBytesMax);
    }
  }

  /** A packet came on a flow with FRCT. */
  #receive(frct: Frct, memory: Buffer, start: number, end: number): void {
    if (this.#cameAt === 0) this.#cameAt = monotonicNow();
    if (this.#protection === undefined) return frct.receive(memory, start, end, this.#cameAt);
    const packet = this.#open(memory, start, end);
    if (packet !== undefined) frct.receive(packet, 0, packet.length, this.#cameAt);
  }

  /** What is in a packet; undefined for one that is dropped. */
  #open(memory: Buffer, start: number, end: number): Buffer | undefined {
    const protection = this.#protection;
    if (protection === undefined) return memory.subarray(start, end);
    let opened = protection.open(memory, start, end);
    if (opened === 'crc') {
      if (this.frct !== undefined) {
        opened = protection.openWithoutCrc(memory, start, end);
        if (typeof opened !== 'string' && this.frct.isWithoutCrc(opened)) return opened;
      }
      this.drops.badCrc += 1;
      return undefined;
    }
    if (opened !== 'cipher') return opened;
    this.drops.notOpened += 1;
    return undefined;
  }

  /** The socket was read, with this result. */
  #filled(count: number): void {
    this.#isDry = count > 0 && !this.#reader.full;
    if (count > 0) {
      const now = monotonicNow();
      this.#cameAt = 0;
      this.#liveness.received(now);
      if (this.frct !== undefined) {
        this.frct.flush(now);
        this.#flushWriter();
        this.#timer.update(this);
      } else if (this.#isFull) {
        this.#watch();
      }
    }
    if (count === streamEnded) return this.#goDown('EFLOWDOWN', 'dealloc');
    if (count > 0) this.user.arrived();
  }

  /** A message where there is no FRCT, or a sign of life. */
  #sendMessage(message: Uint8Array): boolean {
    if (this.#push(message, 0, message.length)) return true;
    this.#flushWriter();
    return this.#push(message, 0, message.length);
  }

  /** Queues a packet for the node; false when too much waits. */
  #push(memory: Uint8Array, start: number, end: number): boolean {
    const protection = this.#protection;
    const bytes = end - start;
    // A sign of life is neither sealed nor checked: it is to be understood even when keys are not.
    const overhead = protection === undefined || bytes === 0 ? 0 : protection.overhead;
    const at = this.#writer.reserve(frameKind.roomyPacket, bytes + overhead);
    if (at < 0) return false;
    const target = this.#writer.memory;
    if (overhead > 0) protection?.sealInto(target, at, memory, start, end);
    else target.set(bytes === memory.length ? memory : memory.subarray(start, end), at);
    return true;
  }

  #flushWriter(): void {
    const stream = this.#stream;
    if (stream === undefined || this.#closed || this.#writer.pending === 0) return;
    const now = monotonicNow();
    if (this.#messagesFlushed !== this.counters.messagesSent) {
      this.#messagesFlushed = this.counters.messagesSent;
      if (this.#liveness.messageSent(now)) this.#writer.push(frameKind.packet, empty);
    }
    const result = this.#writer.flush(stream);
    if (result === streamEnded) {
      // Nobody takes this any more, but what was sent before is still in the socket.
      while (this.#reader.fill(stream, this.#onFrame) > 0);
      return this.#goDown('EFLOWDOWN', 'dealloc');
    }
    this.#liveness.sent(now);
    this.#watch();
    if (result === streamWouldBlock) return;
    // Where there is FRCT, it says when there is room.
    if (this.frct === undefined) this.user.writable();
    this.user.left();
  }

  /** Leaves the node what answers a peer that has not heard the last acknowledgement. */
  #leaveLastWord(frct: Frct, stream: UnixStream): void {
    const now = monotonicNow();
    const word = frct.lastWord(now);
    if (word === undefined || word.untilMs <= now) return;
    const { packet, untilMs } = word;
    const overhead = this.#protection?.overhead ?? 0;
    const at = this.#writer.reserve(frameKind.lastWord, lastWordHeaderBytes + packet.length + overhead);
    if (at < 0) return;
    const target = this.#writer.memory;
    target.writeUInt32BE(Math.ceil(untilMs - now), at);
    if (this.#protection === undefined) packet.copy(target, at + lastWordHeaderBytes);
    else this.#protection.sealInto(target, at + lastWordHeaderBytes, packet, 0, packet.length);
    this.#writer.flush(stream);
  }

  #flushLater(): void {
    if (this.#flushQueued) return;
    this.#flushQueued = true;
    flushLater(this);
  }

  #watch(): void {
    if (this.#isOver) return;
    // Acknowledgements come this way too, and the window bounds what else does.
    this.#stream?.watch(this.frct !== undefined || !this.#isFull, this.#writer.pending > 0);
  }

  #goDown(code: ErrorCode, event: EndPointEvent): void {
    if (this.fault === 'EFLOWDOWN' || this.fault === code) return;
    this.fault = code;
    // A silent peer may speak again: its packets are still taken. A released flow brings nothing more.
    if (code === 'EFLOWDOWN') {
      this.#stream?.watch(false, false);
      this.frct?.stop();
    }
    this.user.happened(event);
  }
}
