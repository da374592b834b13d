/** Two connected Unix stream sockets, as the data path uses them, both in this process. */
import { randomBytes } from 'node:crypto';
import { connectUnix, UnixListener, UnixStream } from '../../runtime/lib/os/unix-socket.ts';

/** A fresh path in the abstract namespace: it leaves no file. */
export function abstractPath(): string {
  return `@o7s-test-${process.pid}-${randomBytes(8).toString('hex')}`;
}

/** Two descriptors of one connection. The caller owns both. */
export function connectedPair(): Promise<readonly [accepted: number, connected: number]> {
  return new Promise((resolve, reject) => {
    let own = -1;
    const listener = new UnixListener(abstractPath(), 0o600, (fd) => {
      listener[Symbol.dispose]();
      resolve([fd, own]);
    });
    try {
      own = connectUnix(listener.path);
    } catch (error) {
      listener[Symbol.dispose]();
      reject(error as Error);
    }
  });
}

const ignore = (): void => {};

/** A stream without callbacks, for tests that read and write by themselves. */
export function quietStream(fd: number): UnixStream {
  return new UnixStream(fd, ignore, ignore);
}
