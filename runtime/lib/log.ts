/**
 * Log records of the daemons. A logger is an argument, never imported state, so that core code can be
 * run under test and in simulation with a logger that collects.
 *
 * Source of the text form: irmd-and-irm.md 12.1; the JSON form is told in docs/logging.md.
 */
import { writeSync } from 'node:fs';

/** From errors alone to everything: errors, warnings, information, debugging. */
export const logLevels = ['EE', 'WW', 'II', 'DB'] as const;
/** Error, warning, information, debug. */
export type LogLevel = (typeof logLevels)[number];

/** Whom records speak for, when it is not the process itself: an IPCP of an ipcpd. */
export interface LogSpeaker {
  readonly pid: number;
  /** The program it would be, were it one: its name in syslog. */
  readonly program: string;
  /** Name of the IPCP. */
  readonly ipcp: string;
  /** Name of its layer, once it is in one. */
  layer?: string | undefined;
}

/** What a record is about, beside its text. */
export interface LogSubject {
  /** What happened, in the words of the event stream where that has it, such as `flow.allocated`. */
  readonly event?: string | undefined;
  readonly layer?: string | undefined;
  /** Name of an IPCP. */
  readonly ipcp?: string | undefined;
  /** Flow id of the node. */
  readonly flow?: number | undefined;
}

export interface LogRecord {
  readonly level: LogLevel;
  /** The part of the program that speaks, for example `ipcpd/eth-dix`. */
  readonly component: string;
  readonly text: string;
  readonly subject?: LogSubject;
  readonly speaker?: LogSpeaker;
}

export type LogSink = (record: LogRecord) => void;

export class Logger {
  readonly #sink: LogSink;
  readonly #component: string;
  readonly #speaker: LogSpeaker | undefined;

  constructor(sink: LogSink, component: string, speaker?: LogSpeaker) {
    this.#sink = sink;
    this.#component = component;
    this.#speaker = speaker;
  }

  /** The same sink under another component name, and if given for another speaker. */
  child(component: string, speaker: LogSpeaker | undefined = this.#speaker): Logger {
    return new Logger(this.#sink, component, speaker);
  }

  error(text: string, subject?: LogSubject): void {
    this.#write('EE', text, subject);
  }
  warn(text: string, subject?: LogSubject): void {
    this.#write('WW', text, subject);
  }
  info(text: string, subject?: LogSubject): void {
    this.#write('II', text, subject);
  }
  debug(text: string, subject?: LogSubject): void {
    this.#write('DB', text, subject);
  }

  #write(level: LogLevel, text: string, subject: LogSubject | undefined): void {
    this.#sink({
      level,
      component: this.#component,
      text,
      ...(subject === undefined ? {} : { subject }),
      ...(this.#speaker === undefined ? {} : { speaker: this.#speaker }),
    });
  }
}

/** How much is written; changed while a daemon runs. */
export interface LogSetting {
  /** Least severe level that is written. */
  level: LogLevel;
}

export function isShown({ level }: LogRecord, setting: LogSetting): boolean {
  return logLevels.indexOf(level) <= logLevels.indexOf(setting.level);
}

const colours: Record<LogLevel, string> = { EE: '\x1b[31m', WW: '\x1b[33m', II: '\x1b[32m', DB: '' };

export interface LogForm {
  /** One JSON object a line instead of text. */
  readonly json: boolean;
  readonly colour: boolean;
}

export interface LogOutput extends LogForm {
  readonly fd: number;
  readonly setting: LogSetting;
}

/** `==00042== irmd(II): text`, or the same as one JSON line. `time` is ms since 1970. */
export function formatRecord(
  record: LogRecord,
  { json, colour }: LogForm,
  pid: number,
  time: number,
): string {
  const { level, component, text, subject = {}, speaker } = record;
  if (json) {
    const line = {
      time: new Date(time).toISOString(),
      pid: speaker?.pid ?? pid,
      component,
      level,
      event: subject.event,
      layer: subject.layer ?? speaker?.layer,
      ipcp: subject.ipcp ?? speaker?.ipcp,
      flow: subject.flow,
      text,
    };
    return `${JSON.stringify(line)}\n`;
  }
  const line = `==${String(speaker?.pid ?? pid).padStart(5, '0')}== ${component}(${level}): ${text}`;
  return colour ? `${colours[level]}${line}\x1b[0m\n` : `${line}\n`;
}

/**
 * A sink that writes to a descriptor. A full disk or a closed pipe must not end a daemon: what could not be written is
 * counted, and told with the next record that can.
 */
export function logTo({ fd, setting, ...form }: LogOutput): LogSink {
  let lost = 0;
  let torn = false;
  const write = (text: string): boolean => {
    // After a record that was cut short the next begins on a line of its own.
    const bytes = Buffer.from(torn ? `\n${text}` : text);
    try {
      const written = writeSync(fd, bytes);
      torn = written < bytes.length ? written > 0 || torn : false;
      return written === bytes.length;
    } catch {
      return false;
    }
  };
  return (record) => {
    if (!isShown(record, setting)) return;
    if (lost > 0) {
      const told = { level: 'WW', component: record.component, text: lostText(lost) } as const;
      if (write(formatRecord(told, form, process.pid, Date.now()))) lost = 0;
    }
    if (!write(formatRecord(record, form, process.pid, Date.now()))) lost += 1;
  };
}

export function lostText(count: number): string {
  return `${count} log record${count === 1 ? '' : 's'} could not be written.`;
}
