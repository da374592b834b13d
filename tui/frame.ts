/** The whole screen as lines: what is told of the lab, the view or what lies over it, and the keys. Pure. */
import type { Model } from './model.ts';
import { type ScreenState, type Shown, shownRows, views } from './screen.ts';
import { drawnTable, hiddenColumns, naturalWidths, unsorted } from './table.ts';
import {
  bold,
  clock,
  type Colour,
  coloured,
  dim,
  fit,
  type Line,
  painted,
  plain,
  type Span,
  textLine,
  widthOf,
  wrapLine,
} from './text.ts';
import { flowCount } from './views/flows.ts';
import { shownLayer } from './views/layer.ts';
import { layersOf } from './views/layers.ts';
import { drawnTopology, ipcpCount } from './views/topology.ts';
import { layerSections, viewNames } from './views/view.ts';

export interface FrameOptions {
  readonly columns: number;
  readonly rows: number;
  readonly colour: boolean;
  readonly readOnly: boolean;
  readonly isReplay: boolean;
}

/** Lines above and below what a view shows. */
const frameLines = 3;

/** Lines that a view has for itself. */
export function bodyRows(rows: number): number {
  return Math.max(2, rows - frameLines);
}

/** As many lines as there are rows, none wider than there are columns, as the terminal is to get them. */
export function frame(model: Model, state: ScreenState, options: FrameOptions): string[] {
  const { columns, rows, colour } = options;
  const room = bodyRows(rows);
  const laid = state.overlay === undefined ? laidOut(model, state, columns) : undefined;
  const body =
    laid === undefined
      ? overlayLines(model, state, columns, room)
      : viewLines(model, state, laid, columns, room);
  const lines = [
    heading(model, state, options),
    tabs(state, columns),
    ...body.slice(0, room),
    ...Array.from({ length: Math.max(0, room - body.length) }, () => []),
    footer(state, options, laid?.hiddenMost ?? 0),
  ];
  return lines.slice(0, rows).map((line) => painted(line, columns, colour));
}

const labColours = { starting: 'yellow', running: 'green', unmanaged: 'yellow', ended: 'red' } as const;

function heading(model: Model, state: ScreenState, { columns, readOnly, isReplay }: FrameOptions): Line {
  const { lab, nodes, now, phases, capture } = model;
  const all = [...nodes.values()];
  const running = all.filter(({ condition }) => condition === 'running').length;
  const ipcps = all.map((node) => ipcpCount(model, node));
  const counted = (of: 'there' | 'wanted'): number => ipcps.reduce((total, each) => total + each[of], 0);
  const flows = flowCount(model);
  const phase = [...phases].find(([, { done, total }]) => done < total);
  const left: Span[] = [
    bold(`${lab.name || 'lab'} `),
    coloured(labColours[lab.condition], lab.condition),
    plain(`  ${running}/${nodes.size} nodes  ${counted('there')}/${counted('wanted')} IPCPs  ${flows} flows`),
    ...(phase === undefined ? [] : [coloured('yellow', `  ${phase[0]} ${phase[1].done}/${phase[1].total}`)]),
    ...(isReplay ? [coloured('magenta', `  replay ×${state.speed}`)] : []),
    ...(state.isPaused ? [{ text: '  PAUSED', colour: 'yellow' as const, bold: true }] : []),
    ...(readOnly ? [dim('  read-only')] : []),
    ...(capture === undefined || capture.isOver ? [] : [coloured('red', `  capturing ${capture.link}`)]),
  ];
  // Without tenths: it would be written anew with every event.
  const time = clock(now).slice(0, 8);
  const width = left.reduce((sum, { text }) => sum + widthOf(text), 0);
  const blanks = columns - width - time.length;
  return blanks < 1 ? left : [...left, plain(' '.repeat(blanks)), dim(time)];
}

function tabs({ view, filters }: ScreenState, columns: number): Line {
  const whole = viewNames.reduce((sum, name) => sum + name.length + 4, 0);
  const isNarrow = whole > columns;
  return viewNames.flatMap((name, at): Span[] => {
    const isShown = name === view;
    const mark = (filters[name] ?? '') === '' ? '' : '*';
    const text = isNarrow && !isShown ? ` ${at + 1}${mark} ` : ` ${at + 1} ${name}${mark} `;
    return [isShown ? { text, inverse: true, bold: true } : dim(text)];
  });
}

/** What a view shows, and how its columns fit. */
interface LaidOut extends Shown {
  readonly natural: readonly number[];
  readonly hiddenMost: number;
}

function laidOut(model: Model, state: ScreenState, width: number): LaidOut {
  const shown = shownRows(model, state);
  const natural = naturalWidths(shown.table, shown.rows);
  return { ...shown, natural, hiddenMost: hiddenColumns(shown.table, natural, width) };
}

function overlayLines(model: Model, state: ScreenState, width: number, height: number): Line[] {
  const { overlay } = state;
  switch (overlay?.kind) {
    case 'help':
      return scrolled(helpLines(width), overlay.top, height);
    case 'details':
      return scrolled(
        wrapped([...views[state.view].details(model, overlay.key, state)], width),
        overlay.top,
        height,
      );
    case 'faults': {
      const { faults, at } = overlay;
      const first = Math.max(0, Math.min(at - height + 3, faults.length));
      return [
        [bold('What shall happen?')],
        ...faults
          .slice(first)
          .map((fault, order): Line => [{ text: ` ${fault.text} `, inverse: first + order === at }]),
      ].slice(0, height);
    }
    case 'confirm':
      return [[], [bold(`${overlay.fault.text}?`)], [], [plain('y does it, any other key does not')]];
    case undefined:
      return [];
  }
}

function viewLines(
  model: Model,
  state: ScreenState,
  { table, rows, at, natural, hiddenMost }: LaidOut,
  width: number,
  height: number,
): Line[] {
  const { view } = state;
  const filter = state.filters[view] ?? '';
  const sorting = state.sortings[view] ?? unsorted;
  if (view === 'topology' && filter === '' && sorting.column === undefined) {
    const drawn = drawnTopology(model, rows[at]?.key, width, height);
    if (drawn !== undefined) return centred(drawn, width, height);
  }
  const room = view === 'layer' ? height - 1 : height;
  const firstColumn =
    view === 'grid' ? Math.max(0, state.gridColumn - 1) : Math.min(state.hidden[view] ?? 0, hiddenMost);
  const lines = drawnTable(table, rows, { width, height: room, at, sorting, filter, natural, firstColumn });
  return view === 'layer' ? [layerLine(model, state, width), ...lines] : lines;
}

function layerLine(model: Model, state: ScreenState, width: number): Line {
  const layers = layersOf(model);
  const name = shownLayer(model, state);
  const layer = layers.find((each) => each.name === name);
  if (layer === undefined) return [];
  const at = layers.indexOf(layer) + 1;
  const whole = [
    bold(`${layer.name} `),
    dim(`(${layer.kind}, ${at} of ${layers.length})  `),
    ...layerSections.flatMap((section): Span[] => [
      section === state.section ? { text: section, bold: true, colour: 'cyan' } : dim(section),
      plain(' '),
    ]),
  ];
  if (whole.reduce((sum, { text }) => sum + widthOf(text), 0) <= width) return whole;
  return [
    { text: `‹ ${state.section} ›`, bold: true, colour: 'cyan' },
    plain('  '),
    bold(`${layer.name} `),
    dim(`${at} of ${layers.length}`),
  ];
}

function centred(lines: readonly Line[], width: number, height: number): Line[] {
  const most = Math.max(...lines.map((line) => line.reduce((sum, { text }) => sum + widthOf(text), 0)));
  const left = plain(' '.repeat(Math.max(0, Math.floor((width - most) / 2))));
  const above = Math.max(0, Math.floor((height - lines.length) / 3));
  return [...Array.from({ length: above }, () => []), ...lines.map((line) => [left, ...line])];
}

function scrolled(lines: readonly Line[], top: number, height: number): Line[] {
  return lines.slice(Math.min(top, Math.max(0, lines.length - height)), lines.length);
}

/** Long lines go on below, further in than they began. */
function wrapped(lines: readonly Line[], width: number): Line[] {
  return lines.flatMap((line) => {
    const begin = line
      .map(({ text }) => text)
      .join('')
      .search(/\S/);
    return wrapLine(line, width, Math.min(Math.max(0, begin) + 2, Math.floor(width / 4)));
  });
}

function footer(state: ScreenState, { columns, readOnly, isReplay }: FrameOptions, hiddenMost: number): Line {
  const { view, isTyping, filters, message, overlay } = state;
  const filter = filters[view] ?? '';
  if (isTyping)
    return [bold('/'), plain(filter), { text: ' ', inverse: true }, dim('  enter keeps it, esc drops it')];
  if (message !== undefined) return [coloured(message.isBad ? 'red' : 'green', message.text)];
  if (overlay !== undefined) return [dim(overlay.kind === 'confirm' ? 'y yes  esc no' : 'esc back  ↑↓ move')];
  const keys: (readonly [string, string])[] = [
    ['?', 'help'],
    ['q', 'quit'],
    ...(isReplay
      ? ([
          ['+-', 'speed'],
          ['e', 'end'],
        ] as const)
      : []),
    ...(view === 'layer' ? ([['[ ]', 'layer']] as const) : []),
    ...(view === 'grid' ? ([['← →', 'layer']] as const) : []),
    ...(view === 'layer' ? ([['← →', 'section']] as const) : []),
    ...(view !== 'grid' && view !== 'layer' && hiddenMost > 0 ? ([['← →', 'columns']] as const) : []),
    ['/', filter === '' ? 'filter' : `filter ${JSON.stringify(filter)}`],
    ['s', 'sort'],
    ['enter', 'details'],
    ['l', 'logs'],
    ...(readOnly || isReplay
      ? []
      : ([
          ['x', 'shell'],
          ['f', 'faults'],
          ['c', 'capture'],
        ] as const)),
    ['p', 'pause'],
  ];
  const spans: Span[] = [];
  let used = 0;
  for (const [key, what] of keys) {
    const width = widthOf(key) + widthOf(what) + 3;
    if (used + width > columns) break;
    used += width;
    spans.push(bold(key), dim(` ${what}  `));
  }
  return spans;
}

interface HelpLine {
  readonly mark: Span;
  readonly what: string;
}

const help = (keys: string, what: string): HelpLine => ({ mark: bold(keys), what });
const legend = (colour: Colour, mark: string, what: string): HelpLine => ({
  mark: coloured(colour, mark),
  what,
});

/** A section of the help: a title, or none, and lines. */
type HelpSection = readonly [string, readonly HelpLine[]];

const helpSections: readonly HelpSection[] = [
  [
    'MOVING',
    [
      help('1 to 8, tab', 'another view'),
      help('↑ ↓ k j', 'another row; page up, page down, home, end'),
      help('enter', 'all that is known of the row; in the grid, the layer of the column'),
      help('esc', 'back'),
      help('← →', 'a layer of the grid, a section of a layer, else columns that are out of sight'),
      help('[ ]', 'another layer'),
    ],
  ],
  [
    'LOOKING',
    [
      help('/', 'only rows that contain a text'),
      help('s S', 'sort by the next column; the other way round'),
      help('l', 'logs of the node'),
      help('p', 'stand still, and go on'),
    ],
  ],
  [
    'ACTING',
    [
      help('x', 'a shell on the node; its end leads back here'),
      help('f', 'faults: stop and start nodes, destroy IPCPs, set links down and up; asks first'),
      help('c', 'capture on the link into a file in this folder, and end it'),
    ],
  ],
  ['OF A REPLAY', [help('+ -', 'faster, slower'), help('e', 'to the end')]],
  [
    'MARKS',
    [
      legend('green', '●', 'up'),
      legend('yellow', '◌', 'not yet'),
      legend('red', '○ ✗', 'missing, crashed or down'),
      legend('cyan', '⇄', 'flows that end on the node'),
    ],
  ],
  ['', [help('q', 'quit; the lab goes on')]],
];

/** The help in so many columns. */
function helpLines(width: number): Line[] {
  const indent = width < 60 ? 14 : 20;
  return helpSections.flatMap(([title, lines], at): Line[] => [
    ...(at === 0 ? [] : [textLine('')]),
    ...(title === '' ? [] : [[bold(title)]]),
    ...lines.flatMap(({ mark, what }) => {
      const line: Line = [plain('  '), { ...mark, text: fit(mark.text, indent - 2) }, plain(what)];
      return wrapLine(line, width, indent);
    }),
  ]);
}
