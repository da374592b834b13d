/** Copies files and folders between this machine and nodes, as tar archives over pipes. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { basename, dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { TestbedError } from './errors.ts';
import type { LabNode, Opened } from './testbeds/testbed.ts';

/** A file or folder: on a node, or on this machine. */
export interface Place {
  readonly node: LabNode | undefined;
  readonly path: string;
}

/**
 * Takes an archive with one thing in it, $2, to $1: into $1 where that is a folder or ends with a slash, else as $1
 * itself.
 */
const take = `set -e
case $1 in */) mkdir -p "$1" ;; esac
if [ -d "$1" ]; then exec tar -x -o -f - -C "$1"; fi
place=$(mktemp -d "$(dirname "$1")/.o7s-cp.XXXXXX")
trap 'rm -rf "$place"' EXIT
tar -x -o -f - -C "$place"
mv -f "$place/$2" "$1"`;

/** Copies a file or folder with all in it. Rejects with EFAILED, in the words of the side that failed. */
export async function copy(from: Place, to: Place, signal: AbortSignal): Promise<void> {
  const source = from.path.replace(/(?<=.)\/+$/, '');
  const name = basename(source);
  const archive = ['tar', '-c', '-f', '-', '-C', dirname(source), '--', name];
  await transfer(
    { place: from, command: archive },
    { place: to, command: ['sh', '-c', take, 'sh', to.path, name] },
    signal,
  );
}

/** Copies what is in a folder of this machine into a folder of a node, which is there. */
export async function copyFolder(
  folder: string,
  node: LabNode,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  await transfer(
    { place: { node: undefined, path: folder }, command: ['tar', '-c', '-f', '-', '-C', folder, '.'] },
    { place: { node, path: target }, command: ['tar', '-x', '-o', '-f', '-', '-C', target] },
    signal,
  );
}

interface Side {
  readonly place: Place;
  readonly command: readonly string[];
}

async function transfer(from: Side, to: Side, signal: AbortSignal): Promise<void> {
  const writer = await open(to);
  // Last: what a command that has ended has written is thrown away unless somebody reads it already.
  const reader = await open(from).catch((error: unknown) => {
    writer.kill('SIGKILL');
    throw error;
  });
  const stop = (): void => {
    reader.kill('SIGKILL');
    writer.kill('SIGKILL');
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    reader.stdin.end();
    writer.stdout.resume();
    const complaints = [text(reader.stderr), text(writer.stderr)] as const;
    // Who ends first shows in the exit codes.
    await pipeline(reader.stdout, writer.stdin).catch(() => writer.stdin.end());
    const codes = [await reader.ended, await writer.ended] as const;
    signal.throwIfAborted();
    const said = await Promise.all(complaints);
    for (const [index, { place }] of [from, to].entries()) {
      if (codes[index] === 0) continue;
      const reason = said[index]?.trim().split('\n')[0] || `exit code ${codes[index]}`;
      const verb = index === 0 ? 'read' : 'write';
      throw new TestbedError(
        'EFAILED',
        `cannot ${verb} ${describe(place)}: ${reason.replace(/^(sh|tar): /, '')}`,
      );
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function open({ place, command }: Side): Promise<Opened> {
  return place.node === undefined ? openHere(command) : await place.node.open(command);
}

function openHere([program = '', ...words]: readonly string[]): Opened {
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'] });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once('error', (error: NodeJS.ErrnoException) => {
    reject(
      error.code === 'ENOENT'
        ? new TestbedError('EENVIRONMENT', `the program ${program} is missing`, {
            hint: `install it: apt-get install ${program}`,
          })
        : error,
    );
  });
  child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
  child.stdin.on('error', () => {});
  promise.catch(() => {});
  const { stdin, stdout, stderr } = child;
  return { stdin, stdout, stderr, ended: promise, kill: (signal) => void child.kill(signal) };
}

function describe({ node, path }: Place): string {
  return node === undefined ? path : `${node.name}:${path}`;
}
