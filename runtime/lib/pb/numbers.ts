/** 64-bit numbers of messages. */
import type Long from 'long';

/** As a number, exact up to 2^53. */
export function numberOf(value: number | Long): number {
  return typeof value === 'number' ? value : value.toUnsigned().toNumber();
}

/** A signed one. */
export function signedNumberOf(value: number | Long): number {
  return typeof value === 'number' ? value : value.toSigned().toNumber();
}
