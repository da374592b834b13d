/**
 * Nodes as boxes and links as lines. Nodes lie in columns by their distance from one of them, so that a link leads to a
 * neighbouring column or stays in its own; each link has a track of its own in the gap to the right of its left end.
 */
import type { Topology } from '../rumba/index.ts';
import { type Colour, fit, type Line, type Span } from './text.ts';

export interface DrawnBox {
  readonly name: string;
  /** What stands in the box, below its name. */
  readonly text: string;
  readonly colour: Colour | undefined;
  readonly selected: boolean;
}

export interface DrawingOptions {
  readonly width: number;
  readonly height: number;
  readonly boxOf: (node: string) => DrawnBox;
  /** Colour of a link; undefined for the plain one. */
  readonly linkColour: (link: string) => Colour | undefined;
}

/** A node, or a LAN, which is drawn as one. */
interface Place {
  readonly id: string;
  readonly lan: boolean;
  column: number;
  row: number;
}

interface Edge {
  readonly link: string;
  readonly ends: readonly [string, string];
}

const boxHeight = 4;
const pitch = 5;
/** What is around the name of a box. */
const boxMargin = 4;
const boxWidthLeast = boxMargin + 1;
/** Between two columns. */
const gapLeast = 4;

/** The drawing, or undefined where it does not fit. */
export function drawing(topology: Topology, options: DrawingOptions): Line[] | undefined {
  const { places, edges } = graphOf(topology);
  if (places.size === 0 || places.size > placesMax(options)) return undefined;
  // From an end a line of nodes lies flat; from the middle it takes half the width.
  for (const root of [endOf(places, edges), middleOf(places, edges)]) {
    const lines = drawnFrom(root, places, edges, options);
    if (lines !== undefined) return lines;
  }
  return undefined;
}

/** How many boxes fit at the very most: to lay out hundreds in vain would take longer than to draw the rest. */
function placesMax({ width, height }: DrawingOptions): number {
  const rows = Math.floor((height + pitch - boxHeight) / pitch);
  const columns = Math.floor((width + gapLeast) / (boxWidthLeast + gapLeast));
  return rows * columns;
}

function graphOf({ nodes, links }: Topology): { places: Map<string, Place>; edges: Edge[] } {
  const places = new Map<string, Place>();
  for (const { name } of nodes) places.set(name, { id: name, lan: false, column: 0, row: 0 });
  const edges: Edge[] = [];
  for (const link of links) {
    if (link.kind === 'eth') {
      const [from, to] = link.ends;
      if (from.node !== to.node) edges.push({ link: link.name, ends: [from.node, to.node] });
      continue;
    }
    const id = `lan ${link.name}`;
    places.set(id, { id, lan: true, column: 0, row: 0 });
    for (const node of new Set(link.ends.map((end) => end.node)))
      edges.push({ link: link.name, ends: [node, id] });
  }
  return { places, edges };
}

function neighboursOf(edges: readonly Edge[]): Map<string, string[]> {
  const neighbours = new Map<string, string[]>();
  for (const { ends } of edges) {
    for (const [from, to] of [ends, [ends[1], ends[0]] as const]) {
      const known = neighbours.get(from);
      if (known === undefined) neighbours.set(from, [to]);
      else known.push(to);
    }
  }
  return neighbours;
}

/** Distance of each place that can be reached. */
function distances(root: string, neighbours: ReadonlyMap<string, readonly string[]>): Map<string, number> {
  const found = new Map([[root, 0]]);
  const queue = [root];
  for (const at of queue) {
    for (const next of neighbours.get(at) ?? []) {
      if (found.has(next)) continue;
      found.set(next, (found.get(at) ?? 0) + 1);
      queue.push(next);
    }
  }
  return found;
}

function endOf(places: ReadonlyMap<string, Place>, edges: readonly Edge[]): string {
  const neighbours = neighboursOf(edges);
  const degree = (id: string): number => neighbours.get(id)?.length ?? 0;
  const [first = ''] = places.keys();
  if (degree(first) <= 1) return first;
  // A line that was written from its middle begins at an end; a ring where it was begun.
  const far = [...distances(first, neighbours)].reduce((most, each) => (each[1] > most[1] ? each : most))[0];
  return degree(far) <= 1 ? far : first;
}

function middleOf(places: ReadonlyMap<string, Place>, edges: readonly Edge[]): string {
  const neighbours = neighboursOf(edges);
  let best: readonly [string, number] = ['', Infinity];
  for (const id of places.keys()) {
    const depth = Math.max(...distances(id, neighbours).values());
    if (depth < best[1]) best = [id, depth];
  }
  return best[0];
}

function placed(root: string, places: ReadonlyMap<string, Place>, edges: readonly Edge[]): Place[][] {
  const neighbours = neighboursOf(edges);
  const columns: Place[][] = [];
  const seen = new Set<string>();
  for (const id of [root, ...places.keys()]) {
    if (seen.has(id)) continue;
    for (const [each, distance] of distances(id, neighbours)) {
      const place = places.get(each);
      if (place === undefined) continue;
      seen.add(each);
      (columns[distance] ??= []).push(place);
    }
  }
  const rows = Math.max(...columns.map((column) => column.length));
  columns.forEach((column, at) => {
    const before = new Map((columns[at - 1] ?? []).map(({ id, row }) => [id, row]));
    const wanted = new Map(
      column.map(({ id }, order) => {
        const known = (neighbours.get(id) ?? []).flatMap((each) => before.get(each) ?? []);
        return [id, known.length === 0 ? order : known.reduce((sum, row) => sum + row, 0) / known.length];
      }),
    );
    column.sort((one, other) => (wanted.get(one.id) ?? 0) - (wanted.get(other.id) ?? 0));
    const offset = Math.floor((rows - column.length) / 2);
    column.forEach((place, order) => {
      place.column = at;
      place.row = order + offset;
    });
  });
  return columns;
}

function drawnFrom(
  root: string,
  places: ReadonlyMap<string, Place>,
  edges: readonly Edge[],
  { width, height, boxOf, linkColour }: DrawingOptions,
): Line[] | undefined {
  const columns = placed(root, places, edges);
  const rows = Math.max(...columns.map((column) => column.length));
  const boxes = new Map(
    [...places.values()].map((place) => [
      place.id,
      place.lan
        ? { name: place.id.slice(4), text: 'LAN', colour: 'blue' as const, selected: false }
        : boxOf(place.id),
    ]),
  );
  const boxWidths = columns.map((column) => {
    const texts = column.flatMap(({ id }) => [boxes.get(id)?.name ?? '', boxes.get(id)?.text ?? '']);
    return Math.max(...texts.map((text) => text.length)) + boxMargin;
  });
  const gaps = columns.map(() => [] as Edge[]);
  const sides = new Map<Edge, readonly [Place, Place]>();
  for (const edge of edges) {
    const [one, other] = edge.ends.map((end) => places.get(end));
    if (one === undefined || other === undefined) continue;
    const isOrdered = one.column < other.column || (one.column === other.column && one.row < other.row);
    sides.set(edge, isOrdered ? [one, other] : [other, one]);
    gaps[Math.min(one.column, other.column)]?.push(edge);
  }
  const isStraight = (edge: Edge): boolean => {
    const [left, right] = sides.get(edge) ?? [];
    return (
      left !== undefined && right !== undefined && left.row === right.row && left.column !== right.column
    );
  };
  const isLast = (at: number): boolean => at === columns.length - 1;
  const gapWidths = gaps.map((gap, at) => {
    const tracks = gap.filter((edge) => !isStraight(edge)).length;
    return isLast(at) ? (tracks === 0 ? 0 : tracks + 1) : Math.max(gapLeast, tracks + 3);
  });
  const total = boxWidths.reduce((sum, each, at) => sum + each + (gapWidths[at] ?? 0), 0);
  const lines = rows * pitch - (pitch - boxHeight);
  if (total > width || lines > height) return undefined;

  const canvas = new Canvas(total, lines);
  let left = 0;
  columns.forEach((column, at) => {
    const boxWidth = boxWidths[at] ?? 0;
    for (const place of column) {
      const box = boxes.get(place.id);
      if (box !== undefined) canvas.box(left, place.row * pitch, boxWidth, box);
    }
    const gapLeft = left + boxWidth;
    const gapRight = gapLeft + (gapWidths[at] ?? 0) - 1;
    let track = gapLeft + 1;
    const straight = new Map<string, number>();
    for (const edge of gaps[at] ?? []) {
      const [from, to] = sides.get(edge) ?? [];
      if (from === undefined || to === undefined) continue;
      const colour = linkColour(edge.link);
      // Lines leave a box at its name and enter at the line below, so that two of them never share a row.
      const leaves = from.row * pitch + 1;
      if (isStraight(edge)) {
        // A second one between the same two is drawn below the first.
        const between = `${from.id} ${to.id}`;
        const before = straight.get(between) ?? 0;
        straight.set(between, before + 1);
        canvas.horizontal(gapLeft, gapRight, leaves + Math.min(before, 1), colour);
        continue;
      }
      const enters = to.row * pitch + 2;
      canvas.horizontal(gapLeft, track, leaves, colour, { ends: true });
      canvas.vertical(track, leaves, enters, colour);
      if (from.column === to.column) canvas.horizontal(gapLeft, track, enters, colour, { ends: true });
      else canvas.horizontal(track, gapRight, enters, colour, { begins: true });
      track++;
    }
    left = gapRight + 1;
  });
  return canvas.lines();
}

// Which of its four sides a line leaves a cell by.
const up = 1;
const down = 2;
const west = 4;
const east = 8;
const joints: Readonly<Record<number, string>> = {
  [up]: '│',
  [down]: '│',
  [up | down]: '│',
  [west]: '─',
  [east]: '─',
  [west | east]: '─',
  [down | east]: '╭',
  [down | west]: '╮',
  [up | east]: '╰',
  [up | west]: '╯',
  [up | down | east]: '├',
  [up | down | west]: '┤',
  [down | west | east]: '┬',
  [up | west | east]: '┴',
  [up | down | west | east]: '┼',
};

interface Cell {
  sides: number;
  text: string | undefined;
  style: Omit<Span, 'text'>;
}

class Canvas {
  readonly #cells: Cell[][];

  constructor(width: number, height: number) {
    this.#cells = Array.from({ length: height }, () =>
      Array.from({ length: width }, () => ({ sides: 0, text: undefined, style: {} })),
    );
  }

  box(left: number, top: number, width: number, { name, text, colour, selected }: DrawnBox): void {
    const style = { colour, bold: selected };
    const inside = width - boxMargin;
    const edge = selected ? ['┏', '━', '┓', '┃', '┗', '┛'] : ['┌', '─', '┐', '│', '└', '┘'];
    const [topLeft = '', flat = '', topRight = '', side = '', bottomLeft = '', bottomRight = ''] = edge;
    this.#write(left, top, topLeft + flat.repeat(width - 2) + topRight, style);
    this.#write(left, top + 1, `${side} ${fit(name, inside)} ${side}`, style);
    this.#write(left, top + 2, `${side} ${fit(text, inside)} ${side}`, style);
    this.#write(left, top + 3, bottomLeft + flat.repeat(width - 2) + bottomRight, style);
    if (selected) this.#write(left + 2, top + 1, fit(name, inside), { colour, inverse: true });
  }

  /** A line from a column to another. It goes on beyond them, unless it `begins` or `ends` there. */
  horizontal(
    from: number,
    to: number,
    row: number,
    colour: Colour | undefined,
    { begins = false, ends = false }: { begins?: boolean; ends?: boolean } = {},
  ): void {
    for (let at = from; at <= to; at++) {
      this.#line(at, row, (begins && at === from ? 0 : west) | (ends && at === to ? 0 : east), colour);
    }
  }

  vertical(column: number, from: number, to: number, colour: Colour | undefined): void {
    const [top, bottom] = from < to ? [from, to] : [to, from];
    for (let at = top; at <= bottom; at++) {
      this.#line(column, at, (at === top ? 0 : up) | (at === bottom ? 0 : down), colour);
    }
  }

  lines(): Line[] {
    return this.#cells.map((row) => {
      const spans: Span[] = [];
      for (const { sides, text, style } of row) {
        const shown = text ?? joints[sides] ?? ' ';
        const last = spans.at(-1);
        if (last !== undefined && isSameStyle(last, style))
          spans[spans.length - 1] = { ...last, text: last.text + shown };
        else spans.push({ ...style, text: shown });
      }
      return spans;
    });
  }

  #write(left: number, row: number, text: string, style: Omit<Span, 'text'>): void {
    let at = left;
    for (const one of text) {
      const cell = this.#cells[row]?.[at++];
      if (cell !== undefined) Object.assign(cell, { text: one, style });
    }
  }

  #line(column: number, row: number, sides: number, colour: Colour | undefined): void {
    const cell = this.#cells[row]?.[column];
    if (cell === undefined) return;
    cell.sides |= sides;
    cell.style = { colour: colour ?? cell.style.colour ?? 'grey' };
  }
}

function isSameStyle(one: Omit<Span, 'text'>, other: Omit<Span, 'text'>): boolean {
  return (
    one.colour === other.colour &&
    one.bold === other.bold &&
    one.inverse === other.inverse &&
    one.dim === other.dim
  );
}
