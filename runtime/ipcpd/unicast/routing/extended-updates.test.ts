import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fieldAt, u16, u32 } from '../../../../tests/support/any-message.ts';
import {
  acknowledgementFields,
  numbersIn,
  packetKind,
  readAcknowledgement,
  readUpdateRecord,
  recordsIn,
  updateRecordBytes,
  updateRecordFields,
  updatesFields,
  updatesHeaderBytes,
  updatesIn,
  updatesNumber,
  writeAcknowledgement,
  writeUpdateRecord,
  writeUpdatesHeader,
} from './extended-updates.ts';
import { emptyUpdate, type LinkUpdate, lsuBytes, updateState } from './lsu.ts';

const address = u32.filter((value) => value !== 0);
const anyUpdate: fc.Arbitrary<LinkUpdate> = fc
  .record({
    source: address,
    destination: address,
    seqno: fc.maxSafeInteger().map(Math.abs),
    state: fc.constantFrom(...Object.values(updateState)),
    maxMessageBytes: u32.filter((value) => value >= 39),
    age: u16,
  })
  .filter(({ source, destination }) => source !== destination)
  .map((update) =>
    update.state === updateState.detailed ? update : Object.assign(update, { maxMessageBytes: 0 }),
  );

function packetOf(number: number, updates: readonly LinkUpdate[], start = 0): Buffer {
  const memory = Buffer.alloc(start + updatesHeaderBytes + updates.length * updateRecordBytes + 8, 0xa5);
  let at = writeUpdatesHeader(memory, start, number);
  for (const update of updates) at = writeUpdateRecord(memory, at, update);
  expect(at).toBe(memory.length - 8);
  return memory;
}

describe('the tables and the encoders agree', () => {
  test('updates', () => {
    expect([updatesHeaderBytes, updateRecordBytes]).toEqual([5, 23]);
    fc.assert(
      fc.property(u32, fc.array(anyUpdate, { maxLength: 4 }), fc.nat(40), (number, updates, start) => {
        const memory = packetOf(number, updates, start);
        expect(fieldAt(updatesFields, 'kind', memory, start)).toBe(packetKind.updates);
        expect(fieldAt(updatesFields, 'number', memory, start)).toBe(number);
        for (const [index, update] of updates.entries()) {
          const at = start + updatesHeaderBytes + index * updateRecordBytes;
          for (const { name, kind } of updateRecordFields) {
            const value = update[name as keyof LinkUpdate];
            expect(fieldAt(updateRecordFields, name, memory, at), name).toBe(
              kind === 'u64' ? BigInt(value) : value,
            );
          }
        }
        expect(memory.subarray(0, start).every((byte) => byte === 0xa5)).toBe(true);
        expect(memory.subarray(-8).every((byte) => byte === 0xa5)).toBe(true);
      }),
    );
  });

  test('acknowledgement', () => {
    fc.assert(
      fc.property(u32, fc.nat(40), (number, start) => {
        const memory = Buffer.alloc(start + 20, 0xa5);
        expect(writeAcknowledgement(memory, start, [number])).toBe(start + 5);
        expect(fieldAt(acknowledgementFields, 'kind', memory, start)).toBe(packetKind.acknowledgement);
        expect(fieldAt(acknowledgementFields, 'number', memory, start)).toBe(number);
        expect(memory.subarray(start + 5).every((byte) => byte === 0xa5)).toBe(true);
      }),
    );
  });
});

test('what is written is read', () => {
  fc.assert(
    fc.property(u32, fc.array(anyUpdate, { maxLength: 8 }), (number, updates) => {
      const memory = packetOf(number, updates);
      const end = memory.length - 8;
      expect(updatesIn(0, end)).toBe(updates.length);
      expect(updatesNumber(memory, 0)).toBe(number);
      const update = emptyUpdate();
      for (const [index, expected] of updates.entries()) {
        expect(readUpdateRecord(memory, 0, index, update)).toBe(true);
        expect(update).toEqual(expected);
      }
    }),
  );
  fc.assert(
    fc.property(fc.array(u32, { minLength: 1, maxLength: 20 }), (numbers) => {
      const memory = Buffer.alloc(100);
      const read: number[] = [];
      const end = writeAcknowledgement(memory, 0, numbers);
      expect(readAcknowledgement(memory, 0, end, (number) => read.push(number))).toBe(true);
      expect(read).toEqual(numbers);
    }),
  );
});

test('literal bytes', () => {
  const update = {
    destination: 0x708b64d8,
    source: 0x6a64c606,
    seqno: 7,
    state: updateState.detailed,
    maxMessageBytes: 1496,
    age: 12,
  };
  const gone = { ...update, seqno: 2 ** 32 + 8, state: updateState.withdrawn, maxMessageBytes: 0, age: 0 };
  expect(packetOf(3, [update, gone]).toString('hex', 0, 51)).toBe(
    '81' +
      '00000003' +
      '708b64d8' +
      '6a64c606' +
      '0000000000000007' +
      '01' +
      '000005d8' +
      '000c' +
      '708b64d8' +
      '6a64c606' +
      '0000000100000008' +
      '02' +
      '00000000' +
      '0000',
  );
  const memory = Buffer.alloc(9);
  writeAcknowledgement(memory, 0, [3, 0xffff_ffff]);
  expect(memory.toString('hex')).toBe('82' + '00000003' + 'ffffffff');
});

test('no packet has the length of an LSU, so that a prototype reads none', () => {
  for (let count = 0; count < 100; count += 1) {
    expect(updatesHeaderBytes + count * updateRecordBytes).not.toBe(lsuBytes);
    expect(1 + count * 4).not.toBe(lsuBytes);
  }
});

test('as many fit as there is room for', () => {
  expect([recordsIn(27), recordsIn(28), recordsIn(1400)]).toEqual([0, 1, 60]);
  expect([numbersIn(5), numbersIn(8), numbersIn(9)]).toEqual([1, 1, 2]);
});

test('every truncation is refused', () => {
  const updates = [1, 2, 3].map((seqno) => ({ ...emptyUpdate(), source: 1, destination: 2, seqno }));
  const whole = packetOf(1, updates).length - 8;
  for (let length = 0; length < whole; length += 1) {
    const count = (length - updatesHeaderBytes) / updateRecordBytes;
    expect(updatesIn(0, length)).toBe(Number.isInteger(count) && count >= 0 ? count : undefined);
  }
  const memory = Buffer.alloc(32);
  const end = writeAcknowledgement(memory, 0, [1, 2]);
  const read: number[] = [];
  for (let length = 0; length < end; length += 1) {
    expect(readAcknowledgement(memory, 0, length, (number) => read.push(number))).toBe(length === 5);
  }
  expect(read).toEqual([1]);
});

test.each([
  ['no source', { source: 0 }],
  ['no destination', { destination: 0 }],
  ['a link to itself', { source: 2 }],
  ['a number of more than 53 bits', { seqno: 2 ** 53 }],
  ['an unknown state', { state: 3 as LinkUpdate['state'] }],
  ['a limit of 0', { state: updateState.detailed }],
  ['a limit where there is none', { maxMessageBytes: 1 }],
  ['a limit that leaves no room', { state: updateState.detailed, maxMessageBytes: 38 }],
])('no member says: %s', (_name, change) => {
  const update = { ...emptyUpdate(), source: 1, destination: 2 };
  expect(readUpdateRecord(packetOf(0, [update]), 0, 0, emptyUpdate())).toBe(true);
  expect(readUpdateRecord(packetOf(0, [{ ...update, ...change }]), 0, 0, emptyUpdate())).toBe(false);
});

test('random bytes are read or refused, never more', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), u16, (array, state) => {
      const memory = Buffer.from(array);
      const count = updatesIn(0, memory.length);
      if (count === undefined) return;
      const update = emptyUpdate();
      for (let index = 0; index < count; index += 1) {
        const at = updatesHeaderBytes + index * updateRecordBytes;
        memory.writeUInt8(state % 4, at + 16);
        memory.writeUInt32BE(state % 3, at + 8);
        if (!readUpdateRecord(memory, 0, index, update)) continue;
        const again = Buffer.alloc(updateRecordBytes);
        writeUpdateRecord(again, 0, update);
        expect(again).toEqual(memory.subarray(at, at + updateRecordBytes));
      }
    }),
    { numRuns: 1000 },
  );
});
