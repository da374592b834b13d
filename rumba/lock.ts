/** What only one process of a user does at a time on this machine: changing a lab or a link, building an image. */
import { createHash } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';
import { abortable } from './abortable.ts';
import { TestbedError } from './errors.ts';
import { underWayMsMax } from './model/impairment.ts';
import { poll } from './poll.ts';

/** How long the change of a link before may take, in milliseconds: it waits for what is under way. */
const linkMs = underWayMsMax + 60_000;

/** How long the change of a lab before may take, in milliseconds: it may bring hundreds of nodes up. */
const labMs = 1_800_000;

/** How long another run may take to leave its folder, in milliseconds: it takes its lab down. */
const folderMs = 120_000;

/** How long who has a lock may take to say so, in milliseconds, and with how many characters. */
const answerMs = 1_000;
const answerMax = 200;

export interface LabLockOptions {
  readonly signal: AbortSignal;
  /** What this process is, for those that wait for it, such as `"o7s-testbed up"`. */
  readonly holder: string;
  /** Called once, where another has the lock, with who that is, in words. */
  readonly onWait: (holder: string) => void;
}

/**
 * The right to change the lab of a name, until it is disposed of. What was read of the lab before is to be read again.
 * Rejects with ETIMEDOUT after half an hour, with EFAILED where the lock cannot be had, and with the signal's reason.
 */
export async function lockLab(
  name: string,
  { signal, holder, onWait }: LabLockOptions,
): Promise<AsyncDisposable> {
  const what = `lab ${name}`;
  return await lock(['lab', name], { what, deadlineMs: labMs, signal, holder, onWait });
}

/** Waits until nobody changes the lab of a name; gives up after `deadlineMs`. */
export async function labUnlocked(name: string, deadlineMs: number): Promise<void> {
  const options = { what: `lab ${name}`, deadlineMs, signal: new AbortController().signal };
  try {
    await using _lock = await lock(['lab', name], { ...options, holder: '', onWait: () => {} });
  } catch (error) {
    if (!(error instanceof TestbedError) || error.code !== 'ETIMEDOUT') throw error;
  }
}

/** The right to build images for nodes on a Docker engine, until it is disposed of; rejects as `lockLab` does. */
export async function lockImages(engine: string, signal: AbortSignal): Promise<AsyncDisposable> {
  const options = {
    what: `the images of ${engine}`,
    deadlineMs: labMs,
    signal,
    holder: '',
    onWait: () => {},
  };
  return await lock(['images', engine], options);
}

/** The right to write the results of runs into a folder, until it is disposed of; rejects as `lockLab` does. */
export async function lockFolder(folder: string, options: LabLockOptions): Promise<AsyncDisposable> {
  return await lock(['folder', folder], { ...options, what: `folder ${folder}`, deadlineMs: folderMs });
}

/**
 * Does what changes a link when no other change of it is under way.
 * Rejects with ETIMEDOUT after 3 min, with EFAILED where the lock cannot be had, and with the signal's reason.
 */
export async function alone<T>(
  lab: { readonly testbed: string; readonly name: string },
  link: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const options = { what: `link ${link}`, deadlineMs: linkMs, signal, holder: '', onWait: () => {} };
  await using _lock = await lock([lab.testbed, lab.name, link], options);
  return await work();
}

async function lock(
  key: readonly string[],
  { what, deadlineMs, signal, holder, onWait }: LabLockOptions & { what: string; deadlineMs: number },
): Promise<AsyncDisposable> {
  // The kernel takes an abstract socket back with the process that has it: no lock outlives its holder.
  const id = createHash('sha256').update([process.getuid?.(), ...key].join('\0'));
  const path = `\0o7s-lock-${id.digest('hex').slice(0, 32)}`;
  const words = `${holder || 'another command'} (process ${process.pid})`;
  signal.throwIfAborted();
  let server = await tryListen(path, words, what);
  if (server === undefined) {
    const other = (await abortable(holderAt(path), signal)) || 'another command';
    onWait(other);
    server = await poll(async () => await tryListen(path, words, what), {
      what: `${other}, which is changing ${what}`,
      deadlineMs,
      signal,
    });
  }
  const held = server;
  return { [Symbol.asyncDispose]: () => new Promise((resolve) => held.close(() => resolve())) };
}

/** Undefined where another has it. */
async function tryListen(path: string, words: string, what: string): Promise<Server | undefined> {
  return await new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      // One that does not take its leave must not keep the lock from being let go.
      socket.end(words, () => socket.destroy());
    });
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(new TestbedError('EFAILED', `cannot lock ${what}: ${error.message}`));
    });
    server.listen(path, () => resolve(server));
  });
}

/** Who has a lock, in the words of that process, which need not be one of ours; empty where it does not say. */
async function holderAt(path: string): Promise<string> {
  const socket = connect(path);
  const timer = setTimeout(() => socket.destroy(), answerMs);
  try {
    let said = '';
    for await (const chunk of socket) {
      said += String(chunk);
      if (said.length >= answerMax) break;
    }
    return said.slice(0, answerMax).replaceAll(/[^ -~]/g, '?');
  } catch {
    return '';
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
