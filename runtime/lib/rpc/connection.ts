/**
 * JSON-RPC 2.0 in both directions over a stream, one object a line. Requests may be cancelled by their
 * caller with the notification `cancel {id}`; the handler's signal aborts.
 */
import type { Duplex } from 'node:stream';
import { codeOf, O7sError } from '../errors.ts';
import { rpcLineBytesMax, rpcPendingMax } from '../limits.ts';

export type RpcParams = Readonly<Record<string, unknown>>;

/** Answers a request with a JSON value, or throws. Notifications come here too; their result is dropped. */
export type RpcHandler = (method: string, params: RpcParams, signal: AbortSignal) => unknown;

export interface RpcCallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Gets a result that came after the call was cancelled: the cancellation crossed it on its way. */
  readonly onLate?: ((result: unknown) => void) | undefined;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The error numbers of JSON-RPC itself; others are Ouroboros' own, negated. */
const rpcErrors = { parse: -32_700, invalidRequest: -32_600, internal: -32_603 } as const;

/** Bytes of answers that may wait before no more is read, and how long the last of them may take. */
const unreadBytesMax = 1 << 20;
const lastWordsMs = 1000;

interface WireError {
  readonly code: number;
  readonly message: string;
  readonly data?: { readonly hint: string };
}

export class RpcConnection implements Disposable {
  readonly #stream: Duplex;
  readonly #handler: RpcHandler;
  readonly #pending = new Map<number, Pending>();
  /** What is being answered: by id, and whether or not it has one. */
  readonly #serving = new Map<number | string, AbortController>();
  readonly #controllers = new Set<AbortController>();
  #nextId = 1;
  #partial: Buffer[] = [];
  #partialBytes = 0;
  #closed: O7sError | undefined;
  readonly #onClose: () => void;
  readonly #lineBytesMax: number;
  readonly #isOwn: boolean;

  /**
   * @param onClose runs once, when the connection has ended for whatever reason.
   * @param lineBytesMax longest line the other side may send.
   * @param isOwn the other side is a part of this node: where it has too many requests open, for others, each further
   *   one is refused. A stranger is shut out.
   */
  constructor(
    stream: Duplex,
    handler: RpcHandler,
    onClose: () => void = () => {},
    lineBytesMax: number = rpcLineBytesMax,
    isOwn = false,
  ) {
    this.#isOwn = isOwn;
    this.#lineBytesMax = lineBytesMax;
    this.#stream = stream;
    this.#handler = handler;
    this.#onClose = onClose;
    stream.on('data', (chunk: Buffer) => this.#received(chunk));
    stream.on('error', (error) => this.#ended(new O7sError('EIRMD', error.message, { cause: error })));
    stream.on('close', () => this.#ended(new O7sError('EIRMD', 'the control connection closed')));
    stream.on('end', () => this.close());
  }

  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** Requests that were sent and are not answered yet. */
  get pendingCalls(): number {
    return this.#pending.size;
  }

  /** Bytes sent that the other side has not taken. */
  get waitingBytes(): number {
    return this.#stream.writableLength;
  }

  /** Sends a request and waits for its result. Rejects with an O7sError. */
  call(method: string, params: RpcParams, options: RpcCallOptions = {}): Promise<unknown> {
    const { signal, onLate } = options;
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) return reject(this.#closed);
      if (signal?.aborted === true) return reject(new O7sError('ECANCELED'));
      const id = this.#nextId++;
      const cancel = (): void => {
        this.#pending.set(id, { resolve: onLate ?? (() => {}), reject: () => {} });
        this.notify('cancel', { id });
        reject(new O7sError('ECANCELED'));
      };
      signal?.addEventListener('abort', cancel, { once: true });
      const settle = (): void => signal?.removeEventListener('abort', cancel);
      this.#pending.set(id, {
        resolve: (result) => (settle(), resolve(result)),
        reject: (error) => (settle(), reject(error)),
      });
      this.#send({ jsonrpc: '2.0', id, method, params });
    });
  }

  /** Sends a request that has no answer. */
  notify(method: string, params: RpcParams): void {
    if (this.#closed === undefined) this.#send({ jsonrpc: '2.0', method, params });
  }

  /** Ends the connection after what was sent has left. Idempotent. */
  close(): void {
    const stream = this.#stream;
    // Who does not take the last words does not keep the connection open either.
    const timer = setTimeout(() => stream.destroy(), lastWordsMs);
    timer.unref();
    stream.end(() => {
      clearTimeout(timer);
      stream.destroy();
    });
    this.#ended(new O7sError('EIRMD', 'the control connection closed'));
  }

  /**
   * Ends the connection, and leaves the other side its time to read what was sent: one that still writes would lose it
   * if this side were gone already.
   */
  [Symbol.dispose](): void {
    const stream = this.#stream;
    this.#ended(new O7sError('EIRMD', 'the control connection closed'));
    if (stream.destroyed) return;
    const timer = setTimeout(() => stream.destroy(), lastWordsMs);
    timer.unref();
    stream.once('close', () => clearTimeout(timer));
    stream.end();
  }

  #send(message: object): void {
    const stream = this.#stream;
    stream.write(`${JSON.stringify(message)}\n`);
    if (stream.writableLength <= unreadBytesMax || stream.isPaused()) return;
    // Who asks without reading the answers is not asked for more questions.
    stream.pause();
    stream.once('drain', () => stream.resume());
  }

  #ended(error: O7sError): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    for (const controller of this.#controllers) controller.abort();
    this.#controllers.clear();
    this.#serving.clear();
    this.#onClose();
  }

  #received(chunk: Buffer): void {
    if (this.#closed !== undefined) return;
    let from = 0;
    for (;;) {
      const newline = chunk.indexOf(10, from);
      if (newline === -1) break;
      const tail = chunk.subarray(from, newline);
      const line = this.#partial.length === 0 ? tail : Buffer.concat([...this.#partial, tail]);
      this.#partial = [];
      this.#partialBytes = 0;
      from = newline + 1;
      if (line.length > this.#lineBytesMax) return this.#refuse('line too long');
      if (line.length > 0) this.#line(line);
      if (this.#closed !== undefined) return;
    }
    if (from < chunk.length) {
      this.#partial.push(chunk.subarray(from));
      this.#partialBytes += chunk.length - from;
      if (this.#partialBytes > this.#lineBytesMax) this.#refuse('line too long');
    }
  }

  /** What does not speak JSON-RPC is told so once and shut out. */
  #refuse(why: string): void {
    this.#send({ jsonrpc: '2.0', id: null, error: { code: rpcErrors.parse, message: why } });
    this.close();
  }

  #line(line: Buffer): void {
    let message: unknown;
    try {
      message = JSON.parse(line.toString('utf8'));
    } catch {
      return this.#refuse('not JSON');
    }
    if (typeof message !== 'object' || message === null) return this.#refuse('not a JSON-RPC object');
    const { id, method, params, result, error } = message as Record<string, unknown>;
    if (typeof method === 'string') {
      const given = typeof params === 'object' && params !== null ? (params as RpcParams) : {};
      const answerable = typeof id === 'number' || typeof id === 'string' ? id : undefined;
      if (method === 'cancel' && answerable === undefined) {
        this.#serving.get(given['id'] as number | string)?.abort();
      } else {
        void this.#serve(answerable, method, given);
      }
    } else if (typeof id === 'number') {
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      if (error === undefined) pending?.resolve(result);
      else pending?.reject(errorFromWire(error));
    } else if (id === null && error !== undefined) {
      // The other side does not serve this connection, and ends it.
      this.#ended(errorFromWire(error));
      this.#stream.destroy();
    } else {
      this.#refuse('neither a request nor a response');
    }
  }

  async #serve(id: number | string | undefined, method: string, params: RpcParams): Promise<void> {
    if (this.#controllers.size >= rpcPendingMax) {
      if (!this.#isOwn) return this.#refuse('too many open requests');
      const error = errorToWire(new O7sError('EAGAIN', 'too many requests are open on this node'));
      if (id !== undefined) this.#send({ jsonrpc: '2.0', id, error });
      return;
    }
    if (id !== undefined && this.#serving.has(id)) return this.#refuse('the id of a request that is open');
    const controller = new AbortController();
    this.#controllers.add(controller);
    if (id !== undefined) this.#serving.set(id, controller);
    let answer: { result: unknown } | { error: WireError };
    try {
      answer = { result: (await this.#handler(method, params, controller.signal)) ?? null };
    } catch (error) {
      answer = { error: errorToWire(error) };
    }
    this.#controllers.delete(controller);
    if (id === undefined || this.#closed !== undefined) return;
    this.#serving.delete(id);
    this.#send({ jsonrpc: '2.0', id, ...answer });
  }
}

/** What a connection that cannot be served gets before it is closed. */
export function refusalLine(error: O7sError): string {
  return `${JSON.stringify({ jsonrpc: '2.0', id: null, error: errorToWire(error) })}\n`;
}

function errorToWire(error: unknown): WireError {
  if (error instanceof O7sError) {
    const { hint } = error;
    return { code: -error.errno, message: error.message, ...(hint === undefined ? {} : { data: { hint } }) };
  }
  return { code: rpcErrors.internal, message: error instanceof Error ? error.message : String(error) };
}

function errorFromWire(error: unknown): O7sError {
  const { code, message, data } = (error ?? {}) as Partial<WireError>;
  const text = typeof message === 'string' ? message : 'an error without text';
  if (typeof code !== 'number' || code <= -32_000) return new O7sError('EIRMD', text);
  return new O7sError(codeOf(code), text, typeof data?.hint === 'string' ? { hint: data.hint } : {});
}
