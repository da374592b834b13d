/** Where a daemon logs to, as arguments say it; irmd hands its own on to ipcpd. Edge. */
import { isatty } from 'node:tty';
import { type LogLevel, logLevels, type LogSetting, type LogSink, logTo } from './log.ts';
import { UnixDatagramSender } from './os/unix-datagram.ts';
import { logToSyslog, syslogSocket } from './syslog.ts';

export interface LogOptions {
  readonly level: LogLevel;
  /** One JSON object a line on standard output, text there, or syslog. */
  readonly to: 'json' | 'stdout' | 'syslog';
}

/** The options as arguments. */
export function logArguments({ level, to }: LogOptions): string[] {
  return ['--log-level', level, '--log-to', to];
}

/** Opens the log that `logArguments` tells of. */
export function daemonLog(
  program: string,
  args: readonly string[],
): { readonly setting: LogSetting; readonly sink: LogSink } {
  const valueOf = (name: string): string | undefined => args[args.indexOf(name) + 1];
  const to = valueOf('--log-to');
  return openLog(program, {
    level: logLevels.find((level) => level === valueOf('--log-level')) ?? 'II',
    to: to === 'json' || to === 'syslog' ? to : 'stdout',
  });
}

export function openLog(
  program: string,
  { level, to }: LogOptions,
): { readonly setting: LogSetting; readonly sink: LogSink } {
  const setting: LogSetting = { level };
  if (to === 'syslog') {
    const sender = new UnixDatagramSender(syslogSocket);
    const otherwise = logTo({ fd: 2, setting, json: false, colour: false });
    return {
      setting,
      sink: logToSyslog({ setting, program, send: (bytes) => sender.send(bytes), otherwise }),
    };
  }
  const json = to === 'json';
  const colour = !json && isatty(1) && process.env['NO_COLOR'] === undefined;
  return { setting, sink: logTo({ fd: 1, setting, json, colour }) };
}
