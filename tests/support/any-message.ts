/** Arbitrary values for messages of the link layers, and fields read where a table says they lie. */
import fc from 'fast-check';
import type { QosSpec } from '../../runtime/lib/qos.ts';
import type { FieldTable } from '../../runtime/lib/wire/fields.ts';

export const u8: fc.Arbitrary<number> = fc.integer({ min: 0, max: 0xff });
export const u16: fc.Arbitrary<number> = fc.integer({ min: 0, max: 0xffff });
export const u32: fc.Arbitrary<number> = fc.integer({ min: 0, max: 0xffff_ffff });
export const i32: fc.Arbitrary<number> = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
export const bytes = (length: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((array) => Buffer.from(array));
export const bytesUpTo = (length: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength: length }).map((array) => Buffer.from(array));
export const anyQos: fc.Arbitrary<QosSpec> = fc.record({
  delay: u32,
  bandwidth: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  availability: u8,
  loss: u32,
  ber: u32,
  inOrder: u8,
  maxGap: u32,
  timeout: u32,
});

/** Reads a field where the table says it lies. */
export function fieldAt(table: FieldTable, name: string, memory: Buffer, start: number): number | bigint {
  const field = table.find((one) => one.name === name);
  if (field === undefined) throw new Error(`no field ${name}`);
  const at = start + field.offset;
  switch (field.kind) {
    case 'u8':
      return memory.readUInt8(at);
    case 'u16':
      return memory.readUInt16BE(at);
    case 'u24':
      return memory.readUIntBE(at, 3);
    case 'u32':
      return memory.readUInt32BE(at);
    case 'i32':
      return memory.readInt32BE(at);
    case 'u64':
      return memory.readBigUInt64BE(at);
    default:
      throw new Error(`${name} is no number`);
  }
}
