/** What every tool does: it announces itself, prints the texts of the manual, and ends with its status. */
import { writeSync } from 'node:fs';
import { announce, type O7sError } from '../lib/index.ts';

/** Writes to standard output, at once. */
export function print(text: string): void {
  try {
    writeSync(1, text);
  } catch (error) {
    // Whoever read the output has gone: nobody waits for the rest.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(0);
    throw error;
  }
}

/** Says on standard error why something failed, in words the manual has none for. */
export function explain(tool: string, error: O7sError): void {
  writeSync(2, `${tool}: ${error.message}${error.hint === undefined ? '' : `; ${error.hint}`}\n`);
}

/** Makes the tool known to irmd; false, with the manual's words, when there is none. */
export async function announceTool(tool: string): Promise<boolean> {
  try {
    await announce();
    return true;
  } catch (error) {
    writeSync(2, 'FATAL: Could not announce to IRMd.\n');
    explain(tool, error as O7sError);
    return false;
  }
}
