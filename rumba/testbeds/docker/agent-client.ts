/** The command line's end of the connection to a lab's agent. */
import { Socket } from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import { O7sError } from '../../../runtime/lib/index.ts';
import { TestbedError } from '../../errors.ts';
import {
  type AgentApi,
  type AgentError,
  type AgentMethod,
  type FromAgent,
  LineReader,
  type ToAgent,
  windowBytes,
} from './agent/protocol.ts';
import { demultiplex } from './demultiplex.ts';

/** How long a fresh agent may take to answer, in milliseconds. */
const readyMs = 30_000;

/** How much of what the agent complains of is kept, in characters. */
const complaintMax = 4_096;

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** An error of a node's socket: the errno of `connect`. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
  readonly errno: string;

  constructor(errno: string, message: string) {
    super(message);
    this.errno = errno;
  }
}

export class AgentClient implements Disposable {
  readonly #lab: string;
  readonly #stream: Duplex;
  readonly #pending = new Map<number, Pending>();
  readonly #streams = new Map<number, AgentStream>();
  readonly #ready = Promise.withResolvers<void>();
  #complaint = '';
  #nextId = 1;
  /** How much waits for the agent; a connection that nothing waits for is no reason for a program to stay. */
  #holds = 0;
  #ended: TestbedError | undefined;

  /** `stream` is that of an attached container or a started command, with both outputs in it. */
  constructor(lab: string, stream: Duplex) {
    this.#lab = lab;
    this.#stream = stream;
    const [output, complaints] = [new PassThrough(), new PassThrough()];
    const reader = new LineReader<FromAgent>((message) => this.#received(message));
    output.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch {
        this.#end('does not speak as it should');
      }
    });
    complaints.on('data', (chunk: Buffer) => {
      this.#complaint = `${this.#complaint}${chunk.toString('utf8')}`.slice(-complaintMax);
    });
    stream.once('error', () => this.#end('ended'));
    stream.once('close', () => this.#end('ended'));
    demultiplex(stream, output, complaints)
      .catch(() => {})
      .finally(() => this.#end('ended'));
    this.#ready.promise.catch(() => {});
    this.#hold(0);
  }

  /** It will not answer any more. */
  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Resolves when the agent answers; rejects when it does not. */
  async ready(): Promise<void> {
    const timer = setTimeout(() => this.#end(`did not answer in ${readyMs / 1000} s`), readyMs);
    this.#hold(1);
    try {
      await this.#ready.promise;
    } finally {
      clearTimeout(timer);
      this.#hold(-1);
    }
  }

  /** Asks the agent to do something. Rejects with its TestbedError, and with the signal's reason. */
  async call<M extends AgentMethod>(
    method: M,
    params: AgentApi[M]['params'],
    signal?: AbortSignal,
  ): Promise<AgentApi[M]['result']> {
    signal?.throwIfAborted();
    if (this.#ended !== undefined) throw this.#ended;
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const cancel = (): void => {
      this.#send({ cancel: id });
      this.#pending.delete(id);
      reject(signal?.reason as Error);
    };
    this.#pending.set(id, { resolve, reject });
    signal?.addEventListener('abort', cancel, { once: true });
    this.#hold(1);
    try {
      this.#send({ id, method, params });
      return (await promise) as AgentApi[M]['result'];
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.#hold(-1);
    }
  }

  /** A stream to a socket of a node. Rejects with a ConnectError when nobody listens there. */
  async open(init: number, path: string, signal: AbortSignal): Promise<Duplex> {
    const id = this.#nextId++;
    const stream = new AgentStream({
      send: (data) => {
        this.#send({ stream: id, data });
        if (data === null) this.#streams.delete(id);
      },
      taken: (bytes) => this.#send({ stream: id, taken: bytes }),
      hold: (change) => this.#hold(change),
    });
    // Until somebody has it, the call below tells what goes wrong.
    stream.on('error', () => {});
    this.#streams.set(id, stream);
    try {
      await this.call('connect', { init, path, stream: id }, signal);
    } catch (error) {
      // It may have been connected in that moment: this tells the agent that nobody wants it.
      stream.destroy();
      throw error;
    }
    return stream;
  }

  [Symbol.dispose](): void {
    this.#end('was let go');
  }

  #hold(change: number): void {
    this.#holds += change;
    if (!(this.#stream instanceof Socket)) return;
    if (this.#holds > 0) this.#stream.ref();
    else this.#stream.unref();
  }

  #send(message: ToAgent): void {
    if (this.#ended === undefined) this.#stream.write(`${JSON.stringify(message)}\n`);
  }

  #received(message: FromAgent): void {
    if ('ready' in message) {
      this.#ready.resolve();
    } else if ('taken' in message) {
      this.#streams.get(message.stream)?.wasTaken(message.taken);
    } else if ('stream' in message) {
      this.#streams.get(message.stream)?.received(message.data);
    } else {
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if ('error' in message) pending?.reject(toError(message.error));
      else pending?.resolve(message.result);
    }
  }

  #end(how: string): void {
    if (this.#ended !== undefined) return;
    const words = this.#complaint.trim().split('\n').at(-1);
    this.#ended = new TestbedError(
      'EFAILED',
      `the helper of lab ${this.#lab} ${how}${words ? `; its last words: ${words}` : ''}`,
      { hint: `remove what is left, "o7s-testbed down --lab ${this.#lab}", and start again` },
    );
    this.#stream.destroy();
    this.#ready.reject(this.#ended);
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
    for (const stream of this.#streams.values()) stream.destroy(this.#ended);
    this.#streams.clear();
  }
}

function toError({ code, message, hint, errno }: AgentError): Error {
  if (errno !== undefined) return new ConnectError(errno, message);
  return new TestbedError(code, message, hint === undefined ? {} : { hint });
}

/** The error to report when no irmd answers on a node. */
export function noIrmd(node: string, error: ConnectError): O7sError {
  if (error.errno === 'EACCES' || error.errno === 'EPERM') {
    return new O7sError('EPERM', `node ${node}: no permission to use its irmd`, { cause: error });
  }
  return new O7sError('EIRMD', `node ${node}: no irmd answers`, { hint: 'start irmd on it', cause: error });
}

interface AgentStreamParts {
  /** Bytes in base64; null is the end. */
  readonly send: (data: string | null) => void;
  /** Tells that so many more bytes were read. */
  readonly taken: (bytes: number) => void;
  readonly hold: (change: number) => void;
}

/** One of several streams in one connection. */
class AgentStream extends Duplex {
  readonly #parts: AgentStreamParts;
  #held = false;
  /** Bytes that were received and not yet told to be taken. */
  #untold = 0;
  /** Bytes that were sent and not yet taken. */
  #underWay = 0;
  #whenTaken: (() => void) | undefined;

  constructor(parts: AgentStreamParts) {
    super({ allowHalfOpen: false });
    this.#parts = parts;
  }

  ref(): void {
    if (!this.#held) this.#parts.hold(1);
    this.#held = true;
  }

  unref(): void {
    if (this.#held) this.#parts.hold(-1);
    this.#held = false;
  }

  received(data: string | null): void {
    if (data === null) {
      this.push(null);
      return;
    }
    const bytes = Buffer.from(data, 'base64');
    this.#untold += bytes.length;
    this.push(bytes);
  }

  wasTaken(bytes: number): void {
    this.#underWay -= bytes;
    if (this.#underWay >= windowBytes) return;
    const done = this.#whenTaken;
    this.#whenTaken = undefined;
    done?.();
  }

  override _read(): void {
    if (this.#untold === 0) return;
    this.#parts.taken(this.#untold);
    this.#untold = 0;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#parts.send(chunk.toString('base64'));
    this.#underWay += chunk.length;
    if (this.#underWay < windowBytes) done();
    else this.#whenTaken = done;
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.unref();
    this.#parts.send(null);
    done(error);
  }
}
