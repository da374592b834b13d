import { expect, test } from 'vitest';
import { qosByName, rawQos } from '../../lib/index.ts';
import { type CbrOptions, cbrUsage, parseCbrOptions } from './options.ts';

function run(...args: string[]): { options: CbrOptions; notes: readonly string[] } {
  const parsed = parseCbrOptions(args);
  if (parsed.kind !== 'run') throw new Error(`not run: ${JSON.stringify(parsed)}`);
  return parsed;
}

test('what is not given', () => {
  expect(run('-n', 'x')).toEqual({
    kind: 'run',
    options: {
      listen: false,
      intervalS: 1,
      timeoutS: 1,
      serverName: 'x',
      durationS: 60,
      size: 1000,
      rate: 1_000_000,
      flood: false,
      spin: false,
      qos: rawQos,
      json: false,
    },
    notes: [],
  });
});

test('every option, short and long', () => {
  const short = run(...'-n x -d 2s -s 100 -r 5k -f -q best --spin'.split(' '));
  const long = run(
    ...'--server_apn x --duration 2 --size 100 --rate 5000 --flood --qos best --sleep --spin'.split(' '),
  );
  expect(short).toEqual(long);
  expect(short.options).toMatchObject({
    durationS: 2,
    size: 100,
    rate: 5000,
    flood: true,
    spin: true,
    qos: qosByName.best,
  });
  expect(run('-n', 'x', '--spin', '--sleep').options.spin).toBe(false);
  expect(run('-l', '-i', '3', '-t', '5').options).toMatchObject({ listen: true, intervalS: 3, timeoutS: 5 });
  expect(run('--listen', '--interval', '0').options.intervalS).toBe(1);
});

test('what is wrong is said in the order of the manual', () => {
  const wrong = ['-s', '524289', '-r', '0'];
  const refused = (...args: string[]): unknown => parseCbrOptions(args);
  expect(refused(...wrong)).toEqual({ kind: 'end', text: `No server specified.\n${cbrUsage}`, status: 1 });
  expect(refused('-n', 'x', ...wrong)).toEqual({ kind: 'end', text: 'Maximum size: 524288.\n', status: 1 });
  expect(refused('-n', 'x', '-s', '-1', '-r', '0')).toMatchObject({ text: 'Size overflow.\n' });
  expect(refused('-n', 'x', '-s', 'x')).toMatchObject({ text: 'Minimum size: 1.\n' });
  expect(refused('-n', 'x', '-r', '0')).toMatchObject({ text: 'Invalid rate.\n' });
  expect(run('-n', 'x', '-s', '524288').options.size).toBe(524_288);
});

test('other words show the usage', () => {
  for (const args of [['--help'], ['-x'], ['-n']]) {
    expect(parseCbrOptions(args)).toEqual({ kind: 'end', text: cbrUsage, status: 0 });
  }
  expect(cbrUsage).toMatch(/^Usage: cbr \[OPTION\]\.\.\.\n/);
});
