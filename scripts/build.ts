/**
 * Builds what runs: every daemon and tool as one bundle under `dist/bundle`, a starter for each under
 * `dist/bin`, and their manual under `dist/man`. With `--package`, also the library and the orchestrator as plain JavaScript with
 * types, which is what `npm pack` ships.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions } from 'esbuild';
import { writeManual } from './man/pages.ts';
import { onFirstUse } from './on-first-use.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const programs = {
  irmd: 'runtime/irmd/main.ts',
  ipcpd: 'runtime/ipcpd/main.ts',
  irm: 'runtime/tools/irm/main.ts',
  oping: 'runtime/tools/oping/main.ts',
  oecho: 'runtime/tools/oecho/main.ts',
  operf: 'runtime/tools/operf/main.ts',
  ocbr: 'runtime/tools/ocbr/main.ts',
  obc: 'runtime/tools/obc/main.ts',
  ovpn: 'runtime/tools/ovpn/main.ts',
  onc: 'runtime/tools/onc/main.ts',
};

// The starter finds the Node that npm pinned, and falls back to the one in PATH (an image has only that).
const starter = (name: string): string => `#!/bin/sh
self=$0
[ ! -L "$self" ] || self=$(readlink -f "$self")
case $self in */*) ;; *) self=./$self ;; esac
here=\${self%/*}
node=$here/../../node_modules/.bin/node
[ -x "$node" ] || node=$here/../../../.bin/node
[ -x "$node" ] || node=node
exec "$node" "$here/../bundle/start.cjs" ${name} "$@"
`;

// Pings for storyboards; on the path of nodes, for the testbed.
const probes = { 'story-ping': 'rumba/storyboard/probe/main.ts' };

// Run in a lab, never by hand: they have no starters.
const agents = {
  'lab-agent': 'rumba/testbeds/docker/agent/main.ts',
  capture: 'rumba/capture/main.ts',
  wire: 'rumba/wire/main.ts',
};

const packaging = process.argv.includes('--package');
if (packaging) rmSync(`${root}dist`, { recursive: true, force: true });
mkdirSync(`${root}dist/bin`, { recursive: true });

const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string };
const shared = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node24',
  legalComments: 'none',
  logLevel: 'warning',
} as const;
const bundles = {
  ...shared,
  outdir: 'dist/bundle',
  // The older module form starts sooner: Node's own modules load no part of themselves that is not asked for.
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
  define: { O7S_VERSION: JSON.stringify(version), 'import.meta.url': 'bundleUrl' },
  plugins: [onFirstUse],
} satisfies BuildOptions;
const entryPoints = { ...programs, ...probes, ...agents };
await build({ ...bundles, entryPoints });
// What is kept of a build's programs between their starts is of that build alone.
const contents = createHash('sha256');
for (const name of Object.keys(entryPoints)) contents.update(readFileSync(`${root}dist/bundle/${name}.cjs`));
const buildId = contents.digest('hex').slice(0, 16);
await build({
  ...bundles,
  entryPoints: { start: 'runtime/start.ts' },
  define: { ...bundles.define, O7S_BUILD: JSON.stringify(buildId) },
});
// No node needs the view: it stays out of their image.
await build({
  ...shared,
  entryPoints: { main: 'tui/main.tsx' },
  outdir: 'dist/view',
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  // Packages of the older module form ask for Node's own modules by `require`.
  banner: {
    js: "import { createRequire } from 'node:module';const require = createRequire(import.meta.url);",
  },
  jsx: 'automatic',
  minifySyntax: true,
  define: { 'process.env.NODE_ENV': '"production"' },
  // ink's own debugger wants a package that is not there.
  plugins: [
    {
      name: 'without-devtools',
      setup: (plugged) => plugged.onLoad({ filter: /\/ink\/build\/devtools\.js$/ }, () => ({ contents: '' })),
    },
  ],
});
// What other languages use it by goes where packages and images take it from.
mkdirSync(`${root}dist/python3`, { recursive: true });
copyFileSync(`${root}runtime/bindings/python3/ouroboros.py`, `${root}dist/python3/ouroboros.py`);
for (const name of Object.keys({ ...programs, ...probes })) {
  writeFileSync(`${root}dist/bin/${name}`, starter(name));
  chmodSync(`${root}dist/bin/${name}`, 0o755);
}
await writeManual(`${root}dist/man`, version);
if (packaging) {
  execFileSync(`${root}node_modules/.bin/tsc`, ['-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
}
