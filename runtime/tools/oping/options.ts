/** oping's command line. Source: tools.md 1.1. */
import type { QosSpec } from '../../lib/index.ts';
import { qosOf, qosOption } from '../qos.ts';
import { leadingNumber, type Measured, readTime } from '../quantities.ts';
import { type JsonOption, jsonOption } from '../tool.ts';
import { type CommandLine, type OptionGroup, type Parsed, readWords, usageText } from '../words.ts';

export interface PingOptions extends JsonOption {
  listen: boolean;
  poll: boolean;
  busy: boolean;
  serverName: string;
  count: number;
  /** ms. */
  interval: number;
  size: number;
  qos: QosSpec | undefined;
  flood: boolean;
  floodBusy: boolean;
  quiet: boolean;
  timeOfDay: boolean;
}

const sizeMin = 64;
const sizeMax = 1500;
const intervalMax = 10_000;
const countMax = 2_147_483_647;

/** What is read, before it is checked as a whole. */
interface Given extends Omit<PingOptions, 'serverName' | 'qos'> {
  serverName: string | undefined;
  duration: number | undefined;
  qosName: string;
}

/** Keeps a time, or refuses it. */
function keepTime(time: Measured, keep: (ms: number) => void): string | undefined {
  if (typeof time !== 'number') return `Unknown time unit: ${time.unknownUnit}.\n`;
  keep(time);
  return undefined;
}

const groups: readonly OptionGroup<Given>[] = [
  {
    options: [
      { words: ['-l', '--listen'], help: 'Run as a server', set: (given) => void (given.listen = true) },
      { words: ['--poll'], help: 'Server: poll without sleeping', set: (given) => void (given.poll = true) },
      {
        words: ['--busy'],
        help: 'Server: serve one flow, reading in a busy loop',
        set: (given) => void (given.busy = true),
      },
    ],
  },
  {
    options: [
      {
        words: ['-n', '--server-name'],
        value: 'name',
        help: 'Name of the server',
        set: (given, value) => void (given.serverName = value),
      },
      {
        words: ['-c', '--count'],
        value: 'number',
        help: 'Number of packets (default: until stopped)',
        set: (given, value) => void (given.count = leadingNumber(value) >>> 0),
      },
      {
        words: ['-d', '--duration'],
        value: 'time',
        help: 'Length of the test; sets the count',
        set: (given, value) => keepTime(readTime(value), (ms) => void (given.duration = ms)),
      },
      {
        words: ['-i', '--interval'],
        value: 'time',
        help: 'Time between packets (default: 1s)',
        set: (given, value) => keepTime(readTime(value), (ms) => void (given.interval = ms)),
      },
      {
        words: ['-s', '--size'],
        value: 'bytes',
        help: `Size of a packet, ${sizeMin} to ${sizeMax} (default: ${sizeMin})`,
        set: (given, value) => void (given.size = leadingNumber(value)),
      },
      qosOption,
      {
        words: ['-f', '--flood'],
        help: 'Send the next packet right after the reply',
        set: (given) => void (given.flood = true),
      },
      {
        words: ['-F', '--flood-busy'],
        help: 'The same, reading in a busy loop',
        set: (given) => void (given.floodBusy = true),
      },
      {
        words: ['-Q', '--quiet'],
        help: 'Print only the statistics; server: no line a packet',
        set: (given) => void (given.quiet = true),
      },
      {
        words: ['-D', '--timeofday'],
        help: 'Print the time of day before each line',
        set: (given) => void (given.timeOfDay = true),
      },
      jsonOption,
    ],
  },
];

export const pingCommand: CommandLine<Given> = {
  tool: 'oping',
  purpose: 'Checks liveness between a client and a server, and reports the round trip time (RTT).',
  groups,
  after: 'A time is a number of ms, or has a unit: ms, s, m, h, d.\n',
};

export const pingUsage: string = usageText(pingCommand);

export function parsePingOptions(args: readonly string[]): Parsed<PingOptions> {
  const given: Given = {
    listen: false,
    poll: false,
    busy: false,
    serverName: undefined,
    count: countMax,
    duration: undefined,
    interval: 1000,
    size: sizeMin,
    qosName: 'raw',
    flood: false,
    floodBusy: false,
    quiet: false,
    timeOfDay: false,
    json: false,
  };
  const reading = readWords(args, groups, given);
  if (reading.kind === 'refused') return { kind: 'end', text: reading.text, status: 1 };
  if (reading.kind === 'unknown') {
    return { kind: 'end', text: pingUsage, status: reading.word === '--help' ? 0 : 1 };
  }
  const { serverName, duration, qosName, ...options } = given;
  const qos = qosOf(qosName);
  if (options.listen) return { kind: 'run', options: { ...options, serverName: '', qos }, notes: [] };

  const notes: string[] = [];
  if (qos === undefined) notes.push('Unknown QoS cube, defaulting to raw.\n');
  if (serverName === undefined) {
    return { kind: 'end', text: `${notes.join('')}No server specified.\n${pingUsage}`, status: 1 };
  }
  if (options.interval > intervalMax) {
    notes.push('Ping interval truncated to 10s.\n');
    options.interval = intervalMax;
  }
  if (options.size > sizeMax) notes.push(`Packet size truncated to ${sizeMax} bytes.\n`);
  if (options.size < sizeMin) notes.push(`Packet size set to ${sizeMin} bytes.\n`);
  options.size = Math.min(sizeMax, Math.max(sizeMin, options.size));
  if (duration !== undefined) {
    options.count = options.interval === 0 ? duration * 10 : Math.floor(duration / options.interval);
  }
  return { kind: 'run', options: { ...options, serverName, qos }, notes };
}
