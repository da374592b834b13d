import { expect, test } from 'vitest';
import { cbrText } from './events.ts';
import { cbrFields, writeSequence } from './message.ts';

test('lines and widths of the manual', () => {
  const started = {
    type: 'started',
    server: 'cbr',
    durationS: 3,
    rate: 1_000_000,
    bytes: 1000,
    flood: false,
  } as const;
  expect(cbrText(started)).toBe('Client started, duration 3, rate 1000000 b/s, size 1000 B.\n');
  expect(cbrText({ type: 'sent', packets: 369, bytes: 369_000, elapsedMs: 3005.6, mbps: 0.982_36 })).toBe(
    'sent statistics:       369 packets,       369000 bytes in      3005 ms, 0.9824 Mb/s\n',
  );
  expect(cbrText({ type: 'listening', intervalS: 1, timeoutS: 1 })).toBe(
    'Server started, interval is 1 s, timeout is 1 s.\n',
  );
  const report = {
    type: 'report',
    fd: 64,
    packets: 125,
    bytes: 125_000,
    elapsedMs: 1002.237,
    pps: 124.721,
    mbps: 0.9978,
  } as const;
  expect(cbrText(report)).toBe(
    'Flow   64:       125 packets (      125000 bytes) in      1002 ms =>  124.7210 pps,    0.9978 Mbps\n',
  );
  expect(cbrText({ type: 'timedOut', fd: 64 })).toBe('Test on flow 64 timed out\n');
  expect(cbrText({ type: 'full', flows: 10 })).toBe("Can't accept any more flows, waiting.\n");
});

test('the number of a packet, where there is room for it', () => {
  expect(cbrFields).toMatchObject([{ offset: 0, width: 8 }]);
  const packet = Buffer.alloc(12);
  writeSequence(packet, 2 ** 32 + 0x0102_0304);
  expect(packet.toString('hex')).toBe('040302010100000000000000');
  const short = Buffer.alloc(7);
  writeSequence(short, 1);
  expect(short).toEqual(Buffer.alloc(7));
});
