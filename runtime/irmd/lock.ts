/** One irmd a run directory. Source: irmd-and-irm.md 1.2. */
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { startTicks } from './process-age.ts';

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

/** Takes the lock of a run directory, which is made when it is missing. */
export function takeLock(directory: string): Lock {
  // Not with its parents: Node would look for those without end where none can be made, as below /proc.
  if (!existsSync(directory)) mkdirSync(directory);
  const file = `${directory}/irmd.lock`;
  const own = `${process.pid} ${startTicks(process.pid) ?? ''}`;
  const draft = `${file}.${process.pid}`;
  let cleaned = false;
  for (;;) {
    try {
      // Linked when it is written: nobody can see a lock without its owner.
      writeFileSync(draft, own, { mode: 0o644 });
      linkSync(draft, file);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(draft, { force: true });
    }
    const [pid = '', since = ''] = readFileSync(file, 'utf8').split(' ');
    if (since !== '' && startTicks(Number(pid)) === Number(since)) throw new AlreadyRunning(Number(pid));
    for (const name of readdirSync(directory))
      if (leftovers.test(name)) rmSync(`${directory}/${name}`, { force: true });
    rmSync(file, { force: true });
    cleaned = true;
  }
  return { cleaned, release: () => rmSync(file, { force: true }) };
}
