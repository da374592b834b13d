/** oecho's command line. Source: tools.md 2. */
import { type JsonOption, jsonOption } from '../tool.ts';
import { type CommandLine, type OptionGroup, type Parsed, readWords, usageText } from '../words.ts';

export interface EchoOptions extends JsonOption {
  listen: boolean;
}

const groups: readonly OptionGroup<EchoOptions>[] = [
  {
    options: [
      { words: ['-l', '--listen'], help: 'Run as a server', set: (options) => void (options.listen = true) },
      jsonOption,
    ],
  },
];

export const echoCommand: CommandLine<EchoOptions> = {
  tool: 'oecho',
  purpose: 'Sends a message to the server of the name "oecho", which sends it back.',
  groups,
};

const echoUsage = usageText(echoCommand);

export function parseEchoOptions(args: readonly string[]): Parsed<EchoOptions> {
  const options: EchoOptions = { listen: false, json: false };
  if (readWords(args, groups, options).kind !== 'read') return { kind: 'end', text: echoUsage, status: 0 };
  return { kind: 'run', options, notes: [] };
}
