/** Programs written with the library of the C prototype, compiled where it is installed with its headers. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What is missing to compile one; undefined when nothing is. */
export function compilerMissing(prefix: string): string | undefined {
  if (!existsSync(`${prefix}/include/ouroboros/dev.h`)) return `${prefix} has no headers of the prototype`;
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'there is no C compiler (cc)';
  }
}

/** `peer-flow`, in a folder of its own that goes when it is disposed of. */
export class PeerProgram implements Disposable {
  readonly path: string;
  readonly #folder: string;

  constructor(prefix: string) {
    this.#folder = mkdtempSync(join(tmpdir(), 'o7s-peer-flow-'));
    this.path = join(this.#folder, 'peer-flow');
    const source = fileURLToPath(new URL('./peer-flow.c', import.meta.url));
    const libraries = [
      `-I${prefix}/include`,
      `-L${prefix}/lib`,
      `-Wl,-rpath-link,${prefix}/lib`,
      '-louroboros-dev',
    ];
    execFileSync('cc', ['-O2', '-Wall', '-o', this.path, source, ...libraries], { stdio: 'pipe' });
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** What a line of `peer-flow` tells of a flow that has ended; times in ms. */
export interface PeerTally {
  readonly messages: number;
  readonly bytes: number;
  readonly wrong: number;
  readonly ms: number;
  /** How long flow_dealloc took. */
  readonly deallocMs: number;
}

export function tallyOf(line: string): PeerTally {
  const [messages = 0, bytes = 0, wrong = 0, ms = 0, deallocMs = 0] = line.trim().split(' ').map(Number);
  return { messages, bytes, wrong, ms, deallocMs };
}

const headBytes = 8;

/** The message with a number, as `peer-flow` makes and checks it; `all` only in the last one. */
export function peerMessage(index: number, bytes: number, all = 0): Buffer {
  const message = Buffer.alloc(bytes);
  for (let at = headBytes; at < bytes; at += 1) message[at] = index * 31 + at;
  message.writeUInt32BE(index, 0);
  message.writeUInt32BE(all, 4);
  return message;
}
