/** A typed connection to one of irmd's sockets. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { O7sError } from '../errors.ts';
import { type RpcCallOptions, RpcConnection, type RpcParams } from './connection.ts';

/** An interface: method names with the types of their parameters and results. */
export type ApiShape<A> = { [M in keyof A]: { params: object; result: unknown } };

export class RpcClient<A extends ApiShape<A>> implements Disposable {
  readonly #socket: Socket;
  readonly #connection: RpcConnection;

  private constructor(socket: Socket, onClose: () => void) {
    this.#socket = socket;
    this.#connection = new RpcConnection(
      socket,
      (method) => {
        throw new O7sError('ENOTSUP', `${method} is not served by a client`);
      },
      onClose,
    );
    // A connection that waits for nothing is no reason for a program to stay.
    socket.unref();
  }

  /**
   * Connects to a socket.
   *
   * @param onClose runs when the connection has ended, from either side.
   * @throws O7sError EIRMD when nobody answers there, EPERM when this user may not.
   */
  static async connect<A extends ApiShape<A>>(
    path: string,
    options: { signal?: AbortSignal | undefined; onClose?: () => void } = {},
  ): Promise<RpcClient<A>> {
    const socket = connect(path);
    try {
      await once(socket, 'connect', options.signal === undefined ? {} : { signal: options.signal });
    } catch (error) {
      socket.destroy();
      throw connectError(path, error);
    }
    return new RpcClient<A>(socket, options.onClose ?? (() => {}));
  }

  get closed(): boolean {
    return this.#connection.closed;
  }

  async call<M extends keyof A & string>(
    method: M,
    params: A[M]['params'],
    options: RpcCallOptions = {},
  ): Promise<A[M]['result']> {
    this.#socket.ref();
    try {
      return (await this.#connection.call(method, params as RpcParams, options)) as A[M]['result'];
    } finally {
      if (this.#connection.pendingCalls === 0) this.#socket.unref();
    }
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
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
