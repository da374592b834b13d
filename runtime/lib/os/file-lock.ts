/** Locks of files, which the kernel gives back when their holder ends, however it ends. */
import { lastErrno, KernelError, libc, linux } from './libc.ts';

/** Takes the lock of an open file for this process alone; false when another holds it. */
export function tryLockFile(fd: number, subject: string): boolean {
  if ((libc.flock(fd, linux.LOCK_EX | linux.LOCK_NB) as number) === 0) return true;
  const errno = lastErrno();
  if (errno === linux.EAGAIN) return false;
  throw new KernelError('flock', subject, errno);
}
