/** Waits for a descriptor in the event loop. */
import { koffi, type PollHandle } from './koffi.ts';
import { dataEvent, leaveHotLoop, pollEvent, setHotHandler } from './hot-loop.ts';

/** What a descriptor is watched for; changing it takes effect at once. */
export class FdWatch implements Disposable {
  readonly #fd: number;
  readonly #handle: PollHandle;
  readonly #onReadable: () => void;
  readonly #onWritable: () => void;
  readonly #onFailed: () => void;
  #readable = false;
  #writable = false;
  #closed = false;

  /**
   * Watches nothing until told to.
   *
   * @param onFailed the descriptor has an error that waits to be taken; needed where no read and no write takes it, since
   *   the kernel tells of it again and again until then. The other handlers are called too.
   */
  constructor(
    fd: number,
    onReadable: () => void,
    onWritable: () => void = () => {},
    onFailed: () => void = () => {},
  ) {
    this.#fd = fd;
    this.#onReadable = onReadable;
    this.#onWritable = onWritable;
    this.#onFailed = onFailed;
    this.#handle = koffi.node.poll(fd, { readable: false, writable: false }, () => {});
    this.#handle.stop();
  }

  watch(readable: boolean, writable: boolean): void {
    if (this.#closed || (readable === this.#readable && writable === this.#writable)) return;
    this.#readable = readable;
    this.#writable = writable;
    // libuv tells the kernel of the change when the event loop next waits.
    leaveHotLoop();
    if (!readable && !writable) {
      setHotHandler(this.#fd, undefined);
      return this.#handle.stop();
    }
    setHotHandler(this.#fd, this.#onHotEvent);
    this.#handle.start({ readable, writable }, this.#onEvent);
  }

  /**
   * koffi 3.3.4 passes libuv's status in front of the event, which its types do not say. With a status the
   * descriptor failed: a read or write finds out how.
   */
  readonly #onEvent = (...args: unknown[]): void => {
    dataEvent();
    const [status, event] = args as [number, { readable: boolean; writable: boolean }];
    const failed = status < 0;
    if (failed) this.#onFailed();
    if ((event.writable || (failed && this.#writable)) && !this.#closed) this.#onWritable();
    if ((event.readable || (failed && this.#readable)) && !this.#closed) this.#onReadable();
    // libuv ends the watch with the failure; an interface that went down brings frames again once it is up.
    if (failed && !this.#closed && (this.#readable || this.#writable)) {
      this.#handle.start({ readable: this.#readable, writable: this.#writable }, this.#onEvent);
    }
  };

  readonly #onHotEvent = (events: number): boolean => {
    const readable = this.#readable && (events & (pollEvent.readable | pollEvent.failed)) !== 0;
    const writable = this.#writable && (events & (pollEvent.writable | pollEvent.failed)) !== 0;
    if ((events & pollEvent.failed) !== 0) this.#onFailed();
    if (writable) this.#onWritable();
    if (readable && !this.#closed) this.#onReadable();
    return readable || writable;
  };

  get readable(): boolean {
    return this.#readable;
  }

  get writable(): boolean {
    return this.#writable;
  }

  /** Whether an idle watch keeps the program running. */
  unref(): void {
    this.#handle.unref();
  }

  /** Ends the watch; must come before the descriptor is closed. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    leaveHotLoop();
    setHotHandler(this.#fd, undefined);
    this.#handle.stop();
    this.#handle.close();
  }
}
