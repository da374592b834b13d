/** The words of `irm`: groups of commands, and commands that stand alone. Source: irmd-and-irm.md 11.1, 11.2. */
import { bindGroup, unbindGroup } from './bind.ts';
import { say, type Command, type CommandContext, type CommandGroup } from './command.ts';
import { completion } from './completion.ts';
import { events } from './events.ts';
import { matchWord } from './grammar.ts';
import { ipcpGroup } from './ipcp.ts';
import { logLevel } from './log-level.ts';
import { metrics } from './metrics.ts';
import { nameGroup, register } from './name.ts';
import { rib } from './rib.ts';

/** In the order in which shortened words are tried. */
export const groups: Readonly<Record<string, CommandGroup>> = {
  ipcp: ipcpGroup,
  bind: bindGroup,
  unbind: unbindGroup,
  name: nameGroup,
};

/** Commands of ours without a group. They are written in full: short words are the manual's. */
export const alone: Readonly<Record<string, Command>> = {
  events,
  rib,
  metrics,
  'log-level': logLevel,
  completion: completion(() => ({ groups, alone })),
};

const topUsage = `Usage: irm [OPERATION GROUP]

where OPERATION GROUP = {${[...Object.keys(groups), 'help'].join(' ')}}

  irm GROUP help            the operations of a group
  irm help GROUP OPERATION  how an operation is written
  irm OPERATION ...         stands for: irm ipcp OPERATION ..., with a whole word
  irm OPERATION ...         with OPERATION = {${Object.keys(alone).join(' ')}}, each a whole word

--json anywhere prints results and errors as JSON. Words may be shortened: irm i l is irm ipcp list.
`;
const exitWithoutWords = 255;

/** Where a command line leads. */
type Found =
  | { readonly kind: 'command'; readonly command: Command; readonly rest: readonly string[] }
  | { readonly kind: 'help'; readonly usage: string; readonly status: number }
  | { readonly kind: 'unknown'; readonly word: string; readonly help: string };

/** Finds the command that words begin with. */
function find(words: readonly string[]): Found {
  const [word, ...rest] = words;
  if (word === undefined) return { kind: 'help', usage: topUsage, status: exitWithoutWords };
  if (word === 'reg') return ofCommand(oldRegister, rest);
  const single = Object.hasOwn(alone, word) ? alone[word] : undefined;
  if (single !== undefined) return ofCommand(single, rest);
  const matched = matchWord(word, [...Object.keys(groups), 'help']);
  const group = matched === undefined ? undefined : groups[matched];
  if (group !== undefined) return ofGroup(group, rest);
  if (matched === 'help') return help(rest);
  const ofIpcp = Object.hasOwn(ipcpGroup.commands, word) ? ipcpGroup.commands[word] : undefined;
  return ofIpcp === undefined ? { kind: 'unknown', word, help: 'irm help' } : ofCommand(ofIpcp, rest);
}

function ofGroup(group: CommandGroup, words: readonly string[]): Found {
  const [word, ...rest] = words;
  if (word === undefined) return { kind: 'help', usage: group.usage, status: 1 };
  const matched = matchWord(word, [...Object.keys(group.commands), 'help']);
  if (matched === 'help') return { kind: 'help', usage: group.usage, status: 0 };
  const command = matched === undefined ? undefined : group.commands[matched];
  return command === undefined ? { kind: 'unknown', word, help: group.help } : ofCommand(command, rest);
}

/** `help` alone behind a command, where it is no name, asks for its usage. */
function ofCommand(command: Command, rest: readonly string[]): Found {
  const asksForHelp = rest.length === 1 && rest[0] === 'help' && command.first === undefined;
  if (asksForHelp) return { kind: 'help', usage: command.usage, status: 0 };
  return { kind: 'command', command, rest };
}

/** `irm help ...` tells what the words would lead to. */
function help(words: readonly string[]): Found {
  if (words.length === 0) return { kind: 'help', usage: topUsage, status: 0 };
  const found = find(words);
  if (found.kind === 'unknown') return found;
  return { kind: 'help', usage: found.kind === 'command' ? found.command.usage : found.usage, status: 0 };
}

/** Words of the tutorial of 2018: `irm reg name X layer Y`. */
const oldRegister: Command = {
  ...register,
  run: ([word = '', ...rest], context) =>
    register.run(matchWord(word, ['name']) === undefined ? [word, ...rest] : rest, context),
};

/** Runs a command line; resolves with the exit status. `complain` writes a line to standard error. */
export async function run(
  words: readonly string[],
  context: CommandContext,
  complain: (text: string) => void,
): Promise<number> {
  const found = find(words);
  switch (found.kind) {
    case 'command':
      return found.command.run(found.rest, context);
    case 'help':
      if (found.status === 1) return say(context, found.usage);
      context.out(found.usage);
      return found.status;
    case 'unknown':
      if (context.json) return say(context, unknownWord(found));
      complain(unknownWord(found));
      return 1;
  }
}

function unknownWord({ word, help: known }: { readonly word: string; readonly help: string }): string {
  return `"${word}" is unknown, try "${known}".\n`;
}

/** Takes `--json` out of a command line; behind `--` it is a program's. */
export function takeJson(words: readonly string[]): { readonly json: boolean; readonly words: string[] } {
  const end = words.indexOf('--');
  const own = end === -1 ? words : words.slice(0, end);
  const left = own.filter((word) => word !== '--json');
  return { json: left.length < own.length, words: [...left, ...words.slice(own.length)] };
}
