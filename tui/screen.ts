/** The state of the view itself, and what keys do to it: pure. */
import type { Model } from './model.ts';
import {
  arranged,
  type Cursor,
  hiddenColumns,
  indexOf,
  naturalWidths,
  type Row,
  type Sorting,
  type Table,
  unsorted,
} from './table.ts';
import { commandsView, eventsView, logsView } from './views/records.ts';
import { flowsView } from './views/flows.ts';
import { gridView } from './views/grid.ts';
import { shownLayer, layerView } from './views/layer.ts';
import { layersOf } from './views/layers.ts';
import { linksView } from './views/links.ts';
import { topologyView } from './views/topology.ts';
import { layerSections, type LayerSection, type View, type ViewName, viewNames } from './views/view.ts';

export const views: Readonly<Record<ViewName, View>> = {
  topology: topologyView,
  grid: gridView,
  layer: layerView,
  flows: flowsView,
  links: linksView,
  events: eventsView,
  logs: logsView,
  commands: commandsView,
};

export interface ScreenState {
  readonly view: ViewName;
  readonly cursors: Readonly<Partial<Record<ViewName, Cursor | undefined>>>;
  readonly filters: Readonly<Partial<Record<ViewName, string>>>;
  readonly sortings: Readonly<Partial<Record<ViewName, Sorting>>>;
  /** The column of the grid that is chosen, from 1; 0 for none. */
  readonly gridColumn: number;
  /** How many columns behind the first are out of sight. */
  readonly hidden: Readonly<Partial<Record<ViewName, number>>>;
  readonly layer: string | undefined;
  readonly section: LayerSection;
  readonly logsOf: string | undefined;
  /** While a filter is typed. */
  readonly isTyping: boolean;
  readonly overlay: Overlay | undefined;
  readonly isPaused: boolean;
  readonly message: { readonly text: string; readonly isBad: boolean } | undefined;
  /** Of a replay: seconds of the run in one second. */
  readonly speed: number;
}

export type Overlay =
  | { readonly kind: 'help'; readonly top: number }
  | { readonly kind: 'details'; readonly key: string; readonly top: number }
  | { readonly kind: 'faults'; readonly faults: readonly Fault[]; readonly at: number }
  | { readonly kind: 'confirm'; readonly fault: Fault };

/** Something that can be done to the lab, asked for before. */
export interface Fault {
  readonly text: string;
  readonly action: Action;
}

export type Action =
  | { readonly kind: 'stop' | 'start'; readonly node: string }
  | { readonly kind: 'destroy'; readonly node: string; readonly pid: number }
  | { readonly kind: 'link'; readonly link: string; readonly state: 'up' | 'down' };

/** What a key asks of the world. */
export type Effect =
  | { readonly kind: 'quit' }
  | { readonly kind: 'interrupt' }
  | { readonly kind: 'shell'; readonly node: string }
  | { readonly kind: 'capture'; readonly link: string }
  | { readonly kind: 'fault'; readonly fault: Fault }
  | { readonly kind: 'logs' }
  | { readonly kind: 'pause'; readonly isPaused: boolean }
  | { readonly kind: 'speed'; readonly factor: number }
  | { readonly kind: 'end' };

export interface Setting {
  readonly readOnly: boolean;
  readonly isReplay: boolean;
  /** Whether there is anything to act on: not in a replay. */
  readonly canAct: boolean;
  /** Lines that rows are shown in, for moving by pages. */
  readonly pageRows: number;
  /** Width of the screen. */
  readonly columns: number;
}

/** A key by its name, or the characters that were typed. */
export interface Key {
  readonly name:
    | 'up'
    | 'down'
    | 'left'
    | 'right'
    | 'pageUp'
    | 'pageDown'
    | 'home'
    | 'end'
    | 'enter'
    | 'escape'
    | 'tab'
    | 'backTab'
    | 'erase'
    | 'interrupt'
    | 'text';
  readonly text: string;
}

export const firstState: ScreenState = {
  view: 'topology',
  cursors: {},
  filters: {},
  sortings: {},
  gridColumn: 0,
  hidden: {},
  layer: undefined,
  section: 'members',
  logsOf: undefined,
  isTyping: false,
  overlay: undefined,
  isPaused: false,
  message: undefined,
  speed: 1,
};

/** Longest filter, in characters. */
const filterMax = 100;

export interface Shown {
  readonly table: Table;
  readonly rows: readonly Row[];
  /** Where the cursor is among the rows; -1 where there are none. */
  readonly at: number;
}

/** The rows of the view that is shown, as filter and order have them. */
export function shownRows(model: Model, state: ScreenState): Shown {
  const table = views[state.view].table(model, state);
  const rows = arranged(table, state.filters[state.view] ?? '', state.sortings[state.view] ?? unsorted);
  return { table, rows, at: indexOf(rows, cursorOf(state, table)) };
}

function cursorOf({ view, cursors }: ScreenState, table: Table): Cursor {
  return cursors[view] ?? { key: undefined, index: table.tails ? -1 : 0 };
}

type Pressed = readonly [ScreenState, Effect?];

/** The state after a key, and what it asks for. */
export function press(state: ScreenState, key: Key, model: Model, setting: Setting): Pressed {
  if (key.name === 'interrupt') return [state, { kind: 'interrupt' }];
  const before = state.message === undefined ? state : { ...state, message: undefined };
  if (before.isTyping) return [typed(before, key)];
  if (before.overlay?.kind === 'details' && /^[lxfcp]$/.test(key.text)) {
    // What can be done with a row can be done from its details.
    return pressedIn({ ...before, overlay: undefined }, key, model, setting);
  }
  if (before.overlay !== undefined) return pressedOver(before, before.overlay, key);
  return pressedIn(before, key, model, setting);
}

function typed(state: ScreenState, { name, text }: Key): ScreenState {
  const { view, filters, cursors } = state;
  const filter = filters[view] ?? '';
  // What is chosen may not be among what is left.
  const withFilter = (next: string): ScreenState => ({
    ...state,
    filters: { ...filters, [view]: next.slice(0, filterMax) },
    cursors: { ...cursors, [view]: undefined },
  });
  if (name === 'enter') return { ...state, isTyping: false };
  if (name === 'escape') return { ...withFilter(''), isTyping: false };
  if (name === 'erase') return withFilter(Array.from(filter).slice(0, -1).join(''));
  if (name === 'text') return withFilter(filter + text);
  return state;
}

function pressedOver(state: ScreenState, overlay: Overlay, { name, text }: Key): Pressed {
  const close: ScreenState = { ...state, overlay: undefined };
  if (name === 'escape' || text === 'q') return [close];
  switch (overlay.kind) {
    case 'help':
    case 'details': {
      const step = stepOf({ name, text });
      if (step !== undefined)
        return [{ ...state, overlay: { ...overlay, top: Math.max(0, overlay.top + step) } }];
      if (name === 'home') return [{ ...state, overlay: { ...overlay, top: 0 } }];
      return name === 'enter' || text === '?' ? [close] : [state];
    }
    case 'faults': {
      const { faults, at } = overlay;
      const step = stepOf({ name, text });
      const most = faults.length - 1;
      if (step !== undefined) return [{ ...state, overlay: { ...overlay, at: clamp(at + step, 0, most) } }];
      const fault = name === 'enter' ? faults[at] : undefined;
      return fault === undefined ? [state] : [{ ...state, overlay: { kind: 'confirm', fault } }];
    }
    case 'confirm':
      return text === 'y' ? [close, { kind: 'fault', fault: overlay.fault }] : [close];
  }
}

/** By how many rows a key moves. */
function stepOf({ name, text }: Key, pageRows = 10): number | undefined {
  if (name === 'up' || text === 'k') return -1;
  if (name === 'down' || text === 'j') return 1;
  if (name === 'pageUp') return -pageRows;
  if (name === 'pageDown') return pageRows;
  return undefined;
}

function pressedIn(state: ScreenState, key: Key, model: Model, setting: Setting): Pressed {
  const { name, text } = key;
  const { view } = state;
  const shown = shownRows(model, state);
  const step = stepOf(key, setting.pageRows);
  if (step !== undefined) return [moved(state, shown, shown.at + step)];
  if (name === 'home' || text === 'g') return [moved(state, shown, 0)];
  if (name === 'end' || text === 'G') return [moved(state, shown, shown.rows.length - 1)];
  if (name === 'left' || name === 'right')
    return [sideways(state, name === 'left' ? -1 : 1, model, shown, setting.columns)];
  if (name === 'tab' || name === 'backTab') {
    const at = viewNames.indexOf(view) + (name === 'tab' ? 1 : viewNames.length - 1);
    return opened(state, viewNames[at % viewNames.length] ?? view);
  }
  const number = /^[1-9]$/.test(text) ? viewNames[Number(text) - 1] : undefined;
  if (number !== undefined) return opened(state, number);
  const row = shown.rows[shown.at];
  if (name === 'enter') return [entered(state, row, model)];
  if (name === 'escape') {
    if ((state.filters[view] ?? '') !== '') return [{ ...state, filters: { ...state.filters, [view]: '' } }];
    if (view === 'logs' && state.logsOf !== undefined) return [{ ...state, logsOf: undefined }];
    return view === 'topology' ? [state] : [{ ...state, view: 'topology' }];
  }
  switch (text) {
    case 'q':
      return [state, { kind: 'quit' }];
    case '?':
      return [{ ...state, overlay: { kind: 'help', top: 0 } }];
    case '/':
      return [{ ...state, isTyping: true }];
    case 's':
    case 'S':
      return [sorted(state, shown.table, text === 'S')];
    case '[':
    case ']':
      return view === 'layer' ? [otherLayer(state, model, text === '[' ? -1 : 1)] : [state];
    case 'p': {
      const isPaused = !state.isPaused;
      return [
        { ...state, isPaused },
        { kind: 'pause', isPaused },
      ];
    }
    case 'l': {
      const logsOf = row?.node;
      const next = {
        ...state,
        view: 'logs' as const,
        logsOf,
        cursors: { ...state.cursors, logs: undefined },
      };
      return [next, { kind: 'logs' }];
    }
    case '+':
    case '-': {
      if (!setting.isReplay) return [state];
      const speed = clamp(text === '+' ? state.speed * 2 : state.speed / 2, 1 / 8, 1024);
      return [
        { ...state, speed },
        { kind: 'speed', factor: speed },
      ];
    }
    case 'e':
      return setting.isReplay ? [state, { kind: 'end' }] : [state];
    case 'x':
    case 'f':
    case 'c':
      return acted(state, text, row, model, setting);
    default:
      return [state];
  }
}

function opened(state: ScreenState, view: ViewName): Pressed {
  const next = { ...state, view };
  return view === 'logs' ? [{ ...next, logsOf: undefined }, { kind: 'logs' }] : [next];
}

function moved(state: ScreenState, { rows, table }: Shown, to: number): ScreenState {
  const index = clamp(to, 0, rows.length - 1);
  // At the end of what grows there the cursor stays at the end.
  const isEnd = table.tails === true && index >= rows.length - 1;
  const cursor = isEnd ? { key: undefined, index: -1 } : { key: rows[index]?.key, index };
  return { ...state, cursors: { ...state.cursors, [state.view]: cursor } };
}

function sideways(state: ScreenState, by: number, model: Model, shown: Shown, width: number): ScreenState {
  const { view } = state;
  if (view === 'grid') {
    return { ...state, gridColumn: clamp(state.gridColumn + by, 0, layersOf(model).length) };
  }
  if (view !== 'layer') {
    const { table, rows } = shown;
    const most = hiddenColumns(table, naturalWidths(table, rows), width);
    // Boxes of a drawing lie beside each other.
    if (view === 'topology' && most === 0) return moved(state, shown, shown.at + by);
    return { ...state, hidden: { ...state.hidden, [view]: clamp((state.hidden[view] ?? 0) + by, 0, most) } };
  }
  const at = layerSections.indexOf(state.section) + by + layerSections.length;
  const section = layerSections[at % layerSections.length] ?? state.section;
  return {
    ...state,
    section,
    cursors: { ...state.cursors, layer: undefined },
    sortings: { ...state.sortings, layer: unsorted },
  };
}

function otherLayer(state: ScreenState, model: Model, by: number): ScreenState {
  const names = layersOf(model).map(({ name }) => name);
  const at = names.indexOf(shownLayer(model, state) ?? '') + by + names.length;
  return names.length === 0
    ? state
    : { ...state, layer: names[at % names.length], cursors: { ...state.cursors, layer: undefined } };
}

function entered(state: ScreenState, row: Row | undefined, model: Model): ScreenState {
  const layer = state.view === 'grid' ? layersOf(model)[state.gridColumn - 1]?.name : undefined;
  if (layer !== undefined) {
    const cursor = { key: row?.key, index: 0 };
    return {
      ...state,
      view: 'layer',
      layer,
      section: 'members',
      cursors: { ...state.cursors, layer: cursor },
    };
  }
  return row === undefined ? state : { ...state, overlay: { kind: 'details', key: row.key, top: 0 } };
}

/** Sorts by the next column; behind the last there is the order of the table again. */
function sorted(state: ScreenState, { columns }: Table, reverse: boolean): ScreenState {
  const before = state.sortings[state.view] ?? unsorted;
  const next = before.column === undefined ? 0 : before.column + 1;
  const sorting = reverse
    ? { column: before.column ?? 0, reverse: !before.reverse }
    : { column: next < columns.length ? next : undefined, reverse: before.reverse };
  return { ...state, sortings: { ...state.sortings, [state.view]: sorting } };
}

function acted(
  state: ScreenState,
  text: 'x' | 'f' | 'c',
  row: Row | undefined,
  model: Model,
  setting: Setting,
): Pressed {
  const said = (words: string): Pressed => [{ ...state, message: { text: words, isBad: true } }];
  if (!setting.canAct) return said('this is a replay: there is nothing to act on');
  if (setting.readOnly) return said('this view is read-only');
  if (model.lab.condition === 'ended') return said('the lab has ended');
  if (text === 'c') {
    const link = linkOf(state, row, model);
    return link === undefined ? said('choose a link first: 5') : [state, { kind: 'capture', link }];
  }
  const node = row?.node;
  if (text === 'x') {
    if (node === undefined) return said('choose a node first');
    return model.nodes.get(node)?.condition === 'ended'
      ? said(`node ${node} has ended`)
      : [state, { kind: 'shell', node }];
  }
  const faults = faultsOf(state, row, model);
  if (faults.length === 0) return said('choose a node or a link first');
  return [{ ...state, overlay: { kind: 'faults', faults, at: 0 } }];
}

function linkOf({ view }: ScreenState, row: Row | undefined, model: Model): string | undefined {
  if (view === 'links') return row?.key.split(' ')[0];
  const links = model.topology?.links.filter(({ ends }) => ends.some(({ node }) => node === row?.node)) ?? [];
  return links.length === 1 ? links[0]?.name : undefined;
}

function faultsOf(state: ScreenState, row: Row | undefined, model: Model): Fault[] {
  const link = linkOf(state, row, model);
  const node = row?.node === undefined ? undefined : model.nodes.get(row.node);
  const ofLink = (name: string): Fault[] => [
    { text: `set link ${name} down`, action: { kind: 'link', link: name, state: 'down' } },
    { text: `set link ${name} up`, action: { kind: 'link', link: name, state: 'up' } },
  ];
  if (state.view === 'links') return link === undefined ? [] : ofLink(link);
  if (node === undefined) return [];
  return [
    { text: `stop node ${node.name}`, action: { kind: 'stop', node: node.name } },
    { text: `start node ${node.name}`, action: { kind: 'start', node: node.name } },
    ...[...node.ipcps.values()]
      .filter(({ crashed }) => !crashed)
      .map(({ name, pid }): Fault => ({
        text: `destroy IPCP ${name} of node ${node.name}`,
        action: { kind: 'destroy', node: node.name, pid },
      })),
    ...(model.topology?.links ?? [])
      .filter(({ ends }) => ends.some((end) => end.node === node.name))
      .flatMap(({ name }) => ofLink(name)),
  ];
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}
