/** One end of a flow, as an application holds it. Source: application-api.md 3, end-to-end.md 1. */
import { type ErrorCode, O7sError } from '../errors.ts';
import { flowSendBytesMax, messageBytesMax } from '../limits.ts';
import { leaveHotLoop } from '../os/hot-loop.ts';
import type { UnixStream } from '../os/unix-socket.ts';
import type { QosSpec } from '../qos.ts';
import type { Deadlines, Millis } from '../time/clock.ts';
import { type DeadlineTimer, monotonicNow } from '../time/timer.ts';
import { type Flushable, flushLater, flushNow } from './flush-queue.ts';
import {
  FrameReader,
  FrameWriter,
  frameKind,
  limitBytes,
  type OnFrame,
  streamEnded,
  streamWouldBlock,
} from './framing.ts';
import { Liveness } from './liveness.ts';
import { MessageQueue } from './message-queue.ts';
import type { PacketProtection } from './protection.ts';
import type { StreamOwner } from './rendezvous.ts';

/** How long to wait: `timeout` in ms, none waits without limit; `signal` ends the wait early. */
export interface WaitOptions {
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface FlowCounters {
  messagesSent: number;
  messagesReceived: number;
}

/** Packets that came and were not delivered. */
export interface FlowDrops {
  /** Their CRC was wrong, on a flow that has one. */
  badCrc: number;
  /** They were not sealed with the key of the flow, which is encrypted. */
  notOpened: number;
}

/** What a flow is made from. */
export interface FlowSetup {
  readonly fd: number;
  readonly qos: QosSpec;
  /** Longest packet that the layer takes. */
  readonly maxMessageBytes: number;
  /** What packets get on their way; absent for those that travel as they are. */
  readonly protection?: PacketProtection | undefined;
  readonly timer: DeadlineTimer;
  /** Runs once when the flow is closed. */
  readonly onClosed: () => void;
}

/**
 * What happens to a flow: `packet`, a message can be read; `down` and `up`, its device; `dealloc`, the other end or the
 * layer released it; `peer`, no life sign came for the QoS' timeout, told once. Source: application-api.md 5.2.
 */
export type FlowEventType = 'packet' | 'down' | 'up' | 'dealloc' | 'peer';

/** Hears of what happens to a flow, as it happens. */
export type FlowListener = (flow: Flow, type: FlowEventType) => void;

/** How long a blocking read stops this thread at most, ms. */
const blockingReadMs = 50;
const done: Promise<void> = Promise.resolve();
/** Messages read from the socket ahead of the application; beyond it the rest waits in the node. */
const readAhead = 1024;

interface Waiter {
  readonly wake: () => void;
}

/**
 * A flow: messages in both directions, each read as it was written or not at all.
 *
 * Reads and writes reject with an O7sError: ENOTALLOC after `close`, EFLOWDOWN when the layer or the other
 * end released the flow, EFLOWPEER when the peer was silent for the QoS' timeout, ETIMEDOUT and ECANCELED
 * as the options of the call say.
 */
export class Flow implements AsyncDisposable, Deadlines, Flushable, StreamOwner {
  /** The flow descriptor: a number of this process, from 64 up. */
  readonly fd: number;
  /** The QoS in force: the requester's, at both ends. */
  readonly qos: QosSpec;
  readonly counters: FlowCounters = { messagesSent: 0, messagesReceived: 0 };
  readonly drops: FlowDrops = { badCrc: 0, notOpened: 0 };

  readonly #protection: PacketProtection | undefined;
  /** Longest packet the layer takes. */
  #maxPacketBytes: number;
  readonly #timer: DeadlineTimer;
  readonly #onClosed: () => void;
  readonly #liveness: Liveness;
  readonly #reader: FrameReader;
  readonly #writer = new FrameWriter(flowSendBytesMax);
  #stream: UnixStream | undefined;
  readonly #messages = new MessageQueue();
  #readers: Waiter[] = [];
  #writers: Waiter[] = [];
  #flushQueued = false;
  #listener: FlowListener | undefined;
  /** Why nothing more will come; messages that came before are still read. */
  #down: ErrorCode | undefined;
  /** Whether the device below is up; the flow goes on when it is again. */
  #deviceUp = true;
  #closed = false;

  constructor(setup: FlowSetup) {
    this.fd = setup.fd;
    this.qos = setup.qos;
    this.#protection = setup.protection;
    this.#maxPacketBytes = setup.maxMessageBytes;
    this.#timer = setup.timer;
    this.#onClosed = setup.onClosed;
    this.#liveness = new Liveness(setup.qos.timeout, monotonicNow());
    // What the layer below lets through may be longer than what it takes.
    this.#reader = new FrameReader(messageBytesMax, true);
  }

  /** Takes over a connected stream. To be called once, by whoever made the flow. */
  attach(stream: UnixStream): void {
    this.#stream = stream;
    this.#timer.add(this);
    stream.watch(true, false);
  }

  /** Longest message a write takes now, in bytes: what the layer carries, which may change with it. */
  get maxMessageBytes(): number {
    return Math.max(0, this.#maxPacketBytes - (this.#protection?.overhead ?? 0));
  }

  /** Messages that can be read without waiting. */
  get waiting(): number {
    return this.#messages.length;
  }

  /** Whether the flow carries packets: it is neither closed nor released, its peer lives and its device is up. */
  get up(): boolean {
    return !this.#closed && this.#down === undefined && this.#deviceUp;
  }

  /** Whether the flow has ended for good: this end closed it, or the layer or the other end released it. */
  get released(): boolean {
    return this.#closed || this.#down === 'EFLOWDOWN';
  }

  /** Waits until a flow whose device went down is up again. Rejects as `read` does when it never can be. */
  async untilUp(options: WaitOptions = {}): Promise<void> {
    while (!this.up) {
      if (this.#closed) throw new O7sError('ENOTALLOC', `flow ${this.fd} is closed`);
      if (this.#down !== undefined) throw new O7sError(this.#down);
      await this.#wait(this.#readers, options);
    }
  }

  /**
   * The next message, or undefined when none is there: it asks the node, but waits for nothing. Throws as `read`
   * rejects once nothing more can come.
   */
  tryRead(): Buffer | undefined {
    if (this.waiting === 0) this.onReadable();
    return this.#take();
  }

  /**
   * The next message, or undefined when none came within 50 ms, for which this thread stops: no timer, signal or other
   * flow of the process has its turn. For a tight loop that has nothing else to do, and lets the event loop have a turn
   * now and then.
   */
  readBlocking(): Buffer | undefined {
    if (this.waiting === 0) {
      flushNow();
      const stream = this.#stream;
      if (stream !== undefined && !this.#closed && this.#down !== 'EFLOWDOWN') {
        this.#filled(this.#reader.fillBlocking(stream, this.#onFrame, blockingReadMs));
      }
    }
    return this.#take();
  }

  /** Waits for the next message. It belongs to the caller. */
  async read(options: WaitOptions = {}): Promise<Buffer> {
    for (;;) {
      const message = this.#take();
      if (message !== undefined) return message;
      await this.#wait(this.#readers, options);
    }
  }

  /** The messages of the flow, until the other end releases it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    for (;;) {
      try {
        yield await this.read();
      } catch (error) {
        if (error instanceof O7sError && (error.code === 'EFLOWDOWN' || error.code === 'ENOTALLOC')) return;
        throw error;
      }
    }
  }

  /** Sends a message, unless so much waits that it would have to wait itself: then false. */
  tryWrite(message: Uint8Array): boolean {
    if (this.#closed) throw new O7sError('ENOTALLOC', `flow ${this.fd} is closed`);
    this.#throwIfReleased();
    if (message.length > this.maxMessageBytes) {
      throw new O7sError('EMSGSIZE', `a message of ${message.length} bytes is too long for this flow`, {
        hint: `write at most ${this.maxMessageBytes} bytes at once`,
      });
    }
    if (!this.#push(message)) {
      this.flush();
      // Who waited now would wait for ever.
      this.#throwIfReleased();
      if (!this.#push(message)) return false;
    }
    this.counters.messagesSent += 1;
    if (!this.#flushQueued) {
      this.#flushQueued = true;
      flushLater(this);
    }
    return true;
  }

  /**
   * Sends a message; resolves when it is queued towards the node, which takes it over at the end of the turn. An empty
   * one is only a sign of life. EMSGSIZE when it is longer than `maxMessageBytes`.
   */
  write(message: Uint8Array, options: WaitOptions = {}): Promise<void> {
    try {
      return this.tryWrite(message) ? done : this.#writeLater(message, options);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Hands what was written to the node now, and not at the end of the turn. */
  flush(): void {
    this.#flushQueued = false;
    const stream = this.#stream;
    if (stream === undefined || this.#closed || this.#writer.pending === 0) return;
    const result = this.#writer.flush(stream);
    if (result === streamEnded) {
      // Nobody takes this any more, but what was sent before is still in the socket.
      while (this.#reader.fill(stream, this.#onFrame) > 0);
      return this.#goDown('EFLOWDOWN');
    }
    this.#liveness.sent(monotonicNow());
    this.#watch();
    if (result !== streamWouldBlock) wakeAll(this.#writers);
  }

  /** Sends what waits, releases the flow. What has not been read is lost. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.flush();
    try {
      while (!this.released && this.#writer.pending > 0) await this.#wait(this.#writers, { timeout: 1000 });
    } catch {
      // The other side no longer takes anything: what is left cannot be delivered.
    }
    this.#release();
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Releases the flow at once; what has not left is lost. */
  abort(): void {
    this.#release();
  }

  nextDeadline(): Millis {
    return this.#liveness.nextDeadline();
  }

  advance(now: Millis): void {
    // While the application does not read, what the peer sends is not seen either.
    if (this.waiting >= readAhead) this.#liveness.received(now);
    const action = this.#liveness.advance(now);
    if (action === 'keepalive') {
      this.#writer.push(frameKind.packet, empty);
      this.flush();
    } else if (action === 'dead') {
      this.#goDown('EFLOWPEER');
    }
  }

  onReadable(): void {
    const stream = this.#stream;
    if (stream === undefined || this.#closed) return;
    this.#filled(this.#reader.fill(stream, this.#onFrame));
  }

  onWritable(): void {
    this.flush();
  }

  /** Tells what happens from now on, to one listener. */
  listen(listener: FlowListener | undefined): void {
    this.#listener = listener;
  }

  #stateTold(up: boolean): void {
    this.#deviceUp = up;
    wakeAll(this.#readers);
    wakeAll(this.#writers);
    this.#listener?.(this, up ? 'up' : 'down');
  }

  #throwIfReleased(): void {
    if (this.#down === 'EFLOWDOWN') throw new O7sError(this.#down);
    if (!this.#deviceUp) throw new O7sError('EFLOWDOWN', 'the device below the flow is down');
  }

  readonly #onFrame: OnFrame = (kind, { memory }, start, end) => {
    if (kind === frameKind.state) return this.#stateTold(memory[start] === 1);
    if (kind === frameKind.limit && end - start === limitBytes) {
      this.#maxPacketBytes = memory.readUInt32BE(start);
      return;
    }
    if (kind !== frameKind.packet || start === end) return;
    const message = this.#open(memory, start, end);
    if (message === undefined) return;
    this.#messages.push(message);
    this.counters.messagesReceived += 1;
  };

  /** The socket was read, with this result. */
  #filled(count: number): void {
    if (count === streamEnded) return this.#goDown('EFLOWDOWN');
    if (count > 0) this.#liveness.received(monotonicNow());
    if (this.waiting >= readAhead) this.#watch();
    if (this.waiting === 0) return;
    wakeAll(this.#readers);
    this.#listener?.(this, 'packet');
  }

  /** Queues a message for the node; false when too much waits. */
  #push(message: Uint8Array): boolean {
    const protection = this.#protection;
    // A sign of life is neither sealed nor checked: it is to be understood even when keys are not.
    if (protection === undefined || message.length === 0) {
      return this.#writer.push(frameKind.roomyPacket, message);
    }
    const at = this.#writer.reserve(frameKind.roomyPacket, message.length + protection.overhead);
    if (at < 0) return false;
    protection.sealInto(this.#writer.memory, at, message, 0, message.length);
    return true;
  }

  /** The message in a packet; undefined for one that is dropped. */
  #open(memory: Buffer, start: number, end: number): Buffer | undefined {
    if (this.#protection === undefined) return memory.subarray(start, end);
    const opened = this.#protection.open(memory, start, end);
    if (opened === 'crc') this.drops.badCrc += 1;
    else if (opened === 'cipher') this.drops.notOpened += 1;
    else if (opened.length > 0) return opened;
    return undefined;
  }

  async #writeLater(message: Uint8Array, options: WaitOptions): Promise<void> {
    do {
      await this.#wait(this.#writers, options);
    } while (!this.tryWrite(message));
  }

  /** A message that was read ahead. */
  #take(): Buffer | undefined {
    if (this.#closed) throw new O7sError('ENOTALLOC', `flow ${this.fd} is closed`);
    const message = this.#messages.shift();
    if (message === undefined) {
      if (this.#down !== undefined) throw new O7sError(this.#down);
      if (!this.#deviceUp) throw new O7sError('EFLOWDOWN', 'the device below the flow is down');
      return undefined;
    }
    if (this.waiting === 0) this.#watch();
    return message;
  }

  #watch(): void {
    if (this.#closed || this.#down === 'EFLOWDOWN') return;
    this.#stream?.watch(this.waiting < readAhead, this.#writer.pending > 0);
  }

  #goDown(code: ErrorCode): void {
    const told = this.#down;
    if (told !== 'EFLOWDOWN') this.#down = code;
    // A silent peer may speak again: its packets are still taken. A released flow brings nothing more.
    if (code === 'EFLOWDOWN') this.#stream?.watch(false, false);
    wakeAll(this.#readers);
    wakeAll(this.#writers);
    if (told !== code) this.#listener?.(this, code === 'EFLOWDOWN' ? 'dealloc' : 'peer');
  }

  #release(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer.delete(this);
    this.#stream?.[Symbol.dispose]();
    this.#messages.clear();
    wakeAll(this.#readers);
    wakeAll(this.#writers);
    this.#onClosed();
  }

  /** Waits to be woken; the caller then looks again whether there is something for it. */
  #wait(waiters: Waiter[], options: WaitOptions): Promise<void> {
    const { timeout, signal } = options;
    if (timeout === undefined && signal === undefined) {
      return new Promise((resolve) => waiters.push({ wake: resolve }));
    }
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(new O7sError('ECANCELED'));
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
        const index = waiters.indexOf(waiter);
        if (index !== -1) waiters.splice(index, 1);
      };
      const waiter: Waiter = { wake: () => (settle(), resolve()) };
      const cancel = (): void => (settle(), reject(new O7sError('ECANCELED')));
      const timer =
        timeout === undefined
          ? undefined
          : setTimeout(() => (settle(), reject(new O7sError('ETIMEDOUT'))), timeout);
      signal?.addEventListener('abort', cancel, { once: true });
      waiters.push(waiter);
    });
  }
}

const empty = Buffer.alloc(0);

function wakeAll(waiters: Waiter[]): void {
  if (waiters.length === 0) return;
  // Who was woken goes on in the event loop.
  leaveHotLoop();
  for (const waiter of waiters.splice(0)) waiter.wake();
}
