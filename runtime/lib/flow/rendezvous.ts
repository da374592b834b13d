/**
 * Where the ends of flows are picked up: a listening socket, and for each end that is to come a token that
 * opens it once. Who shows a token that nobody expects, or none in time, is shut out. An end may come before
 * it is expected, since both sides hear of it at the same time: it waits.
 */
import { addressOf } from '../os/libc.ts';
import { UnixListener, UnixStream, streamWouldBlock } from '../os/unix-socket.ts';
import { frameHeaderBytes, frameKind, tokenBytes } from './framing.ts';

/** Gets the callbacks of a stream once it knows who it belongs to. */
export interface StreamOwner {
  onReadable(): void;
  onWritable(): void;
}

/** Takes over a stream that showed its token; returns who hears of it from then on. */
export type OnArrival = (stream: UnixStream) => StreamOwner;

interface Expected {
  readonly onArrival: OnArrival;
  readonly timer: NodeJS.Timeout;
}

/** Connections without an owner, at most. */
const strangersMax = 256;
const helloBytes = frameHeaderBytes + tokenBytes;

export interface RendezvousCounters {
  /** Connections shut out: a wrong token, none in time, or too many at once. */
  refused: number;
}

export class FlowRendezvous implements Disposable {
  readonly counters: RendezvousCounters = { refused: 0 };
  readonly #listener: UnixListener;
  readonly #expected = new Map<string, Expected>();
  /** Ends that came before they were expected, by token: what makes each of them its owner's. */
  readonly #early = new Map<string, (onArrival: OnArrival) => void>();
  /** In the order in which they came, with what shuts each of them out. */
  readonly #strangers = new Map<UnixStream, () => void>();
  readonly #patienceMs: number;

  /** @param patienceMs how long an expected end may take to come, and a connection to show its token. */
  constructor(path: string, mode: number, patienceMs: number) {
    this.#patienceMs = patienceMs;
    this.#listener = new UnixListener(path, mode, (fd) => this.#arrived(fd));
  }

  get path(): string {
    return this.#listener.path;
  }

  unref(): void {
    this.#listener.unref();
  }

  /** Expects an end. `onAbsent` runs when it has not come in time. */
  expect(token: string, onArrival: OnArrival, onAbsent: () => void): void {
    const early = this.#early.get(token);
    if (early !== undefined) return early(onArrival);
    const timer = setTimeout(() => {
      this.#expected.delete(token);
      onAbsent();
    }, this.#patienceMs);
    this.#expected.set(token, { onArrival, timer });
  }

  /** No longer expects an end. */
  forget(token: string): void {
    clearTimeout(this.#expected.get(token)?.timer);
    this.#expected.delete(token);
  }

  [Symbol.dispose](): void {
    this.#listener[Symbol.dispose]();
    for (const { timer } of this.#expected.values()) clearTimeout(timer);
    this.#expected.clear();
    for (const stream of this.#strangers.keys()) stream[Symbol.dispose]();
    this.#strangers.clear();
  }

  /** Shuts out who has waited longest. */
  #evict(): void {
    for (const refuse of this.#strangers.values()) return refuse();
  }

  #arrived(fd: number): void {
    const memory = Buffer.alloc(helloBytes);
    const address = addressOf(memory);
    let filled = 0;
    let owner: StreamOwner | undefined;
    let token: string | undefined;
    const settle = (): void => {
      clearTimeout(timer);
      this.#strangers.delete(stream);
      if (token !== undefined) this.#early.delete(token);
    };
    const refuse = (): void => {
      settle();
      this.counters.refused += 1;
      stream[Symbol.dispose]();
    };
    const admit = (onArrival: OnArrival): void => {
      settle();
      stream.watch(true, false);
      owner = onArrival(stream);
      if (!stream.closed) owner.onReadable();
    };
    const greet = (): void => {
      const count = stream.read(address + filled, helloBytes - filled);
      if (count === streamWouldBlock) return;
      if (count < 0) return refuse();
      filled += count;
      if (filled < helloBytes) return;
      if (memory.readUInt32BE(0) !== ((frameKind.hello << 24) | tokenBytes)) return refuse();
      token = memory.toString('hex', frameHeaderBytes);
      const expected = this.#expected.get(token);
      if (expected === undefined) {
        if (this.#early.has(token)) return refuse();
        this.#early.set(token, admit);
        stream.watch(false, false);
      } else {
        this.forget(token);
        admit(expected.onArrival);
      }
    };
    const stream = new UnixStream(
      fd,
      () => (owner === undefined ? greet() : owner.onReadable()),
      () => owner?.onWritable(),
    );
    const timer = setTimeout(refuse, this.#patienceMs);
    timer.unref();
    // The newcomer is the likelier one to mean it: its token comes at once.
    if (this.#strangers.size >= strangersMax) this.#evict();
    this.#strangers.set(stream, refuse);
    stream.watch(true, false);
    greet();
  }
}
