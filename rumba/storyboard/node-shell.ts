/** The `$` of zx, bound to a node: what it would start here is started there. */
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { ProcessPromise, Shell } from 'zx';
import type { LabNode, Opened } from '../testbeds/testbed.ts';

const require = createRequire(import.meta.url);

/** What still runs when the signal aborts is ended. */
export function nodeShell(node: LabNode, signal: AbortSignal): Shell {
  // Loading zx takes a while, and most storyboards do not need it.
  const { $ } = require('zx') as { $: Shell };
  const shell = $({
    shell: 'sh',
    prefix: '',
    postfix: '',
    detached: false,
    quote: quoted,
    // With a shell, zx hands over one line for it.
    spawn: ((line: string, _: unknown, options: { signal?: AbortSignal }) =>
      new RemoteChild(node, ['sh', '-c', line], [signal, options.signal])) as never,
  });
  return remote(shell, shell);
}

/** Makes of what a shell gives processes of the node, and of a shell with other options one of the node again. */
function remote<T extends (...words: never[]) => unknown>(shell: T, origin: Shell): T {
  return new Proxy(shell, {
    apply: (target, self, words: never[]) => {
      const made = Reflect.apply(target, self, words);
      if (typeof made === 'function') return remote(made as T, origin);
      return isProcess(made) ? bound(made, origin) : made;
    },
  });
}

/**
 * zx ends a process of this machine by its number, and pipes to one that it starts here: both have to be done to processes
 * of the node.
 */
function bound(made: ProcessPromise, origin: Shell): ProcessPromise {
  const child = (): RemoteChild => made.child as unknown as RemoteChild;
  const kill = async (name?: NodeJS.Signals): Promise<void> => {
    if (made.output !== null) throw new Error('the command has ended: it cannot be ended again');
    child().kill(name);
  };
  const pipes = made.pipe;
  const own = (from: 'stdout' | 'stderr' | 'stdall') =>
    ((to: unknown, ...words: never[]) => {
      if (!isTemplate(to)) return pipes[from](to as never, ...words);
      const halted: Shell = origin({ halt: true, signal: made.signal });
      return pipes[from](bound(halted(to, ...words), origin) as never);
    }) as never;
  const pipe = Object.assign(own('stdout'), {
    stdout: own('stdout'),
    stderr: own('stderr'),
    stdall: own('stdall'),
  });
  return Object.defineProperties(made, { kill: { value: kill }, pipe: { value: pipe } });
}

function isProcess(made: unknown): made is ProcessPromise {
  return made instanceof Promise && 'child' in made;
}

function isTemplate(value: unknown): value is TemplateStringsArray {
  return Array.isArray(value) && 'raw' in value;
}

/** A word for a plain shell, which knows no `$'...'`. */
function quoted(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** As much of a child process as zx looks at. */
class RemoteChild extends EventEmitter {
  readonly pid = undefined;
  readonly stdin: Writable = new PassThrough();
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly stdio: readonly unknown[];
  #opened: Opened | undefined;
  /** The last signal that it was sent. */
  #told: NodeJS.Signals | undefined;

  constructor(node: LabNode, command: readonly string[], signals: readonly (AbortSignal | undefined)[]) {
    super();
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    [this.stdout, this.stderr] = [stdout, stderr];
    this.stdio = [this.stdin, stdout, stderr];
    const stop = AbortSignal.any(signals.filter((each) => each !== undefined));
    void this.#run(node, command, stop, stdout, stderr);
  }

  /** One that has not begun yet is ended as soon as it has. */
  kill(signal: NodeJS.Signals = 'SIGTERM'): boolean {
    this.#told = signal;
    this.#opened?.kill(signal);
    return true;
  }

  unref(): void {}

  async #run(
    node: LabNode,
    command: readonly string[],
    stop: AbortSignal,
    stdout: PassThrough,
    stderr: PassThrough,
  ): Promise<void> {
    const end = (): void => void this.kill();
    try {
      // Whoever made this is to listen first.
      await Promise.resolve();
      stop.throwIfAborted();
      const opened = await node.open(command);
      this.#opened = opened;
      if (this.#told !== undefined) opened.kill(this.#told);
      if (stop.aborted) end();
      stop.addEventListener('abort', end, { once: true });
      this.stdin.pipe(opened.stdin);
      opened.stdout.pipe(stdout);
      opened.stderr.pipe(stderr);
      this.emit('spawn');
      // What was written may come after the end is known.
      const [code] = await Promise.all([opened.ended, ...[stdout, stderr].map((each) => finished(each))]);
      this.#end(this.#told !== undefined && code === 128 + constants.signals[this.#told] ? null : code);
    } catch (error) {
      this.emit('error', error);
      stdout.destroy();
      stderr.destroy();
      this.#end(null);
    } finally {
      stop.removeEventListener('abort', end);
    }
  }

  /** As Node tells it: a code, or the signal that ended the command. */
  #end(code: number | null): void {
    const signal = code === null ? (this.#told ?? null) : null;
    this.emit('exit', code, signal);
    this.emit('close', code, signal);
  }
}
