/** One change of a link at a time, whichever process of this machine makes it. */
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { TestbedError } from '../errors.ts';
import { underWayMsMax } from '../model/impairment.ts';
import { poll } from '../poll.ts';

/** How long the change before may take, in milliseconds: it waits for what is under way. */
const lockMs = underWayMsMax + 60_000;

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
  // The kernel takes an abstract socket back with the process that has it: no lock outlives its holder.
  const id = createHash('sha256').update([process.getuid?.(), lab.testbed, lab.name, link].join('\0'));
  const path = `\0o7s-link-${id.digest('hex').slice(0, 32)}`;
  const what = `the change of link ${link} that another command makes`;
  const lock = await poll(async () => await tryListen(path, link), { what, deadlineMs: lockMs, signal });
  try {
    return await work();
  } finally {
    await new Promise((resolve) => lock.close(resolve));
  }
}

/** Undefined where another has it. */
async function tryListen(path: string, link: string): Promise<Server | undefined> {
  return await new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(new TestbedError('EFAILED', `cannot lock link ${link}: ${error.message}`));
    });
    server.listen(path, () => resolve(server));
  });
}
