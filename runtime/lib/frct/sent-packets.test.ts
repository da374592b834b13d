import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packetState, SentPackets } from './sent-packets.ts';
import { plus, toSeqno } from './sequence.ts';

const limit = 4000;

function write(packets: SentPackets, bytes: number, now = 0): boolean {
  const at = packets.reserve(bytes);
  if (at < 0) return false;
  packets.memory.fill(packets.seqno & 0xff, at, at + bytes);
  packets.add(at, bytes, now);
  return true;
}

describe('a ring of packets', () => {
  test('holds what was written, whatever is written and dropped in between, across 2^32', () => {
    const step = fc.oneof(
      fc.record({ write: fc.integer({ min: 12, max: 1500 }) }),
      fc.record({ drop: fc.integer({ min: 1, max: 5 }) }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(0, 0xffff_fffa, 0x7fff_fffa),
        fc.array(step, { maxLength: 200 }),
        (start, steps) => {
          const packets = new SentPackets(toSeqno(start), limit);
          const model: number[] = [];
          let first = toSeqno(start);
          for (const one of steps) {
            if ('write' in one) {
              const held = model.reduce((sum, bytes) => sum + bytes, 0);
              const fits = packets.hasRoom(one.write);
              // Never beyond the limit, except for an only packet, which always fits.
              if (held + one.write > limit && model.length > 0) expect(fits).toBe(false);
              if (model.length === 0) expect(fits).toBe(true);
              expect(write(packets, one.write)).toBe(fits);
              if (fits) model.push(one.write);
            } else {
              for (let count = 0; count < one.drop && model.length > 0; count += 1) {
                packets.drop();
                model.shift();
                first = plus(first, 1);
              }
            }
            expect(packets.count).toBe(model.length);
            expect(packets.lwe).toBe(first);
            expect(packets.bytesHeld).toBe(model.reduce((sum, bytes) => sum + bytes, 0));
            for (const [index, bytes] of model.entries()) {
              const seqno = plus(first, index);
              const slot = seqno & packets.mask;
              expect(packets.bytes[slot]).toBe(bytes);
              const at = packets.at[slot]!;
              const held = packets.memory.subarray(at, at + bytes);
              expect(held.every((byte) => byte === (seqno & 0xff))).toBe(true);
            }
          }
        },
      ),
    );
  });

  test('grows in numbers as it must, with all that is known of each packet', () => {
    const packets = new SentPackets(toSeqno(0xffff_fff0), 1e6);
    for (let count = 0; count < 20; count += 1) write(packets, 12, count);
    for (let count = 0; count < 10; count += 1) packets.drop();
    packets.hold(plus(packets.lwe, 3) & packets.mask);
    packets.state[plus(packets.lwe, 4) & packets.mask] = packetState.lost;
    for (let count = 20; count < 500; count += 1) write(packets, 12, count);
    expect(packets.mask).toBe(511);
    for (let count = 10; count < 500; count += 1) {
      const slot = plus(packets.lwe, count - 10) & packets.mask;
      expect(packets.firstSentAt[slot]).toBe(count);
      const state = count === 13 ? packetState.held : count === 14 ? packetState.lost : 0;
      expect(packets.state[slot]).toBe(state);
      expect((packets.heldBits[slot >> 3]! >> (slot & 7)) & 1).toBe(count === 13 ? 1 : 0);
    }
  });

  test('what the peer holds is no longer lost, and its bit goes with the packet', () => {
    const packets = new SentPackets(0, limit);
    write(packets, 12);
    packets.state[0] = packetState.lost | packetState.resent;
    packets.hold(0);
    expect(packets.state[0]).toBe(packetState.held | packetState.resent);
    expect(packets.heldBits[0]).toBe(1);
    packets.drop();
    expect(packets.heldBits[0]).toBe(0);
  });

  test('memory that a burst needed is given back when it is over', () => {
    const packets = new SentPackets(0, 16 * 1024 * 1024);
    for (let count = 0; count < 3000; count += 1) write(packets, 1400);
    const most = packets.memory.length;
    expect(most).toBeGreaterThan(3000 * 1400);
    while (packets.count > 0) packets.drop();
    for (let count = 0; count < 3; count += 1) {
      write(packets, 100);
      packets.drop();
    }
    write(packets, 100);
    expect(packets.memory.length).toBeLessThanOrEqual(512 * 1024);
  });
});
