/** Carries bytes over a flow in both directions until both have ended. */
import type { Duplex, Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type Flow, O7sError } from '../../lib/index.ts';
import type { Sink } from './ends.ts';
import { LossyStream } from './lossy-stream.ts';

export interface ExchangeSetup {
  readonly flow: Flow;
  /** What is sent; undefined sends nothing. */
  readonly source: Readable | undefined;
  readonly sink: Sink;
  /** The end of the other end is that of the source too, which waits for a person. */
  readonly interactive: boolean;
  /** Hears of the first bytes that come. */
  readonly arrived?: () => void;
}

export class Exchange {
  sentBytes = 0;
  receivedBytes = 0;
  readonly #setup: ExchangeSetup;
  readonly #stream: Duplex;
  #cut = false;

  constructor(setup: ExchangeSetup) {
    this.#setup = setup;
    const { flow } = setup;
    this.#stream = flow.frct?.reliable === true ? flow.stream() : new LossyStream(flow);
    // Who reads and writes is told.
    this.#stream.on('error', () => {});
  }

  /**
   * Carries bytes until both ends are done. Rejects with an O7sError when the flow ended before, EFLOWDOWN among them
   * when the other end of a reliable flow went away without having said that it had sent everything; with ECANCELED when
   * it was stopped; and with `SinkClosed`.
   */
  async run(stop: AbortSignal): Promise<void> {
    const both = Promise.all([this.#send(), this.#receive()]);
    const { promise: stopped, reject } = Promise.withResolvers<never>();
    const cancel = (): void => reject(new O7sError('ECANCELED'));
    if (stop.aborted) cancel();
    stop.addEventListener('abort', cancel, { once: true });
    try {
      await Promise.race([both, stopped]);
    } catch (error) {
      // What one direction failed with ends the other, which may tell first.
      throw this.#stream.errored ?? error;
    } finally {
      // The signal outlives the flow.
      stop.removeEventListener('abort', cancel);
      this.#stopSource();
    }
  }

  async #send(): Promise<void> {
    const { source } = this.#setup;
    const stream = this.#stream;
    if (source !== undefined) {
      try {
        for await (const chunk of source as AsyncIterable<Buffer>) await this.#sendChunk(chunk);
      } catch (error) {
        if (!this.#cut) throw error;
      }
    }
    stream.end();
    await finished(stream, { readable: false });
  }

  #sendChunk(chunk: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(chunk, (error) => {
        if (error) return reject(error);
        this.sentBytes += chunk.length;
        resolve();
      });
    });
  }

  async #receive(): Promise<void> {
    const { flow, sink, interactive, arrived } = this.#setup;
    // The other direction goes on when this one has ended.
    const chunks = this.#stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    for await (const chunk of chunks) {
      if (this.receivedBytes === 0) arrived?.();
      this.receivedBytes += chunk.length;
      await sink.write(chunk);
    }
    sink.end();
    if (interactive || flow.released) this.#stopSource();
  }

  /** Reads no more from the source. */
  #stopSource(): void {
    this.#cut = true;
    this.#setup.source?.destroy();
  }
}
