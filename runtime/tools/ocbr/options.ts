/** ocbr's command line. Source: tools.md 4.1. */
import type { QosSpec } from '../../lib/index.ts';
import { qosOf, qosOption } from '../qos.ts';
import { leadingNumber, leadingRate } from '../quantities.ts';
import { type JsonOption, jsonOption } from '../tool.ts';
import { type CommandLine, type OptionGroup, type Parsed, readWords, usageText } from '../words.ts';

export interface CbrOptions extends JsonOption {
  listen: boolean;
  /** Seconds between two reports of a server. */
  intervalS: number;
  /** Seconds of silence after which a server drops a flow. */
  timeoutS: number;
  serverName: string;
  durationS: number;
  size: number;
  /** Bits a second. */
  rate: number;
  flood: boolean;
  spin: boolean;
  qos: QosSpec | undefined;
}

const sizeMax = 524_288;

interface Given extends Omit<CbrOptions, 'serverName' | 'qos'> {
  serverName: string | undefined;
  qosName: string;
}

const groups: readonly OptionGroup<Given>[] = [
  {
    options: [
      { words: ['-l', '--listen'], help: 'Run as a server', set: (given) => void (given.listen = true) },
      jsonOption,
    ],
  },
  {
    title: 'Server options',
    options: [
      {
        words: ['-i', '--interval'],
        value: 's',
        help: 'Time between two reports (default: 1)',
        set: (given, value) => void (given.intervalS = Math.max(1, leadingNumber(value))),
      },
      {
        words: ['-t', '--timeout'],
        value: 's',
        help: 'Silence that ends a flow (default: 1)',
        set: (given, value) => void (given.timeoutS = Math.max(1, leadingNumber(value))),
      },
    ],
  },
  {
    title: 'Client options',
    options: [
      {
        words: ['-n', '--server_apn'],
        value: 'name',
        help: 'Name of the server',
        set: (given, value) => void (given.serverName = value),
      },
      {
        words: ['-d', '--duration'],
        value: 's',
        help: 'How long to send (default: 60)',
        set: (given, value) => void (given.durationS = leadingNumber(value)),
      },
      {
        words: ['-s', '--size'],
        value: 'bytes',
        help: `Size of a packet, at most ${sizeMax} (default: 1000)`,
        set: (given, value) => void (given.size = leadingNumber(value)),
      },
      {
        words: ['-r', '--rate'],
        value: 'number[k|M|G]',
        help: 'Bits a second (default: 1M)',
        set: (given, value) => void (given.rate = leadingRate(value)),
      },
      qosOption,
      {
        words: ['-f', '--flood'],
        help: 'Send as fast as the flow takes packets',
        set: (given) => void (given.flood = true),
      },
      {
        words: ['--sleep'],
        help: 'Sleep between packets (default)',
        set: (given) => void (given.spin = false),
      },
      {
        words: ['--spin'],
        help: 'Wait for the next packet in a busy loop',
        set: (given) => void (given.spin = true),
      },
    ],
  },
];

export const cbrCommand: CommandLine<Given> = {
  tool: 'cbr',
  purpose: 'Sends packets from a client to a server at a constant bit rate.',
  groups,
};

export const cbrUsage: string = usageText(cbrCommand);

const refuse = (text: string): Parsed<CbrOptions> => ({ kind: 'end', text, status: 1 });

export function parseCbrOptions(args: readonly string[]): Parsed<CbrOptions> {
  const given: Given = {
    listen: false,
    intervalS: 1,
    timeoutS: 1,
    serverName: undefined,
    durationS: 60,
    size: 1000,
    rate: 1_000_000,
    flood: false,
    spin: false,
    qosName: 'raw',
    json: false,
  };
  if (readWords(args, groups, given).kind !== 'read') return { kind: 'end', text: cbrUsage, status: 0 };
  const { serverName, qosName, ...options } = given;
  const qos = qosOf(qosName);
  if (options.listen) return { kind: 'run', options: { ...options, serverName: '', qos }, notes: [] };
  if (serverName === undefined) return refuse(`No server specified.\n${cbrUsage}`);
  if (options.size > sizeMax) return refuse(`Maximum size: ${sizeMax}.\n`);
  if (options.size < 0) return refuse('Size overflow.\n');
  // A message of no bytes is a sign of life and no packet.
  if (options.size === 0) return refuse('Minimum size: 1.\n');
  if (options.rate <= 0) return refuse('Invalid rate.\n');
  const notes = qos === undefined ? ['Unknown QoS cube, defaulting to raw.\n'] : [];
  return { kind: 'run', options: { ...options, serverName, qos }, notes };
}
