/** `irm completion`: what the shells bash and zsh need to complete the words of `irm`, and the words themselves. */
import { O7sError } from '../../lib/index.ts';
import { type Command, type CommandContext, type CommandGroup, type Kind, say } from './command.ts';
import { matchWord } from './grammar.ts';

const usage = `Usage: irm completion bash|zsh
`;

const scripts: Readonly<Record<string, string>> = {
  bash: `# source <(irm completion bash)
_irm() {
  local found word
  COMPREPLY=()
  while IFS= read -r word; do
    printf -v found '%q' "$word"
    COMPREPLY+=("$found")
  done < <(irm completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _irm irm
`,
  zsh: `#compdef irm
# source <(irm completion zsh)
_irm() {
  local -a found
  found=("\${(@f)$(irm completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found" ]]; then compadd -a found; else _files; fi
}
compdef _irm irm
`,
};

/** What is completed with. */
export interface Words {
  readonly groups: Readonly<Record<string, CommandGroup>>;
  readonly alone: Readonly<Record<string, Command>>;
}

/** @param words all of `irm`, told when they are needed: this command is among them. */
export const completion = (words: () => Words): Command => ({
  usage,
  first: ['bash', 'zsh'],
  keywords: {},
  run: async ([shell = '', ...rest], context) => {
    if (shell === 'words') {
      const typed = rest[0] === '--' ? rest.slice(1) : rest;
      for (const word of await candidates(words(), typed, context)) context.out(`${word}\n`);
      return 0;
    }
    if (shell === 'help' && rest.length === 0) {
      context.out(usage);
      return 0;
    }
    const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
    if (script === undefined || rest.length > 0) return say(context, usage);
    context.out(script);
    return 0;
  },
});

/** Words that may stand where the last one is being typed. */
export async function candidates(
  { groups, alone }: Words,
  typed: readonly string[],
  context: Pick<CommandContext, 'irmd'>,
): Promise<string[]> {
  const words = [...typed];
  const begun = words.pop() ?? '';
  const starting = (all: readonly string[]): string[] => all.filter((word) => word.startsWith(begun));
  if (words.includes('--')) return [];
  const ipcpWords = Object.keys(groups['ipcp']?.commands ?? {});
  const [first, second] = words;
  if (first === undefined)
    return starting([...Object.keys(groups), ...Object.keys(alone), ...ipcpWords, 'help']);
  if (matchWord(first, [...Object.keys(groups), 'help']) === 'help') {
    return candidates({ groups, alone }, [...words.slice(1), begun], context);
  }
  const group = groups[matchWord(first, Object.keys(groups)) ?? ''];
  if (group !== undefined && second === undefined) return starting([...Object.keys(group.commands), 'help']);
  const command =
    group === undefined
      ? (alone[first] ?? groups['ipcp']?.commands[first])
      : group.commands[matchWord(second ?? '', Object.keys(group.commands)) ?? ''];
  if (command === undefined) return [];
  const behind = words.slice(group === undefined ? 1 : 2);
  const kind = kindAt(command, behind);
  if (kind !== undefined) return starting(await wordsOf(kind, context));
  const keywords = Object.keys(command.keywords);
  return starting(keywords.filter((keyword) => !behind.includes(keyword)));
}

/** What a value that follows words is; undefined where a keyword follows. */
function kindAt(command: Command, words: readonly string[]): Kind | undefined {
  if (words.length === 0) return command.first;
  const keywords = Object.keys(command.keywords);
  let at = command.first === undefined ? 0 : 1;
  for (; at < words.length; at += 1) {
    const kind = command.keywords[matchWord(words[at] ?? '', keywords) ?? ''];
    if (kind === undefined || kind === 'flag') continue;
    if (at + 1 === words.length) return kind;
    at += 1;
  }
  return undefined;
}

async function wordsOf(kind: Kind, { irmd }: Pick<CommandContext, 'irmd'>): Promise<readonly string[]> {
  if (typeof kind !== 'string') return kind;
  try {
    switch (kind) {
      case 'ipcp':
        return (await (await irmd()).listIpcps()).map(({ name }) => name);
      case 'layer':
        return [...new Set((await (await irmd()).listIpcps()).flatMap(({ layer }) => layer ?? []))];
      case 'name':
        return (await (await irmd()).listNames()).map(({ name }) => name);
      default:
        return [];
    }
  } catch (error) {
    // Without an irmd there is nothing to choose from.
    if (error instanceof O7sError) return [];
    throw error;
  }
}
