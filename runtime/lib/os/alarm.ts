/** A timer of the kernel's (timerfd), for what has to happen sooner than the whole milliseconds of Node's own. */
import { performance } from 'node:perf_hooks';
import { addressOf, check, libc, linux } from './libc.ts';
import { FdWatch } from './poll.ts';

/** struct itimerspec: interval and value, each in seconds and nanoseconds. */
const specBytes = 32;

export class Alarm implements Disposable {
  readonly #fd: number;
  readonly #watch: FdWatch;
  readonly #spec = Buffer.alloc(specBytes);
  readonly #specAt = addressOf(this.#spec);
  readonly #expirations = Buffer.alloc(8);
  readonly #expirationsAt = addressOf(this.#expirations);
  #setFor = Number.POSITIVE_INFINITY;
  #closed = false;

  /** `onRing` is called once for each time that was set. Throws KernelError where no descriptor is free. */
  constructor(onRing: () => void) {
    const flags = linux.TFD_NONBLOCK | linux.TFD_CLOEXEC;
    this.#fd = check(libc.timerfdCreate(linux.CLOCK_MONOTONIC, flags) as number, 'timerfd_create', 'a timer');
    this.#watch = new FdWatch(this.#fd, () => {
      libc.read(this.#fd, this.#expirationsAt, this.#expirations.length);
      this.#setFor = Number.POSITIVE_INFINITY;
      onRing();
    });
    this.#watch.watch(true, false);
  }

  /** Rings at this time of `performance.now()`, in place of what was set before; never at infinity. */
  set(at: number): void {
    if (at === this.#setFor || this.#closed) return;
    this.#setFor = at;
    const finite = Number.isFinite(at);
    // All zero would switch it off.
    const nanoseconds = finite ? Math.max(1, Math.round((at - performance.now()) * 1e6)) : 0;
    this.#spec.writeBigInt64LE(BigInt(Math.floor(nanoseconds / 1e9)), 16);
    this.#spec.writeBigInt64LE(BigInt(nanoseconds % 1e9), 24);
    libc.timerfdSettime(this.#fd, 0, this.#specAt, null);
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch[Symbol.dispose]();
    libc.close(this.#fd);
  }
}
