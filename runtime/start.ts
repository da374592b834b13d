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
import { dirname, isAbsolute, join } from 'node:path';
import { constants, Script } from 'node:vm';

/** Of all programs that were built together. */
declare const O7S_BUILD: string;

/** A daemon has started after that, ms. It cannot wait for its end: a lab that is taken down kills it. */
const startedMs = 2000;
/** By then, or by twice that, it has done most of what it ever does, ms. Not all of a lab at once. */
const knownMs = 15_000;
/** Looks at whether a run compiled more than is kept, one after another and in vain, after which only one run of so many looks. */
const looksMax = 8;
const looksOnceIn = 16;
/** How much more that has to be. */
const worthwhile = 1.1;
/** Of a file with what was compiled. */
const suffix = '.code';
/** A draft that is older was left, ms. */
const draftMs = 60_000;
/** Versions of a program that are kept. */
const versionsMax = 4;

/** The folder of caches, which is made; undefined where there can be none. */
function cacheFolder(): string | undefined {
  if (process.env['NODE_DISABLE_COMPILE_CACHE']) return undefined;
  const asked = process.env['NODE_COMPILE_CACHE'];
  const wanted = asked ? [asked] : defaultFolders();
  const own = wanted.at(-1) ?? '';
  // One by one: Node tries for ever to make a path below a folder that cannot be, such as a link to nowhere.
  for (const folder of existsSync(own) ? [] : wanted) {
    try {
      mkdirSync(folder);
    } catch {
      // It is there, or none can be.
    }
  }
  return existsSync(own) ? own : undefined;
}

/** The folder that is used unless another is asked for, behind the one it lies in. */
function defaultFolders(): string[] {
  try {
    const caches = process.env['XDG_CACHE_HOME'] || join(process.env['HOME'] || homedir(), '.cache');
    return isAbsolute(caches) ? [caches, join(caches, 'o7s-testbed')] : [];
  } catch {
    // A user of whom nothing is known.
    return [];
  }
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

  /** V8 runs what it is given: it has to be this user's or root's, and nobody else may write it. */
  read(): Buffer | undefined {
    let fd;
    try {
      fd = openSync(this.#file, 'r');
      const { uid, mode } = fstatSync(fd);
      const isTrusted = (uid === 0 || uid === process.geteuid?.()) && (mode & 0o022) === 0;
      return isTrusted ? readFileSync(fd).subarray(0, -1) : undefined;
    } catch {
      return undefined;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
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
      const fd = openSync(draft, 'wx', 0o644);
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

  /** Versions beyond those that are kept, and drafts of programs that were killed. */
  #removeOld(): void {
    const files = readdirSync(this.#folder)
      .filter((file) => file.startsWith(`${this.#name}-`) && file.includes(suffix))
      .map((file) => join(this.#folder, file))
      .map((file) => ({ file, modifiedMs: statSync(file).mtimeMs }))
      .toSorted((one, other) => other.modifiedMs - one.modifiedMs);
    const versions = files.filter(({ file }) => file.endsWith(suffix));
    const drafts = files.filter(({ file }) => !file.endsWith(suffix));
    const left = drafts.filter(({ modifiedMs }) => modifiedMs < Date.now() - draftMs);
    for (const { file } of [...versions.slice(versionsMax), ...left]) this.#remove(file);
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
if (kept !== undefined) {
  let isFirst = !isTaken;
  let hasLooked = false;
  /** Keeps what there is when nothing is kept. */
  const keep = (): void => {
    if (isFirst && (script.cachedDataRejected === true || kept.read() === undefined))
      kept.keep(script.createCachedData());
    isFirst = false;
  };
  /** The run that kept something may have been one that did next to nothing. */
  const look = (): void => {
    if (!hasLooked) kept.look(() => script.createCachedData());
    hasLooked = true;
  };
  process.on('exit', () => (isFirst ? keep() : look()));
  if (isFirst) setTimeout(keep, startedMs).unref();
  // What the image brings is each container's own: it would find the same again and again.
  const known = knownMs * (1 + Math.random());
  if (!process.env['NODE_COMPILE_CACHE']) setTimeout(look, known).unref();
}
const module = { exports: {}, id: '.', filename: program, loaded: false };
(script.runInThisContext() as (...given: unknown[]) => void).call(
  module.exports,
  module.exports,
  createRequire(program),
  module,
  program,
  dirname(program),
);
