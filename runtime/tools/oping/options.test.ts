import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rawQos, qosByName } from '../../lib/index.ts';
import { parsePingOptions, type PingOptions, pingUsage } from './options.ts';

function run(...args: string[]): { options: PingOptions; notes: readonly string[] } {
  const parsed = parsePingOptions(args);
  if (parsed.kind !== 'run') throw new Error(`not run: ${JSON.stringify(parsed)}`);
  return parsed;
}

test('what is not given', () => {
  expect(run('-n', 'x')).toEqual({
    kind: 'run',
    options: {
      listen: false,
      poll: false,
      busy: false,
      serverName: 'x',
      count: 2_147_483_647,
      interval: 1000,
      size: 64,
      flood: false,
      floodBusy: false,
      quiet: false,
      timeOfDay: false,
      qos: rawQos,
      json: false,
    },
    notes: [],
  });
});

test('every option, short and long', () => {
  const short = run('-n', 'x', '-c', '3', '-i', '10', '-s', '100', '-q', 'data', '-f', '-F', '-Q', '-D');
  const long = run(
    ...'--server-name x --count 3 --interval 10 --size 100 --qos data --flood --flood-busy --quiet --timeofday'.split(
      ' ',
    ),
  );
  expect(short).toEqual(long);
  expect(short.options).toMatchObject({
    count: 3,
    interval: 10,
    size: 100,
    flood: true,
    floodBusy: true,
    quiet: true,
    qos: qosByName.data,
  });
  expect(run('-l', '--poll', '--busy').options).toMatchObject({ listen: true, poll: true, busy: true });
  expect(run('--listen').options.listen).toBe(true);
});

test('a count below 0 is without end, as for the manual', () => {
  expect(run('-n', 'x', '-c', '-1').options.count).toBe(4_294_967_295);
});

test('the last one wins, and text behind a number is ignored', () => {
  expect(run('-n', 'x', '-n', 'y', '-c', '3', '-c', '5 packets').options).toMatchObject({
    serverName: 'y',
    count: 5,
  });
});

describe('notes', () => {
  test('QoS first, then in the order of the table', () => {
    const { options, notes } = run('-n', 'x', '-s', '1501', '-i', '11s', '-q', 'fast');
    expect(notes).toEqual([
      'Unknown QoS cube, defaulting to raw.\n',
      'Ping interval truncated to 10s.\n',
      'Packet size truncated to 1500 bytes.\n',
    ]);
    expect(options).toMatchObject({ interval: 10_000, size: 1500 });
    expect(run('-n', 'x', '-s', '63').notes).toEqual(['Packet size set to 64 bytes.\n']);
  });

  test('none at the limits', () => {
    expect(run('-n', 'x', '-s', '1500', '-i', '10s').notes).toEqual([]);
    expect(run('-n', 'x', '-s', '64', '-i', '10000').notes).toEqual([]);
  });
});

test('a time with an unknown unit is refused where it is read', () => {
  const refused = { kind: 'end', text: 'Unknown time unit: min.\n', status: 1 };
  expect(parsePingOptions(['-i', '5min', '--foo'])).toEqual(refused);
  expect(parsePingOptions(['-n', 'x', '-d', '5min'])).toEqual(refused);
  expect(parsePingOptions(['--foo', '-i', '5min'])).toEqual({ kind: 'end', text: pingUsage, status: 1 });
});

test('a duration sets the count, whatever -c says', () => {
  expect(run('-n', 'x', '-d', '10s', '-c', '3').options.count).toBe(10);
  expect(run('-n', 'x', '-d', '10s', '-i', '300').options.count).toBe(33);
  expect(run('-n', 'x', '-d', '10', '-i', '0').options.count).toBe(100);
});

test.each([
  [['--help'], '', 0],
  [[], 'No server specified.\n', 1],
  [['-c', '3'], 'No server specified.\n', 1],
  [['-q', 'fast', '-s', '1'], 'Unknown QoS cube, defaulting to raw.\nNo server specified.\n', 1],
  [['-n'], '', 1],
  [['--count=3'], '', 1],
  [['-c3'], '', 1],
  [['x'], '', 1],
] as const)('%j is answered with the usage', (args, text, status) => {
  expect(parsePingOptions(args)).toEqual({ kind: 'end', text: text + pingUsage, status });
});

test('any words are read', () => {
  const known = [
    '-n',
    '-c',
    '-d',
    '-i',
    '-s',
    '-q',
    '-f',
    '-F',
    '-Q',
    '-D',
    '-l',
    '--poll',
    '--help',
    '1',
    '5s',
    'x',
  ];
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom(...known))), (args) => {
      const parsed = parsePingOptions(args);
      if (parsed.kind !== 'run' || parsed.options.listen) return;
      expect(parsed.options.size).toBeGreaterThanOrEqual(64);
      expect(parsed.options.size).toBeLessThanOrEqual(1500);
      expect(parsed.options.interval).toBeLessThanOrEqual(10_000);
      expect(Number.isInteger(parsed.options.count)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});
