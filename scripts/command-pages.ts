/** The pages of docs/commands, made of what the command line says of itself. `npm run generate` writes them. */
import { helpTexts } from '../rumba/cli/help-texts.ts';

const columns = 100;

/** The page of each command, and their index, by file name. */
export async function commandPages(): Promise<ReadonlyMap<string, string>> {
  const pages = new Map<string, string>();
  const entries: string[] = [];
  for (const [words, help] of await helpTexts(columns)) {
    const [command = ''] = words.split(' ', 1);
    const file = `${command}.md`;
    const text = ['```text', help.trim(), '```', ''].join('\n');
    const page = pages.get(file);
    if (page === undefined) {
      entries.push(`- [${command}](${file}): ${described(help)}`);
      pages.set(
        file,
        `# o7s-testbed ${command}\n\nMade from the command's own help: \`npm run generate\`.\n\n${text}`,
      );
    } else pages.set(file, `${page}\n## o7s-testbed ${words}\n\n${text}`);
  }
  const introduction = "One page a command, made from the command's own help: `npm run generate`.";
  pages.set('README.md', `# Commands\n\n${introduction}\n\n${entries.toSorted().join('\n')}\n`);
  return pages;
}

/** What a command does: the paragraph after its usage line, as one line. */
function described(help: string): string {
  const [, description = ''] = help.trim().split(/\n\s*\n/);
  return description.replaceAll(/\s+/g, ' ').trim();
}
