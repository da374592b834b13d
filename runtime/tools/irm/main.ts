/** irm: manages the node's irmd from the command line. Source: irmd-and-irm.md 11. */
import { writeSync } from 'node:fs';
import type { O7sError } from '../../lib/index.ts';
import { IrmClient } from '../../lib/index.ts';
import { bindGroup, unbindGroup } from './bind.ts';
import type { CommandContext, CommandGroup } from './command.ts';
import { matchWord } from './grammar.ts';
import { ipcpGroup } from './ipcp.ts';
import { events } from './events.ts';
import { nameGroup } from './name.ts';

const groups = { ipcp: ipcpGroup, bind: bindGroup, unbind: unbindGroup, name: nameGroup } as const;
/** Commands without a group; the manual does not know them. */
const commands = { events } as const;
const topWords = ['ipcp', 'bind', 'unbind', 'name', 'help', 'events'] as const;
const topUsage = `Usage: irm [OPERATION GROUP]

where OPERATION GROUP = {ipcp bind unbind name help events}
`;
const exitWithoutWords = 255;

function unknown(word: string, help: string): number {
  writeSync(2, `"${word}" is unknown, try "${help}".\n`);
  return 1;
}

async function runGroup(
  group: CommandGroup,
  words: readonly string[],
  context: CommandContext,
): Promise<number> {
  const [word, ...rest] = words;
  if (word === undefined) {
    context.out(group.usage);
    return 1;
  }
  const matched = matchWord(word, group.words);
  if (matched === 'help') {
    context.out(group.usage);
    return 0;
  }
  const command = matched === undefined ? undefined : group.commands[matched];
  return command === undefined ? unknown(word, group.help) : command(rest, context);
}

async function run(words: readonly string[], context: CommandContext): Promise<number> {
  const [word, ...rest] = words;
  if (word === undefined) {
    context.out(topUsage);
    return exitWithoutWords;
  }
  const matched = matchWord(word, topWords);
  if (matched === undefined) return unknown(word, 'irm help');
  if (matched === 'events') return commands[matched](rest, context);
  if (matched !== 'help') return runGroup(groups[matched], rest, context);
  context.out(topUsage);
  return 0;
}

process.title = 'irm';
let client: Promise<IrmClient> | undefined;
const status = await run(process.argv.slice(2), {
  out: (text) => void (text !== '' && writeSync(1, text)),
  explain: (error: O7sError) =>
    void writeSync(2, `irm: ${error.message}${error.hint === undefined ? '' : `; ${error.hint}`}\n`),
  note: (text) => void writeSync(2, `irm: ${text}\n`),
  irmd: () => (client ??= IrmClient.connect()),
});
process.exit(status);
