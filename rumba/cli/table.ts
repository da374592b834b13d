/** Columns of text. */

/** Rows under their headings, as wide as their longest cell; every line ends with a line feed. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** A count and its noun. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Names in a cell of a table: as many as fit, then how many more there are. */
export function listCell(names: readonly string[], width = 48): string {
  if (names.length === 0) return '-';
  const shown: string[] = [];
  let length = 0;
  for (const name of names) {
    length += name.length + 1;
    if (length > width && shown.length > 0) break;
    shown.push(name);
  }
  const rest = names.length - shown.length;
  return rest === 0 ? shown.join(',') : `${shown.join(',')} and ${rest} more`;
}
