/** Standard output and, while a tool runs long on a terminal, one line that tells how it goes. */
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';

const outFd = 1;
const errorFd = 2;
/** How long to wait for a reader of a pipe that others made non-blocking, ms. */
const retryMs = 1;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

let live: LiveLine | undefined;

/** Writes to standard output, at once. */
export function print(text: string): void {
  if (text === '') return;
  live?.hide();
  write(outFd, text);
}

/** Writes to standard error, at once. */
export function printError(text: string): void {
  live?.hide();
  write(errorFd, text);
}

/** Writes a line to standard error, at once. */
export function complain(line: string): void {
  printError(`${line}\n`);
}

function write(fd: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Whoever read the output has gone, or the terminal: nobody waits for the rest.
      if (code === 'EPIPE' || code === 'EIO') process.exit(0);
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(sleeper, 0, 0, retryMs);
    }
  }
}

/** Text of others as it may go to standard output: what could steer a terminal is shown, not obeyed. */
export function harmless(text: string): string {
  if (!isatty(outFd)) return text;
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

const redrawMs = 500;
const toLineStart = '\r';
const eraseBelow = '\u001b[J';

/**
 * Shows a line at the bottom of the terminal that standard error is, drawn anew twice a second from the first half
 * second on, and gone when anything else is written or it is disposed of. Elsewhere, nothing. At most one at a time.
 */
export function showLine(render: () => string): Disposable {
  if (!isatty(errorFd) || process.env['TERM'] === 'dumb') return new DisposableStack();
  const line = new LiveLine(render);
  live = line;
  return line;
}

class LiveLine implements Disposable {
  readonly #render: () => string;
  readonly #timer: NodeJS.Timeout;
  #drawn = false;

  constructor(render: () => string) {
    this.#render = render;
    this.#timer = setInterval(() => this.#draw(), redrawMs).unref();
    process.stderr.on('resize', this.#resized);
  }

  /** Takes the line away until it is next drawn. */
  hide(): void {
    if (!this.#drawn) return;
    this.#drawn = false;
    write(errorFd, toLineStart + eraseBelow);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    process.stderr.off('resize', this.#resized);
    this.hide();
    live = undefined;
  }

  readonly #resized = (): void => {
    if (this.#drawn) this.#draw();
  };

  /**
   * The cursor is left where the line begins: should the terminal become narrower and break the line into rows, it is
   * still the first of them, and what is below it goes with the line.
   */
  #draw(): void {
    this.hide();
    this.#drawn = true;
    // In the last column some terminals would go to the next row.
    write(errorFd, this.#render().slice(0, columns() - 1) + toLineStart);
  }
}

function columns(): number {
  return Math.max(2, process.stderr.columns || 80);
}
