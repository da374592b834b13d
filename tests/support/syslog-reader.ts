/** Reads what programs send to syslog's socket. */
import { addressOf, check, libc, linux } from '../../runtime/lib/os/libc.ts';
import { unixAddress } from '../../runtime/lib/os/unix-socket.ts';

const datagramBytesMax = 65_536;

export class SyslogReader implements Disposable {
  readonly #fd: number;
  readonly #memory = Buffer.alloc(datagramBytesMax);
  readonly #lines: string[] = [];

  constructor(path: string) {
    const type = linux.SOCK_DGRAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;
    this.#fd = check(libc.socket(linux.AF_UNIX, type, 0) as number, 'socket', path);
    const address = unixAddress(path);
    check(libc.bind(this.#fd, address, address.length) as number, 'bind', path);
  }

  /** All that has come so far. */
  read(): readonly string[] {
    for (;;) {
      const at = addressOf(this.#memory);
      const count = libc.recv(this.#fd, at, this.#memory.length, linux.MSG_DONTWAIT) as number;
      if (count < 0) return this.#lines;
      this.#lines.push(this.#memory.toString('utf8', 0, count));
    }
  }

  [Symbol.dispose](): void {
    libc.close(this.#fd);
  }
}
