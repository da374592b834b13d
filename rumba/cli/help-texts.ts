/** What yargs says of each command, for the pages that are made of it. */
import { readdirSync } from 'node:fs';
import yargs, { type CommandModule } from 'yargs';

/** The help text of every command and those below it, `image build` and the like, by the words of the command. */
export async function helpTexts(columns: number): Promise<ReadonlyMap<string, string>> {
  // A variable that is set would be shown as the default of its option.
  for (const name of Object.keys(process.env).filter((key) => key.startsWith('O7S_TESTBED_')))
    delete process.env[name];
  const folder = new URL('./commands/', import.meta.url);
  const texts = new Map<string, string>();
  for (const file of readdirSync(folder).filter((name) => /(?<!\.test)\.ts$/.test(name))) {
    const module = (await import(new URL(file, folder).href)) as Record<string, unknown>;
    for (const command of Object.values(module).filter(isCommand)) {
      await addTexts(texts, command, [String(command.command).split(' ', 1)[0] ?? ''], columns);
    }
  }
  return texts;
}

const isCommand = (value: unknown): value is CommandModule =>
  typeof value === 'object' && value !== null && 'handler' in value && 'command' in value;

async function addTexts(
  texts: Map<string, string>,
  command: CommandModule,
  words: readonly string[],
  columns: number,
): Promise<void> {
  const cli = yargs().scriptName('o7s-testbed').command(command).help().version(false).wrap(columns);
  let help = '';
  await cli.parse([...words, '--help'], {}, (_error: unknown, _argv: unknown, output: string) => {
    help = output;
  });
  texts.set(words.join(' '), help.replace(/^.*--help .*\n/m, ''));
  const list = /^Commands:\n((?: .*\n)+)/m.exec(help)?.[1] ?? '';
  const below = list.matchAll(new RegExp(`^ {2}o7s-testbed ${words.join(' ')} ([a-z]+)`, 'gm'));
  for (const [, word = ''] of below) await addTexts(texts, command, [...words, word], columns);
}
