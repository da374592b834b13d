/** Runs commands in a container by the engine: attached to this terminal, or with their output taken. */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:os';
import { type Duplex, PassThrough, type Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { abortable } from '../../abortable.ts';
import { poll } from '../../poll.ts';
import type { Attached, CommandResult, Opened } from '../testbed.ts';
import { demultiplex } from './demultiplex.ts';
import type { Engine } from './engine.ts';
import { becomeCommand, executionVariable, signalExecution } from './scripts.ts';

/** How long output may come behind the end of a command: one of its children may still hold it open. */
const outputMs = 1_000;

/** How long a command may take to be told a signal, in milliseconds. */
const signalMs = 10_000;

/** Runs a command to its end and gives what it wrote. Ends it when the signal is aborted. */
export async function runCommand(
  engine: Engine,
  container: string,
  command: readonly string[],
  signal?: AbortSignal,
): Promise<CommandResult> {
  const execution = await Execution.start(engine, container, command, { tty: false, stdin: false });
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  execution.giveTo(stdout, stderr);
  const output = Promise.all([text(stdout), text(stderr)]);
  try {
    const ended = execution.ended();
    const code = await (signal === undefined ? ended : abortable(ended, signal));
    stdout.end();
    stderr.end();
    const [out, err] = await output;
    return { code, stdout: out, stderr: err };
  } catch (error) {
    if (signal?.aborted === true) await execution.kill('SIGKILL');
    execution.stream.destroy();
    stdout.end();
    stderr.end();
    throw error;
  }
}

/** Runs a command with pipes of its own. */
export async function openCommand(
  engine: Engine,
  container: string,
  command: readonly string[],
): Promise<Opened> {
  const execution = await Execution.start(engine, container, command, { tty: false, stdin: true });
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  execution.giveTo(stdout, stderr);
  const ended = execution.ended().finally(() => {
    stdout.end();
    stderr.end();
  });
  ended.catch(() => {});
  return {
    stdin: execution.stream,
    stdout,
    stderr,
    ended,
    kill: (signal) => void execution.kill(signal, 'all').catch(() => {}),
  };
}

/** Runs a command attached to the terminal, pipes or files of this process. */
export function attachCommand(engine: Engine, container: string, command: readonly string[]): Attached {
  const tty = process.stdin.isTTY && process.stdout.isTTY;
  const starting = Execution.start(engine, container, command, { tty, stdin: true });
  return {
    ended: attached(starting, tty),
    kill: (signal) => void starting.then((execution) => execution.kill(signal)).catch(() => {}),
  };
}

async function attached(starting: Promise<Execution>, tty: boolean): Promise<number> {
  const execution = await starting;
  const { stream } = execution;
  const resize = (): void => execution.resize(process.stdout);
  using stack = new DisposableStack();
  if (tty) {
    process.stdin.setRawMode(true);
    stack.defer(() => process.stdin.setRawMode(false));
    process.stdout.on('resize', resize);
    stack.defer(() => process.stdout.off('resize', resize));
    resize();
    stream.pipe(process.stdout, { end: false });
  } else {
    execution.giveTo(process.stdout, process.stderr);
  }
  process.stdin.pipe(stream);
  stack.defer(() => {
    process.stdin.unpipe(stream);
    process.stdin.pause();
    process.stdin.unref?.();
  });
  return await execution.ended();
}

class Execution {
  readonly stream: Duplex;
  readonly #engine: Engine;
  readonly #exec: Dockerode.Exec;
  readonly #container: string;
  readonly #id: string;
  #given: Promise<void> = Promise.resolve();

  private constructor(engine: Engine, container: string, id: string, exec: Dockerode.Exec, stream: Duplex) {
    this.#engine = engine;
    this.#container = container;
    this.#id = id;
    this.#exec = exec;
    this.stream = stream;
    // A connection that breaks shows in `ended`.
    stream.on('error', () => {});
  }

  static async start(
    engine: Engine,
    container: string,
    command: readonly string[],
    { tty, stdin }: { tty: boolean; stdin: boolean },
  ): Promise<Execution> {
    const id = randomUUID();
    const term = process.env['TERM'];
    const exec = await engine.request(
      'run a command on the node',
      engine.docker.getContainer(container).exec({
        Cmd: ['sh', '-c', becomeCommand, 'sh', ...command],
        Env: [`${executionVariable}=${id}`, ...(tty && term !== undefined ? [`TERM=${term}`] : [])],
        AttachStdin: stdin,
        AttachStdout: true,
        AttachStderr: true,
        Tty: tty,
      }),
    );
    const start = exec.start({ hijack: true, stdin, Tty: tty });
    return new Execution(
      engine,
      container,
      id,
      exec,
      await engine.request('run a command on the node', start),
    );
  }

  /** Gives both outputs of a command without a terminal, as fast as they are taken. */
  giveTo(stdout: Writable, stderr: Writable): void {
    // A connection that breaks shows in `ended`.
    this.#given = demultiplex(this.stream, stdout, stderr).catch(() => {});
  }

  /** The exit code, once all output is there. */
  async ended(): Promise<number> {
    const closed = finished(this.stream, { writable: false }).catch(() => {});
    // A child that holds the output open keeps the stream from ending; the engine knows of the end.
    const code = await this.#exitCode(closed);
    const given = Promise.all([closed, this.#given]).then(() => {});
    // What is there is taken in the end, however slowly.
    while (!(await settled(given, outputMs)) && this.stream.readableLength > 0);
    this.stream.destroy();
    await this.#given;
    return code;
  }

  /** Sends the command a signal, and with `all` what it has started. */
  async kill(signal: NodeJS.Signals, whom: 'it' | 'all' = 'it'): Promise<void> {
    const script = ['sh', '-c', signalExecution, 'sh', this.#id, signal.replace(/^SIG/, ''), whom];
    const exec = await this.#engine.docker.getContainer(this.#container).exec({ Cmd: script });
    // An answer that nobody reads would hold its connection, and with it this process.
    (await exec.start({ Detach: true })).resume();
    await poll(async () => ((await exec.inspect()).Running ? undefined : true), {
      what: 'the command to be told',
      deadlineMs: signalMs,
    });
  }

  /** Gives a terminal the size of ours. */
  resize({ rows, columns }: { rows: number; columns: number }): void {
    this.#exec.resize({ h: rows, w: columns }).catch(() => {});
  }

  async #exitCode(closed: Promise<void>): Promise<number> {
    for (let pause = 20; ; pause = Math.min(pause * 1.5, 500)) {
      const isClosed = await settled(closed, pause);
      const { Running, ExitCode } = await this.#engine.request('look at a command', this.#exec.inspect());
      // Before its start a command does not run either.
      if (!Running && ExitCode !== null) return ExitCode;
      if (!Running && isClosed) return 128 + constants.signals.SIGKILL;
      // The stream ends a moment before the engine takes note of the command's end.
      if (isClosed) await delay(5);
    }
  }
}

/** Waits for something, but no longer than this; tells whether it has happened. */
async function settled(work: Promise<void>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const late = delay(ms, false, { signal: timer.signal }).catch(() => false);
  const inTime = await Promise.race([work.then(() => true), late]);
  timer.abort();
  return inTime;
}
