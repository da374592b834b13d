/** How much the kernel queues for a socket. */
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
