#!/usr/bin/env node
// Starts the command line with a Node that can run it. Plain JavaScript that an old Node understands.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { constants, homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const major = Number(process.versions.node.split('.', 1)[0]);
/** Set in the process that this file starts itself. */
const launched = 'O7S_TESTBED_LAUNCHED';
if (major >= 24) {
  followLauncher();
  if (!process.env.NODE_COMPILE_CACHE) keepCompiled();
  const source = new URL('../rumba/cli/main.ts', import.meta.url);
  await import(
    existsSync(fileURLToPath(source))
      ? source.href
      : new URL('../dist/rumba/cli/main.js', import.meta.url).href
  );
} else {
  restart();
}

/** Keeps what is compiled for the next start, where there can be a folder for it. */
function keepCompiled() {
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const own = join(caches, 'o7s-testbed');
  // Node would try for ever to make one below a folder that cannot be, such as a link to nowhere.
  for (const folder of existsSync(own) ? [] : [caches, own]) {
    try {
      mkdirSync(folder);
    } catch {
      // It is there, or none can be.
    }
  }
  if (existsSync(own)) module.enableCompileCache(own);
}

/** Ends this process at once when the one that stands for it was killed: whoever killed it meant this one. */
function followLauncher() {
  const isLaunched = process.env[launched] !== undefined && process.channel;
  delete process.env[launched];
  if (!isLaunched) return;
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.channel.unref();
}

/** Runs this file again with the Node that npm installed beside us, as if it were this process. */
function restart() {
  const node = pinnedNode();
  if (node === undefined) {
    process.stderr.write(
      `o7s-testbed: needs Node 24 or later, this is ${process.versions.node}; run npm install without --omit=optional, or install Node 24\n`,
    );
    process.exit(3);
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    // The channel closes with this process, however it ends.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [launched]: '1' },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // A terminal signals its whole foreground process group: the child has it already.
      if (signal === 'SIGTERM' || !isForeground()) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`o7s-testbed: cannot start ${node}: ${error.message}\n`);
    process.exit(3);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function pinnedNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve(`node-linux-${process.arch}/package.json`);
    const node = join(dirname(manifest), 'bin', 'node');
    return existsSync(node) ? node : undefined;
  } catch {
    return undefined;
  }
}

function isForeground() {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[2] === fields[5];
}
