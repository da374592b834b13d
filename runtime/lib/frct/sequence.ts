/** Sequence numbers of FRCT. Source: end-to-end.md 0, 7.6. */

/**
 * A number modulo 2^32. It is kept as a signed integer: of two, the one before the other is told by the sign of their
 * difference, and what is always a small integer is never boxed.
 */
export type Seqno = number;

/** A sequence number from any 32 bits. */
export function toSeqno(bits: number): Seqno {
  return bits | 0;
}

/** The number `count` steps behind another; `count` may be negative. */
export function plus(seqno: Seqno, count: number): Seqno {
  return (seqno + count) | 0;
}

/** Steps from one number to another, -2^31 to 2^31 - 1. */
export function distance(from: Seqno, to: Seqno): number {
  return (to - from) | 0;
}

/** Whether `a` comes before `b`. */
export function isBefore(a: Seqno, b: Seqno): boolean {
  return ((a - b) | 0) < 0;
}

/** Values that 24 bits can tell. */
const windowRange = 1 << 24;
const halfRange = windowRange / 2;

/**
 * The right window edge that 24 bits of it mean to whoever holds `rwe`: the high bits are those of `rwe`, one more
 * where the value would else lie more than 2^23 - 1 before it. A value far behind `rwe` is left as it is; it is for the
 * caller to refuse.
 */
export function expandWindow(window: number, rwe: Seqno): Seqno {
  const edge = (rwe & -windowRange) | window;
  return distance(edge, rwe) > halfRange - 1 ? plus(edge, windowRange) : edge;
}
