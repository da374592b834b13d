/**
 * The stream of a container or a command without a terminal, as Docker's engine sends it: frames of eight bytes of header,
 * of which the first is 1 for standard output and 2 for standard error and the last four are the length, and the bytes.
 */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

const headerBytes = 8;

/**
 * Writes what comes to one of two streams, which are not ended, and reads no faster than they take it. Resolves at the end
 * of the source; rejects with its error. A target that is gone takes everything.
 */
export async function demultiplex(source: Readable, stdout: Writable, stderr: Writable): Promise<void> {
  let header = Buffer.alloc(0);
  let target = stdout;
  let left = 0;
  for await (const read of source) {
    for (let chunk = read as Buffer; chunk.length > 0;) {
      if (left === 0) {
        const missing = headerBytes - header.length;
        header = Buffer.concat([header, chunk.subarray(0, missing)]);
        chunk = chunk.subarray(missing);
        if (header.length < headerBytes) continue;
        target = header[0] === 2 ? stderr : stdout;
        left = header.readUInt32BE(4);
        header = Buffer.alloc(0);
        continue;
      }
      const part = chunk.subarray(0, left);
      chunk = chunk.subarray(part.length);
      left -= part.length;
      await write(target, part);
    }
  }
}

async function write(target: Writable, part: Buffer): Promise<void> {
  if (!target.writable || target.write(part) || target.destroyed) return;
  const done = new AbortController();
  const { signal } = done;
  try {
    await Promise.race([once(target, 'drain', { signal }), once(target, 'close', { signal })]);
  } catch {
    // It failed: who reads from it knows.
  } finally {
    done.abort();
  }
}
