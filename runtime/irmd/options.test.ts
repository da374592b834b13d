import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseIrmdOptions } from './options.ts';

test.each([
  [[], 'run', 'syslog'],
  [['--stdout'], 'run', 'stdout'],
  [['--stdout', '--log-json'], 'run', 'json'],
  [['--log-json', '--stdout'], 'run', 'json'],
  [['--version', '--foo'], 'version', 'syslog'],
  [['--foo', '--version'], 'usage', 'syslog'],
  [['--help'], 'usage', 'syslog'],
  [['-h'], 'usage', 'syslog'],
  [['--unit'], 'unit', 'syslog'],
  [['--log-json', '--version'], 'version', 'json'],
  [['--config'], 'run', 'syslog'],
] as const)('%j', (args, action, to) => {
  expect(parseIrmdOptions(args)).toEqual({
    action,
    log: { level: 'II', to },
    config: undefined,
    ipcpd: 'shared',
  });
});

test('options with a value', () => {
  expect(parseIrmdOptions(['--ipcpd', 'process'])).toMatchObject({ action: 'run', ipcpd: 'process' });
  expect(parseIrmdOptions(['--config', 'a', '--stdout'])).toMatchObject({
    config: 'a',
    log: { to: 'stdout' },
  });
  expect(parseIrmdOptions(['--log-level', 'DB'])).toMatchObject({ log: { level: 'DB' } });
  for (const words of [['--ipcpd'], ['--ipcpd', 'none'], ['--log-level'], ['--log-level', 'db']])
    expect(parseIrmdOptions(words).action).toBe('usage');
});

test('any words are read', () => {
  const word = fc.oneof(fc.string(), fc.constantFrom('--version', '--stdout', '--log-json'));
  fc.assert(
    fc.property(
      fc.array(word.filter((each) => !['--config', '--log-level', '--ipcpd', '--unit'].includes(each))),
      (args) => {
        const { action } = parseIrmdOptions(args);
        const deciding = args.find((arg) => arg !== '--stdout' && arg !== '--log-json');
        expect(action).toBe(deciding === undefined ? 'run' : deciding === '--version' ? 'version' : 'usage');
      },
    ),
  );
});
