/** The logs of a node, as files that this process sees. */
import { readdirSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { logChunkBytes } from './logs.ts';
import type { LogFile } from './testbed.ts';

export function listLogs(folder: string): LogFile[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .map((name) => {
      const { size, mtimeMs } = statSync(`${folder}/${name}`);
      return { name: name.slice(0, -'.log'.length), bytes: size, modifiedAt: Math.round(mtimeMs) };
    });
}

/** A part of a log from a byte on; empty at its end. */
export async function readLog(folder: string, name: string, from: number): Promise<Buffer> {
  await using file = await open(`${folder}/${name}.log`);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(logChunkBytes), 0, logChunkBytes, from);
  return buffer.subarray(0, bytesRead);
}
