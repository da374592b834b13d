/** A program in a real pseudo-terminal, and the screen that a person would see. */
import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { until } from './until.ts';

export interface ScreenOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: NodeJS.ProcessEnv;
  /** The folder that the program is started in; that of this process by default. */
  readonly cwd?: string;
}

export interface ScreenExit {
  readonly status: number;
  readonly signal: number;
}

export class Screen implements AsyncDisposable {
  readonly exited: Promise<ScreenExit>;
  readonly #pty: IPty;
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  #ended: ScreenExit | undefined;
  #written = '';

  constructor(command: string, args: readonly string[], options: ScreenOptions = {}) {
    const { columns: cols = 80, rows = 24, env, cwd = process.cwd() } = options;
    this.#terminal = new xterm.Terminal({ cols, rows, allowProposedApi: true });
    this.#pty = spawn(command, [...args], {
      name: env?.['TERM'] ?? 'xterm-256color',
      cols,
      rows,
      cwd,
      env: { ...process.env, ...env },
    });
    this.#pty.onData((text) => {
      this.#written += text;
      this.#terminal.write(text);
    });
    this.exited = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode, signal }) => {
        this.#ended = { status: exitCode, signal: signal ?? 0 };
        // What the program wrote last may still be on its way to the screen.
        this.#terminal.write('', () => resolve(this.#ended ?? { status: exitCode, signal: 0 }));
      });
    });
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** Everything the program has written, control sequences and all. */
  get written(): string {
    return this.#written;
  }

  /** The lines of the screen from the top, without blanks at their ends and without empty ones at the bottom. */
  get lines(): string[] {
    const { active } = this.#terminal.buffer;
    const lines = Array.from(
      { length: active.length },
      (_line, at) => active.getLine(at)?.translateToString(true).trimEnd() ?? '',
    );
    while (lines.at(-1) === '') lines.pop();
    return lines;
  }

  /** What the terminal shows now, cell by cell. */
  get buffer(): InstanceType<typeof xterm.Terminal>['buffer']['active'] {
    return this.#terminal.buffer.active;
  }

  /** Where the cursor is, from 0. */
  get cursor(): { readonly column: number; readonly row: number } {
    const { active } = this.#terminal.buffer;
    return { column: active.cursorX, row: active.baseY + active.cursorY };
  }

  /** Presses keys: `\x03` is Ctrl-C. */
  type(keys: string): void {
    this.#pty.write(keys);
  }

  /** Changes the size of the terminal, of which the program hears by SIGWINCH. */
  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  /** Waits until the screen shows something that matches. */
  async shows(pattern: RegExp, deadlineMs?: number): Promise<void> {
    const isShown = (): boolean => {
      if (pattern.test(this.lines.join('\n'))) return true;
      if (this.#ended !== undefined) throw new Error(`the program ended without showing ${pattern}`);
      return false;
    };
    try {
      await until(`the screen to show ${pattern}`, isShown, deadlineMs);
    } catch (error) {
      throw new Error(`${String(error)}; the screen is:\n${this.lines.join('\n')}`, { cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended === undefined) this.#pty.kill('SIGKILL');
    await this.exited;
    this.#terminal.dispose();
  }
}
