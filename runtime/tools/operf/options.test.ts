import { expect, test } from 'vitest';
import { qosByName, rawQos } from '../../lib/index.ts';
import { parsePerfOptions, type PerfOptions, perfUsage } from './options.ts';

function run(...args: string[]): { options: PerfOptions; notes: readonly string[] } {
  const parsed = parsePerfOptions(args);
  if (parsed.kind !== 'run') throw new Error(`not run: ${JSON.stringify(parsed)}`);
  return parsed;
}

test('what is not given', () => {
  expect(run('-n', 'x')).toEqual({
    kind: 'run',
    options: {
      listen: false,
      quiet: false,
      serverName: 'x',
      test: 'uni',
      durationMs: 60_000,
      rate: 1_000_000,
      size: 1500,
      flood: false,
      qos: rawQos,
      json: false,
    },
    notes: [],
  });
});

test('every option, short and long', () => {
  const short = run(...'-n x -t bi -d 2s -r 5 -s 100 -f -q voice --sleep'.split(' '));
  const long = run(
    ...'--server-name x --test bi --duration 2000 --rate 5k --size 100 --flood --qos voice'.split(' '),
  );
  expect(short).toEqual(long);
  expect(short.options).toMatchObject({
    test: 'bi',
    durationMs: 2000,
    rate: 5000,
    size: 100,
    flood: true,
    qos: qosByName.voice,
  });
  expect(run('-l', '-Q', '--json').options).toMatchObject({ listen: true, quiet: true, json: true });
  expect(run('--listen', '--quiet').options).toMatchObject({ listen: true, quiet: true });
});

test.each([
  [[], 'No server specified.\n'],
  [['-t', 'x'], 'No server specified.\n'],
  [['-n', 'x', '-t', 'both'], 'Invalid test type.\n'],
  [['-n', 'x', '-r', '5x'], 'Unknown rate unit: x.\n'],
  [['-n', 'x', '-d', '5x'], 'Unknown time unit: x.\n'],
  [['-n', 'x', '-r', '0'], 'Invalid rate.\n'],
])('%j is refused', (args, text) => {
  expect(parsePerfOptions(args)).toEqual({ kind: 'end', text, status: 1 });
});

test('sizes are brought within the limits', () => {
  expect(run('-n', 'x', '-s', '2000000')).toMatchObject({
    options: { size: 1_048_576 },
    notes: ['Packet size truncated to 1048576 bytes.\n'],
  });
  expect(run('-n', 'x', '-s', '2', '-q', 'fast')).toMatchObject({
    options: { size: 64, qos: undefined },
    notes: ['Unknown QoS cube, defaulting to raw.\n', 'Packet size set to 64 bytes.\n'],
  });
});

test('other words show the usage', () => {
  for (const args of [['--help'], ['-x'], ['-l', 'x'], ['-n']]) {
    expect(parsePerfOptions(args)).toEqual({ kind: 'end', text: perfUsage, status: 0 });
  }
});
