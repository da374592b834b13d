/** Reads the logs of nodes. */
import { logLineText, parseLogLine } from '../log-lines.ts';
import type { LabNode } from './testbed.ts';

/** How much of a log is read at a time, in bytes. */
export const logChunkBytes = 256 * 1024;

/** The last lines of a log that are not blank; none where there is no such log. */
export async function lastLines(node: LabNode, log: string, count: number): Promise<string[]> {
  try {
    const file = (await node.logs()).find(({ name }) => name === log);
    if (file === undefined) return [];
    const text = (await node.readLog(log, Math.max(0, file.bytes - logChunkBytes))).toString('utf8');
    return text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-count)
      .map((line) => logLineText(parseLogLine(line)));
  } catch {
    return [];
  }
}
