import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeRecord, encodeRecord, noComponent } from './message.ts';

/** The annotated examples of unicast-layer.md 3.5 and broadcast-layer.md 3. */
const examples = {
  enrolment: [
    '0a0a456e726f6c6c6d656e7412034f4550180128004000',
    { component: 'Enrollment', protocol: 'OEP', version: 1, syntax: 0, address: 0, extensions: 0 },
  ],
  management: [
    '0a0a4d616e6167656d656e7412034c53501801280040868c93d306',
    { component: 'Management', protocol: 'LSP', version: 1, syntax: 0, address: 0x6a64c606, extensions: 0 },
  ],
  'data transfer': [
    '0a0d44617461205472616e7366657212036474701801280240868c93d306',
    {
      component: 'Data Transfer',
      protocol: 'dtp',
      version: 1,
      syntax: 2,
      address: 0x6a64c606,
      extensions: 0,
    },
  ],
  'data transfer of a broadcast layer': [
    '0a0d44617461205472616e736665721200180028004000',
    { component: 'Data Transfer', protocol: '', version: 0, syntax: 0, address: 0, extensions: 0 },
  ],
  refusal: ['0a001200180028004000', noComponent],
} as const;

describe.each(Object.entries(examples))('the record of %s', (_name, [hex, record]) => {
  test('is read and written as the prototype does', () => {
    expect(decodeRecord(Buffer.from(hex, 'hex'))).toEqual(record);
    expect(encodeRecord(record).toString('hex')).toBe(hex);
  });

  test('cut anywhere is none, or lacks only what is not required', () => {
    const bytes = Buffer.from(hex, 'hex');
    for (let length = 0; length < bytes.length - 2; length += 1) {
      expect(decodeRecord(bytes.subarray(0, length))).toBeUndefined();
    }
  });
});

test('our extensions stand behind what a prototype reads, and fit its buffer', () => {
  const [hex, record] = examples['data transfer'];
  const bytes = encodeRecord({ ...record, extensions: 1 });
  expect(bytes.toString('hex')).toBe(`${hex}a00601`);
  expect(decodeRecord(bytes)).toEqual({ ...record, extensions: 1 });
});

test('a record that would fill the buffer of a prototype, or an address of more than 32 bits, is none', () => {
  const record = { ...noComponent, component: 'x'.repeat(110) };
  expect(encodeRecord(record).length).toBeLessThan(128);
  expect(decodeRecord(encodeRecord(record))).toEqual(record);
  expect(decodeRecord(encodeRecord({ ...record, protocol: 'x'.repeat(10) }))).toBeUndefined();
  expect(decodeRecord(encodeRecord({ ...noComponent, address: 2 ** 32 }))).toBeUndefined();
  expect(decodeRecord(encodeRecord({ ...noComponent, address: 2 ** 32 - 1 }))).toBeDefined();
});

test('random bytes never make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const record = decodeRecord(bytes);
      if (record !== undefined) expect(record.address).toBeLessThanOrEqual(0xffff_ffff);
    }),
  );
});
