/** What the caller of this process left open for it by accident. */
import { closeSync, readdirSync, readFileSync } from 'node:fs';

const closeOnExec = 0o2000000;

/**
 * Closes every descriptor above the standard three that would be handed on to what we start. A lab
 * outlives us: one made under `flock 9` would keep the lock, one made under make its job slots.
 */
export function closeInherited(): void {
  // Node keeps its own descriptors from those it starts, except the channel to a Node that started it.
  if (process.channel !== undefined) return;
  for (const name of readdirSync('/proc/self/fd')) {
    if (Number(name) > 2 && isHandedOn(name)) closeSync(Number(name));
  }
}

function isHandedOn(descriptor: string): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0;
  } catch {
    // The descriptor with which the folder was read.
    return false;
  }
}
