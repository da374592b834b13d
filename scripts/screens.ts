/**
 * Makes the pictures of the live view that the README shows, from the real program over a real lab (root, netns):
 *
 *     npx node --conditions=@o7s/source scripts/screens.ts
 */
import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Screen } from '../tests/support/screen.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = `${root}bin/o7s-testbed.js`;
const lab = 'ring';
const env = { ...process.env, O7S_TESTBED: 'netns' };
const [columns, rows] = [100, 18];

// Of the terminal's sixteen colours, those that the view uses.
const palette = [
  '#1b1f27',
  '#f2777a',
  '#7ec699',
  '#e6c07b',
  '#6fb3ff',
  '#d19df0',
  '#56c8d8',
  '#d7dae0',
  '#7d8590',
];
const [background, foreground] = ['#1b1f27', '#d7dae0'];
const cell = { width: 8.43, height: 16.3, size: 14 };

const run = (...words: string[]): void => {
  execFileSync(process.execPath, [program, ...words], {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
};

run('up', 'topologies/ring-of-six.ts', '--lab', lab);
run('link', 'set', 'b-c', '--delay', '5ms', '--lab', lab);
const pings = ['a', 'b', 'f'].map((node, at) =>
  spawn(
    process.execPath,
    [
      program,
      'exec',
      '--lab',
      lab,
      node,
      '--',
      'oping',
      '-n',
      'ping.d',
      '-Q',
      '-i',
      String(10 + at * 30),
      '-s',
      '800',
      ...(node === 'b' ? [] : ['-q', 'data']),
    ],
    { cwd: root, env, stdio: 'ignore' },
  ),
);
try {
  await using screen = new Screen(process.execPath, [program, 'tui', '--lab', lab, '--read-only'], {
    columns,
    rows,
    env,
  });
  await screen.shows(/6\/6 nodes/);
  // Until there is something to see in the past, too.
  await delay(20_000);
  await take(screen, '1', /┏/, 'topology');
  await take(screen, '3', /^NODE +IPCP/m, 'layer');
  await take(screen, '4', /oping +d oping/, 'flows');
  await take(screen, '5', /LATELY/, 'links');
} finally {
  for (const child of pings) child.kill();
  run('down', '--lab', lab);
}

async function take(screen: Screen, keys: string, pattern: RegExp, name: string): Promise<void> {
  screen.type(keys);
  await screen.shows(pattern);
  await delay(1_000);
  writeFileSync(`${root}docs/screens/${name}.svg`, svgOf(screen));
}

/** The screen as a picture: a rectangle behind each run of cells that are alike, and their text. */
function svgOf({ buffer }: Screen): string {
  const parts: string[] = [];
  for (let row = 0; row < rows; row++) {
    for (const { column, width, text, colour, fill, bold, dim } of runsOf(buffer, row)) {
      const [x, y] = [10 + column * cell.width, 10 + row * cell.height];
      const length = (width * cell.width).toFixed(1);
      if (fill !== background) {
        parts.push(
          `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${length}" height="${cell.height}" fill="${fill}"/>`,
        );
      }
      if (text.trim() === '') continue;
      const style = `${bold ? ' font-weight="bold"' : ''}${dim ? ' opacity="0.6"' : ''}`;
      parts.push(
        `<text x="${x.toFixed(1)}" y="${(y + 12.7).toFixed(1)}" fill="${colour}" textLength="${length}"${style}>${escaped(text)}</text>`,
      );
    }
  }
  const [width, height] = [20 + columns * cell.width, 20 + rows * cell.height];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width.toFixed(0)}" height="${height.toFixed(0)}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="${cell.size}" xml:space="preserve">`,
    `<rect width="100%" height="100%" rx="8" fill="${background}"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

interface Run {
  readonly column: number;
  width: number;
  text: string;
  readonly colour: string;
  readonly fill: string;
  readonly bold: boolean;
  readonly dim: boolean;
}

function runsOf(buffer: Screen['buffer'], row: number): Run[] {
  const line = buffer.getLine(buffer.baseY + row);
  const runs: Run[] = [];
  for (let column = 0; line !== undefined && column < columns; column++) {
    const one = line.getCell(column);
    if (one === undefined || one.getWidth() === 0) continue;
    const ink = one.isFgPalette() ? (palette[one.getFgColor()] ?? foreground) : foreground;
    const [colour, fill] = one.isInverse() ? [background, ink] : [ink, background];
    const [bold, dim] = [one.isBold() !== 0, one.isDim() !== 0];
    const last = runs.at(-1);
    const isAlike = last?.colour === colour && last.fill === fill && last.bold === bold && last.dim === dim;
    if (last !== undefined && isAlike) {
      last.text += one.getChars() || ' ';
      last.width += one.getWidth();
    } else {
      runs.push({ column, width: one.getWidth(), text: one.getChars() || ' ', colour, fill, bold, dim });
    }
  }
  return runs;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll(' ', '\u00a0');
}
