/** What is written in one turn leaves together at its end: when no code of the program is left to run in it. */

export interface Flushable {
  flush(): void;
}

/** The first `count` of them wait. */
const waiting: (Flushable | undefined)[] = [];
let count = 0;
let scheduled = false;

/** Flushes something at the end of the turn. To be called by what was not waiting for that already. */
export function flushLater(subject: Flushable): void {
  waiting[count++] = subject;
  if (scheduled) return;
  scheduled = true;
  // After all promises that are settled, and before the event loop goes on.
  process.nextTick(flushNow);
}

/** Flushes all that waits for the end of the turn. */
export function flushNow(): void {
  scheduled = false;
  for (let index = 0; index < count; index += 1) {
    const subject = waiting[index];
    waiting[index] = undefined;
    subject?.flush();
  }
  count = 0;
}
