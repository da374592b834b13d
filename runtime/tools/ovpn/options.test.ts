import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseVpnOptions, vpnUsage } from './options.ts';

const options = (address: string, mask: string, serverName?: string): object => ({
  kind: 'run',
  options: { serverName, address, mask, json: false },
  notes: [],
});
const parsed = (line: string): object => parseVpnOptions(line.split(' ').filter((word) => word !== ''));
const refused = (text: string): object => ({ kind: 'end', text: `${text}\n${vpnUsage}`, status: 1 });

test('options in all the ways of getopt', () => {
  const expected = options('10.0.0.1', '255.255.255.0', 'vpn');
  for (const line of [
    '-n vpn -i 10.0.0.1 -m 255.255.255.0',
    '-nvpn -i10.0.0.1 -m255.255.255.0',
    '--name vpn --ip 10.0.0.1 --mask 255.255.255.0',
    '--name=vpn --ip=10.0.0.1 --mask=255.255.255.0',
    '--n vpn --i=10.0.0.1 --ma 255.255.255.0 --',
  ]) {
    expect(parsed(line)).toEqual(expected);
  }
  expect(parsed('-i 1.2.3.4 -i 10.0.0.1 -m 255.0.0.0')).toEqual(options('10.0.0.1', '255.0.0.0'));
  expect(parsed('--json -i 1.2.3.4 -m 0.0.0.0')).toMatchObject({ options: { json: true, mask: '0.0.0.0' } });
  expect(parsed('-i 1.2.3.4 -m 255.255.255.255')).toMatchObject({ kind: 'run' });
});

test.each([
  ['', 'Please specify an IP address.\n'],
  ['-m 255.0.0.0', 'Please specify an IP address.\n'],
  ['-i 10.0.0.1', 'Please specify a subnetmask.\n'],
  ['-i x', 'Invalid IP address: x.\n'],
  ['-i 1.2.3.4 -i x', 'Invalid IP address: x.\n'],
  ['-i x --foo', 'Invalid IP address: x.\n'],
  ['-i 1.2.3', 'Invalid IP address: 1.2.3.\n'],
  ['-i 01.2.3.4', 'Invalid IP address: 01.2.3.4.\n'],
  ['-i 1.2.3.256', 'Invalid IP address: 1.2.3.256.\n'],
  ['-ih', 'Invalid IP address: h.\n'],
  ['-m x', 'Invalid subnet mask: x.\n'],
  ['-i 10.0.0.1 -m 255.0.255.0', 'Invalid subnet mask: 255.0.255.0.\n'],
  ['-i 10.0.0.1 -m 255.255.255.0 foo bar', 'Unknown arguments specified: foo bar \n'],
  ['foo -i 1.2.3.4', 'Unknown arguments specified: foo \n'],
  ['-- --foo -', 'Unknown arguments specified: --foo - \n'],
])('%j: %j and the usage', (line, text) => {
  expect(parsed(line)).toEqual(refused(text));
});

test.each([
  ['--foo', "ovpn: unrecognized option '--foo'\n"],
  ['-x', "ovpn: invalid option -- 'x'\n"],
  ['-i', "ovpn: option requires an argument -- 'i'\n"],
  ['--ip', "ovpn: option '--ip' requires an argument\n"],
  ['--help=x', "ovpn: option '--help' doesn't allow an argument\n"],
])('%j: %j', (line, text) => {
  expect(parsed(line)).toEqual({ kind: 'fault', text });
});

test('help, and the option that only ends the program', () => {
  for (const line of ['-h', '--help', '--h', '-hi', '-i 1.2.3.4 -h x']) {
    expect(parsed(line)).toEqual({ kind: 'end', text: vpnUsage, status: 0 });
  }
  expect(parsed('-C')).toEqual({ kind: 'end', text: '', status: 1 });
});

test('any words are read', () => {
  const known = fc.constantFrom('-i', '--ip=', '-m', '10.0.0.1', '255.0.0.0', '--', '-n', '-h', '--json');
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), known)), (args) => {
      const reading = parseVpnOptions(args);
      if (reading.kind !== 'run') return;
      expect(reading.options.address).toMatch(/^(\d{1,3}\.){3}\d{1,3}$/);
      expect(reading.options.mask).toMatch(/^(\d{1,3}\.){3}\d{1,3}$/);
    }),
    { numRuns: 1000 },
  );
});
