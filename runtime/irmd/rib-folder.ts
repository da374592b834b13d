/**
 * The tree of the RIB as files, written anew each second: for what polls the tree of the prototype. A file that changed
 * is put in the place of the old one at once, so that no reader sees half of it.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Logger } from '../lib/log.ts';
import type { RibFile } from '../lib/rpc/api.ts';

/** The mark of a folder that is irmd's to write and to empty. */
const markFile = '.o7s-rib';
const newFile = '.o7s-rib-new';
const renewMs = 1000;

/** Why a folder cannot be used. */
export class RibFolderFault extends Error {}

export class RibFolder {
  readonly #folder: string;
  readonly #read: () => Promise<readonly RibFile[]>;
  readonly #log: Logger;
  readonly #written = new Map<string, string>();
  readonly #folders = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #taken: Stats;
  #busy = false;
  #failed = false;

  /**
   * Takes a folder: one that is not there, is empty, or was a tree before.
   *
   * @throws RibFolderFault for any other.
   */
  constructor(folder: string, read: () => Promise<readonly RibFile[]>, log: Logger) {
    this.#folder = folder;
    this.#read = read;
    this.#log = log;
    this.#taken = take(folder);
    this.#timer = setInterval(() => void this.#renew(), renewMs);
    this.#timer.unref();
  }

  /** Takes everything away again. */
  close(): void {
    clearInterval(this.#timer);
    this.#busy = true;
    try {
      rmSync(this.#folder, { recursive: true, force: true });
    } catch (error) {
      this.#log.warn(`Cannot remove ${this.#folder}: ${(error as Error).message}.`);
    }
  }

  async #renew(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      this.#write(await this.#read());
      this.#failed = false;
    } catch (error) {
      // A disk that is full is so for a while: it is said once.
      if (!this.#failed) this.#log.warn(`Cannot write ${this.#folder}: ${(error as Error).message}.`);
      this.#failed = true;
    } finally {
      this.#busy = false;
    }
  }

  #write(files: readonly RibFile[]): void {
    this.#retake();
    const kept = new Set(files.map(({ path }) => path));
    for (const { path, text } of files) {
      // What cleans up old files may have taken one that has not changed for long.
      if (this.#written.get(path) === text && existsSync(join(this.#folder, path))) continue;
      this.#makeFolder(dirname(path));
      const place = join(this.#folder, newFile);
      writeFileSync(place, text, { mode: 0o644 });
      renameSync(place, join(this.#folder, path));
      this.#written.set(path, text);
    }
    for (const path of this.#written.keys()) {
      if (kept.has(path)) continue;
      rmSync(join(this.#folder, path), { force: true });
      this.#written.delete(path);
    }
    this.#removeEmpty(kept);
  }

  /** Takes the folder again where it is gone, or another than it was. */
  #retake(): void {
    const there = lstatSync(this.#folder, { throwIfNoEntry: false });
    if (there?.ino === this.#taken.ino && there.dev === this.#taken.dev) return;
    this.#written.clear();
    this.#folders.clear();
    this.#taken = take(this.#folder);
  }

  /** Makes a folder and those it is in, but for the first: where that was taken away, only one with a mark may come. */
  #makeFolder(path: string): void {
    if (path === '.') return;
    const place = join(this.#folder, path);
    this.#folders.add(path);
    this.#makeFolder(dirname(path));
    if (!existsSync(place)) mkdirSync(place, { mode: 0o755 });
  }

  #removeEmpty(kept: ReadonlySet<string>): void {
    const used = new Set<string>();
    for (const path of kept) for (let at = dirname(path); at !== '.'; at = dirname(at)) used.add(at);
    const unused = [...this.#folders].filter((path) => !used.has(path));
    // The deepest first.
    for (const path of unused.toSorted((a, b) => b.length - a.length)) {
      try {
        rmdirSync(join(this.#folder, path));
      } catch (error) {
        // Somebody has laid something into it: it is tried again.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') continue;
      }
      this.#folders.delete(path);
    }
  }
}

/** Makes a folder this irmd's, and empty. */
function take(folder: string): Stats {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    const found = lstatSync(folder);
    if (!found.isDirectory() || found.uid !== process.getuid?.()) {
      throw new RibFolderFault(`${folder} is not a folder of this user`);
    }
    const entries = readdirSync(folder);
    if (entries.length > 0 && !entries.includes(markFile)) {
      throw new RibFolderFault(`${folder} is not empty: name a folder that is, or one that is not there`);
    }
    for (const entry of entries) rmSync(join(folder, entry), { recursive: true, force: true });
    writeFileSync(join(folder, markFile), '', { mode: 0o644 });
    return found;
  } catch (error) {
    if (error instanceof RibFolderFault) throw error;
    throw new RibFolderFault((error as Error).message, { cause: error });
  }
}
