/** One at a time, whichever process of this machine it is. */
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { TestbedError } from '../errors.ts';
import { poll } from '../poll.ts';

/** How long the one before may take, in milliseconds: it waits for what is under way. */
const lockMs = 60_000;

/**
 * Does what changes a link when no other change of it is under way.
 * Rejects with ETIMEDOUT after 60 s, with EFAILED where the lock cannot be had, and with the signal's reason.
 */
export async function alone<T>(
  lab: { readonly testbed: string; readonly name: string },
  link: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  await using _lock = await lock(
    {
      of: ['link', lab.testbed, lab.name, link],
      what: `link ${link}`,
      other: `the change of link ${link} that another command makes`,
    },
    signal,
  );
  return await work();
}

/** Writes into a folder when no other command does; as `alone`. */
export async function lockFolder(folder: string, signal: AbortSignal): Promise<AsyncDisposable> {
  const other = `another command that writes into ${folder}`;
  return await lock({ of: ['folder', folder], what: `folder ${folder}`, other }, signal);
}

async function lock(
  { of, what, other }: { of: readonly string[]; what: string; other: string },
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  // The kernel takes an abstract socket back with the process that has it: no lock outlives its holder.
  const id = createHash('sha256').update([process.getuid?.(), ...of].join('\0'));
  const path = `\0o7s-${of[0]}-${id.digest('hex').slice(0, 32)}`;
  const server = await poll(async () => await tryListen(path, what), {
    what: other,
    deadlineMs: lockMs,
    signal,
  });
  return {
    [Symbol.asyncDispose]: async () =>
      await new Promise<void>((resolve) => void server.close(() => resolve())),
  };
}

/** Undefined where another has it. */
async function tryListen(path: string, what: string): Promise<Server | undefined> {
  return await new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(new TestbedError('EFAILED', `cannot lock ${what}: ${error.message}`));
    });
    server.listen(path, () => resolve(server));
  });
}
