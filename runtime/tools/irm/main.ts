/** irm: manages the node's irmd from the command line. Source: irmd-and-irm.md 11. */
import { writeSync } from 'node:fs';
import { IrmClient, type O7sError } from '../../lib/index.ts';
import { run, takeJson } from './irm.ts';

const [outFd, errorFd] = [1, 2];

/** Writes all of a text, however little a pipe takes at once. */
function write(fd: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(1);
      if (code !== 'EAGAIN') throw error;
    }
  }
}

process.title = 'irm';
const { json, words } = takeJson(process.argv.slice(2));
let client: Promise<IrmClient> | undefined;
void run(
  words,
  {
    json,
    // A script that asked for JSON reads nothing else there.
    out: (text) => write(json ? errorFd : outFd, text),
    explain: ({ code, errno, message, hint }: O7sError) => {
      if (json) write(outFd, `${JSON.stringify({ error: { code, errno: -errno, message, hint } })}\n`);
      else write(errorFd, `irm: ${message}${hint === undefined ? '' : `; ${hint}`}\n`);
    },
    note: (text) => write(errorFd, `irm: ${text}\n`),
    result: (value) => {
      if (json) write(outFd, `${JSON.stringify(value)}\n`);
    },
    irmd: () => (client ??= IrmClient.connect()),
  },
  (text) => write(errorFd, text),
).then((status) => process.exit(status));
