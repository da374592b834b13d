import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pingText } from './events.ts';
import { PingStatistics } from './statistics.ts';

function statistics(sent: number, times: readonly number[]): PingStatistics {
  const result = new PingStatistics();
  result.sent = sent;
  for (const time of times) result.add(time);
  return result;
}

const textOf = (counted: PingStatistics, server: string, elapsedMs: number): string =>
  pingText(counted.summary(server, elapsedMs));

test('three replies', () => {
  expect(textOf(statistics(3, [0.156, 0.216, 0.324]), 'x', 30.922)).toBe(
    '\n--- x ping statistics ---\n' +
      '3 packets transmitted, 3 received, 0 out-of-order, 0% packet loss, time: 30.922 ms\n' +
      'rtt min/avg/max/mdev = 0.156/0.232/0.324/0.085 ms\n',
  );
});

test('one reply has no deviation', () => {
  expect(textOf(statistics(1, [0.471]), 'x', 1000.926)).toBe(
    '\n--- x ping statistics ---\n' +
      '1 packets transmitted, 1 received, 0 out-of-order, 0% packet loss, time: 1000.926 ms\n' +
      'rtt min/avg/max/mdev = 0.471/0.471/0.471/NaN ms\n',
  );
});

test('no reply has no times', () => {
  expect(textOf(statistics(1, []), 'dead', 2001.023)).toBe(
    '\n--- dead ping statistics ---\n' +
      '1 packets transmitted, 0 received, 0 out-of-order, 100% packet loss, time: 2001.023 ms\n',
  );
  expect(textOf(statistics(0, []), 'x', 0.28)).toBe(
    '\n--- x ping statistics ---\n' +
      '0 packets transmitted, 0 received, 0 out-of-order, 0% packet loss, time: 0.280 ms\n',
  );
});

test.each([
  [7, 3, 58],
  [14, 4, 72],
  [3, 3, 0],
  [1000, 999, 1],
])('of %i sent %i came back: %i%% lost', (sent, received, percent) => {
  const times = Array.from({ length: received }, () => 1);
  const text = textOf(statistics(sent, times), 'x', 1);
  expect(text).toContain(`, ${percent}% packet loss`);
});

test('the unit follows the average alone', () => {
  expect(textOf(statistics(2, [0.05, 0.14]), 'x', 1)).toContain('= 50.000/95.000/140.000/63.640 µs\n');
  expect(textOf(statistics(2, [0.061, 0.139]), 'x', 1)).toContain('= 0.061/0.100/0.139/0.055 ms\n');
});

test('a reply', () => {
  const reply = { type: 'reply', server: 'x', bytes: 64, seq: 0, rttMs: 0.199, outOfOrder: false } as const;
  expect(pingText(reply)).toBe('64 bytes from x: seq=0 time=0.199 ms\n');
  expect(pingText({ ...reply, rttMs: 0.077 })).toBe('64 bytes from x: seq=0 time=77.000 µs\n');
  expect(pingText({ ...reply, rttMs: 0.1 })).toBe('64 bytes from x: seq=0 time=0.100 ms\n');
  expect(pingText({ ...reply, rttMs: 0.099, outOfOrder: true, at: 1_795_301_664.375_946 })).toBe(
    '[1795301664.375946] 64 bytes from x: seq=0 time=99.000 µs [out-of-order]\n',
  );
});

test('mean and deviation are those of the definition', () => {
  const times = fc.array(fc.integer({ min: 100, max: 10_000_000 }), { minLength: 2, maxLength: 200 });
  fc.assert(
    fc.property(times, (micros) => {
      const values = micros.map((value) => value / 1000);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
      const text = textOf(statistics(values.length, values), 'x', 1);
      const [, min, average, max, deviation] =
        / = ([\d.]+)\/([\d.]+)\/([\d.]+)\/([\d.]+) ms/.exec(text) ?? [];
      expect(Number(min)).toBeCloseTo(Math.min(...values), 2);
      expect(Number(max)).toBeCloseTo(Math.max(...values), 2);
      expect(Number(average)).toBeCloseTo(mean, 2);
      expect(Number(deviation)).toBeCloseTo(Math.sqrt(variance), 2);
    }),
  );
});
