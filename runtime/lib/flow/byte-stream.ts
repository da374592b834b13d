/**
 * A reliable flow as a stream of bytes: messages are cut and joined, nothing is added to them. The reference overview asks
 * for it, the prototype has none; towards one, and between ours, each packet is an ordinary message.
 */
import { Duplex } from 'node:stream';
import { O7sError } from '../errors.ts';
import type { Flow } from './flow.ts';
import type { WaitOptions } from './waiters.ts';

export interface ByteStreamOptions {
  /** Bytes gathered in either direction before the other side is held back; by default Node's own. */
  readonly highWaterMark?: number | undefined;
  /** Destroys the stream, and with it the flow, with an AbortError. */
  readonly signal?: AbortSignal | undefined;
}

/** Bytes of messages that are joined to one chunk at most. */
const chunkBytesMax = 64 * 1024;

type Done = (error?: Error | null) => void;

/** Who closed the flow itself is not to be told of it. */
const isClosed = (error: unknown): boolean => error instanceof O7sError && error.code === 'ENOTALLOC';
const isDown = (error: unknown): boolean => error instanceof O7sError && error.code === 'EFLOWDOWN';

/**
 * Owns its flow. `end` tells the other end that no more bytes follow once all have been acknowledged; when both
 * directions have ended, the flow is closed. Destroyed before that, the flow is released at once, which fails the stream of
 * the other end, if it is one of ours: so a stream that ended is whole.
 *
 * A prototype cannot tell an end: its stream ends when it is silent for the timeout of the QoS, or when the layer tells that
 * it released the flow. Errors are those of `Flow.read` and `Flow.write`.
 */
export class FlowStream extends Duplex {
  readonly #flow: Flow;
  /** Ends what waits when the stream is destroyed. */
  readonly #over = new AbortController();
  #isReading = false;

  constructor(flow: Flow, { highWaterMark, signal }: ByteStreamOptions = {}) {
    super({
      ...(highWaterMark === undefined ? {} : { highWaterMark }),
      ...(signal === undefined ? {} : { signal }),
    });
    this.#flow = flow;
  }

  /**
   * The bytes that come, to the end. Unlike Node's own, which after the end destroys a stream that still writes, it leaves
   * the other direction alone; a loop that is left early destroys it.
   */
  override async *[Symbol.asyncIterator](): NodeJS.AsyncIterator<Buffer> {
    let isOver = false;
    try {
      yield* this.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
      isOver = true;
    } finally {
      if (!isOver) this.destroy();
    }
  }

  override _read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    void this.#readOn();
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: Done): void {
    const [first] = chunks;
    const bytes =
      chunks.length === 1 && first !== undefined
        ? first.chunk
        : Buffer.concat(chunks.map(({ chunk }) => chunk));
    // Never within the call: what is written in the meantime is joined.
    void this.#settle(this.#send(bytes), done);
  }

  override _final(done: Done): void {
    void this.#settle(this.#finish(), done);
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#over.abort();
    const flow = this.#flow;
    // A reader that has seen the end may destroy the stream while the own end waits for its answer.
    const isAllWritten = this.writableEnded && this.writableLength === 0;
    if (flow.released || (error === null && isAllWritten)) {
      void flow.close().then(() => done(error));
      return;
    }
    flow.abort();
    done(error);
  }

  get #wait(): WaitOptions {
    return { signal: this.#over.signal };
  }

  async #readOn(): Promise<void> {
    try {
      const bytes = await this.#nextBytes();
      this.#isReading = false;
      if (!this.destroyed) this.push(bytes);
    } catch (error) {
      this.destroy(isClosed(error) ? undefined : (error as Error));
    }
  }

  async #settle(work: Promise<void>, done: Done): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (isClosed(error)) this.destroy();
      return done(error as Error);
    }
    done();
  }

  /** The bytes that come next; null behind the last. */
  async #nextBytes(): Promise<Buffer | null> {
    const flow = this.#flow;
    for (;;) {
      try {
        return this.#join(await flow.read(this.#wait));
      } catch (error) {
        if (flow.peerFinished || this.#prototypeEnded(error)) return null;
        if (isDown(error) && flow.released) {
          throw new O7sError('EFLOWDOWN', 'the other end went away before it had sent everything', {
            cause: error,
          });
        }
        await this.#untilUp(error);
      }
    }
  }

  /** A message and those behind it that have come. */
  #join(first: Buffer): Buffer {
    const flow = this.#flow;
    if (flow.waiting === 0) return first;
    const messages = [first];
    for (let bytes = first.length; bytes < chunkBytesMax && flow.waiting > 0;) {
      const message = flow.tryRead();
      if (message === undefined) break;
      bytes += message.length;
      messages.push(message);
    }
    return Buffer.concat(messages);
  }

  async #send(bytes: Buffer): Promise<void> {
    const flow = this.#flow;
    for (let at = 0; at < bytes.length;) {
      const most = flow.maxMessageBytes;
      if (most === 0) throw new O7sError('EMSGSIZE', 'the layer carries no byte of this flow');
      const message = bytes.subarray(at, at + most);
      try {
        if (!flow.tryWrite(message)) await flow.write(message, this.#wait);
        at += message.length;
      } catch (error) {
        // The layer may carry less than when the message was cut.
        if (message.length <= flow.maxMessageBytes) await this.#untilUp(error);
      }
    }
  }

  async #finish(): Promise<void> {
    const flow = this.#flow;
    try {
      await flow.finish(this.#wait);
    } catch (error) {
      // The other end may have gone with its answer under way: it has everything.
      if (!isDown(error) || flow.frct?.outstanding !== 0) throw error;
    }
  }

  /** After an error of the device below, waits until that is up again; rethrows every other. */
  async #untilUp(error: unknown): Promise<void> {
    if (!isDown(error) || this.#flow.released || this.#flow.peerFinished) throw error;
    await this.#flow.untilUp(this.#wait);
  }

  #prototypeEnded(error: unknown): boolean {
    const flow = this.#flow;
    if (flow.frct?.peerIsOurs !== false || !(error instanceof O7sError)) return false;
    return error.code === 'EFLOWPEER' || (isDown(error) && flow.released);
  }
}
