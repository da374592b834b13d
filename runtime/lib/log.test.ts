import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { formatRecord, Logger, type LogRecord, type LogSpeaker, logTo } from './log.ts';
import { formatSyslog, logToSyslog } from './syslog.ts';

const record: LogRecord = { level: 'WW', component: 'irmd/flow', text: 'text' };
const speaker: LogSpeaker = { pid: 7, program: 'ipcpd-local', ipcp: 'l1', layer: 'lan' };
const time = Date.UTC(2026, 10, 21, 23, 26, 9);

test('text: pid in five digits, component, level', () => {
  const form = { json: false, colour: false };
  expect(formatRecord(record, form, 42, time)).toBe('==00042== irmd/flow(WW): text\n');
  expect(formatRecord(record, form, 4_194_305, time)).toBe('==4194305== irmd/flow(WW): text\n');
  expect(formatRecord({ ...record, speaker }, form, 42, time)).toBe('==00007== irmd/flow(WW): text\n');
});

test('text in colour says the same', () => {
  expect(formatRecord(record, { json: false, colour: true }, 42, time)).toBe(
    '\x1b[33m==00042== irmd/flow(WW): text\x1b[0m\n',
  );
});

test('JSON: one object a line, whatever the text holds', () => {
  const form = { json: true, colour: false };
  const line = formatRecord({ ...record, text: 'a "b"\nc' }, form, 42, time);
  expect(line.indexOf('\n')).toBe(line.length - 1);
  expect(JSON.parse(line)).toEqual({
    time: '2026-11-21T23:26:09.000Z',
    pid: 42,
    component: 'irmd/flow',
    level: 'WW',
    text: 'a "b"\nc',
  });
  const about = { ...record, speaker, subject: { event: 'flow.allocated', flow: 3 } };
  expect(JSON.parse(formatRecord(about, form, 42, time))).toMatchObject({
    pid: 7,
    event: 'flow.allocated',
    layer: 'lan',
    ipcp: 'l1',
    flow: 3,
  });
});

test('a record may speak for an IPCP', () => {
  const seen: LogRecord[] = [];
  const log = new Logger((one) => seen.push(one), 'ipcpd');
  log.info('own');
  log.child('ipcpd/ipcp', speaker).child('directory').error('of an IPCP', { flow: 1 });
  expect(seen).toEqual([
    { level: 'II', component: 'ipcpd', text: 'own' },
    { level: 'EE', component: 'directory', text: 'of an IPCP', subject: { flow: 1 }, speaker },
  ]);
});

test('a sink writes what is severe enough, now', () => {
  const folder = mkdtempSync(join(tmpdir(), 'o7s-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'log');
  const fd = openSync(file, 'w');
  const setting = { level: 'WW' as LogRecord['level'] };
  const log = new Logger(logTo({ fd, setting, json: false, colour: false }), 'irmd');
  log.info('info');
  log.warn('warn');
  log.error('error');
  setting.level = 'DB';
  log.debug('debug');
  closeSync(fd);
  const pid = String(process.pid).padStart(5, '0');
  const lines = ['irmd(WW): warn', 'irmd(EE): error', 'irmd(DB): debug'];
  expect(readFileSync(file, 'utf8')).toBe(lines.map((line) => `==${pid}== ${line}\n`).join(''));
});

test('a full disk ends nobody, and what was lost is told when there is room again', () => {
  const folder = mkdtempSync(join(tmpdir(), 'o7s-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const full = openSync('/dev/full', 'w');
  const log = new Logger(logTo({ fd: full, setting: { level: 'II' }, json: false, colour: false }), 'irmd');
  log.info('first');
  log.info('second');
  closeSync(full);
  // The lowest free number is the descriptor that was closed: the disk has room again.
  const file = join(folder, 'log');
  expect(openSync(file, 'w')).toBe(full);
  log.info('third');
  closeSync(full);
  const text = readFileSync(file, 'utf8');
  expect(text).toContain('irmd(WW): 2 log records could not be written.\n');
  expect(text).toMatch(/irmd\(II\): third\n$/);
});

test('syslog: facility daemon, the program and its pid, the text alone', () => {
  const at = new Date(2026, 10, 1, 3, 6, 9);
  expect(formatSyslog(record, 'irmd', 15, at)).toBe('<28>Nov  1 03:06:09 irmd[15]: text');
  expect(formatSyslog({ ...record, level: 'EE', speaker }, 'ipcpd', 15, at)).toBe(
    '<27>Nov  1 03:06:09 ipcpd-local[7]: text',
  );
});

test('while syslog is away records go elsewhere, and it is told how many', () => {
  const datagrams: string[] = [];
  const elsewhere: string[] = [];
  let there = false;
  const log = new Logger(
    logToSyslog({
      setting: { level: 'II' },
      program: 'irmd',
      send: (bytes) => {
        if (there) datagrams.push(bytes.toString().replace(/^.*\]: /, ''));
        return there;
      },
      otherwise: ({ text }) => elsewhere.push(text),
    }),
    'irmd',
  );
  log.info('first');
  log.info('second');
  log.debug('never');
  there = true;
  log.info('third');
  expect(elsewhere).toEqual(['syslog does not take the log; it goes here.', 'first', 'second']);
  expect(datagrams).toEqual(['2 log records could not be written to syslog.', 'third']);
});
