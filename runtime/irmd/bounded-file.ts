/** Files that others wrote, read no further than they may be long. Edge. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Read beyond the length that a file says it has. */
const pieceBytes = 4096;

/**
 * The bytes of a file, or why they cannot be used: what is no file, such as a device or a pipe, may have no end.
 *
 * @throws what `open` and `read` of the system throw.
 */
export function readBounded(path: string, bytesMax: number): Buffer | 'not a file' | 'too long' {
  // A pipe without a writer would be waited for.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return 'not a file';
    if (stat.size > bytesMax) return 'too long';
    // It may grow meanwhile, and files of the kernel do not say how long they are.
    const pieces: Buffer[] = [];
    let length = 0;
    for (;;) {
      const piece = Buffer.alloc(Math.max(stat.size - length, 0) + pieceBytes);
      const read = readSync(fd, piece, 0, piece.length, null);
      if (read === 0) return Buffer.concat(pieces);
      pieces.push(piece.subarray(0, read));
      length += read;
      if (length > bytesMax) return 'too long';
    }
  } finally {
    closeSync(fd);
  }
}
