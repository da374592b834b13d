import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isOrdered, isReliable, qosByName, qosFromJson, qosToJson, rawNoErrorsQos, rawQos } from './qos.ts';

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

test('the services are those of end-to-end.md 2.2, as a default build of the prototype asks for them', () => {
  const any = 2 ** 32 - 1;
  const raw = { delay: any, bandwidth: 0n, availability: 0, loss: 1, ber: 1, inOrder: 0, maxGap: any };
  const rest = { timeout: 120_000 };
  const ordered = { ...raw, ...rest, inOrder: 1 };
  expect(qosByName).toEqual({
    raw: { ...raw, ...rest },
    best: ordered,
    video: { ...ordered, delay: 100, bandwidth: 2n ** 64n - 1n, availability: 3, maxGap: 100 },
    voice: { ...ordered, delay: 50, bandwidth: 100_000n, availability: 5, maxGap: 50 },
    data: { ...ordered, delay: 1000, loss: 0, maxGap: 2000 },
  });
  expect(rawNoErrorsQos).toEqual({ ...raw, ...rest, ber: 0 });
});

test('order brings FRCT, and no loss brings retransmission only with it', () => {
  expect(Object.values(qosByName).map(isOrdered)).toEqual([false, true, true, true, true]);
  expect(Object.values(qosByName).map(isReliable)).toEqual([false, false, false, false, true]);
  expect(isReliable({ ...rawQos, loss: 0 })).toBe(false);
});
