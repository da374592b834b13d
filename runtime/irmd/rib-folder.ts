/**
 * The tree of the RIB as files, written anew each second: for what polls the tree of the prototype. A file that changed
 * is put in the place of the old one at once, so that no reader sees half of it.
 */
import { lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
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
    take(folder);
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
    const kept = new Set(files.map(({ path }) => path));
    for (const { path, text } of files) {
      if (this.#written.get(path) === text) continue;
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

  #makeFolder(path: string): void {
    if (this.#folders.has(path)) return;
    mkdirSync(join(this.#folder, path), { recursive: true, mode: 0o755 });
    for (let at = path; at !== '.'; at = dirname(at)) this.#folders.add(at);
  }

  #removeEmpty(kept: ReadonlySet<string>): void {
    const used = new Set<string>();
    for (const path of kept) for (let at = dirname(path); at !== '.'; at = dirname(at)) used.add(at);
    const unused = [...this.#folders].filter((path) => !used.has(path));
    // The deepest first.
    for (const path of unused.toSorted((a, b) => b.length - a.length)) {
      rmdirSync(join(this.#folder, path));
      this.#folders.delete(path);
    }
  }
}

function take(folder: string): void {
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
  } catch (error) {
    if (error instanceof RibFolderFault) throw error;
    throw new RibFolderFault((error as Error).message, { cause: error });
  }
}
