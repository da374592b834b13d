/** Tells when an interface is set up or down. Source: rtnetlink(7). */
import { addressOf, check, libc, linux } from './libc.ts';
import { FdWatch } from './poll.ts';

const netlinkRoute = 0;
/** The group that hears of links. */
const groupLink = 1;
const newLink = 16;
const headerBytes = 16;
const infoBytes = 16;
const flagUp = 1;

export class LinkWatch implements Disposable {
  readonly #fd: number;
  readonly #watch: FdWatch;
  readonly #memory = Buffer.alloc(32 * 1024);
  readonly #address = addressOf(this.#memory);
  readonly #index: number;
  readonly #onChange: (up: boolean) => void;
  #up: boolean;
  #closed = false;

  /** @param up whether the interface is up now; `onChange` hears when that changes. */
  constructor(index: number, up: boolean, onChange: (up: boolean) => void) {
    this.#index = index;
    this.#up = up;
    this.#onChange = onChange;
    const type = linux.SOCK_RAW | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;
    this.#fd = check(libc.socket(linux.AF_NETLINK, type, netlinkRoute) as number, 'socket', 'netlink');
    const address = Buffer.alloc(12);
    address.writeUInt16LE(linux.AF_NETLINK, 0);
    address.writeUInt32LE(groupLink, 8);
    try {
      check(libc.bind(this.#fd, address, address.length) as number, 'bind', 'netlink');
      this.#watch = new FdWatch(this.#fd, () => this.#read());
    } catch (error) {
      libc.close(this.#fd);
      throw error;
    }
    this.#watch.watch(true, false);
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch[Symbol.dispose]();
    libc.close(this.#fd);
  }

  #read(): void {
    const count = libc.recv(this.#fd, this.#address, this.#memory.length, linux.MSG_DONTWAIT) as number;
    for (let at = 0; at + headerBytes <= count;) {
      const length = this.#memory.readUInt32LE(at);
      if (length < headerBytes || at + length > count) return;
      if (this.#memory.readUInt16LE(at + 4) === newLink && length >= headerBytes + infoBytes) {
        this.#told(
          this.#memory.readInt32LE(at + headerBytes + 4),
          this.#memory.readUInt32LE(at + headerBytes + 8),
        );
      }
      at += (length + 3) & ~3;
    }
  }

  #told(index: number, flags: number): void {
    const up = (flags & flagUp) !== 0;
    if (index !== this.#index || up === this.#up) return;
    this.#up = up;
    this.#onChange(up);
  }
}
