/** Pieces of pages in Markdown. */

/** A tagged paragraph. */
export const tagged = (term: string, text: string): string =>
  `* ${term}:\n  ${text.trim().replaceAll('\n', '\n  ')}\n`;

/** A block as it is. */
export const verbatim = (text: string): string => `\`\`\`\n${text.trimEnd()}\n\`\`\`\n`;

/** A Markdown table as tagged paragraphs: the first cell of a row is the tag, the others follow, each behind its heading. */
export function taggedTables(markdown: string): string {
  return markdown.replaceAll(/(?:^\|.*\|\n?)+/gm, (table) => {
    const [head = [], , ...rows] = table
      .trim()
      .split('\n')
      .map((row) =>
        row
          .slice(1, -1)
          .split(/(?<!\\)\|/)
          .map((cell) => cell.trim()),
      );
    return rows
      .map(([tag = '', first = '', ...others]) =>
        tagged(tag, [first, ...others.map((cell, at) => `${head[at + 2]}: ${cell}`)].join('. ')),
      )
      .join('');
  });
}

/** Links to files of the documentation as their text alone: who reads a manual page cannot follow them. */
export const withoutLinks = (markdown: string): string =>
  markdown.replaceAll(/\[([^\]]+)\]\((?!https?:)[^)]*\)/g, '$1');

/** What is below a heading of a page, up to the next of the same depth. */
export function sectionOf(markdown: string, heading: string): string {
  const found = new RegExp(`\\n## ${heading}\\n(.*?)(?=\\n## |$)`, 's').exec(markdown)?.[1];
  if (found === undefined) throw new Error(`there is no section ${heading}`);
  return found.trim();
}
