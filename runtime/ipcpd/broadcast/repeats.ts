/**
 * A guard against loops. A broadcast layer has no header that tells a packet that came round from a new one, and a
 * second path makes each go round without end: then the same packet comes from one side and from another, again and
 * again. Source: broadcast-layer.md 4.
 */
import type { Millis } from '../../lib/time/clock.ts';
import type { Packet } from '../../lib/wire/packet.ts';

/** Times in ms and counts. */
export interface RepeatLimits {
  /** How long a packet is remembered. */
  readonly windowMs: Millis;
  /** Changes of side in that time that are still taken for several senders of the same. */
  readonly turnsMax: number;
  /** Different packets that are remembered. */
  readonly packetsMax: number;
}

const repeatLimits: RepeatLimits = { windowMs: 1000, turnsMax: 100, packetsMax: 4096 };

interface Seen {
  readonly since: Millis;
  from: object;
  turns: number;
}

/** Bytes that are looked at, from the start of a packet. */
const bytesCompared = 128;
const hashPrime = 16_777_619;
const hashBasis = 0x811c_9dc5;

export class RepeatGuard {
  readonly #limits: RepeatLimits;
  readonly #seen = new Map<number, Seen>();

  constructor(limits: RepeatLimits = repeatLimits) {
    this.#limits = limits;
  }

  /** Whether a packet has come from different sides so often that it must be going round. */
  isLooping(packet: Packet, from: object, now: Millis): boolean {
    const key = digest(packet);
    const seen = this.#seen.get(key);
    if (seen !== undefined && now - seen.since < this.#limits.windowMs) {
      if (seen.from !== from) {
        seen.turns += 1;
        seen.from = from;
      }
      return seen.turns > this.#limits.turnsMax;
    }
    // Entries are in the order of their times: the oldest goes first.
    this.#seen.delete(key);
    const oldest = this.#seen.keys().next();
    if (this.#seen.size >= this.#limits.packetsMax && oldest.done !== true) this.#seen.delete(oldest.value);
    this.#seen.set(key, { since: now, from, turns: 0 });
    return false;
  }
}

/** FNV-1a of the length and the first bytes. */
function digest({ memory, start, end }: Packet): number {
  let hash = Math.imul(hashBasis ^ (end - start), hashPrime);
  const stop = Math.min(end, start + bytesCompared);
  for (let at = start; at < stop; at += 1) hash = Math.imul(hash ^ (memory[at] ?? 0), hashPrime);
  return hash >>> 0;
}
