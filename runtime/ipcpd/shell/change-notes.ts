/**
 * What irmd is to be told of changes, gathered: the first after a quiet time leaves soon, and however much changes, irmd
 * hears of it ten times a second at most. A core.
 */
import { type Deadlines, type Millis, never } from '../../lib/time/clock.ts';

export interface Changed {
  readonly ipcps: readonly number[];
  readonly flows: readonly { readonly flowId: number; readonly up: boolean }[];
}

/** What belongs together comes within this time, ms. */
const gatherMs: Millis = 10;
const pauseMs: Millis = 100;

export class ChangeNotes implements Deadlines {
  readonly #tell: (changed: Changed) => void;
  readonly #ipcps = new Set<number>();
  readonly #flows = new Map<number, boolean>();
  #dueAt: Millis = never;
  #quietUntil: Millis = 0;

  constructor(tell: (changed: Changed) => void) {
    this.#tell = tell;
  }

  /** What an IPCP knows of its layer may be something else now. */
  ipcpChanged(pid: number, now: Millis): void {
    this.#ipcps.add(pid);
    this.#due(now);
  }

  flowChanged(flowId: number, up: boolean, now: Millis): void {
    this.#flows.set(flowId, up);
    this.#due(now);
  }

  nextDeadline(): Millis {
    return this.#dueAt;
  }

  advance(now: Millis): void {
    if (now < this.#dueAt) return;
    const flows = [...this.#flows].map(([flowId, up]) => ({ flowId, up }));
    const ipcps = [...this.#ipcps];
    this.#flows.clear();
    this.#ipcps.clear();
    this.#dueAt = never;
    this.#quietUntil = now + pauseMs;
    this.#tell({ ipcps, flows });
  }

  #due(now: Millis): void {
    if (this.#dueAt === never) this.#dueAt = Math.max(now + gatherMs, this.#quietUntil);
  }
}
