/**
 * Exact 64-bit numbers in Protocol Buffers. protobufjs takes them for floating-point numbers where it does not find the
 * package `long`, and how it looks for it fails under some conditions of resolution; here it is handed to it. Import
 * this beside a generated module whose 64-bit numbers may exceed 2^53.
 */
import Long from 'long';
import protobuf from 'protobufjs/minimal.js';

protobuf.util.Long = Long;
protobuf.configure();

/** 64 bits as the generated modules read them; they write small ones as numbers too. */
export type Int64 = number | Long;

/** The nearest number. */
export function numberOf(value: Int64): number {
  return typeof value === 'number' ? value : value.toNumber();
}
