import fc from 'fast-check';
import { expect, test } from 'vitest';
import { missingFor, qosFromJson, qosToJson, rawQos } from './qos.ts';

test('a QoS survives JSON, a 64-bit bandwidth included', () => {
  const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
  const u8 = fc.integer({ min: 0, max: 255 });
  const spec = fc.record({
    delay: u32,
    bandwidth: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    availability: u8,
    loss: u32,
    ber: u32,
    inOrder: u8,
    maxGap: u32,
    timeout: u32,
  });
  fc.assert(
    fc.property(spec, (qos) => {
      expect(qosFromJson(JSON.parse(JSON.stringify(qosToJson(qos))))).toEqual(qos);
    }),
  );
});

test('a flow without order is what these end points have, with and without a CRC', () => {
  expect(missingFor(rawQos)).toBeUndefined();
  expect(missingFor({ ...rawQos, inOrder: 1 })).toBe('ordered delivery');
  expect(missingFor({ ...rawQos, ber: 0 })).toBeUndefined();
});
