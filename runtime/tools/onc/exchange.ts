/** Carries bytes over a flow in both directions until both have ended. */
import type { Readable } from 'node:stream';
import { type Flow, FlowSet, O7sError } from '../../lib/index.ts';
import type { Sink } from './ends.ts';

/** Bytes gathered from the flow before they are written. */
const gatherBytes = 256 * 1024;
/** On a flow that cannot tell its end: the silence, after the own input has ended, that counts as one; ms. */
const silenceMs = 2000;

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
  /** Aborted when all of the source is sent. */
  readonly #sent = new AbortController();
  #peerEnded = false;
  #cut = false;

  constructor(setup: ExchangeSetup) {
    this.#setup = setup;
  }

  /**
   * Carries bytes until both ends are done. Rejects with an O7sError when the flow ended before, EFLOWDOWN among them
   * when the other end of a reliable flow went away without having said that it had sent everything; with ECANCELED when
   * it was stopped; and with `SinkClosed`.
   */
  async run(stop: AbortSignal): Promise<void> {
    const both = Promise.all([this.#send(), this.#receive()]);
    const stopped = new Promise<never>((_resolve, reject) => {
      const cancel = (): void => reject(new O7sError('ECANCELED'));
      if (stop.aborted) cancel();
      stop.addEventListener('abort', cancel, { once: true });
    });
    try {
      await Promise.race([both, stopped]);
    } finally {
      // What one direction failed with ends the other.
      this.#stopSource();
    }
  }

  /** Whether the end of a direction is told, and can be relied on. */
  get #tellsEnd(): boolean {
    return this.#setup.flow.frct?.reliable === true;
  }

  async #send(): Promise<void> {
    const { flow, source } = this.#setup;
    if (source !== undefined) {
      try {
        for await (const chunk of source as AsyncIterable<Buffer>) await this.#sendChunk(chunk);
      } catch (error) {
        if (!this.#cut) throw error;
      }
    }
    // To an end that is gone nothing is left to be said.
    if (!this.#cut || !flow.released) await (flow.frct === undefined ? flow.drain() : flow.finish());
    this.#sent.abort();
  }

  async #sendChunk(chunk: Buffer): Promise<void> {
    const { flow } = this.#setup;
    const most = flow.maxMessageBytes;
    for (let at = 0; at < chunk.length; at += most) {
      const message = chunk.subarray(at, at + most);
      if (!flow.tryWrite(message)) await flow.write(message);
      this.sentBytes += message.length;
    }
  }

  async #receive(): Promise<void> {
    const { flow, interactive } = this.#setup;
    using flows = new FlowSet();
    flows.add(flow);
    for (let over = false; !over;) {
      for (const { type } of await this.#events(flows)) {
        if (type === 'end') this.#peerEnded = true;
        if (type === 'peer') throw new O7sError('EFLOWPEER');
        if (type === 'end' || type === 'dealloc') over = true;
      }
      await this.#deliver();
    }
    this.#setup.sink.end();
    // One of ours says when it has sent everything; a prototype cannot.
    if (!this.#peerEnded && this.#tellsEnd && flow.frct?.peerIsOurs !== false) {
      throw new O7sError('EFLOWDOWN', 'the other end went away before it had sent everything');
    }
    if (interactive || flow.released) this.#stopSource();
  }

  /** What happens next. Silence counts as the end where an end cannot be told and nothing is left to send. */
  async #events(flows: FlowSet): Promise<readonly { readonly type: string }[]> {
    try {
      if (!this.#sent.signal.aborted) return await flows.wait({ signal: this.#sent.signal });
    } catch (error) {
      if (!(error instanceof O7sError) || error.code !== 'ECANCELED') throw error;
    }
    if (this.#tellsEnd) return flows.wait();
    try {
      return await flows.wait({ timeout: silenceMs });
    } catch (error) {
      if (!(error instanceof O7sError) || error.code !== 'ETIMEDOUT') throw error;
      return [{ type: 'end' }];
    }
  }

  /** Writes what has come. */
  async #deliver(): Promise<void> {
    const { flow, sink, arrived } = this.#setup;
    while (flow.waiting > 0) {
      const messages: Buffer[] = [];
      for (let bytes = 0; flow.waiting > 0 && bytes < gatherBytes;) {
        const message = flow.tryRead();
        if (message === undefined) break;
        bytes += message.length;
        messages.push(message);
      }
      if (this.receivedBytes === 0) arrived?.();
      const [only = Buffer.alloc(0)] = messages;
      const bytes = messages.length === 1 ? only : Buffer.concat(messages);
      this.receivedBytes += bytes.length;
      await sink.write(bytes);
    }
  }

  /** Reads no more from the source. */
  #stopSource(): void {
    this.#cut = true;
    this.#setup.source?.destroy();
  }
}
