/**
 * A flow that may lose messages as a stream of bytes. Its end may be lost as well: once the own side has ended, silence is
 * one.
 */
import { Duplex } from 'node:stream';
import { type Flow, O7sError } from '../../lib/index.ts';

/** The silence that counts as the end; ms. */
const silenceMs = 2000;

export class LossyStream extends Duplex {
  readonly #flow: Flow;
  readonly #over = new AbortController();
  /** Aborted when the own side has ended. */
  readonly #sent = new AbortController();
  readonly #sentOrOver: AbortSignal = AbortSignal.any([this.#sent.signal, this.#over.signal]);

  constructor(flow: Flow) {
    super();
    this.#flow = flow;
  }

  override _read(): void {
    void this.#readOn();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    void this.#send(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error) => void): void {
    const flow = this.#flow;
    const options = { signal: this.#over.signal };
    void (flow.frct === undefined ? flow.drain(options) : flow.finish(options)).then(() => {
      this.#sent.abort();
      done();
    }, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#over.abort();
    if (!this.writableFinished) this.#flow.abort();
    void this.#flow.close().then(() => done(error));
  }

  async #readOn(): Promise<void> {
    try {
      this.push(await this.#next());
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  /** The next message; null behind the last. */
  async #next(): Promise<Buffer | null> {
    const flow = this.#flow;
    for (;;) {
      const isSent = this.#sent.signal.aborted;
      try {
        return await (isSent
          ? flow.read({ timeout: silenceMs, signal: this.#over.signal })
          : flow.read({ signal: this.#sentOrOver }));
      } catch (error) {
        if (!(error instanceof O7sError)) throw error;
        if (error.code === 'ECANCELED' && !this.#over.signal.aborted) continue;
        if (error.code === 'ETIMEDOUT' || flow.released || flow.peerFinished) return null;
        await this.#untilUp(error);
      }
    }
  }

  async #send(bytes: Buffer): Promise<void> {
    const flow = this.#flow;
    for (let at = 0; at < bytes.length;) {
      const most = flow.maxMessageBytes;
      if (most === 0) throw new O7sError('EMSGSIZE', 'the layer carries no byte of this flow');
      const message = bytes.subarray(at, at + most);
      try {
        if (!flow.tryWrite(message)) await flow.write(message, { signal: this.#over.signal });
      } catch (error) {
        // The layer may carry less than when the message was cut.
        if (message.length > flow.maxMessageBytes) continue;
        // This one is lost.
        await this.#untilUp(error);
      }
      at += message.length;
    }
  }

  /** After an error of the device below, waits until that is up again; rethrows every other. */
  async #untilUp(error: unknown): Promise<void> {
    if (!(error instanceof O7sError) || error.code !== 'EFLOWDOWN' || this.#flow.released) throw error;
    await this.#flow.untilUp({ signal: this.#over.signal });
  }
}
