import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fieldAt, u32 } from '../../../../tests/support/any-message.ts';
import { managementMessages } from '../../../../tests/support/management-messages.ts';
import { headerBytes } from '../../../lib/wire/fields.ts';
import { emptyUpdate, lsuBytes, lsuFields, readLsu, updateState, writeLsu } from './lsu.ts';

const anySeqno = fc.oneof(fc.nat(), fc.maxSafeInteger().map(Math.abs));
const address = u32.filter((value) => value !== 0);

test('the table and the encoder agree', () => {
  expect(headerBytes(lsuFields)).toBe(24);
  expect(lsuBytes).toBe(24);
  fc.assert(
    fc.property(u32, u32, anySeqno, fc.nat(40), (destination, source, seqno, start) => {
      const memory = Buffer.alloc(start + lsuBytes + 8, 0xa5);
      expect(writeLsu(memory, start, destination, source, seqno)).toBe(start + lsuBytes);
      expect(fieldAt(lsuFields, 'destination', memory, start)).toBe(BigInt(destination));
      expect(fieldAt(lsuFields, 'source', memory, start)).toBe(BigInt(source));
      expect(fieldAt(lsuFields, 'seqno', memory, start)).toBe(BigInt(seqno));
      expect(memory.subarray(0, start).every((byte) => byte === 0xa5)).toBe(true);
      expect(memory.subarray(start + lsuBytes).every((byte) => byte === 0xa5)).toBe(true);
    }),
  );
});

test('what is written is read', () => {
  fc.assert(
    fc.property(address, address, anySeqno, (destination, source, seqno) => {
      fc.pre(destination !== source);
      const memory = Buffer.alloc(lsuBytes);
      writeLsu(memory, 0, destination, source, seqno);
      const update = emptyUpdate();
      expect(readLsu(memory, 0, update)).toBe(true);
      expect(update).toEqual({
        destination,
        source,
        seqno,
        state: updateState.announced,
        maxMessageBytes: 0,
        age: 0,
      });
    }),
  );
});

test('literal bytes: unicast-layer.md 6.11', () => {
  const memory = Buffer.alloc(lsuBytes, 0xa5);
  writeLsu(memory, 0, 0x708b64d8, 0x6a64c606, 0);
  expect(memory.toString('hex')).toBe('00000000708b64d8' + '000000006a64c606' + '0000000000000000');
});

test.each([
  ['an address of more than 32 bits', '0000000100000001' + '0000000000000002' + '0000000000000000'],
  ['a source of more than 32 bits', '0000000000000001' + '8000000000000002' + '0000000000000000'],
  ['no destination', '0000000000000000' + '0000000000000002' + '0000000000000000'],
  ['no source', '0000000000000001' + '0000000000000000' + '0000000000000000'],
  ['a link to itself', '0000000000000001' + '0000000000000001' + '0000000000000000'],
  ['a number of more than 53 bits', '0000000000000001' + '0000000000000002' + '0020000000000000'],
])('no member says: %s', (_name, hex) => {
  expect(readLsu(Buffer.from(hex, 'hex'), 0, emptyUpdate())).toBe(false);
});

test('any 24 bytes are read or refused, never more', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: lsuBytes, maxLength: lsuBytes }), fc.boolean(), (array, low) => {
      const memory = Buffer.from(array);
      if (low) for (const at of [0, 8, 16]) memory.writeUInt32BE(0, at);
      const update = emptyUpdate();
      if (!readLsu(memory, 0, update)) return;
      const again = Buffer.alloc(lsuBytes);
      writeLsu(again, 0, update.destination, update.source, update.seqno);
      expect(again).toEqual(memory);
    }),
    { numRuns: 1000 },
  );
});

/** LSUs of each capture, and the pairs they are about. */
const captures: Readonly<Record<string, readonly [count: number, pairs: number]>> = {
  'unicast-line-ab': [27, 4],
  'unicast-line-bc': [27, 4],
  'unicast-peer-bp': [36, 6],
  'unicast-peer-pc': [30, 6],
  'unicast-errors-ab': [9, 5],
  'unicast-errors-bp': [12, 5],
};

test.each(Object.entries(captures))('%s: every message comes back byte for byte', (name, counts) => {
  const pairs = new Set<string>();
  // One flow carries a keepalive too.
  const messages = managementMessages(name).filter(({ bytes }) => bytes.length > 0);
  for (const { bytes } of messages) {
    expect(bytes.length).toBe(lsuBytes);
    const update = emptyUpdate();
    expect(readLsu(bytes, 0, update)).toBe(true);
    const again = Buffer.alloc(lsuBytes, 0xa5);
    writeLsu(again, 0, update.destination, update.source, update.seqno);
    expect(again).toEqual(bytes);
    pairs.add(`${update.source} ${update.destination}`);
  }
  expect([messages.length, pairs.size]).toEqual(counts);
});
