/** irm: manages the node's irmd from the command line. Source: irmd-and-irm.md 11. */
import { IrmClient, type O7sError } from '../../lib/index.ts';
import { complain, print, printError } from '../terminal.ts';
import { run, takeJson } from './irm.ts';

process.title = 'irm';
const { json, words } = takeJson(process.argv.slice(2));
let client: Promise<IrmClient> | undefined;
void run(
  words,
  {
    json,
    // A script that asked for JSON reads nothing else there.
    out: json ? printError : print,
    explain: ({ code, errno, message, hint }: O7sError) => {
      if (json) print(`${JSON.stringify({ error: { code, errno: -errno, message, hint } })}\n`);
      else complain(`irm: ${message}${hint === undefined ? '' : `; ${hint}`}`);
    },
    note: (text) => complain(`irm: ${text}`),
    result: (value) => {
      if (json) print(`${JSON.stringify(value)}\n`);
    },
    irmd: () => (client ??= IrmClient.connect()),
  },
  printError,
).then((status) => process.exit(status));
