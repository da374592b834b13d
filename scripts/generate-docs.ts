/** Writes the pages of docs/ that are made from schemas, the command line, error messages and doc comments. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { referencePages } from './api-reference.ts';
import { commandPages } from './command-pages.ts';
import { messagesPage } from './messages-page.ts';
import { eventsPage, rpcPage } from './schema-pages.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const commands = [...(await commandPages())].map(([file, text]) => [`docs/commands/${file}`, text] as const);
const pages = [
  ['docs/events.md', eventsPage()],
  ['docs/rpc.md', rpcPage()],
  ['docs/messages.md', messagesPage()],
  ...referencePages(),
  ...commands,
] as const;
rmSync(`${root}docs/commands`, { recursive: true, force: true });
mkdirSync(`${root}docs/commands`);
for (const [path, text] of pages) writeFileSync(`${root}${path}`, text);
execFileSync(
  `${root}node_modules/.bin/oxfmt`,
  pages.map(([path]) => path),
  { cwd: root, stdio: 'inherit' },
);
