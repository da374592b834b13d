/** Sends packets over a flow for some time, at a constant rate or as fast as the flow takes them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Flow, O7sError } from '../lib/index.ts';
import { Pace } from './pace.ts';

export interface SenderOptions {
  readonly flow: Flow;
  /** Bytes of a packet. */
  readonly size: number;
  /** ms from one packet to the next; 0 sends as fast as the flow takes them. */
  readonly gapMs: number;
  readonly durationMs: number;
  /** Waits for the next packet busily, which keeps time to the microsecond and a processor busy. */
  readonly spin?: boolean;
  readonly stop: AbortSignal;
  /** Writes what tells packet `n` from the others into it; the rest is zero. */
  readonly stamp: (packet: Buffer, n: number) => void;
}

/** Packets between two looks at the clock. */
const batch = 64;
/** How long to send without a turn of the event loop, ms. */
const turnMs = 1;

export class Sender {
  /** Packets sent. */
  sent = 0;
  readonly #options: SenderOptions;
  readonly #packet: Buffer;
  #startedAt = 0;
  #endedAt: number | undefined;
  #wake: (() => void) | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#packet = Buffer.alloc(options.size);
  }

  /** ms since the first packet, until the last one. */
  get elapsedMs(): number {
    return (this.#endedAt ?? performance.now()) - this.#startedAt;
  }

  /** Sends until the time is over, it is stopped, or the flow ends, which is the error. */
  async run(): Promise<O7sError | undefined> {
    const { stop } = this.#options;
    const wake = (): void => this.#wake?.();
    stop.addEventListener('abort', wake, { once: true });
    this.#startedAt = performance.now();
    try {
      await this.#send();
      return undefined;
    } catch (error) {
      if (!(error instanceof O7sError)) throw error;
      // Stopped, or the time was over while the flow took nothing.
      return error.code === 'ECANCELED' || error.code === 'ETIMEDOUT' ? undefined : error;
    } finally {
      this.#endedAt = performance.now();
      stop.removeEventListener('abort', wake);
    }
  }

  async #send(): Promise<void> {
    const { gapMs, durationMs, stop } = this.#options;
    const end = this.#startedAt + durationMs;
    const pace = gapMs === 0 ? undefined : new Pace(this.#startedAt, gapMs);
    const total = pace === undefined ? Number.POSITIVE_INFINITY : Math.ceil(durationMs / gapMs);
    let turnEnd = this.#startedAt + turnMs;
    while (this.sent < total && !stop.aborted) {
      const now = performance.now();
      // At a constant rate what was due before the end is sent still.
      if (now >= end && pace === undefined) return;
      const due = Math.min(total, this.sent + batch, pace?.dueBy(now) ?? Number.POSITIVE_INFINITY);
      if (this.sent === due) {
        await this.#until(pace?.dueAt(this.sent) ?? now);
        turnEnd = performance.now() + turnMs;
      } else {
        await this.#sendUpTo(due, end, pace);
      }
      if (now >= end) return;
      if (now >= turnEnd) {
        await nextTurn();
        turnEnd = performance.now() + turnMs;
      }
    }
    // The time of the last packet ends when the next one would be due.
    if (pace !== undefined && !stop.aborted) await this.#until(pace.dueAt(this.sent));
  }

  async #sendUpTo(due: number, end: number, pace: Pace | undefined): Promise<void> {
    const { flow, stop, stamp } = this.#options;
    const packet = this.#packet;
    try {
      while (this.sent < due) {
        stamp(packet, this.sent);
        if (!flow.tryWrite(packet)) {
          await flow.write(packet, { timeout: Math.max(0, end - performance.now()), signal: stop });
        }
        this.sent += 1;
      }
    } catch (error) {
      if (flow.released || !(error instanceof O7sError) || error.code !== 'EFLOWDOWN') throw error;
      // The device below is down: nothing is sent until it is up again.
      const since = performance.now();
      await flow.untilUp({ timeout: Math.max(0, end - since), signal: stop });
      pace?.postpone(performance.now() - since);
    }
  }

  async #until(time: number): Promise<void> {
    const { spin = false, stop } = this.#options;
    if (spin) {
      while (performance.now() < time && !stop.aborted) await nextTurn();
      return;
    }
    // A timer of Node's counts from when its loop last looked at the clock, and may be early by as much.
    for (let left = time - performance.now(); left > 0 && !stop.aborted; left = time - performance.now()) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, Math.ceil(left));
      });
      clearTimeout(timer);
      this.#wake = undefined;
    }
  }
}
