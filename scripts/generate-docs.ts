/** Writes the pages of docs/ that are made from schemas. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eventsPage, rpcPage } from './pages.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const pages = { 'docs/events.md': eventsPage(), 'docs/rpc.md': rpcPage() };
for (const [path, text] of Object.entries(pages)) writeFileSync(`${root}${path}`, text);
execFileSync(`${root}node_modules/.bin/oxfmt`, Object.keys(pages), { cwd: root, stdio: 'inherit' });
