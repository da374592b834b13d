/** When processes of the machine began. */
import { readFileSync } from 'node:fs';

/** The kernel's clock ticks a second, as programs see them (USER_HZ of Linux). */
const ticksPerSecond = 100;

/** When a process began, in ticks since boot: with its pid it names one process for ever. undefined when it is gone. */
function startTicks(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
    return Number.isFinite(ticks) ? ticks : undefined;
  } catch {
    return undefined;
  }
}

/** For how long a process has run, in ms; undefined when it is gone. */
export function ageMs(pid: number): number | undefined {
  const ticks = startTicks(pid);
  if (ticks === undefined) return undefined;
  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  return Math.max(0, (uptime - ticks / ticksPerSecond) * 1000);
}
