/** Being told to stop: what Ctrl-C, `kill` and a closed terminal do. */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type StopSignal = (typeof signals)[number];

/** The reason of the signal that `interruptible` gives. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  /** 130 after Ctrl-C, 143 after SIGTERM. */
  readonly exitCode: number;

  constructor(signal: StopSignal) {
    super('interrupted');
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** An AbortSignal that the first signal to this process aborts; `again` is called at the second. */
export function interruptible(again: (exitCode: number) => void): { signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const stop = (signal: StopSignal): void => {
    const reason = new Interrupted(signal);
    if (controller.signal.aborted) again(reason.exitCode);
    controller.abort(reason);
  };
  for (const signal of signals) process.on(signal, stop);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, stop);
    },
  };
}

/**
 * Hands every signal on while it lasts. What a terminal sends goes to its whole foreground process
 * group, so the other process has it already.
 */
export function forwardSignals(kill: (signal: NodeJS.Signals) => void): Disposable {
  const forward = (signal: StopSignal): void => {
    if (signal === 'SIGTERM' || !isForeground()) kill(signal);
  };
  for (const signal of signals) process.on(signal, forward);
  return {
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, forward);
    },
  };
}

function isForeground(): boolean {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  // state ppid pgrp session tty_nr tpgid
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[2] === fields[5];
}
