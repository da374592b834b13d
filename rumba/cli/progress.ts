/** How a deployment is told on standard error: lines that change on a terminal, else one a phase. */
import type { DeployEvent } from '../deploy/deploy.ts';

/** What shows events. Closing it again does nothing. */
export interface Progress extends Disposable {
  readonly onEvent: (event: DeployEvent) => void;
  /** Shows a line of text among the rest. */
  readonly note: (line: string) => void;
}

interface ProgressOptions {
  write: (text: string) => void;
  /** Columns of the terminal; undefined where there is none. */
  columns?: number | undefined;
  /** One line a step, with its command. */
  verbose: boolean;
}

/** Least time between two changes of a line, in milliseconds. */
const frameMs = 80;

function progress({ write, columns, verbose }: ProgressOptions): Progress {
  return columns === undefined || verbose ? lines(write, verbose) : live(write, columns);
}

/** The progress on this process' standard error. */
export function standardProgress(verbose: boolean): Progress {
  const { isTTY, columns } = process.stderr;
  const isLive = isTTY && process.env['TERM'] !== 'dumb' && columns > 20;
  return progress({
    write: (text) => process.stderr.write(text),
    columns: isLive ? columns : undefined,
    verbose,
  });
}

function lines(write: (text: string) => void, verbose: boolean): Progress {
  const started = performance.now();
  const since = (): string => ((performance.now() - started) / 1000).toFixed(3);
  return {
    note: (line) => write(`${line}\n`),
    onEvent: (event) => {
      switch (event.type) {
        case 'phaseStarted':
          break;
        case 'stepFailed':
          if (verbose) write(`${since()} failed: ${event.step.text}\n`);
          break;
        case 'stepStarted': {
          const { node, command, text } = event.step;
          if (verbose) write(`${since()} ${command === undefined ? text : `${node} >> ${command}`}\n`);
          break;
        }
        case 'stepDone':
          // A long phase shows that it moves.
          if (event.done % 25 === 0 && event.done < event.total)
            write(`${event.step.phase} ${event.done}/${event.total}\n`);
          break;
        case 'phaseDone':
          write(`${doneLine(event)}\n`);
          break;
      }
    },
    [Symbol.dispose]: () => {},
  };
}

function live(write: (text: string) => void, columns: number): Progress {
  const running = new Map<string, { total: number; done: number; since: number; last: string }>();
  let finished: string[] = [];
  let drawn = 0;
  let timer: NodeJS.Timeout | undefined;
  const draw = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const now = performance.now();
    const moving = [...running].map(([phase, { total, done, since, last }]) => {
      const bar = '█'.repeat(Math.floor((10 * done) / total)).padEnd(10, '░');
      return `${bar} ${phase} ${done}/${total}  ${seconds(now - since)}  ${last}`.slice(0, columns - 1);
    });
    const up = drawn === 0 ? '' : `\x1b[${drawn}A\r\x1b[J`;
    write(up + [...finished, ...moving].map((line) => `${line}\n`).join(''));
    drawn = moving.length;
    finished = [];
  };
  const soon = (): void => {
    timer ??= setTimeout(draw, frameMs).unref();
  };
  return {
    note: (line) => {
      finished.push(line);
      draw();
    },
    onEvent: (event) => {
      switch (event.type) {
        case 'phaseStarted':
          running.set(event.phase, { total: event.total, done: 0, since: performance.now(), last: '' });
          soon();
          break;
        case 'stepStarted':
        case 'stepFailed':
          break;
        case 'stepDone': {
          const phase = running.get(event.step.phase);
          if (phase === undefined) break;
          phase.done = event.done;
          phase.last = event.step.text;
          soon();
          break;
        }
        case 'phaseDone':
          running.delete(event.phase);
          finished.push(doneLine(event));
          soon();
          break;
      }
    },
    [Symbol.dispose]: () => {
      running.clear();
      if (drawn > 0 || finished.length > 0) draw();
      clearTimeout(timer);
    },
  };
}

function doneLine({ phase, total, ms }: Extract<DeployEvent, { type: 'phaseDone' }>): string {
  return `${phase} ${total}/${total}  ${seconds(ms)}`;
}

/** A time in words: `12 ms`, `3.4 s`. */
export function seconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
