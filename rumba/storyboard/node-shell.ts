/** The `$` of zx, bound to a node: what it would start here is started there. */
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Shell } from 'zx';
import type { LabNode, Opened } from '../testbeds/testbed.ts';

const require = createRequire(import.meta.url);

export function nodeShell(node: LabNode): Shell {
  // Loading zx takes a while, and most storyboards do not need it.
  const { $ } = require('zx') as { $: Shell };
  return $({
    shell: 'sh',
    prefix: '',
    postfix: '',
    detached: false,
    quote: quoted,
    // With a shell, zx hands over one line for it.
    spawn: ((line: string) => new RemoteChild(node, ['sh', '-c', line])) as never,
    kill: async () => {},
  });
}

/** A word for a plain shell, which knows no `$'...'`. */
function quoted(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** As much of a child process as zx looks at. */
class RemoteChild extends EventEmitter {
  readonly pid = undefined;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly stdio: readonly unknown[];
  #opened: Opened | undefined;

  constructor(node: LabNode, command: readonly string[]) {
    super();
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    [this.stdin, this.stdout, this.stderr] = [stdin, stdout, stderr];
    this.stdio = [stdin, stdout, stderr];
    void node.open(command).then(
      async (opened) => {
        this.#opened = opened;
        stdin.pipe(opened.stdin);
        opened.stdout.pipe(stdout);
        opened.stderr.pipe(stderr);
        this.emit('spawn');
        // What was written may come after the end is known.
        const [code] = await Promise.all([opened.ended, finished(opened.stdout), finished(opened.stderr)]);
        this.emit('exit', code, null);
        this.emit('close', code, null);
      },
      (error: unknown) => this.emit('error', error),
    );
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): boolean {
    this.#opened?.kill(signal);
    return this.#opened !== undefined;
  }

  unref(): void {}
}
