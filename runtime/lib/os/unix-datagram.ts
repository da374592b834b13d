/** Datagrams to a Unix socket, which Node has no socket for: syslog's. */
import { addressOf, libc, linux } from './libc.ts';
import { unixAddress } from './unix-socket.ts';

export class UnixDatagramSender implements Disposable {
  readonly #address: Buffer;
  #fd = -1;

  /** Opens nothing: whoever receives may come later, or anew. */
  constructor(path: string) {
    this.#address = unixAddress(path);
  }

  /** Sends a datagram without waiting; whether the kernel took it. */
  send(bytes: Buffer): boolean {
    if (this.#fd !== -1 && this.#sent(bytes)) return true;
    // Who received may have been replaced.
    this[Symbol.dispose]();
    return this.#connect() && this.#sent(bytes);
  }

  [Symbol.dispose](): void {
    if (this.#fd !== -1) libc.close(this.#fd);
    this.#fd = -1;
  }

  #connect(): boolean {
    const type = linux.SOCK_DGRAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;
    this.#fd = libc.socket(linux.AF_UNIX, type, 0) as number;
    if (this.#fd < 0) {
      this.#fd = -1;
      return false;
    }
    if ((libc.connect(this.#fd, this.#address, this.#address.length) as number) === 0) return true;
    this[Symbol.dispose]();
    return false;
  }

  #sent(bytes: Buffer): boolean {
    return (
      (libc.send(this.#fd, addressOf(bytes), bytes.length, linux.MSG_NOSIGNAL) as number) === bytes.length
    );
  }
}
