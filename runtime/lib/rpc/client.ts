/** A typed connection to one of irmd's sockets. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { O7sError } from '../errors.ts';
import { rpcAnswerBytesMax } from '../limits.ts';
import { type RpcCallOptions, RpcConnection, type RpcParams } from './connection.ts';

/** An interface: method names with the types of their parameters and results. */
export type ApiShape<A> = { [M in keyof A]: { params: object; result: unknown } };

/** What a connection runs over: a socket, or a stream that can be let go of like one. */
export type RpcStream = Duplex & { ref?: () => unknown; unref?: () => unknown };

export interface RpcClientHooks {
  /** Runs when the connection has ended, from either side. */
  readonly onClose?: (() => void) | undefined;
  /** Answers what the other side asks, and gets what it tells unasked. */
  readonly onRequest?: ((method: string, params: RpcParams) => unknown) | undefined;
}

export class RpcClient<A extends ApiShape<A>> implements Disposable {
  readonly #stream: RpcStream;
  readonly #connection: RpcConnection;
  #awaited = 0;

  /** Speaks over a stream that is connected already, and owns it from here on. */
  constructor(stream: RpcStream, hooks: RpcClientHooks = {}) {
    this.#stream = stream;
    this.#connection = new RpcConnection(
      stream,
      (method, params) => {
        if (hooks.onRequest === undefined)
          throw new O7sError('ENOTSUP', `${method} is not served by a client`);
        return hooks.onRequest(method, params);
      },
      hooks.onClose,
      rpcAnswerBytesMax,
    );
    // A connection that waits for nothing is no reason for a program to stay.
    stream.unref?.();
  }

  /** Connects to a socket; see `connectSocket`. */
  static async connect<A extends ApiShape<A>>(
    path: string,
    options: RpcClientHooks & { signal?: AbortSignal | undefined } = {},
  ): Promise<RpcClient<A>> {
    return new RpcClient<A>(await connectSocket(path, options.signal), options);
  }

  get closed(): boolean {
    return this.#connection.closed;
  }

  async call<M extends keyof A & string>(
    method: M,
    params: A[M]['params'],
    options: RpcCallOptions = {},
  ): Promise<A[M]['result']> {
    return this.stayingAlive(this.#connection.call(method, params as RpcParams, options));
  }

  /** Tells something that has no answer. */
  notify<M extends keyof A & string>(method: M, params: A[M]['params']): void {
    this.#connection.notify(method, params as RpcParams);
  }

  /** Keeps the program running for as long as something is waited for. */
  async stayingAlive<T>(awaited: Promise<T>): Promise<T> {
    this.#stream.ref?.();
    this.#awaited += 1;
    try {
      return await awaited;
    } finally {
      this.#awaited -= 1;
      if (this.#awaited === 0) this.#stream.unref?.();
    }
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }
}

/**
 * Connects to one of irmd's sockets.
 *
 * @throws O7sError EIRMD when nobody answers there, EPERM when this user may not.
 */
export async function connectSocket(path: string, signal?: AbortSignal): Promise<Socket> {
  const socket = connect(path);
  try {
    await once(socket, 'connect', signal === undefined ? {} : { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw connectError(path, error);
  }
}

function connectError(path: string, cause: unknown): O7sError {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'EACCES' || code === 'EPERM') {
    return new O7sError('EPERM', `no permission to use ${path}`, {
      hint: 'run as root or as a member of the group ouroboros',
      cause,
    });
  }
  if (code === 'ABORT_ERR') return new O7sError('ECANCELED', `connecting to ${path} was cancelled`);
  return new O7sError('EIRMD', `no irmd answers at ${path}`, { hint: 'start irmd', cause });
}
