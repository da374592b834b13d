/** onc's command line. */
import { dataQos, type QosSpec } from '../../lib/index.ts';
import { qosNames, qosOf } from '../qos.ts';
import { type JsonOption, jsonOption } from '../tool.ts';
import { type CommandLine, type OptionGroup, type Parsed, readWords, usageText } from '../words.ts';

export interface NetcatOptions extends JsonOption {
  listen: boolean;
  /** What to allocate a flow to; of a server, what to bind this process to. */
  name: string | undefined;
  qos: QosSpec;
  /** Serve one flow after another, or with a command many at once. */
  keep: boolean;
  /** A command line whose input and output the flow is, instead of those of this process. */
  command: string | undefined;
  verbose: boolean;
}

const groups: readonly OptionGroup<NetcatOptions>[] = [
  {
    options: [
      {
        words: ['-n', '--name'],
        value: 'name',
        help: 'Name to allocate a flow to; with -l, to be bound to',
        set: (options, value) => void (options.name = value),
      },
      {
        words: ['-q', '--qos'],
        value: 'name',
        help: `QoS: ${qosNames.join(', ')} (default: data)`,
        set: (options, value) => {
          const qos = qosOf(value);
          if (qos === undefined) return `onc: unknown QoS ${value}; take one of ${qosNames.join(', ')}\n`;
          options.qos = qos;
          return undefined;
        },
      },
      {
        words: ['-l', '--listen'],
        help: 'Accept a flow instead',
        set: (options) => void (options.listen = true),
      },
      {
        words: ['-k', '--keep'],
        help: 'With -l, accept flows one after another; with --exec, many at once',
        set: (options) => void (options.keep = true),
      },
      {
        words: ['--exec'],
        value: 'command',
        help: 'Run a shell command whose input and output the flow is',
        set: (options, value) => void (options.command = value),
      },
      {
        words: ['-v', '--verbose'],
        help: 'Tell on standard error what happens',
        set: (options) => void (options.verbose = true),
      },
      { ...jsonOption, help: 'Tell it as a JSON object a line' },
    ],
  },
];

export const netcatCommand: CommandLine<NetcatOptions> = {
  tool: 'onc',
  purpose: 'Carries standard input and output over a flow, as a stream of bytes.',
  groups,
  after: 'With -k and no command, what comes over all flows goes to standard output, and nothing is sent.\n',
};

const netcatUsage = usageText(netcatCommand);

const refuse = (text: string): Parsed<NetcatOptions> => ({ kind: 'end', text, status: 1 });

export function parseNetcatOptions(args: readonly string[]): Parsed<NetcatOptions> {
  const options: NetcatOptions = {
    listen: false,
    name: undefined,
    qos: dataQos,
    keep: false,
    command: undefined,
    verbose: false,
    json: false,
  };
  const reading = readWords(args, groups, options);
  if (reading.kind === 'refused') return refuse(reading.text);
  if (reading.kind === 'unknown') {
    return { kind: 'end', text: netcatUsage, status: reading.word === '--help' ? 0 : 1 };
  }
  if (!options.listen && options.name === undefined) {
    return refuse('onc: no name; say -n NAME, or -l to accept a flow\n');
  }
  if (!options.listen && options.keep) return refuse('onc: -k is for -l\n');
  return { kind: 'run', options, notes: [] };
}
