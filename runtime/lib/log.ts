/**
 * Log records of the daemons. A logger is an argument, never imported state, so that core code can be
 * run under test and in simulation with a logger that collects.
 *
 * Source of the text form: irmd-and-irm.md 12.1.
 */
import { writeSync } from 'node:fs';

export const logLevels = ['EE', 'WW', 'II', 'DB'] as const;
/** Error, warning, information, debug. */
export type LogLevel = (typeof logLevels)[number];

export interface LogRecord {
  readonly level: LogLevel;
  /** The part of the program that speaks, for example `ipcpd/eth-dix`. */
  readonly component: string;
  readonly text: string;
  /** The pid the line speaks for when it is not the process' own: an IPCP in a shared ipcpd. */
  readonly pid?: number;
}

export type LogSink = (record: LogRecord) => void;

export class Logger {
  readonly #sink: LogSink;
  readonly #component: string;
  readonly #pid: number | undefined;

  constructor(sink: LogSink, component: string, pid?: number) {
    this.#sink = sink;
    this.#component = component;
    this.#pid = pid;
  }

  /** The same sink under another component name, and if given another pid. */
  child(component: string, pid: number | undefined = this.#pid): Logger {
    return new Logger(this.#sink, component, pid);
  }

  error(text: string): void {
    this.#write('EE', text);
  }
  warn(text: string): void {
    this.#write('WW', text);
  }
  info(text: string): void {
    this.#write('II', text);
  }
  debug(text: string): void {
    this.#write('DB', text);
  }

  #write(level: LogLevel, text: string): void {
    const record = { level, component: this.#component, text };
    this.#sink(this.#pid === undefined ? record : { ...record, pid: this.#pid });
  }
}

const colours: Record<LogLevel, string> = { EE: '\x1b[31m', WW: '\x1b[33m', II: '\x1b[32m', DB: '' };

export interface LogOutput {
  readonly fd: number;
  /** Least severe level that is written. */
  readonly level: LogLevel;
  /** One JSON object a line instead of text. */
  readonly json: boolean;
  readonly colour: boolean;
}

/** `==00042== irmd(II): text`, or the same as one JSON line. */
export function formatRecord(
  record: LogRecord,
  output: Omit<LogOutput, 'fd' | 'level'>,
  pid: number,
): string {
  const speaker = record.pid ?? pid;
  if (output.json) {
    const { level, component, text } = record;
    return `${JSON.stringify({ time: new Date().toISOString(), pid: speaker, component, level, text })}\n`;
  }
  const line = `==${String(speaker).padStart(5, '0')}== ${record.component}(${record.level}): ${record.text}`;
  return output.colour ? `${colours[record.level]}${line}\x1b[0m\n` : `${line}\n`;
}

/** A sink that writes to a descriptor. A full disk or a closed pipe must not end a daemon. */
export function logTo(output: LogOutput): LogSink {
  const least = logLevels.indexOf(output.level);
  return (record) => {
    if (logLevels.indexOf(record.level) > least) return;
    try {
      writeSync(output.fd, formatRecord(record, output, process.pid));
    } catch {
      // Nowhere is left to say so.
    }
  };
}
