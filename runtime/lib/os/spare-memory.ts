/**
 * Gives back what a daemon needed to start. V8 collects as its heap grows, so a daemon that then only waits would keep
 * the garbage of its start, and the C library the memory of its compiler, for as long as it lives; a testbed runs two
 * daemons a node. A full collection takes some tens of ms, so it is done once, when nothing happens.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { trimAllocator } from './libc.ts';

/** A start, and the making of the network around it, is over after that, ms. */
const startMs = 20_000;
const lookEveryMs = 2000;
/** Processor time between two looks, us. The keepalives of a node's flows alone take up to half of it. */
const quietMicroseconds = 50_000;

/** A full collection. */
function collectAll(): void {
  // Only the flag gives the function. A Node that starts with it takes a third more of a processor, since it then uses
  // nothing of what was compiled when it was built; nor would the next start use what this process keeps compiled.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', flavor: 'last-resort' });
}

/**
 * Gives spare memory back to the kernel, once, as soon as the process has started and is quiet. Does not keep the
 * process alive.
 *
 * @param isQuiet whether the process may stand still for a moment, beside having used little processor time.
 */
export function releaseWhenQuiet(
  isQuiet: () => boolean = () => true,
  collect: () => void = collectAll,
): void {
  setTimeout(() => {
    let used = process.cpuUsage();
    const timer = setInterval(() => {
      const { user, system } = process.cpuUsage(used);
      used = process.cpuUsage();
      if (user + system > quietMicroseconds || !isQuiet()) return;
      clearInterval(timer);
      collect();
      trimAllocator();
    }, lookEveryMs).unref();
  }, startMs).unref();
}
