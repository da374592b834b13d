/** operf's command line. Source: tools.md 3.1. */
import type { QosSpec } from '../../lib/index.ts';
import { qosOf, qosOption } from '../qos.ts';
import { leadingNumber, readRate, readTime } from '../quantities.ts';
import { type JsonOption, jsonOption } from '../tool.ts';
import { type CommandLine, type OptionGroup, type Parsed, readWords, usageText } from '../words.ts';
import type { TestType } from './message.ts';

export interface PerfOptions extends JsonOption {
  listen: boolean;
  /** Server: tells what came over a flow when it ends, and not each packet. */
  quiet: boolean;
  serverName: string;
  test: TestType;
  durationMs: number;
  /** Bits a second. */
  rate: number;
  size: number;
  flood: boolean;
  qos: QosSpec | undefined;
}

const sizeMin = 64;
const sizeMax = 1_048_576;

interface Given extends Omit<PerfOptions, 'serverName' | 'test' | 'qos'> {
  serverName: string | undefined;
  testName: string;
  qosName: string;
}

const groups: readonly OptionGroup<Given>[] = [
  {
    options: [
      { words: ['-l', '--listen'], help: 'Run as a server', set: (given) => void (given.listen = true) },
      {
        words: ['-Q', '--quiet'],
        help: 'Server: tell of each flow what it brought, and not each packet',
        set: (given) => void (given.quiet = true),
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
        words: ['-t', '--test'],
        value: 'uni|bi',
        help: 'One way, or back and forth (default: uni)',
        set: (given, value) => void (given.testName = value),
      },
      {
        words: ['-d', '--duration'],
        value: 'time',
        help: 'Length of the test (default: 60s)',
        set: (given, value) => {
          const time = readTime(value);
          if (typeof time !== 'number') return `Unknown time unit: ${time.unknownUnit}.\n`;
          given.durationMs = time;
          return undefined;
        },
      },
      {
        words: ['-r', '--rate'],
        value: 'number[k|M|G]',
        help: 'Bits a second; a number alone counts thousands (default: 1M)',
        set: (given, value) => {
          const rate = readRate(value);
          if (typeof rate !== 'number') return `Unknown rate unit: ${rate.unknownUnit}.\n`;
          given.rate = rate;
          return undefined;
        },
      },
      {
        words: ['-s', '--size'],
        value: 'bytes',
        help: `Size of a packet, ${sizeMin} to ${sizeMax} (default: 1500)`,
        set: (given, value) => void (given.size = leadingNumber(value)),
      },
      qosOption,
      {
        words: ['-f', '--flood'],
        help: 'Send as fast as the flow takes packets',
        set: (given) => void (given.flood = true),
      },
      { words: ['--sleep'], help: 'Sleep between packets, as is always done here', set: () => {} },
      jsonOption,
    ],
  },
];

export const perfCommand: CommandLine<Given> = {
  tool: 'operf',
  purpose: 'Measures bandwidth between a client and a server.',
  groups,
  after: 'A time is a number of ms, or has a unit: ms, s, m, h, d.\n',
};

export const perfUsage: string = usageText(perfCommand);

const refuse = (text: string): Parsed<PerfOptions> => ({ kind: 'end', text, status: 1 });

export function parsePerfOptions(args: readonly string[]): Parsed<PerfOptions> {
  const given: Given = {
    listen: false,
    quiet: false,
    serverName: undefined,
    testName: 'uni',
    durationMs: 60_000,
    rate: 1_000_000,
    size: 1500,
    flood: false,
    qosName: 'raw',
    json: false,
  };
  const reading = readWords(args, groups, given);
  if (reading.kind === 'refused') return refuse(reading.text);
  if (reading.kind === 'unknown') return { kind: 'end', text: perfUsage, status: 0 };
  const { serverName, testName, qosName, ...options } = given;
  const qos = qosOf(qosName);
  if (options.listen) {
    return { kind: 'run', options: { ...options, serverName: '', test: 'uni', qos }, notes: [] };
  }
  if (serverName === undefined) return refuse('No server specified.\n');
  if (testName !== 'uni' && testName !== 'bi') return refuse('Invalid test type.\n');
  if (options.rate === 0 && !options.flood) return refuse('Invalid rate.\n');
  const notes: string[] = [];
  if (qos === undefined) notes.push('Unknown QoS cube, defaulting to raw.\n');
  if (options.size > sizeMax) notes.push(`Packet size truncated to ${sizeMax} bytes.\n`);
  if (options.size < sizeMin) notes.push(`Packet size set to ${sizeMin} bytes.\n`);
  options.size = Math.min(sizeMax, Math.max(sizeMin, options.size));
  return { kind: 'run', options: { ...options, serverName, test: testName, qos }, notes };
}
