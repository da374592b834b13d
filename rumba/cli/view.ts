/** The view, which is a bundle of its own: what it draws with is loaded only where it is shown. */
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { TestbedError } from '../errors.ts';
import { packageRoot, viewBundle } from '../installation.ts';
import type { ViewModule } from '../live/events.ts';
import { buildSource } from '../live/lab-source.ts';
import type { Topology } from '../model/topology.ts';
import type { Lab } from '../testbeds/testbed.ts';
import type { Progress } from './progress.ts';

/** Refuses to draw where there is no terminal, or one that cannot move its cursor. */
export function checkTerminal(command: string): void {
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
  if (isTerminal && process.env['TERM'] !== 'dumb') return;
  const what = isTerminal ? 'a terminal other than TERM=dumb' : 'a terminal for its input and its output';
  throw new TestbedError('EUSAGE', `${command} needs ${what}`, {
    hint: 'for a program, or a file: o7s-testbed events',
  });
}

export async function loadView(): Promise<ViewModule> {
  if (!existsSync(viewBundle)) {
    throw new TestbedError('EENVIRONMENT', `${viewBundle} is missing`, {
      hint: `run: npm --prefix ${packageRoot} run build`,
    });
  }
  return (await import(pathToFileURL(viewBundle).href)) as ViewModule;
}

/** A progress that is a view of the lab. Once the view is closed by a key, another goes on. */
export interface ViewProgress extends Omit<Progress, typeof Symbol.dispose>, AsyncDisposable {
  readonly onLab: (lab: Lab) => void;
  /** Resolves when the view was closed; rejects when it failed. */
  readonly closed: Promise<void>;
}

/** The view closes when the signal aborts: what is taken back then is told below it. */
export async function viewProgress(
  lab: string,
  topology: Topology,
  rest: Progress,
  signal: AbortSignal,
): Promise<ViewProgress> {
  const { view } = await loadView();
  const built = buildSource(lab, topology);
  const end = new AbortController();
  let isOpen = true;
  const notes: string[] = [];
  const closed = view(built.source, {
    readOnly: false,
    // The keys of a terminal are the view's: its Ctrl-C is that of the command.
    onInterrupt: () => process.kill(process.pid, 'SIGINT'),
    signal: AbortSignal.any([signal, end.signal]),
  }).finally(() => {
    isOpen = false;
    for (const line of notes) rest.note(line);
  });
  closed.catch(() => {});
  return {
    onLab: built.onLab,
    closed,
    onEvent: (event) => {
      built.onEvent(event);
      if (!isOpen) rest.onEvent(event);
    },
    note: (line) => {
      if (isOpen) notes.push(line);
      else rest.note(line);
    },
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await closed.catch(() => {});
    },
  };
}
