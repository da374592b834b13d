/**
 * Starts a program that lies beside this one: `node start.cjs PROGRAM [ARGUMENT...]`. What V8 compiles of it is kept for
 * its next start, which takes a third less of a processor then; where nothing can be kept, it starts as ever.
 */
import { existsSync, mkdirSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** A daemon has started after that, ms. */
const startedMs = 2000;

/** The folder of caches, which is made; undefined where there can be none. */
function cacheFolder(): string | undefined {
  const caches = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const own = join(caches, 'o7s-testbed');
  // Node would try for ever to make one below a folder that cannot be, such as a link to nowhere.
  for (const folder of existsSync(own) ? [] : [caches, own]) {
    try {
      mkdirSync(folder);
    } catch {
      // It is there, or none can be.
    }
  }
  return existsSync(own) ? own : undefined;
}

const [, start = '', name = ''] = process.argv;
// Node itself takes the folder of this variable.
const folder = process.env['NODE_COMPILE_CACHE'] ? undefined : cacheFolder();
if (folder !== undefined) module.enableCompileCache(folder);
// Node writes as it exits, which a daemon may never do: a lab that is taken down kills it.
setTimeout(() => module.flushCompileCache(), startedMs).unref();
const program = join(dirname(start), `${name}.cjs`);
// To the program it is as if it had been started by itself.
process.argv.splice(1, 2, program);
createRequire(start)(program);
