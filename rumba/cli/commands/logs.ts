/** `o7s-testbed logs`: what the programs of nodes wrote, merged by time. */
import type { CommandModule } from 'yargs';
import { TestbedError } from '../../errors.ts';
import { logLevels, logLineText } from '../../log-lines.ts';
import { logLines, type PlacedLine } from '../../log-stream.ts';
import { findAgain } from '../../testbeds/known.ts';
import type { LabNode } from '../../testbeds/testbed.ts';
import { interruptible } from '../interrupt.ts';
import { chooseLab } from '../lab-name.ts';
import { labsOfUser } from '../labs.ts';
import { labOption, nodesPositional } from '../options.ts';
import { writeTo } from '../output.ts';

interface LogsArguments {
  nodes: string[];
  lab: string | undefined;
  log: string | undefined;
  grep: string | undefined;
  level: (typeof logLevels)[number] | undefined;
  since: string | undefined;
  tail: number | undefined;
  follow: boolean;
  format: 'text' | 'json';
}

/** How often to look for nodes that are new, in milliseconds. */
const lookMs = 1_000;

export const logs: CommandModule<object, LogsArguments> = {
  command: 'logs [nodes..]',
  describe: 'Show the logs of nodes, merged by time',
  builder: (yargs) =>
    yargs
      .positional('nodes', nodesPositional)
      .option('lab', labOption)
      .option('log', {
        type: 'string',
        requiresArg: true,
        describe: 'Only logs of this name: irmd, or that of a server',
      })
      .option('grep', { alias: 'g', type: 'string', requiresArg: true, describe: 'Only lines that match' })
      .option('level', { choices: logLevels, describe: 'Only lines of this level, or of a worse one' })
      .option('since', {
        type: 'string',
        requiresArg: true,
        describe: 'Only lines of the last 30s, 5m, 2h, or since a time',
      })
      .option('tail', { type: 'number', requiresArg: true, describe: 'Only so many of the last lines' })
      .option('follow', {
        alias: 'F',
        type: 'boolean',
        default: false,
        describe: 'Go on with what is written',
      })
      .option('format', {
        alias: 'f',
        choices: ['text', 'json'] as const,
        default: 'text' as const,
        describe: 'Form of the output; json is one object a line',
      })
      .example('$0 logs', 'everything')
      .example('$0 logs b --log ping.b', 'what a server wrote')
      .example('$0 logs -F --level WW', 'warnings and errors of all nodes, as they come')
      .example("$0 logs --since 1m -g 'Enroll'", 'the last minute, only lines that match'),
  handler: async ({ nodes, lab, log, grep, level, since, tail, follow, format }) => {
    const isWanted = filter({ grep, level, since });
    if (tail !== undefined && !(Number.isInteger(tail) && tail >= 0)) {
      throw new TestbedError('EUSAGE', `--tail ${tail} is no number of lines`);
    }
    const chosen = chooseLab(await labsOfUser(), lab);
    for (const name of nodes) chosen.node(name);
    using interrupt = interruptible((exitCode) => process.exit(exitCode));
    const { signal } = interrupt;
    let found = chosen;
    let lookedAt = performance.now();
    const places = async (): Promise<LabNode[]> => {
      // Other commands may give it nodes that this one does not know.
      if (performance.now() - lookedAt > lookMs) {
        found = (await findAgain(found)) ?? found;
        lookedAt = performance.now();
      }
      return found.nodes().filter(({ name }) => nodes.length === 0 || nodes.includes(name));
    };
    const widths = (await places()).map(({ name }) => name.length);
    const text = format === 'json' ? jsonText : lineText(Math.max(0, ...widths));
    const write = (line: PlacedLine): Promise<void> => writeTo(process.stdout, text(line), signal);
    // The last lines of what is there at first, where only those are wanted.
    const last: PlacedLine[] = [];
    let isCaughtUp = tail === undefined;
    const onCaughtUp = async (): Promise<void> => {
      isCaughtUp = true;
      for (const line of last.splice(0)) await write(line);
    };
    for await (const line of logLines(places, { log, follow, onCaughtUp, signal })) {
      if (!process.stdout.writable) break;
      if (!isWanted(line)) continue;
      if (isCaughtUp) await write(line);
      else if (last.push(line) > (tail ?? 0)) last.shift();
    }
    signal.throwIfAborted();
  },
};

function jsonText({ time, node, log, component, level, text }: PlacedLine): string {
  const iso = time === undefined ? undefined : new Date(time).toISOString();
  return `${JSON.stringify({ time: iso, node, log, component, level, text })}\n`;
}

/** Colours of nodes on a terminal. */
const colours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

function lineText(width: number): (line: PlacedLine) => string {
  const isColoured = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  const known = new Map<string, number>();
  return (line) => {
    const { node, log, time, level } = line;
    const number = known.get(node) ?? known.size;
    known.set(node, number);
    const paint = (text: string, code: number | undefined): string =>
      isColoured && code !== undefined ? `\x1b[${code}m${text}\x1b[0m` : text;
    const clock = time === undefined ? ' '.repeat(12) : new Date(time).toISOString().slice(11, 23);
    const mark = paint(node.padEnd(width), colours[number % colours.length]);
    const own = log === 'irmd' ? '' : `${log}: `;
    const severity = level === 'EE' ? 31 : level === 'WW' ? 33 : undefined;
    return `${clock} ${mark} ${paint(own + logLineText(line), severity)}\n`;
  };
}

function filter({
  grep,
  level,
  since,
}: Pick<LogsArguments, 'grep' | 'level' | 'since'>): (line: PlacedLine) => boolean {
  const pattern = grep === undefined ? undefined : compile(grep);
  const worst = level === undefined ? undefined : logLevels.indexOf(level);
  const from = since === undefined ? undefined : sinceTime(since, Date.now());
  return (line) => {
    if (pattern !== undefined && !pattern.test(logLineText(line))) return false;
    if (from !== undefined && (line.time === undefined || line.time < from)) return false;
    if (worst === undefined) return true;
    const own = logLevels.findIndex((each) => each === line.level);
    return own !== -1 && own <= worst;
  };
}

function compile(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TestbedError('EUSAGE', `--grep ${JSON.stringify(text)} is no regular expression: ${reason}`);
  }
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** The moment that `5m` ago was, or that a text names; ms since 1970. */
function sinceTime(text: string, now: number): number {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const at = count === undefined ? Date.parse(text) : now - Number(count) * (units[unit] ?? 0);
  if (!Number.isNaN(at)) return at;
  throw new TestbedError('EUSAGE', `--since ${JSON.stringify(text)} is no time`, {
    hint: 'write it like 30s, 5m, 2h or 2026-01-31T12:00:00Z',
  });
}
