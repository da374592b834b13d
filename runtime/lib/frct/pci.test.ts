import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesUpTo, fieldAt, u32, u8 } from '../../../tests/support/any-message.ts';
import { Pci, pciBytes, pciFields, pciFlag, readSeqno, windowMask, writePci, writeSeqno } from './pci.ts';
import { toSeqno } from './sequence.ts';

const names = ['flags', 'window', 'seqno', 'ackno'] as const;

test('the table: flags, 24 bits of window, two numbers; 12 bytes', () => {
  expect(pciFields.map(({ name, kind, offset, width }) => [name, kind, offset, width])).toEqual([
    ['flags', 'u8', 0, 1],
    ['window', 'u24', 1, 3],
    ['seqno', 'u32', 4, 4],
    ['ackno', 'u32', 8, 4],
  ]);
  expect(pciBytes).toBe(12);
  expect(pciFlag).toEqual({ data: 1, drf: 2, ack: 4, fc: 8, rdvs: 0x10, extended: 0x80 });
});

test('what is written is read, and lies where the table says', () => {
  fc.assert(
    fc.property(u8, u32, u32, u32, fc.integer({ min: 0, max: 40 }), (flags, rwe, seqno, ackno, start) => {
      const memory = Buffer.alloc(start + pciBytes + 8, 0xa5);
      writePci(memory, start, flags, toSeqno(rwe), toSeqno(seqno), toSeqno(ackno));
      const pci = new Pci();
      expect(pci.read(memory, start, start + pciBytes)).toBe(true);
      expect(pci).toMatchObject({
        flags,
        window: rwe & windowMask,
        seqno: toSeqno(seqno),
        ackno: toSeqno(ackno),
      });
      for (const name of names) {
        expect(toSeqno(Number(fieldAt(pciFields, name, memory, start))), name).toBe(toSeqno(pci[name]));
      }
      // Nothing outside the header was touched.
      expect(memory.subarray(0, start).every((byte) => byte === 0xa5)).toBe(true);
      expect(memory.subarray(start + pciBytes).every((byte) => byte === 0xa5)).toBe(true);
    }),
  );
});

describe('bytes of end-to-end.md 11.5', () => {
  test.each([
    ['first packet', '03000000a50ff9f800000000', { flags: 0x03, window: 0, seqno: 0xa50ff9f8, ackno: 0 }],
    [
      'answer with all flags',
      '0f0ffaf919a9950da50ff9f9',
      { flags: 0x0f, window: 0x0ffaf9, seqno: 0x19a9950d, ackno: 0xa50ff9f9 },
    ],
    [
      'bare acknowledgement',
      '0ca9960e0000000019a9950e',
      { flags: 0x0c, window: 0xa9960e, seqno: 0, ackno: 0x19a9950e },
    ],
    ['rendezvous', '100000000000000000000000', { flags: 0x10, window: 0, seqno: 0, ackno: 0 }],
  ])('%s', (_name, hex, { flags, window, seqno, ackno }) => {
    const bytes = Buffer.from(hex, 'hex');
    const pci = new Pci();
    expect(pci.read(bytes, 0, bytes.length)).toBe(true);
    expect(pci).toMatchObject({ flags, window, seqno: toSeqno(seqno), ackno: toSeqno(ackno) });
    const again = Buffer.alloc(pciBytes, 0xa5);
    writePci(again, 0, flags, toSeqno(window), toSeqno(seqno), toSeqno(ackno));
    expect(again.toString('hex')).toBe(hex);
  });
});

test('a packet shorter than the header is refused, whatever lies behind it', () => {
  const memory = Buffer.alloc(64, 0xff);
  for (let length = 0; length < pciBytes; length += 1) {
    expect(new Pci().read(memory, 7, 7 + length)).toBe(false);
  }
});

test('random bytes are read or refused, never more', () => {
  fc.assert(
    fc.property(bytesUpTo(40), (bytes) => {
      const pci = new Pci();
      expect(pci.read(bytes, 0, bytes.length)).toBe(bytes.length >= pciBytes);
    }),
  );
});

test('a number of 32 bits, big-endian', () => {
  fc.assert(
    fc.property(u32, (value) => {
      const memory = Buffer.alloc(6);
      writeSeqno(memory, 1, toSeqno(value));
      expect(memory.readUInt32BE(1)).toBe(value);
      expect(readSeqno(memory, 1)).toBe(toSeqno(value));
    }),
  );
});
