/** One irmd a run directory. Source: irmd-and-irm.md 1.2. */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tryLockFile } from '../lib/os/file-lock.ts';

export interface Lock {
  /** What an irmd that did not end in order left behind was removed. */
  readonly cleaned: boolean;
  /** Gives the directory free. */
  release(): void;
}

/** The pid of the irmd that runs already. */
export class AlreadyRunning extends Error {
  readonly pid: number;

  constructor(pid: number) {
    super(`IRMd already running (${pid}), exiting.`);
    this.pid = pid;
  }
}

const leftovers = /^(irmd|irm|ipcpd-\d+)\.sock$/;
const ownerBytesMax = 32;
/** How long who has just taken the lock may need to write its pid, ms, and how often it is looked for. */
const ownerMs = 1000;
const ownerPollMs = 10;

/**
 * Takes the lock of a run directory, which is made when it is missing. The lock is the kernel's, of the file
 * `irmd.lock`: of several that find it left over one gets it. The file holds the pid.
 *
 * @throws AlreadyRunning when another holds it, and what the file system throws.
 */
export function takeLock(directory: string): Lock {
  // Not with its parents: Node would look for those without end where none can be made, as below /proc.
  if (!existsSync(directory)) mkdirSync(directory);
  const file = `${directory}/irmd.lock`;
  for (;;) {
    const fd = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o644);
    try {
      if (!tryLockFile(fd, file)) throw new AlreadyRunning(awaitOwner(fd));
      // Whoever held it may have removed it before it let go: then the file here is another one.
      if (!isAt(fd, file)) {
        closeSync(fd);
        continue;
      }
      const hadOwner = ownerIn(fd) !== '';
      const left = readdirSync(directory).filter((name) => leftovers.test(name));
      for (const name of left) rmSync(`${directory}/${name}`, { force: true });
      ftruncateSync(fd);
      writeSync(fd, String(process.pid), 0);
      return { cleaned: hadOwner || left.length > 0, release: () => release(fd, file) };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }
}

function release(fd: number, file: string): void {
  // Before it is given back: after that it may be another's.
  rmSync(file, { force: true });
  closeSync(fd);
}

function isAt(fd: number, file: string): boolean {
  const there = statSync(file, { throwIfNoEntry: false });
  const own = fstatSync(fd);
  return there !== undefined && there.ino === own.ino && there.dev === own.dev;
}

function ownerIn(fd: number): string {
  const bytes = Buffer.alloc(ownerBytesMax);
  return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0));
}

/** The pid of the holder, which writes it as soon as it has the lock; 0 when it does not. */
function awaitOwner(fd: number): number {
  const pause = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  for (let waited = 0; waited < ownerMs; waited += ownerPollMs) {
    const owner = Number.parseInt(ownerIn(fd), 10);
    // What is there at first may be of the one before.
    if (owner > 0 && existsSync(`/proc/${owner}`)) return owner;
    Atomics.wait(pause, 0, 0, ownerPollMs);
  }
  return 0;
}
