/** The edge of time: one system timer for the earliest deadline of everything that has one. */
import { performance } from 'node:perf_hooks';
import { wakeBy } from '../os/hot-loop.ts';
import { type Deadlines, type Millis, never } from './clock.ts';

/** Milliseconds since the process started, monotonic, with a fraction. */
export function monotonicNow(): Millis {
  return performance.now();
}

export class DeadlineTimer {
  readonly #subjects = new Set<Deadlines>();
  #timer: NodeJS.Timeout | undefined;
  #armedFor: Millis = never;

  add(subject: Deadlines): void {
    this.#subjects.add(subject);
    this.update(subject);
  }

  delete(subject: Deadlines): void {
    this.#subjects.delete(subject);
  }

  /** To be called when a subject's deadline may have come nearer. */
  update(subject: Deadlines): void {
    const deadline = subject.nextDeadline();
    if (deadline < this.#armedFor) this.#arm(deadline);
  }

  close(): void {
    this.#subjects.clear();
    clearTimeout(this.#timer);
    this.#armedFor = never;
  }

  #arm(deadline: Millis): void {
    clearTimeout(this.#timer);
    this.#armedFor = deadline;
    wakeBy(deadline);
    // Timers of the system are cut to whole milliseconds: rounding up keeps one from firing too early.
    this.#timer = setTimeout(() => this.#expire(), Math.max(0, Math.ceil(deadline - monotonicNow())));
    // A pending deadline is no reason for a program to stay: its open flows and sockets are.
    this.#timer.unref();
  }

  #expire(): void {
    const now = monotonicNow();
    this.#armedFor = never;
    wakeBy(never);
    let earliest = never;
    for (const subject of [...this.#subjects]) {
      if (subject.nextDeadline() <= now) subject.advance(now);
      earliest = Math.min(earliest, subject.nextDeadline());
    }
    // What was called may have armed the timer for something nearer.
    if (earliest < this.#armedFor) this.#arm(earliest);
  }
}
