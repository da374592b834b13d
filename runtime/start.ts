/**
 * Starts a program that lies beside this one: `node start.cjs PROGRAM [ARGUMENT...]`. What V8 compiled of it while it ran is kept, and
 * its next start compiles none of that again; where nothing can be kept, it starts as ever. Node's own cache of compiled modules
 * keeps only what V8 compiles before it runs a module: none of the functions that are called.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { constants, Script } from 'node:vm';

/** Of all programs that were built together. */
declare const O7S_BUILD: string;

/** A daemon has started after that, ms. It cannot wait for its end: a lab that is taken down kills it. */
const startedMs = 2000;
/** By then it has done most of what it ever does, ms. */
const knownMs = 15_000;
/** Looks at whether a run compiled more than is kept, one after another and in vain, after which only one run of so many looks. */
const looksMax = 8;
const looksOnceIn = 16;
/** How much more that has to be. */
const worthwhile = 1.1;
/** Of a file with what was compiled. */
const suffix = '.code';
/** Versions of a program that are kept. */
const versionsMax = 4;

/** The folder of caches, which is made; undefined where there can be none. */
function cacheFolder(): string | undefined {
  if (process.env['NODE_DISABLE_COMPILE_CACHE']) return undefined;
  const asked = process.env['NODE_COMPILE_CACHE'];
  const caches = process.env['XDG_CACHE_HOME'] || join(process.env['HOME'] || homedir(), '.cache');
  const own = asked || join(caches, 'o7s-testbed');
  // One by one: Node tries for ever to make a path below a folder that cannot be, such as a link to nowhere.
  for (const folder of existsSync(own) ? [] : asked ? [own] : [caches, own]) {
    try {
      mkdirSync(folder);
    } catch {
      // It is there, or none can be.
    }
  }
  return existsSync(own) ? own : undefined;
}

/** What is kept of a program. V8 tells only by its length whether it belongs to a source: the rest is in the name. */
class Kept {
  readonly #file: string;
  readonly #folder: string;
  readonly #name: string;

  constructor(folder: string, name: string, modifiedMs: number) {
    const version = [O7S_BUILD, Math.floor(modifiedMs / 1000), process.version, process.arch];
    this.#folder = folder;
    this.#name = name;
    this.#file = join(folder, `${name}-${version.join('-')}${suffix}`);
  }

  read(): Buffer | undefined {
    try {
      return readFileSync(this.#file).subarray(0, -1);
    } catch {
      return undefined;
    }
  }

  /** Whether it is by now, perhaps by another process. */
  get isThere(): boolean {
    return existsSync(this.#file);
  }

  /** Keeps what a program compiled when that is worthwhile. How often it was not is the last byte of the file. */
  look(compiled: () => Buffer): void {
    try {
      const fd = openSync(this.#file, 'r+');
      try {
        const { size } = fstatSync(fd);
        const looks = Buffer.alloc(1);
        readSync(fd, looks, 0, 1, size - 1);
        if ((looks[0] ?? 0) >= looksMax && Math.random() * looksOnceIn > 1) return;
        const data = compiled();
        if (data.length > worthwhile * size) return this.keep(data);
        looks[0] = Math.min((looks[0] ?? 0) + 1, looksMax);
        writeSync(fd, looks, 0, 1, size - 1);
      } finally {
        closeSync(fd);
      }
    } catch {
      // It is gone, or somebody else's.
    }
  }

  keep(data: Buffer): void {
    // Processes of nodes have the same numbers, and share the folder.
    const draft = `${this.#file}.${Math.random().toString(36).slice(2)}`;
    try {
      // V8 believes what it is given, so a file is whole or not there, also after a power failure.
      const fd = openSync(draft, 'wx', 0o600);
      try {
        writeFileSync(fd, data);
        writeSync(fd, Buffer.alloc(1));
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      renameSync(draft, this.#file);
      this.#removeOld();
    } catch {
      this.#remove(draft);
    }
  }

  #remove(file: string): void {
    try {
      rmSync(file, { force: true });
    } catch {
      // The program has given its rights up since it started, or the folder is another user's.
    }
  }

  #removeOld(): void {
    const isMine = (file: string): boolean => file.startsWith(`${this.#name}-`) && file.endsWith(suffix);
    const byAge = readdirSync(this.#folder)
      .filter(isMine)
      .map((file) => join(this.#folder, file))
      .toSorted((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
    for (const file of byAge.slice(versionsMax)) this.#remove(file);
  }
}

const [, start = '', name = ''] = process.argv;
const program = join(dirname(start), `${name}.cjs`);
// To the program it is as if it had been started by itself.
process.argv.splice(1, 2, program);

/** Loads the program as a module, with what was compiled, and says whether V8 took that. Nothing holds it afterwards. */
function load(): { script: Script; kept: Kept | undefined; isTaken: boolean } {
  const fd = openSync(program, 'r');
  const source = readFileSync(fd, 'utf8');
  const folder = cacheFolder();
  const kept = folder === undefined ? undefined : new Kept(folder, name, fstatSync(fd).mtimeMs);
  closeSync(fd);
  const cachedData = kept?.read();
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: program,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(cachedData !== undefined && { cachedData }),
  });
  return { script, kept, isTaken: script.cachedDataRejected === false };
}

const { script, kept, isTaken } = load();
if (kept !== undefined && !isTaken) {
  const isRejected = script.cachedDataRejected === true;
  const keepOnce = (): void => {
    process.off('exit', keepOnce);
    if (isRejected || !kept.isThere) kept.keep(script.createCachedData());
  };
  process.on('exit', keepOnce);
  setTimeout(keepOnce, startedMs).unref();
}
// The first run that kept something may have been one that did nothing. In a folder of one's own choice that is one's own affair: that of the
// image comes with each container anew.
if (kept !== undefined && !process.env['NODE_COMPILE_CACHE'])
  setTimeout(() => kept.look(() => script.createCachedData()), knownMs).unref();
const module = { exports: {}, id: '.', filename: program, loaded: false };
(script.runInThisContext() as (...given: unknown[]) => void).call(
  module.exports,
  module.exports,
  createRequire(program),
  module,
  program,
  dirname(program),
);
