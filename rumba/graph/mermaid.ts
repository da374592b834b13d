/** Drawings in the language of Mermaid, which many viewers of Markdown draw. */
import type { Drawing, Line, Shape } from './drawing.ts';

const brackets: Record<Shape['kind'], readonly [string, string]> = {
  node: ['["', '"]'],
  lan: ['(("', '"))'],
  member: ['(["', '"])'],
  first: ['[["', '"]]'],
  layer: ['("', '")'],
};

const arrows: Record<Line['kind'], string> = {
  cable: '---',
  adjacency: '---',
  enrolment: '-.->',
  over: '-->',
};

export function mermaid({ title, ranked, shapes, lines }: Drawing): string {
  const ids = new Map(shapes.map(({ id }, index) => [id, `s${index + 1}`]));
  const off = shapes.filter(({ isOff }) => isOff).map(({ id }) => ids.get(id));
  return [
    '---',
    `title: ${JSON.stringify(title)}`,
    '---',
    ranked ? 'flowchart TD' : 'flowchart LR',
    ...shapes.map(({ id, label, kind }) => {
      const [open, close] = brackets[kind];
      return `  ${ids.get(id)}${open}${escape(label)}${close}`;
    }),
    ...lines.map((line) => {
      const text = [line.fromLabel, line.label, line.toLabel]
        .filter((each) => each !== undefined)
        .join(' - ');
      const label = text === '' ? '' : `|"${escape(text)}"|`;
      return `  ${ids.get(line.from)} ${arrows[line.kind]}${label} ${ids.get(line.to)}`;
    }),
    ...(off.length === 0
      ? []
      : ['  classDef off fill:#fce8e6,stroke:#c5221f,color:#c5221f', `  class ${off.join(',')} off`]),
    '',
  ].join('\n');
}

function escape(text: string): string {
  return text
    .replaceAll('#', '#35;')
    .replaceAll('"', '#quot;')
    .replaceAll('<', '#lt;')
    .replaceAll('>', '#gt;')
    .replaceAll('\n', '<br/>');
}
