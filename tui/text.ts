/** Text in cells of a terminal: styled spans, columns, figures, sparklines. */

export type Colour = 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan' | 'grey';

export interface Span {
  readonly text: string;
  readonly colour?: Colour | undefined;
  readonly bold?: boolean | undefined;
  readonly dim?: boolean | undefined;
  readonly inverse?: boolean | undefined;
}

export type Line = readonly Span[];

const colours: Readonly<Record<Colour, number>> = {
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
  magenta: 35,
  cyan: 36,
  grey: 90,
};

export const plain = (text: string): Span => ({ text });
export const coloured = (colour: Colour, text: string): Span => ({ text, colour });
export const bold = (text: string): Span => ({ text, bold: true });
export const dim = (text: string): Span => ({ text, dim: true });
export const textLine = (text: string): Line => [plain(text)];

// eslint-disable-next-line no-control-regex -- control characters are what it finds
const control = /[\u0000-\u001f\u007f-\u009f]/gu;

/** What others wrote, so that it cannot steer the terminal: control characters as their codes. */
export function harmless(text: string): string {
  return text.replace(control, (one) =>
    one === '\t' ? ' ' : `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** Columns that a text takes; an estimate that is right but for joined characters. */
export function widthOf(text: string): number {
  let width = 0;
  for (const one of text) width += cellsOf(one.codePointAt(0) ?? 0);
  return width;
}

function cellsOf(code: number): number {
  if (code < 0x300) return 1;
  if (code <= 0x36f || code === 0x200d || (code >= 0xfe00 && code <= 0xfe0f)) return 0;
  const isWide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return isWide ? 2 : 1;
}

/** A text in exactly so many columns: cut with an ellipsis, or filled with blanks. */
export function fit(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  if (width <= 0) return '';
  const cut = shorten(text, width);
  const blanks = ' '.repeat(Math.max(0, width - widthOf(cut)));
  return align === 'left' ? cut + blanks : blanks + cut;
}

/** A text in at most so many columns. */
export function shorten(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const one of text) {
    const cells = cellsOf(one.codePointAt(0) ?? 0);
    if (used + cells > width - 1) break;
    kept += one;
    used += cells;
  }
  return `${kept}…`;
}

/** A line as lines of at most so many columns, broken at blanks where there are any; those below are indented. */
export function wrapLine(line: Line, width: number, indent: number): Line[] {
  const lines: Span[][] = [[]];
  let used = 0;
  const put = (span: Span, text: string): void => {
    lines.at(-1)?.push({ ...span, text });
    used += widthOf(text);
  };
  const goOn = (): void => {
    lines.push(indent === 0 ? [] : [plain(' '.repeat(indent))]);
    used = indent;
  };
  for (const span of line) {
    for (const word of harmless(span.text).split(/(?<= )(?=\S)/)) {
      if (used > indent && used + widthOf(word.trimEnd()) > width) goOn();
      let rest = word;
      while (widthOf(rest.trimEnd()) > width - used) {
        const part = fittingPart(rest, width - used);
        put(span, part);
        rest = rest.slice(part.length);
        goOn();
      }
      put(span, rest);
    }
  }
  return lines;
}

/** As much of the beginning of a text as fits, but one character at least. */
function fittingPart(text: string, width: number): string {
  let part = '';
  let used = 0;
  for (const one of text) {
    used += cellsOf(one.codePointAt(0) ?? 0);
    if (used > width && part !== '') break;
    part += one;
  }
  return part;
}

/** A line in at most so many columns, as the terminal is to get it. Without `colour` nothing but inversion is left. */
export function painted(line: Line, width: number, colour: boolean): string {
  let left = width;
  let text = '';
  for (const span of withoutBlanks(line)) {
    if (left <= 0) break;
    const part = shorten(harmless(span.text), left);
    left -= widthOf(part);
    const codes = codesOf(span, colour);
    text += codes.length === 0 ? part : `\x1b[${codes.join(';')}m${part}\x1b[0m`;
  }
  return text;
}

/** Blanks at the end of a line need not be written. */
function withoutBlanks(line: Line): Line {
  const end = line.findLastIndex(({ text, inverse }) => inverse === true || text.trimEnd() !== '');
  return line
    .slice(0, end + 1)
    .map((span, at) => (at === end && !span.inverse ? { ...span, text: span.text.trimEnd() } : span));
}

function codesOf({ colour, bold: isBold, dim: isDim, inverse }: Span, withColour: boolean): number[] {
  return [
    ...(inverse ? [7] : []),
    ...(isBold ? [1] : []),
    ...(isDim && withColour ? [2] : []),
    ...(colour !== undefined && withColour ? [colours[colour]] : []),
  ];
}

/** The line of a row that is selected: inverse from end to end. */
export function selected(line: Line, width: number): Line {
  const text = line.map((span) => span.text).join('');
  return [{ text: fit(text, width), inverse: true }];
}

// Without the full block: rows that touch each other could not be told apart.
const bars = '▁▂▃▄▅▆▇';

/** The newest samples as bars, the highest of them as the longest; blanks where there are none yet. */
export function sparkline(samples: readonly number[], width: number): string {
  const shown = samples.slice(-width);
  const top = Math.max(...shown, 1);
  const bar = (value: number): string =>
    bars[Math.max(0, Math.min(6, Math.floor((value / top) * 6.999)))] ?? ' ';
  return ' '.repeat(width - shown.length) + shown.map(bar).join('');
}

const prefixes = ['', 'k', 'M', 'G', 'T'];

/** A figure with three digits and a prefix: `1.23 Mb/s`. */
export function quantity(value: number, unit: string): string {
  let scaled = value;
  let prefix = 0;
  while (scaled >= 999.5 && prefix < prefixes.length - 1) {
    scaled /= 1000;
    prefix++;
  }
  const digits =
    scaled === 0 || scaled >= 99.95 || (prefix === 0 && Number.isInteger(scaled))
      ? 0
      : scaled >= 9.995
        ? 1
        : 2;
  return `${scaled.toFixed(digits)} ${prefixes[prefix]}${unit}`;
}

export const bitRate = (value: number): string => quantity(value, 'b/s');

/** A duration in one or two units: `850 ms`, `12.3 s`, `4 min 5 s`, `2 h 3 min`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${ms >= 10 || Number.isInteger(ms) ? Math.round(ms) : ms.toFixed(2)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A time of day with tenths, local: `13:54:07.2`. */
export function clock(at: number): string {
  if (at === 0) return '--:--:--';
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const tenths = Math.floor(date.getMilliseconds() / 100);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${tenths}`;
}

/** A moment, as ISO 8601. */
export const moment = (at: number): string => new Date(at).toISOString();
