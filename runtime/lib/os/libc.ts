/** The C library, as far as the runtime needs what Node does not offer. Nothing outside lib/os sees it. */
import { getSystemErrorMessage, getSystemErrorName } from 'node:util';
import { koffi } from './koffi.ts';

const c = koffi.load(null);

// Addresses are passed as integers: a Buffer argument costs a lookup a call, and cannot point into the middle.
export const libc = {
  socket: c.func('int socket(int, int, int)'),
  bind: c.func('int bind(int, void *, uint32_t)'),
  listen: c.func('int listen(int, int)'),
  connect: c.func('int connect(int, void *, uint32_t)'),
  accept4: c.func('int accept4(int, void *, void *, int)'),
  recv: c.func('intptr_t recv(int, uintptr_t, size_t, int)'),
  send: c.func('intptr_t send(int, uintptr_t, size_t, int)'),
  recvmmsg: c.func('int recvmmsg(int, uintptr_t, unsigned int, int, void *)'),
  sendmmsg: c.func('int sendmmsg(int, uintptr_t, unsigned int, int)'),
  read: c.func('intptr_t read(int, uintptr_t, size_t)'),
  write: c.func('intptr_t write(int, uintptr_t, size_t)'),
  writev: c.func('intptr_t writev(int, uintptr_t, int)'),
  flock: c.func('int flock(int, int)'),
  fcntl: c.func('int fcntl(int, int, int)'),
  mmap: c.func('void *mmap(void *, size_t, int, int, int, long)'),
  munmap: c.func('int munmap(uintptr_t, size_t)'),
  setsockopt: c.func('int setsockopt(int, int, int, void *, uint32_t)'),
  getsockopt: c.func('int getsockopt(int, int, int, void *, void *)'),
  ioctl: c.func('int ioctl(int, unsigned long, void *)'),
  ifNameToIndex: c.func('unsigned int if_nametoindex(str)'),
  close: c.func('int close(int)'),
  yieldProcessor: c.func('int sched_yield()'),
  strerror: c.func('const char *strerror(int)'),
  epollWait: c.func('int epoll_wait(int, uintptr_t, int, int)'),
  timerfdCreate: c.func('int timerfd_create(int, int)'),
  timerfdSettime: c.func('int timerfd_settime(int, int, uintptr_t, void *)'),
} as const;

/** Gives free memory of the C library's allocator back to the kernel, where that library can (glibc). */
export function trimAllocator(): void {
  let trim;
  try {
    trim = c.func('int malloc_trim(size_t)');
  } catch {
    return;
  }
  trim(0);
}

/** The descriptor Node's event loop waits at; undefined in a Node that does not show its libuv. */
export function eventLoopFd(): number | undefined {
  try {
    const loop: unknown = c.func('void *uv_default_loop()')();
    return c.func('int uv_backend_fd(void *)')(loop) as number;
  } catch {
    return undefined;
  }
}

/** Linux constants. The numbers are those of x86-64 and arm64, which agree on all of these. */
export const linux = {
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 10,
  AF_NETLINK: 16,
  AF_PACKET: 17,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_RAW: 3,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
  SOL_SOCKET: 1,
  SO_ERROR: 4,
  SO_SNDBUF: 7,
  SO_RCVBUF: 8,
  SO_PEERCRED: 17,
  SO_RCVTIMEO: 20,
  SO_ATTACH_FILTER: 26,
  SO_SNDBUFFORCE: 32,
  SO_RCVBUFFORCE: 33,
  SO_MEMINFO: 55,
  SOL_PACKET: 263,
  PACKET_RX_RING: 5,
  PACKET_STATISTICS: 6,
  PACKET_VERSION: 10,
  PACKET_RESERVE: 12,
  PACKET_IGNORE_OUTGOING: 23,
  PROT_READ_WRITE: 3,
  MAP_SHARED: 1,
  F_GETFL: 3,
  F_SETFL: 4,
  O_NONBLOCK: 0o4000,
  MSG_DONTWAIT: 0x40,
  MSG_NOSIGNAL: 0x4000,
  SIOCOUTQ: 0x5411,
  SIOCSIFFLAGS: 0x8914,
  SIOCSIFADDR: 0x8916,
  SIOCSIFNETMASK: 0x891c,
  SIOCGIFMTU: 0x8921,
  SIOCSIFMTU: 0x8922,
  SIOCGIFHWADDR: 0x8927,
  SIOCETHTOOL: 0x8946,
  ETHTOOL_STXCSUM: 0x17,
  TUNSETIFF: 0x4004_54ca,
  CLOCK_MONOTONIC: 1,
  TFD_NONBLOCK: 0o4000,
  TFD_CLOEXEC: 0o2000000,
  LOCK_EX: 2,
  LOCK_NB: 4,
  EAGAIN: 11,
  EINTR: 4,
  ENOBUFS: 105,
} as const;

/** The error number of the last call that failed. To be read before anything else is called. */
export function lastErrno(): number {
  return koffi.errno();
}

/** Where a buffer lies. The caller keeps the buffer alive as long as the address is used. */
export function addressOf(memory: Buffer): number {
  return Number(koffi.address(memory));
}

/** What is mapped goes when nothing here can reach it any more, if it was not unmapped before. */
const mappings = new FinalizationRegistry<{ address: number; bytes: number }>(({ address, bytes }) => {
  libc.munmap(address, bytes);
});

/** Memory of a descriptor, shared with the kernel. */
export interface Mapping {
  readonly memory: Buffer;
  readonly address: number;
  /** Gives it back at once. Whoever still looks at it then sees an empty buffer. */
  unmap(): void;
}

/** Maps the memory of a descriptor. */
export function mapMemory(fd: number, bytes: number, subject: string): Mapping {
  const pointer: unknown = libc.mmap(null, bytes, linux.PROT_READ_WRITE, linux.MAP_SHARED, fd, 0);
  const address = Number(pointer);
  // MAP_FAILED.
  if (pointer === null || address <= 0 || address >= Number.MAX_SAFE_INTEGER) {
    throw new KernelError('mmap', subject, lastErrno());
  }
  const buffer = koffi.view(pointer, bytes);
  mappings.register(buffer, { address, bytes }, buffer);
  const unmap = (): void => {
    if (buffer.detached) return;
    mappings.unregister(buffer);
    buffer.transfer();
    libc.munmap(address, bytes);
  };
  return { memory: Buffer.from(buffer), address, unmap };
}

/** An error of the kernel: its name, the call, and what it was called for. */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  /** The name of the error, for example ENODEV. */
  readonly code: string;
  readonly call: string;
  /** What the C library says of it, for example `No such device`; Node has words of its own. */
  readonly description: string;

  constructor(call: string, subject: string, errno: number) {
    const code = getSystemErrorName(-errno);
    super(`${call} on ${subject}: ${code} (${getSystemErrorMessage(-errno) ?? 'no description'})`);
    this.code = code;
    this.description = String(libc.strerror(errno));
    this.call = call;
  }
}

/** Passes a call's result on, or throws what the kernel said. */
export function check(result: number, call: string, subject: string): number {
  if (result < 0) throw new KernelError(call, subject, lastErrno());
  return result;
}
