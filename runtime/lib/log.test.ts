import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { formatRecord, Logger, type LogRecord, logTo } from './log.ts';

const record: LogRecord = { level: 'WW', component: 'irmd/flow', text: 'text' };

test('text: pid in five digits, component, level', () => {
  expect(formatRecord(record, { json: false, colour: false }, 42)).toBe('==00042== irmd/flow(WW): text\n');
  expect(formatRecord(record, { json: false, colour: false }, 4_194_305)).toBe(
    '==4194305== irmd/flow(WW): text\n',
  );
});

test('text in colour says the same', () => {
  expect(formatRecord(record, { json: false, colour: true }, 42)).toBe(
    '\x1b[33m==00042== irmd/flow(WW): text\x1b[0m\n',
  );
});

test('JSON: one object a line, whatever the text holds', () => {
  const line = formatRecord({ ...record, text: 'a "b"\nc' }, { json: true, colour: false }, 42);
  expect(line.indexOf('\n')).toBe(line.length - 1);
  const { time, ...rest } = JSON.parse(line) as { time: string };
  expect(rest).toEqual({ pid: 42, component: 'irmd/flow', level: 'WW', text: 'a "b"\nc' });
  expect(new Date(time).toISOString()).toBe(time);
});

test('a record may speak for another pid', () => {
  const seen: LogRecord[] = [];
  const log = new Logger((one) => seen.push(one), 'ipcpd');
  log.info('own');
  log.child('ipcpd/ipcp', 7).error('of an IPCP');
  expect(seen).toEqual([
    { level: 'II', component: 'ipcpd', text: 'own' },
    { level: 'EE', component: 'ipcpd/ipcp', text: 'of an IPCP', pid: 7 },
  ]);
  const [, second] = seen;
  if (second === undefined) throw new Error('nothing logged');
  expect(formatRecord(second, { json: false, colour: false }, 42)).toContain('==00007==');
});

test('a sink writes what is severe enough, and survives a descriptor that is closed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'o7s-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'log');
  const fd = openSync(file, 'w');
  const log = new Logger(logTo({ fd, level: 'WW', json: false, colour: false }), 'irmd');
  log.debug('debug');
  log.info('info');
  log.warn('warn');
  log.error('error');
  closeSync(fd);
  const pid = String(process.pid).padStart(5, '0');
  expect(readFileSync(file, 'utf8')).toBe(`==${pid}== irmd(WW): warn\n==${pid}== irmd(EE): error\n`);
  expect(() => log.error('nobody hears')).not.toThrow();
});
