/** What every tool does: it announces itself to irmd, says what happens in text or JSON, and ends on signals. */
import { constants } from 'node:os';
import { announce, O7sError } from '../lib/index.ts';
import { complain, harmless, print } from './terminal.ts';
import type { Option, Parsed } from './words.ts';

/** Something that happens in a run of a tool; `type` tells which of the tool's events it is. */
export interface ToolEvent {
  readonly type: string;
}

/** An error as an event. */
export interface ErrorEvent extends ToolEvent {
  readonly type: 'error';
  /** Name of the error, such as ENAME. */
  readonly code: string;
  /** Its number, negative. */
  readonly errno: number;
  readonly message: string;
}

/** A remark on how the command line is understood, in the words of the manual. */
export interface NoteEvent extends ToolEvent {
  readonly type: 'note';
  readonly text: string;
}

export type Report<E extends ToolEvent> = (event: E) => void;

/** Says what happens on standard output: in the words of the manual, or an object a line. */
export function reporter<E extends ToolEvent>(json: boolean, text: (event: E) => string): Report<E> {
  return json ? (event) => print(`${JSON.stringify(event)}\n`) : (event) => print(harmless(text(event)));
}

export interface JsonOption {
  json: boolean;
}

export const jsonOption: Option<JsonOption> = {
  words: ['--json'],
  help: 'Print a JSON object a line instead of text',
  set: (options) => void (options.json = true),
};

export function errorEvent(error: O7sError): ErrorEvent {
  return { type: 'error', code: error.code, errno: -error.errno, message: error.message };
}

/** Says on standard error why something failed, in words the manual has none for. */
export function explain(tool: string, error: O7sError): void {
  complain(`${tool}: ${error.message}${error.hint === undefined ? '' : `; ${error.hint}`}`);
}

/**
 * A whole run of a tool, which ends this process. A command line that cannot be run is answered without irmd; the notes
 * on one that can come first.
 */
export async function runTool<T>(
  tool: string,
  parse: (args: readonly string[]) => Parsed<T>,
  run: (options: T, notes: readonly string[]) => Promise<number>,
): Promise<never> {
  process.title = tool;
  const parsed = parse(process.argv.slice(2));
  if (parsed.kind === 'end') {
    print(parsed.text);
    process.exit(parsed.status);
  }
  try {
    await announce();
  } catch (error) {
    if (!(error instanceof O7sError)) throw error;
    complain('FATAL: Could not announce to IRMd.');
    explain(tool, error);
    process.exit(1);
  }
  process.exit(await run(parsed.options, parsed.notes));
}

const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Aborted by the first signal that ends a tool, which is the reason; the second ends it on the spot. */
export function stopOnSignals(signals: readonly NodeJS.Signals[] = endingSignals): AbortSignal {
  const stop = new AbortController();
  for (const signal of signals) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(128 + constants.signals[signal]);
      stop.abort(signal);
    });
  }
  return stop.signal;
}

/** Ends a server on a signal, after its last words. */
export function exitOnSignals(lastWords: () => void = () => {}): void {
  for (const signal of endingSignals) {
    process.on(signal, () => {
      lastWords();
      process.exit(0);
    });
  }
}
