/** One end of a flow, as an application holds it. Source: application-api.md 3, 4. */
import { O7sError } from '../errors.ts';
import type { FrctCounters } from '../frct/counters.ts';
import type { FrctFacts } from '../frct/frct.ts';
import { isReliable, type QosSpec } from '../qos.ts';
import { monotonicNow } from '../time/timer.ts';
import { type ByteStreamOptions, FlowStream } from './byte-stream.ts';
import type { EndPoint, EndPointEvent, FlowCounters, FlowDrops } from './end-point.ts';
import { flowFlag, flowFlagMask, frctFlag } from './flow-flags.ts';
import { flushNow } from './flush-queue.ts';
import { patienceOf, type WaitOptions, Waiters } from './waiters.ts';

/** What a flow is made from. */
export interface FlowSetup {
  readonly fd: number;
  readonly qos: QosSpec;
  /** What its packets go through. */
  readonly end: EndPoint;
  /** Runs once when the flow is closed. */
  readonly onClosed: () => void;
}

/**
 * What happens to a flow: `packet`, a message can be read; `end`, the other end sends nothing more; `down` and `up`, its
 * device, and `down` also when the other end did not acknowledge for 120 s; `dealloc`, the other end or the layer
 * released it; `peer`, no life sign came for the QoS' timeout, told once. Source: application-api.md 5.2.
 */
export type FlowEventType = 'packet' | 'end' | 'down' | 'up' | 'dealloc' | 'peer';

/** Hears of what happens to a flow, as it happens. */
export interface FlowListener {
  happened(flow: Flow, type: FlowEventType): void;
  /** This end was closed. */
  closed(flow: Flow): void;
}

/** How order and retransmission fare on a flow that has them. */
export interface FrctState extends FrctFacts {
  /** Whether what is lost is sent again. */
  readonly reliable: boolean;
  /** Whether the other end is one of this runtime; undefined before its first packet. */
  readonly peerIsOurs: boolean | undefined;
  /** Smoothed round trip in ms; 0 before the first measurement. */
  readonly roundTripMs: number;
  /** Packets that may be under way at once. */
  readonly window: number;
  /** Messages written and not acknowledged. */
  readonly outstanding: number;
  /** For how many ms the other end's window has refused writes; 0 while it does not. */
  readonly closedMs: number;
  readonly counters: Readonly<FrctCounters>;
}

/** How long a blocking read stops this thread at most, ms. */
const blockingReadMs = 50;
/** How long the node may take nothing of what is left to send at close, ms. */
const handOverMs = 1000;
/** A window that refused writes for longer makes a write's timeout one of the connection, ms (application-api.md 3.5). */
const resetMs = 1000;
const done: Promise<void> = Promise.resolve();

/**
 * A flow: messages in both directions, each read as it was written or not at all.
 *
 * Reads and writes reject with an O7sError: ENOTALLOC after `close`; EFLOWDOWN when the layer or the other end released
 * the flow, the device below is down or, of reads, when the other end sends nothing more; EFLOWPEER when the peer was
 * silent for the QoS' timeout; EPERM, EAGAIN as the flags say; ETIMEDOUT and ECANCELED as the options of the call say.
 */
export class Flow implements AsyncDisposable {
  /** The flow descriptor: a number of this process, from 64 up. */
  readonly fd: number;
  /** The QoS in force: the requester's, at both ends. */
  readonly qos: QosSpec;
  /** How long a read waits, in ms, where the call does not say; undefined waits without limit. */
  readTimeout: number | undefined;
  /** How long a write waits, in ms, where the call does not say; undefined waits without limit. */
  writeTimeout: number | undefined;

  readonly #end: EndPoint;
  readonly #onClosed: () => void;
  readonly #readers = new Waiters();
  readonly #writers = new Waiters();
  readonly #drainers = new Waiters();
  #listener: FlowListener | undefined;
  #flags: number = flowFlag.default;
  #lingers: boolean;
  /** What is left of a message that was read in part. */
  #rest: Buffer | undefined;
  /** A message was read in part to its end, which is yet to be told. */
  #owesEnd = false;
  #finished = false;
  #hasStream = false;
  /** `close` was called; reads and writes are over. */
  #isClosing = false;
  #closing: Promise<void> | undefined;
  #closed = false;
  /** Whether more may come, and whether anything may be written: otherwise `#whyNotRead` and `#whyNotWrite` tell why. */
  #mayCome = true;
  #mayWrite = true;

  constructor({ fd, qos, end, onClosed }: FlowSetup) {
    this.fd = fd;
    this.qos = qos;
    this.#end = end;
    this.#onClosed = onClosed;
    this.#lingers = isReliable(qos);
    end.user = {
      arrived: () => this.#arrived(),
      writable: () => this.#writers.wakeAll(),
      left: () => this.#drainers.wakeAll(),
      happened: (event) => this.#happened(event),
    };
  }

  /** Longest message a write takes, in bytes. */
  get maxMessageBytes(): number {
    return this.#end.maxMessageBytes;
  }

  get counters(): Readonly<FlowCounters> {
    return this.#end.counters;
  }

  get drops(): Readonly<FlowDrops> {
    return this.#end.drops;
  }

  /** How order and retransmission fare; undefined where the QoS asks for no order. */
  get frct(): FrctState | undefined {
    const { frct } = this.#end;
    if (frct === undefined) return undefined;
    return {
      reliable: isReliable(this.qos),
      peerIsOurs: frct.peerExtended,
      roundTripMs: frct.roundTrip,
      window: frct.window,
      outstanding: frct.outstanding,
      closedMs: frct.closedSince === undefined ? 0 : monotonicNow() - frct.closedSince,
      counters: { ...frct.counters },
      ...frct.facts,
    };
  }

  /** Messages that can be read without waiting. */
  get waiting(): number {
    return this.#end.waiting + (this.#rest === undefined ? 0 : 1);
  }

  /** Bytes that were written and have not left this process. */
  get unsentBytes(): number {
    return this.#end.unsentBytes;
  }

  /** Whether the flow carries packets: it is neither closed nor released, its peer lives and its device is up. */
  get up(): boolean {
    return !this.#isClosing && this.#end.fault === undefined && this.#end.deviceUp && !this.#isSetDown;
  }

  /** Whether the flow has ended for good: this end closed it, or the layer or the other end released it. */
  get released(): boolean {
    return this.#isClosing || this.#end.fault === 'EFLOWDOWN';
  }

  /** Whether the other end has said that it sends nothing more; what it sent before may still be read. */
  get peerFinished(): boolean {
    return this.#end.peerEnded;
  }

  /** The flags of `flowFlag`. To set them replaces all: the access mode is among them. Throws EINVAL for others. */
  get flags(): number {
    return this.#flags;
  }

  set flags(flags: number) {
    const access = flags & flowFlag.accessMode;
    if ((flags & ~flowFlagMask) !== 0 || access === flowFlag.accessMode) {
      throw new O7sError('EINVAL', `0${flags.toString(8)} is no combination of flow flags`);
    }
    if (this.#closed) throw this.#whyNotRead();
    const changed = this.#flags ^ flags;
    this.#flags = flags;
    this.#end.refuses = access === flowFlag.writeOnly;
    if (this.#end.refuses) this.#end.discard();
    if ((changed & flowFlag.down) !== 0) this.#end.tellState((flags & flowFlag.down) === 0);
    this.#refresh();
  }

  /** The flags of `frctFlag`; `retransmit` does not change. Throws EPERM where the QoS asks for no order. */
  get frctFlags(): number {
    const { obeysWindow } = this.#frct;
    return (
      (isReliable(this.qos) ? frctFlag.retransmit : 0) |
      (obeysWindow ? frctFlag.resourceControl : 0) |
      (this.#lingers ? frctFlag.linger : 0)
    );
  }

  set frctFlags(flags: number) {
    const frct = this.#frct;
    frct.obeysWindow = (flags & frctFlag.resourceControl) !== 0;
    this.#lingers = (flags & frctFlag.linger) !== 0;
    this.#end.flush();
  }

  /** Waits until a flow whose device went down is up again. Rejects as `read` does when it never can be. */
  async untilUp(options: WaitOptions = {}): Promise<void> {
    const patience = patienceOf(options);
    while (!this.up) {
      if (this.#isClosing || this.#end.fault !== undefined) throw this.#whyNotRead();
      await this.#readers.wait(patience);
    }
  }

  /**
   * The next message, or undefined when none is there: it asks the node, but waits for nothing. Throws as `read`
   * rejects once nothing more can come.
   */
  tryRead(): Buffer | undefined {
    if (this.waiting === 0) this.#end.readMore();
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
      this.#end.readBlocking(blockingReadMs);
    }
    return this.#take();
  }

  /** Waits for the next message. It belongs to the caller. */
  async read(options: WaitOptions = {}): Promise<Buffer> {
    return this.#take() ?? this.#readLater(options);
  }

  /**
   * As `read`, but where the device below is down, waits until it is up again; the options are of each of these waits.
   * Rejects as `read` does once nothing more can come.
   */
  async readThroughOutages(options: WaitOptions = {}): Promise<Buffer> {
    for (;;) {
      try {
        return await this.read(options);
      } catch (error) {
        const isDown = error instanceof O7sError && error.code === 'EFLOWDOWN';
        if (!isDown || this.released || this.peerFinished) throw error;
        await this.untilUp(options);
      }
    }
  }

  /**
   * Waits for the next message and copies it to `target`; bytes copied. Of a longer message the part that fits is copied,
   * and the next call gets what follows; when a part ended exactly with its message, the next call gives 0. With
   * `flowFlag.readNoPartial` a longer message is thrown away instead, with EMSGSIZE. EINVAL when `target` is empty.
   */
  async readInto(target: Uint8Array, options: WaitOptions = {}): Promise<number> {
    if (target.length === 0) throw new O7sError('EINVAL', 'there is no room to read into');
    if (this.#owesEnd) {
      this.#owesEnd = false;
      return 0;
    }
    const message = this.#take() ?? (await this.#readLater(options));
    const room = target.length;
    const inParts = (this.#flags & flowFlag.readNoPartial) === 0;
    if (message.length > room && !inParts) {
      throw new O7sError('EMSGSIZE', `a message of ${message.length} bytes came, and was thrown away`, {
        hint: `make room for up to ${this.maxMessageBytes} bytes`,
      });
    }
    if (inParts && message.length > room) this.#rest = message.subarray(room);
    if (inParts && message.length === room) this.#owesEnd = true;
    return message.copy(target);
  }

  /**
   * The messages of the flow, until the other end releases it or sends nothing more, or this end is closed; while the
   * device below is down they are waited for. The options are of each read, which rejects as `read` does otherwise.
   */
  async *messages(options: WaitOptions = {}): AsyncGenerator<Buffer, void, void> {
    for (;;) {
      try {
        yield await this.readThroughOutages(options);
      } catch (error) {
        if (error instanceof O7sError && (error.code === 'EFLOWDOWN' || error.code === 'ENOTALLOC')) return;
        throw error;
      }
    }
  }

  /** As `messages` without options. */
  [Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    return this.messages();
  }

  /** Sends a message, unless so much waits, or the other end's window is closed, that it would have to wait: then false. */
  tryWrite(message: Uint8Array): boolean {
    if (!this.#mayWrite) throw this.#whyNotWrite();
    if (message.length > this.maxMessageBytes) {
      throw new O7sError('EMSGSIZE', `a message of ${message.length} bytes is too long for this flow`, {
        hint: `write at most ${this.maxMessageBytes} bytes at once`,
      });
    }
    if (this.#end.write(message)) return true;
    // Who waited now would wait for ever.
    if (!this.#mayWrite) throw this.#whyNotWrite();
    return false;
  }

  /**
   * Sends a message. Where FRCT is in force it resolves when the message is within the other end's window, otherwise when
   * it is queued towards the node, which takes it over at the end of the turn. An empty message is only a sign of life.
   * EMSGSIZE when it is longer than `maxMessageBytes`; EPIPE after `finish`; ECONNRESET instead of ETIMEDOUT when the
   * other end's window was closed for more than a second.
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
    this.#end.flush();
  }

  /**
   * Waits until all that was written is acknowledged by the other end or, where nothing is acknowledged, handed to the
   * node. Rejects as `write` does when that cannot be any more.
   */
  async drain(options: WaitOptions = {}): Promise<void> {
    const patience = patienceOf(options, this.writeTimeout);
    while (!this.#end.isDrained) {
      if (this.#closed || this.#end.fault !== undefined) throw this.#whyNotRead();
      await this.#drainers.wait(patience);
    }
  }

  /**
   * Tells the other end that nothing more follows, and waits as `drain` does; reading goes on. A prototype is not told.
   * ENOTSUP where the QoS asks for no order.
   */
  async finish(options: WaitOptions = {}): Promise<void> {
    if (this.#end.frct === undefined) {
      throw new O7sError('ENOTSUP', 'a flow without order has no end but its release', { hint: 'close it' });
    }
    if (!this.#finished) {
      if (!this.#mayWrite) throw this.#whyNotWrite();
      this.#finished = true;
      this.#refresh();
      this.#end.finish();
    }
    await this.drain(options);
  }

  /**
   * The flow as a stream of bytes, which owns it from then on: ending it in both directions closes the flow. ENOTSUP
   * unless the flow is reliable, EPERM when it has a stream already.
   *
   * ```ts
   * await using flow = await allocFlow('archive', { qos: dataQos });
   * await pipeline(createReadStream('photos.tar'), flow.stream());
   * ```
   */
  stream(options: ByteStreamOptions = {}): FlowStream {
    if (!isReliable(this.qos) || this.#end.frct === undefined) {
      throw new O7sError('ENOTSUP', 'bytes of a flow that loses messages would be no stream', {
        hint: 'allocate it with dataQos',
      });
    }
    if (this.#hasStream) throw new O7sError('EPERM', `flow ${this.fd} has a stream already`);
    this.#hasStream = true;
    return new FlowStream(this, options);
  }

  /**
   * Sends what waits and releases the flow. A reliable flow first waits until the other end has acknowledged everything,
   * 120 s at most without any progress, unless `options` say less or the flag `linger` is not set; `drops.unacknowledged`
   * tells what was given up. What has not been read is lost. Idempotent, and never rejects.
   */
  close(options: WaitOptions = {}): Promise<void> {
    if (this.#closing === undefined) {
      this.#isClosing = true;
      this.#refresh();
      this.#closing = this.#close(options);
    }
    return this.#closing;
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Releases the flow at once; what has not left is lost. */
  abort(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#isClosing = true;
    this.#closing ??= done;
    this.#end.release();
    this.#rest = undefined;
    this.#refresh();
    this.#listener?.closed(this);
    this.#listener = undefined;
    this.#onClosed();
  }

  /** The events that make the flow what it is now, for whoever did not hear of them as they happened. */
  get pastEvents(): readonly FlowEventType[] {
    const { fault, peerEnded, deviceUp } = this.#end;
    const past: FlowEventType[] = [];
    if (this.waiting > 0) past.push('packet');
    if (peerEnded) past.push('end');
    if (fault === 'EFLOWDOWN') past.push('dealloc');
    else if (fault === 'EFLOWPEER') past.push('peer');
    else if (fault !== undefined || !deviceUp) past.push('down');
    return past;
  }

  /** Tells what happens from now on to a listener, or to none. EPERM when there is another one. */
  listen(listener: FlowListener | undefined): void {
    if (listener !== undefined && this.#listener !== undefined) {
      throw new O7sError('EPERM', `flow ${this.fd} is in a set already`, {
        hint: 'take it out of that first',
      });
    }
    if (listener !== undefined && this.#closed) throw this.#whyNotRead();
    this.#listener = listener;
  }

  get #isSetDown(): boolean {
    return (this.#flags & flowFlag.down) !== 0;
  }

  get #frct(): NonNullable<EndPoint['frct']> {
    const { frct } = this.#end;
    if (frct === undefined)
      throw new O7sError('EPERM', 'the QoS of this flow asks for no order: it has no FRCT');
    return frct;
  }

  /** A message that is there. */
  #take(): Buffer | undefined {
    const message = this.#rest ?? this.#end.take();
    if (message === undefined) {
      if (!this.#mayCome) throw this.#whyNotRead();
      return undefined;
    }
    this.#rest = undefined;
    this.#owesEnd = false;
    return message;
  }

  async #readLater(options: WaitOptions): Promise<Buffer> {
    if ((this.#flags & flowFlag.readNonBlocking) !== 0) throw new O7sError('EAGAIN');
    const patience = patienceOf(options, this.readTimeout);
    for (;;) {
      await this.#readers.wait(patience);
      const message = this.#take();
      if (message !== undefined) return message;
    }
  }

  async #writeLater(message: Uint8Array, options: WaitOptions): Promise<void> {
    if ((this.#flags & flowFlag.writeNonBlocking) !== 0) throw new O7sError('EAGAIN');
    const patience = patienceOf(options, this.writeTimeout);
    try {
      do {
        await this.#writers.wait(patience);
      } while (!this.tryWrite(message));
    } catch (error) {
      const isLate = error instanceof O7sError && error.code === 'ETIMEDOUT';
      if (!isLate || (this.frct?.closedMs ?? 0) <= resetMs) throw error;
      throw new O7sError('ECONNRESET', 'the other end has not read for more than a second', { cause: error });
    }
  }

  async #close(options: WaitOptions): Promise<void> {
    const end = this.#end;
    this.#rest = undefined;
    end.close();
    const lingers = this.#lingers && end.frct !== undefined;
    try {
      const patience = patienceOf(options);
      while (lingers && !this.#closed && end.fault === undefined && !end.isDrained) {
        await this.#drainers.wait(patience);
      }
      while (!this.#closed && end.fault !== 'EFLOWDOWN' && end.unsentBytes > 0) {
        await this.#drainers.wait(patienceOf({ signal: options.signal, timeout: handOverMs }));
      }
    } catch {
      // The other side no longer takes anything, or its time is over: what is left is not delivered, and counted.
    }
    this.abort();
  }

  #arrived(): void {
    this.#drainers.wakeAll();
    if (this.waiting === 0) return;
    this.#readers.wakeAll();
    this.#listener?.happened(this, 'packet');
  }

  #happened(event: EndPointEvent): void {
    this.#refresh();
    if (event === 'settled') return;
    this.#listener?.happened(this, event === 'lost' ? 'down' : event);
  }

  /** What reads and writes depend on has changed. */
  #refresh(): void {
    const end = this.#end;
    const access = this.#flags & flowFlag.accessMode;
    const carries = !this.#isClosing && end.deviceUp && !this.#isSetDown;
    this.#mayCome = carries && end.fault === undefined && !end.peerEnded && access !== flowFlag.writeOnly;
    // To a silent peer one may still write.
    this.#mayWrite = carries && end.fault !== 'EFLOWDOWN' && !this.#finished && access !== flowFlag.readOnly;
    this.#readers.wakeAll();
    this.#writers.wakeAll();
    this.#drainers.wakeAll();
  }

  #whyNotRead(): O7sError {
    if (this.#isClosing) return new O7sError('ENOTALLOC', `flow ${this.fd} is closed`);
    if ((this.#flags & flowFlag.accessMode) === flowFlag.writeOnly) {
      return new O7sError('EPERM', `flow ${this.fd} is write-only`);
    }
    return this.#whyNotUp() ?? new O7sError('EFLOWDOWN', 'the other end sends nothing more');
  }

  #whyNotWrite(): O7sError {
    if (this.#isClosing) return new O7sError('ENOTALLOC', `flow ${this.fd} is closed`);
    if ((this.#flags & flowFlag.accessMode) === flowFlag.readOnly) {
      return new O7sError('EPERM', `flow ${this.fd} is read-only`);
    }
    if (this.#finished) return new O7sError('EPIPE', `flow ${this.fd} was finished`);
    return this.#whyNotUp() ?? new O7sError('EFLOWDOWN');
  }

  #whyNotUp(): O7sError | undefined {
    const { fault, deviceUp } = this.#end;
    if (fault !== undefined) return new O7sError(fault);
    if (!deviceUp) return new O7sError('EFLOWDOWN', 'the device below the flow is down');
    if (this.#isSetDown) return new O7sError('EFLOWDOWN', `flow ${this.fd} is set down`);
    return undefined;
  }
}
