/**
 * Gives back what a daemon needed to start. V8 collects as its heap grows, so a daemon that then only waits would keep
 * the garbage of its start, and the C library the memory of its compiler, for as long as it lives; a testbed runs two
 * daemons a node. A full collection takes some tens of ms, so it is done once, when nothing happens.
 */
import { trimAllocator } from './libc.ts';

/** A start, and the making of the network around it, is over after that, ms. */
const startMs = 20_000;
const lookEveryMs = 2000;
/** Processor time between two looks, us. The keepalives of a node's flows alone take up to half of it. */
const quietMicroseconds = 50_000;

/** What full collections are asked of; there only when Node runs with `--expose-gc`. */
type Collect = (options: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void;

/**
 * Gives spare memory back to the kernel, once, as soon as the process has started and is quiet. Does nothing where
 * Node runs without `--expose-gc`. Does not keep the process alive.
 *
 * @param isQuiet whether the process may stand still for a moment, beside having used little processor time.
 */
export function releaseWhenQuiet(
  isQuiet: () => boolean = () => true,
  collect: Collect | undefined = (globalThis as { gc?: Collect }).gc,
): void {
  if (collect === undefined) return;
  setTimeout(() => {
    let used = process.cpuUsage();
    const timer = setInterval(() => {
      const { user, system } = process.cpuUsage(used);
      used = process.cpuUsage();
      if (user + system > quietMicroseconds || !isQuiet()) return;
      clearInterval(timer);
      collect({ type: 'major', flavor: 'last-resort' });
      trimAllocator();
    }, lookEveryMs).unref();
  }, startMs).unref();
}
