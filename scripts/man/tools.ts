/** The pages of the tools: options from their tables, the rest from docs/tools.md. */
import { readFileSync } from 'node:fs';
import { echoCommand } from '../../runtime/tools/oecho/options.ts';
import { netcatCommand } from '../../runtime/tools/onc/options.ts';
import { obcCommand } from '../../runtime/tools/obc/options.ts';
import { cbrCommand } from '../../runtime/tools/ocbr/options.ts';
import { perfCommand } from '../../runtime/tools/operf/options.ts';
import { pingCommand } from '../../runtime/tools/oping/options.ts';
import { vpnCommand } from '../../runtime/tools/ovpn/options.ts';
import { type CommandLine, helpOption, type Option } from '../../runtime/tools/words.ts';
import { sectionOf, tagged, taggedTables, withoutLinks } from './markdown.ts';
import type { Page } from './roff.ts';

const commands: Readonly<Record<string, CommandLine<never>>> = {
  oping: pingCommand,
  oecho: echoCommand,
  operf: perfCommand,
  ocbr: cbrCommand,
  obc: obcCommand,
  ovpn: vpnCommand,
  onc: netcatCommand,
};

const document = readFileSync(new URL('../../docs/tools.md', import.meta.url), 'utf8');

export const toolPages = (): Page[] =>
  Object.entries(commands).map(([name, command]) => ({
    name,
    section: 1,
    markdown: toolPage(name, command),
  }));

function toolPage(name: string, { purpose, groups, after = '' }: CommandLine<never>): string {
  const [description, events] = parts(sectionOf(document, name));
  const options = groups.map(({ title, options: ofGroup }, at) => {
    const all = at === groups.length - 1 ? [...ofGroup, helpOption] : ofGroup;
    return `${title === undefined ? '' : `\n### ${title}\n\n`}${all.map(optionText).join('')}`;
  });
  const others = Object.keys(commands).filter((other) => other !== name);
  return `# ${name}(1) -- ${headline(purpose)}

## SYNOPSIS

**${name}** [*option*]...

## DESCRIPTION

${purpose} ${description}

## OPTIONS

${options.join('')}
${after}
## WHAT ALL TOOLS HAVE IN COMMON

${withoutLinks(sectionOf(document, 'All of them')).replace('the tables below\nlist', 'the list below\nhas')}

## JSON

${events}

## SEE ALSO

${others.map((other) => `**${other}**(1)`).join(', ')}, **irm**(8), **irmd**(8), **ouroboros**(8)
`;
}

/** A section of the document: what it says, and its table of events. */
function parts(section: string): [string, string] {
  const at = section.search(/^\| type /m);
  const end = /^(?:\|.*\|\n?)+/m.exec(section.slice(at))?.[0].length ?? 0;
  const text = `${section.slice(0, at)}${section.slice(at + end)}`.trim();
  return [withoutLinks(taggedTables(text)), taggedTables(section.slice(at, at + end))];
}

/** A purpose as the line that `apropos` shows. */
const headline = (purpose: string): string =>
  purpose.replace(/^./, (first) => first.toLowerCase()).replace(/\.$/, '');

function optionText({ words, value, help }: Pick<Option<never>, 'words' | 'value' | 'help'>): string {
  const term = words.map((word) => `**${word}**`).join(', ');
  return tagged(value === undefined ? term : `${term} *${value}*`, help);
}
