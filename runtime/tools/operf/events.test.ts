import { expect, test } from 'vitest';
import { type PerfEvent, perfText } from './events.ts';

const text = (event: PerfEvent, quiet = false): string => perfText(event, quiet);

test('the words of the manual', () => {
  expect(text({ type: 'test', fd: 64, test: 'uni' })).toBe('Doing a unidirectional test.\n');
  expect(text({ type: 'test', fd: 64, test: 'bi' })).toBe('Doing a bidirectional test.\n');
  const sending = {
    type: 'sending',
    server: 'perf',
    bytes: 1500,
    durationMs: 1500,
    rate: 1_234_567,
  } as const;
  expect(text(sending)).toBe('Sending 1500 byte packets for 1 s to perf at 1.235 Mb/s.\n\n');
  expect(text({ type: 'sending', server: 'perf', bytes: 1500, durationMs: 2000 })).toBe(
    'Flooding perf with 1500 byte packets for 2 seconds.\n\n',
  );
  expect(
    text({
      type: 'statistics',
      server: 'perf',
      sent: 0,
      received: 0,
      lossPercent: 0,
      elapsedMs: 0.219,
      mbps: 0,
    }),
  ).toBe(
    '\n--- perf perf statistics ---\n' +
      '0 packets transmitted, 0 received, 0% packet loss, time: 0.219 ms, bandwidth: 0.000 Mb/s.\n',
  );
  expect(
    text({
      type: 'packets',
      fd: 64,
      packets: [
        [0, 1_795_301_747.479_577],
        [1, 1_795_301_748],
      ],
    }),
  ).toBe('Seqno 0 from fd 64: 1795301747.479577\nSeqno 1 from fd 64: 1795301748.000000\n');
});

test('what a flow brought is told in text where packets are not', () => {
  const received = {
    type: 'received',
    fd: 64,
    packets: 10,
    bytes: 1000,
    missing: 2,
    notReturned: 0,
    elapsedMs: 8,
    mbps: 1,
  } as const;
  expect(text(received)).toBe('');
  expect(text(received, true)).toBe(
    'Flow 64: 10 packets received, 2 missing, time: 8.000 ms, bandwidth: 1.000 Mb/s.\n',
  );
});
