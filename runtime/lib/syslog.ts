/** The log in syslog. Source: irmd-and-irm.md 12.2. */
import { isShown, type LogLevel, type LogRecord, type LogSetting, type LogSink, lostText } from './log.ts';

/** Where syslog listens. */
export const syslogSocket = '/dev/log';

/** Facility daemon, times eight, as syslog counts. */
const facility = 3 * 8;
const severities: Record<LogLevel, number> = { EE: 3, WW: 4, II: 6, DB: 7 };
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `<30>Nov 21 23:26:09 irmd[15]: text`, in local time. */
export function formatSyslog(record: LogRecord, program: string, pid: number, time: Date): string {
  const { level, text, speaker } = record;
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${months[time.getMonth()]} ${String(time.getDate()).padStart(2)}`;
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  const ident = `${speaker?.program ?? program}[${speaker?.pid ?? pid}]`;
  return `<${facility + severities[level]}>${day} ${clock} ${ident}: ${text}`;
}

export interface SyslogOutput {
  readonly setting: LogSetting;
  readonly program: string;
  /** Sends a datagram; false when nobody takes it. */
  readonly send: (bytes: Buffer) => boolean;
  /** Takes records while nobody does. */
  readonly otherwise: LogSink;
}

/** A sink that sends each record to syslog. While that does not listen they go elsewhere, which is told once. */
export function logToSyslog({ setting, program, send, otherwise }: SyslogOutput): LogSink {
  let away = 0;
  const sent = (record: LogRecord): boolean =>
    send(Buffer.from(formatSyslog(record, program, process.pid, new Date())));
  return (record) => {
    if (!isShown(record, setting)) return;
    const { component } = record;
    if (away > 0) {
      const text = `${lostText(away).slice(0, -1)} to syslog.`;
      if (sent({ level: 'WW', component, text })) away = 0;
    }
    if (away === 0 && sent(record)) return;
    if (away === 0)
      otherwise({ level: 'WW', component, text: 'syslog does not take the log; it goes here.' });
    away += 1;
    otherwise(record);
  };
}
