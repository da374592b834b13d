/** Drawings in the language of Graphviz. */
import type { Drawing, Line, Shape } from './drawing.ts';

const font = 'Helvetica,Arial,sans-serif';

/** More shapes than this are laid out by a faster method. */
const neatMax = 150;

const shapeStyles: Record<Shape['kind'], string> = {
  node: 'shape=box, style="rounded,filled", fillcolor="#e8f0fe", color="#3b6fc4"',
  lan: 'shape=ellipse, style=filled, fillcolor="#f1f3f4", color="#80868b", fontsize=10, height=0.3',
  member: 'shape=ellipse, style=filled, fillcolor="#e6f4ea", color="#2f8f4e"',
  first: 'shape=ellipse, style=filled, fillcolor="#b7e1c3", color="#2f8f4e", penwidth=2',
  layer: 'shape=box, style="rounded,filled", fillcolor="#fef7e0", color="#c99700"',
};

const offStyle = 'fillcolor="#fce8e6", color="#c5221f", fontcolor="#c5221f"';

const lineStyles: Record<Line['kind'], string> = {
  cable: 'color="#5f6368"',
  adjacency: 'color="#2f8f4e", penwidth=1.5',
  enrolment: 'dir=forward, style=dashed, color="#9aa0a6", arrowsize=0.6, constraint=false',
  over: 'dir=forward, color="#c99700", arrowsize=0.6',
};

/** The engine of Graphviz that suits a drawing. */
export function engineFor({ ranked, shapes }: Drawing): 'dot' | 'neato' | 'fdp' {
  if (ranked) return 'dot';
  return shapes.length <= neatMax ? 'neato' : 'fdp';
}

export function dot(drawing: Drawing): string {
  const attributes = [
    `label=${quote(drawing.title)}`,
    'labelloc=t',
    `layout=${engineFor(drawing)}`,
    'overlap=false',
    'splines=true',
    'outputorder=edgesfirst',
    `fontname=${quote(font)}`,
    'fontsize=14',
    'pad=0.3',
  ];
  const shapes = drawing.shapes.map(
    ({ id, label, kind, isOff }) =>
      `  ${quote(id)} [label=${quote(label)}, ${shapeStyles[kind]}${isOff ? `, ${offStyle}` : ''}];`,
  );
  const lines = drawing.lines.map(
    (line) => `  ${quote(line.from)} -> ${quote(line.to)} [${lineWords(line)}];`,
  );
  return [
    `digraph ${quote(drawing.title)} {`,
    ...attributes.map((each) => `  ${each};`),
    `  node [fontname=${quote(font)}, fontsize=12, margin="0.12,0.06"];`,
    `  edge [fontname=${quote(font)}, fontsize=9, fontcolor="#5f6368", dir=none, len=1.4];`,
    ...shapes,
    ...lines,
    '}',
    '',
  ].join('\n');
}

function lineWords({ kind, label, fromLabel, toLabel }: Line): string {
  return [
    lineStyles[kind],
    ...(label === undefined ? [] : [`label=${quote(label)}`]),
    ...(fromLabel === undefined ? [] : [`taillabel=${quote(fromLabel)}`]),
    ...(toLabel === undefined ? [] : [`headlabel=${quote(toLabel)}`]),
  ].join(', ');
}

function quote(text: string): string {
  return `"${text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`)}"`;
}
