/** A plain connection to a socket of irmd, to send what no library would. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until } from './until.ts';

export class LineSocket implements Disposable {
  readonly #socket: Socket;
  #received = '';
  #ended = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => (this.#received += text));
    socket.on('close', () => (this.#ended = true));
    // A connection that irmd shuts is what these tests expect.
    socket.on('error', () => {});
  }

  static async open(path: string): Promise<LineSocket> {
    const socket = connect(path);
    await once(socket, 'connect');
    return new LineSocket(socket);
  }

  get ended(): boolean {
    return this.#ended;
  }

  get lines(): unknown[] {
    return this.#received
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown);
  }

  write(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Sends a request and waits for its answer. */
  async call(id: number, method: string, params: object): Promise<{ result?: unknown; error?: unknown }> {
    this.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return until(
      `the answer to ${method}`,
      () => this.lines.find((line) => (line as { id?: unknown }).id === id) as object | undefined,
    );
  }

  async closedByPeer(): Promise<void> {
    await until('the connection to be shut', () => this.#ended);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
