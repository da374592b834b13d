import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseIrmdOptions } from './options.ts';

test.each([
  [[], 'run', false],
  [['--stdout'], 'run', false],
  [['--stdout', '--log-json'], 'run', true],
  [['--version', '--foo'], 'version', false],
  [['--foo', '--version'], 'usage', false],
  [['--help'], 'usage', false],
  [['-h'], 'usage', false],
  [['--log-json', '--version'], 'version', true],
] as const)('%j', (args, action, json) => {
  expect(parseIrmdOptions(args)).toEqual({ action, json, ipcpd: 'shared' });
});

test('where IPCPs run', () => {
  expect(parseIrmdOptions(['--ipcpd', 'process'])).toMatchObject({ action: 'run', ipcpd: 'process' });
  expect(parseIrmdOptions(['--ipcpd', 'shared'])).toMatchObject({ action: 'run', ipcpd: 'shared' });
  for (const words of [['--ipcpd'], ['--ipcpd', 'none']])
    expect(parseIrmdOptions(words).action).toBe('usage');
});

test('any words are read', () => {
  const word = fc.oneof(fc.string(), fc.constantFrom('--version', '--stdout', '--log-json'));
  fc.assert(
    fc.property(fc.array(word), (args) => {
      const { action } = parseIrmdOptions(args);
      const deciding = args.find((arg) => arg !== '--stdout' && arg !== '--log-json');
      expect(action).toBe(deciding === undefined ? 'run' : deciding === '--version' ? 'version' : 'usage');
    }),
  );
});
