/** Lines of logs: those of irmd and its IPCPs, as JSON or as text, and those of any other program. */

/** A line, taken apart as far as it can be. */
export interface LogLine {
  /** ms since 1970. */
  readonly time?: number;
  readonly component?: string;
  /** EE, WW, II or DB. */
  readonly level?: string;
  readonly text: string;
}

export const logLevels = ['EE', 'WW', 'II', 'DB'] as const;

/** Takes a line apart (docs/logging.md; irmd-and-irm.md 12.1). */
export function parseLogLine(line: string): LogLine {
  if (line.startsWith('{')) {
    const record = parseRecord(line);
    if (record !== undefined) return record;
  }
  // The prototype colours its lines, in files too.
  // eslint-disable-next-line no-control-regex -- an escape sequence begins with a control character
  const plain = line.replaceAll(/\x1b\[[\d;]*m/g, '');
  const [, component, level, text = ''] = /^==\d+== ([\w/-]+)\(([A-Z]{2})\): (.*)$/.exec(plain) ?? [];
  return component === undefined || level === undefined ? { text: plain } : { component, level, text };
}

/** A line without its time, as irmd writes it on a terminal. */
export function logLineText({ component, level, text }: LogLine): string {
  return component === undefined || level === undefined ? text : `${component}(${level}): ${text}`;
}

function parseRecord(line: string): LogLine | undefined {
  try {
    const { time, component, level, text } = JSON.parse(line) as Record<string, unknown>;
    if (typeof time !== 'string' || typeof component !== 'string') return undefined;
    return { time: Date.parse(time), component, level: String(level), text: String(text) };
  } catch {
    return undefined;
  }
}
