/**
 * Unix stream sockets with what Node's own lack: credentials of the peer, and reads and writes of a piece of
 * memory without an object a call, which is what the data path lives on.
 */
import { chmodSync, rmSync } from 'node:fs';
import { addressOf, check, KernelError, lastErrno, libc, linux } from './libc.ts';
import type { IoVector } from './io-vector.ts';
import { FdWatch } from './poll.ts';
import { askForQueue } from './queues.ts';

/** Who is at the other end of a Unix socket, as the kernel saw it when the connection was made. */
export interface PeerCredentials {
  /** 0 when the peer lives in a process namespace this one cannot see. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

const pathBytesMax = 107;
const backlog = 1024;
/** What may be on its way to the reader of a stream, in bytes: a burst should not make the writer wait for it. */
const queueBytes = 1024 * 1024;
/** How long nothing is accepted when there are no descriptors left, ms. */
const acceptPauseMs = 100;

/** A path; one that begins with `@` is in the abstract namespace of this network namespace, and leaves no file. */
export function unixAddress(path: string): Buffer {
  const name = Buffer.from(path.startsWith('@') ? `\0${path.slice(1)}` : path, 'utf8');
  if (name.length > pathBytesMax) throw new KernelError('bind', path, 36);
  const address = Buffer.alloc(2 + name.length + (path.startsWith('@') ? 0 : 1));
  address.writeUInt16LE(linux.AF_UNIX, 0);
  name.copy(address, 2);
  return address;
}

function openSocket(path: string): number {
  const type = linux.SOCK_STREAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;
  return check(libc.socket(linux.AF_UNIX, type, 0) as number, 'socket', path);
}

/** The credentials of the process that connected. */
export function peerCredentials(fd: number): PeerCredentials {
  const memory = Buffer.alloc(12);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(memory.length, 0);
  const result = libc.getsockopt(fd, linux.SOL_SOCKET, linux.SO_PEERCRED, memory, length) as number;
  check(result, 'getsockopt SO_PEERCRED', `descriptor ${fd}`);
  return { pid: memory.readInt32LE(0), uid: memory.readUInt32LE(4), gid: memory.readUInt32LE(8) };
}

export class UnixListener implements Disposable {
  readonly path: string;
  readonly #fd: number;
  readonly #watch: FdWatch;
  #closed = false;

  /**
   * Listens. A path must be free.
   *
   * @param mode permission bits of the file, for example 0o666.
   * @param onConnection gets a non-blocking descriptor that it owns from then on.
   */
  constructor(path: string, mode: number, onConnection: (fd: number) => void) {
    this.path = path;
    this.#fd = openSocket(path);
    try {
      const address = unixAddress(path);
      check(libc.bind(this.#fd, address, address.length) as number, 'bind', path);
      if (!path.startsWith('@')) chmodSync(path, mode);
      check(libc.listen(this.#fd, backlog) as number, 'listen', path);
      this.#watch = new FdWatch(this.#fd, () => this.#accept(onConnection));
    } catch (error) {
      libc.close(this.#fd);
      throw error;
    }
    this.#watch.watch(true, false);
  }

  /** Listening alone is no reason for the program to stay. */
  unref(): void {
    this.#watch.unref();
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch[Symbol.dispose]();
    libc.close(this.#fd);
    if (!this.path.startsWith('@')) rmSync(this.path, { force: true });
  }

  #accept(onConnection: (fd: number) => void): void {
    for (;;) {
      const fd = libc.accept4(this.#fd, null, null, linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC) as number;
      if (fd < 0) {
        if (lastErrno() === linux.EAGAIN || lastErrno() === linux.EINTR) return;
        // Out of descriptors: who waits in the queue would wake this process without end.
        this.#watch.watch(false, false);
        setTimeout(() => this.#watch.watch(true, false), acceptPauseMs).unref();
        return;
      }
      onConnection(fd);
      if (this.#closed) return;
    }
  }
}

/**
 * Connects to a listening socket of this node; that never waits.
 *
 * @throws KernelError ECONNREFUSED or ENOENT when nobody listens, EAGAIN when its queue is full.
 */
export function connectUnix(path: string): number {
  const fd = openSocket(path);
  const address = unixAddress(path);
  if ((libc.connect(fd, address, address.length) as number) < 0) {
    const errno = lastErrno();
    libc.close(fd);
    throw new KernelError('connect', path, errno);
  }
  return fd;
}

/** What a read or write of a stream came to: a count of bytes, or one of these. */
export const streamWouldBlock = -1;
export const streamEnded = -2;

/** A connected stream socket over raw memory. */
export class UnixStream implements Disposable {
  readonly #fd: number;
  readonly #watch: FdWatch;
  #blocking = false;
  #patienceMs = 0;
  #closed = false;

  constructor(fd: number, onReadable: () => void, onWritable: () => void) {
    this.#fd = fd;
    askForQueue(fd, 'send', queueBytes);
    this.#watch = new FdWatch(fd, onReadable, onWritable);
  }

  /** What to be told of. */
  watch(readable: boolean, writable: boolean): void {
    this.#watch.watch(readable, writable);
  }

  get watchesReadable(): boolean {
    return this.#watch.readable;
  }

  get watchesWritable(): boolean {
    return this.#watch.writable;
  }

  /** Reads up to `bytes` to an address; the count, `streamWouldBlock`, or `streamEnded`. */
  read(address: number, bytes: number): number {
    const count = libc.recv(this.#fd, address, bytes, linux.MSG_DONTWAIT) as number;
    if (count > 0) return count;
    if (count === 0) return streamEnded;
    return this.#failed();
  }

  /** Writes up to `bytes` from an address; the count, `streamWouldBlock`, or `streamEnded`. */
  write(address: number, bytes: number): number {
    const count = libc.send(this.#fd, address, bytes, linux.MSG_DONTWAIT | linux.MSG_NOSIGNAL) as number;
    return count >= 0 ? count : this.#failed();
  }

  /** Writes up to all pieces of a vector, as `write` does. */
  writeVector(vector: IoVector): number {
    const count = libc.writev(this.#fd, vector.address, vector.length) as number;
    return count >= 0 ? count : this.#failed();
  }

  /** Reads as `read` does, but stops this thread until something comes or about `patienceMs` have passed. */
  readBlocking(address: number, bytes: number, patienceMs: number): number {
    if (!this.#blocking) this.#makeBlocking();
    this.#setPatience(Math.max(1, Math.ceil(patienceMs)));
    const count = libc.recv(this.#fd, address, bytes, 0) as number;
    if (count > 0) return count;
    if (count === 0) return streamEnded;
    return this.#failed();
  }

  get closed(): boolean {
    return this.#closed;
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch[Symbol.dispose]();
    libc.close(this.#fd);
  }

  /** All other calls say themselves that they do not wait. */
  #makeBlocking(): void {
    const flags = libc.fcntl(this.#fd, linux.F_GETFL, 0) as number;
    libc.fcntl(this.#fd, linux.F_SETFL, flags & ~linux.O_NONBLOCK);
    this.#blocking = true;
  }

  /** The kernel keeps it for all reads to come. */
  #setPatience(ms: number): void {
    if (ms === this.#patienceMs) return;
    this.#patienceMs = ms;
    const time = Buffer.alloc(16);
    time.writeUInt32LE(Math.floor(ms / 1000), 0);
    time.writeUInt32LE((ms % 1000) * 1000, 8);
    libc.setsockopt(this.#fd, linux.SOL_SOCKET, linux.SO_RCVTIMEO, time, time.length);
  }

  #failed(): number {
    const errno = lastErrno();
    return errno === linux.EAGAIN || errno === linux.EINTR ? streamWouldBlock : streamEnded;
  }
}

/** A buffer the kernel reads from or writes to, with its address. */
export class StreamBuffer {
  readonly memory: Buffer;
  readonly view: DataView;
  readonly address: number;

  constructor(bytes: number) {
    this.memory = Buffer.allocUnsafeSlow(bytes);
    this.view = new DataView(this.memory.buffer);
    this.address = addressOf(this.memory);
  }
}
