/** How much the kernel queues for a socket. */
import { performance } from 'node:perf_hooks';
import { libc, linux } from './libc.ts';

const options = {
  send: [linux.SO_SNDBUFFORCE, linux.SO_SNDBUF],
  receive: [linux.SO_RCVBUFFORCE, linux.SO_RCVBUF],
} as const;

/**
 * Asks for a queue of `bytes`. Without NET_ADMIN over the first user namespace the kernel gives no more than
 * `net.core.wmem_max` and `rmem_max` allow, which is no error.
 */
export function askForQueue(fd: number, direction: keyof typeof options, bytes: number): void {
  const memory = Buffer.alloc(4);
  memory.writeInt32LE(bytes, 0);
  const [forced, plain] = options[direction];
  if ((libc.setsockopt(fd, linux.SOL_SOCKET, forced, memory, 4) as number) < 0) {
    libc.setsockopt(fd, linux.SOL_SOCKET, plain, memory, 4);
  }
}

/** How often the kernel is asked how much it has queued, ms. */
const sampleMs = 1;
/** What the kernel needs for a packet beside its bytes, and what it rounds their memory up to. */
const overheadBytes = 384;
const packetStructBytes = 256;

/** What waits in the kernel to be sent from a socket. */
export class SendQueueGauge {
  readonly #fd: number;
  readonly #memory = Buffer.alloc(4);
  #sampledAt = 0;
  #packets = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Packets that waited at the last sample; roughly, as the kernel counts bytes of memory. */
  get packets(): number {
    return this.#packets;
  }

  /** To be called after something was sent; `bytes` is the size of one such packet. */
  sent(bytes: number): void {
    const now = performance.now();
    if (now - this.#sampledAt < sampleMs) return;
    this.#sampledAt = now;
    if ((libc.ioctl(this.#fd, linux.SIOCOUTQ, this.#memory) as number) < 0) return;
    const memoryOfOne = packetStructBytes + 2 ** Math.ceil(Math.log2(bytes + overheadBytes));
    this.#packets = Math.floor(this.#memory.readInt32LE(0) / memoryOfOne);
  }
}
