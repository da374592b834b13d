/** obc's command line. Source: tools.md 5. */
import { type JsonOption, jsonOption } from '../tool.ts';
import { type CommandLine, type OptionGroup, type Parsed, readWords, usageText } from '../words.ts';

export interface ObcOptions extends JsonOption {
  layer: string;
  message: string;
  listen: boolean;
}

const messageDefault = 'Ouroboros multicast rocks!';

const nameWords = ['-n', '--name'];

const groups: readonly OptionGroup<ObcOptions>[] = [
  {
    options: [
      {
        words: nameWords,
        value: 'layer',
        help: 'Name of the broadcast layer',
        set: (options, value) => void (options.layer = value),
      },
      {
        words: ['-m', '--message'],
        value: 'text',
        help: `Text to send (default: "${messageDefault}")`,
        set: (options, value) => void (options.message = value),
      },
      {
        words: ['-l', '--listen'],
        help: 'Print what others send',
        set: (options) => void (options.listen = true),
      },
      jsonOption,
    ],
  },
];

export const obcCommand: CommandLine<ObcOptions> = {
  tool: 'obc',
  purpose: 'Sends a message to everybody in a broadcast layer, or prints what others send.',
  groups,
};

export const obcUsage: string = usageText(obcCommand);

export function parseObcOptions(args: readonly string[]): Parsed<ObcOptions> {
  const options: ObcOptions = { layer: '', message: messageDefault, listen: false, json: false };
  const reading = readWords(args, groups, options);
  // A name that is missing behind its option is one that was not given.
  const isNameless = reading.kind === 'unknown' && nameWords.includes(reading.word);
  if (reading.kind !== 'read' && !isNameless) return { kind: 'end', text: obcUsage, status: 0 };
  if (isNameless || options.layer === '')
    return { kind: 'end', text: `Please specify a name.\n\n${obcUsage}`, status: 1 };
  return { kind: 'run', options, notes: [] };
}
