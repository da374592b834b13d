import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatTime, PingStatistics } from './statistics.ts';

function statistics(sent: number, times: readonly number[]): PingStatistics {
  const result = new PingStatistics();
  result.sent = sent;
  for (const time of times) result.add(time);
  return result;
}

test('three replies', () => {
  expect(statistics(3, [0.156, 0.216, 0.324]).format('x', 30.922)).toBe(
    '\n--- x ping statistics ---\n' +
      '3 packets transmitted, 3 received, 0 out-of-order, 0% packet loss, time: 30.922 ms\n' +
      'rtt min/avg/max/mdev = 0.156/0.232/0.324/0.085 ms\n',
  );
});

test('one reply has no deviation', () => {
  expect(statistics(1, [0.471]).format('x', 1000.926)).toBe(
    '\n--- x ping statistics ---\n' +
      '1 packets transmitted, 1 received, 0 out-of-order, 0% packet loss, time: 1000.926 ms\n' +
      'rtt min/avg/max/mdev = 0.471/0.471/0.471/NaN ms\n',
  );
});

test('no reply has no times', () => {
  expect(statistics(1, []).format('dead', 2001.023)).toBe(
    '\n--- dead ping statistics ---\n' +
      '1 packets transmitted, 0 received, 0 out-of-order, 100% packet loss, time: 2001.023 ms\n',
  );
  expect(statistics(0, []).format('x', 0.28)).toBe(
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
  const text = statistics(
    sent,
    Array.from({ length: received }, () => 1),
  ).format('x', 1);
  expect(text).toContain(`, ${percent}% packet loss`);
});

test('the unit follows the average alone', () => {
  expect(statistics(2, [0.05, 0.14]).format('x', 1)).toContain('= 50.000/95.000/140.000/63.640 µs\n');
  expect(statistics(2, [0.061, 0.139]).format('x', 1)).toContain('= 0.061/0.100/0.139/0.055 ms\n');
});

test('a time', () => {
  expect(formatTime(0.199)).toBe('time=0.199 ms');
  expect(formatTime(0.077)).toBe('time=77.000 µs');
  expect(formatTime(0.1)).toBe('time=0.100 ms');
  expect(formatTime(0.099)).toBe('time=99.000 µs');
});

test('mean and deviation are those of the definition', () => {
  const times = fc.array(fc.integer({ min: 100, max: 10_000_000 }), { minLength: 2, maxLength: 200 });
  fc.assert(
    fc.property(times, (micros) => {
      const values = micros.map((value) => value / 1000);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
      const text = statistics(values.length, values).format('x', 1);
      const [, min, average, max, deviation] =
        / = ([\d.]+)\/([\d.]+)\/([\d.]+)\/([\d.]+) ms/.exec(text) ?? [];
      expect(Number(min)).toBeCloseTo(Math.min(...values), 2);
      expect(Number(max)).toBeCloseTo(Math.max(...values), 2);
      expect(Number(average)).toBeCloseTo(mean, 2);
      expect(Number(deviation)).toBeCloseTo(Math.sqrt(variance), 2);
    }),
  );
});
