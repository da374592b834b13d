import { expect, test } from 'vitest';
import { frctLimits, inactivityMs, maxPacketLifetimeMs, startPacketsAmong } from './limits.ts';

test('the constants of end-to-end.md 7.3', () => {
  expect(frctLimits).toMatchObject({
    windowInitial: 64,
    window: 256,
    ackMaxMs: 10_000,
    retransmitMs: 120_000,
    ackDelayMs: 10,
    rendezvousMs: 100,
    rtoInitialMs: 1000,
    rtoMinMs: 0.25,
    windowStep: 32,
  });
  expect(maxPacketLifetimeMs).toEqual({
    'eth-dix': 100,
    'eth-llc': 100,
    unicast: 100,
    local: 100,
    broadcast: 100,
    udp: 5000,
    udp4: 5000,
    udp6: 5000,
    direct: 1,
  });
});

test.each([
  ['eth-dix', 131, 131],
  ['udp4', 146, 141],
  ['direct', 131, 131],
] as const)('inactivity over %s: %s s for the sender, %s s for the receiver', (layer, sender, receiver) => {
  const mplMs = maxPacketLifetimeMs[layer];
  expect(inactivityMs('sender', mplMs, frctLimits)).toBe(sender * 1000);
  expect(inactivityMs('receiver', mplMs, frctLimits)).toBe(receiver * 1000);
});

test('among our own ends the windows carry 1 Gbit/s over 50 ms, and the longest message fits from the start', () => {
  const packets = (1e9 / 8 / 1400) * 0.05;
  expect(frctLimits.ours.window).toBeGreaterThan(packets);
  expect(frctLimits.sendBytesMax).toBeGreaterThan(packets * 1400);
  expect(frctLimits.receiveBytesMax).toBeGreaterThan(packets * 1400);
  expect(frctLimits.ours.bytesInitial).toBeGreaterThan(1_048_260);
  // Powers of two: numbers are mapped to slots by their low bits.
  for (const slots of [frctLimits.window, frctLimits.ours.window]) expect(slots & (slots - 1)).toBe(0);
});

test('flows that begin at once share what they have under way at first', () => {
  expect([1, 8, 9, 16, 51, 100, 10_000].map(startPacketsAmong)).toEqual([64, 64, 56, 32, 10, 10, 10]);
});
