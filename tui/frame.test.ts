/** Whole screens as text, after keys: without a terminal. */
import { describe, expect, test } from 'vitest';
import type { LiveEvent } from '../rumba/index.ts';
import { recordedLab } from '../tests/support/recorded-lab.ts';
import { bodyRows, frame } from './frame.ts';
import { emptyModel, type Model, reduce } from './model.ts';
import { type Effect, firstState, type Key, press, type ScreenState, type Setting } from './screen.ts';

const at = Date.UTC(2026, 10, 26, 12, 1);
const small = recordedLab({ nodes: 3, flows: 3, seconds: 4, periodMs: 1_000 }).reduce(reduce, emptyModel);
const large = recordedLab({ nodes: 50, flows: 500, seconds: 4, periodMs: 2_000 }).reduce(reduce, emptyModel);

const names: Readonly<Record<string, Key['name']>> = {
  Enter: 'enter',
  Escape: 'escape',
  Up: 'up',
  Down: 'down',
  Left: 'left',
  Right: 'right',
  End: 'end',
  Home: 'home',
  Tab: 'tab',
  BackTab: 'backTab',
  PageDown: 'pageDown',
  Erase: 'erase',
  CtrlC: 'interrupt',
};
const liveSetting: Setting = { readOnly: false, isReplay: false, canAct: true, pageRows: 10, columns: 100 };

/** Presses keys, by their names or as characters. */
function pressed(
  model: Model,
  keys: readonly string[],
  { setting = liveSetting, from = firstState }: { setting?: Setting; from?: ScreenState } = {},
): { state: ScreenState; effects: Effect[] } {
  const effects: Effect[] = [];
  let state = from;
  for (const key of keys) {
    const name = names[key];
    const [next, effect] = press(
      state,
      { name: name ?? 'text', text: name === undefined ? key : '' },
      model,
      setting,
    );
    state = next;
    if (effect !== undefined) effects.push(effect);
  }
  return { state, effects };
}

const drawn = { columns: 100, rows: 24, colour: false, readOnly: false, isReplay: false };

function screen(model: Model, keys: readonly string[], options: Partial<typeof drawn> = {}): string[] {
  const shown = { ...drawn, ...options };
  const { state } = pressed(model, keys, { setting: { ...liveSetting, columns: shown.columns } });
  const lines = frame(model, state, shown);
  // eslint-disable-next-line no-control-regex -- the styles of the terminal
  return lines.map((line) => line.replaceAll(/\u001b\[[\d;]*m/g, '').trimEnd());
}

const words = (...texts: string[]): string[] => texts.flatMap((text) => Array.from(text));

describe('views', () => {
  test('topology', () => {
    expect(screen(small, [], { rows: 12 }).join('\n')).toMatch(
      /┏━+┓ {4}┌─+┐ {4}┌─+┐\n.*┃ n1 .*┃─{4}│ n2 .*│─{4}│ n3 /,
    );
  });

  test('a topology that does not fit is a list', () => {
    const lines = screen(large, []);
    expect(lines[2]).toMatch(/^NODE {2,}STATE +IPCPS +FLOWS +RECEIVES +SENDS +NEIGHBOURS$/);
    expect(lines[4]).toMatch(/^n2 +running +3\/3 +\d+ +[\d.]+ \w*b\/s +[\d.]+ \w*b\/s +n1 n3$/);
  });

  test('the grid of nodes and layers', () => {
    expect(screen(small, ['2']).slice(2, 6)).toEqual([
      'NODE  net  lan1  lan2',
      'n1    ●    ●     ·',
      'n2    ●    ●     ●',
      'n3    ●    ·     ●',
    ]);
  });

  test('a column of the grid leads to its layer', () => {
    const lines = screen(small, ['2', 'Right', 'Right', 'Down', 'Enter']);
    expect(lines[2]).toMatch(/^lan1 \(eth-dix, 2 of 3\) {2}members adjacencies/);
  });

  test.each([
    [[], /^n2 +net\.n2 +● operational +0\.0\.0\.2 +- +2 +2 +\d+$/m],
    [['Right'], /^n2 +n1 +● up +dt +0\.0\.0\.1 +net\.n1 +ours$/m],
    [['Right', 'Right'], /^n1 +n3 +2 +n2 +-$/m],
    [['Left', 'Left'], /^perf\.n2 +n2 +net\.n2 +operf 500$/m],
    [['Left'], /^n1 +● operational +0\.0\.0\.1 .*\n└─ n2 .*\n {3}└─ n3 /m],
    [[']'], /^lan1 \(eth-dix, 2 of 3\)/m],
  ])('a layer, then %j', (keys, pattern) => {
    expect(screen(small, ['3', ...keys]).join('\n')).toMatch(pattern);
  });

  test('flows from end to end', () => {
    const lines = screen(small, ['4'], { columns: 140 });
    expect(lines.slice(2).filter((line) => line.includes('perf.'))).toHaveLength(3);
    expect(lines[3]).toMatch(
      /^n1 operf +n1 operf +perf\.n1 +net +● up +reliable +[\d.]+ ms +[\d.]+ k?b\/s +[\d.]+ k?b\/s +\d+ +0$/,
    );
  });

  test('ends of flows belong together of which one received what the other sent', () => {
    const counts = (node: string, bytes: readonly [number, number][]): LiveEvent =>
      ({
        event: 'counters',
        node,
        at,
        ipcps: [],
        flows: bytes.map(([bytesSent, bytesReceived], order) => ({
          flowId: order + 1,
          port: { bytesSent, bytesReceived, droppedSlowReader: 0, droppedTooLong: 0 },
          ends: [],
        })),
      }) as unknown as LiveEvent;
    const flow = (flowId: number, pid: number): unknown => ({
      flowId,
      name: 'perf.n3',
      ends: [{ pid, program: 'operf' }],
      ipcp: 5_000_000,
      layer: 'net',
      qos: { inOrder: 0, loss: 1, ber: 1 },
      up: true,
      allocatedAt: at,
    });
    const lab = recordedLab({ nodes: 3, flows: 0, seconds: 0, periodMs: 1_000 });
    const allocated = (node: string, flowId: number, pid: number): LiveEvent =>
      ({ event: 'flow.allocated', node, at, flow: flow(flowId, pid) }) as unknown as LiveEvent;
    // On the server's node the second client's flow came first.
    const model = [
      ...lab,
      allocated('n1', 1, 1_001),
      allocated('n2', 1, 1_002),
      allocated('n3', 1, 500),
      allocated('n3', 2, 500),
      counts('n1', [[1_000, 10]]),
      counts('n2', [[50_000, 70]]),
      counts('n3', [
        [70, 50_000],
        [10, 990],
      ]),
    ].reduce(reduce, emptyModel);
    const peers = ['n1', 'n2'].map((node) => {
      const details = screen(model, ['4', '/', ...words(`${node} operf`), 'Enter', 'Enter']).join('\n');
      return /on node n3, flow (\d)/.exec(details)?.[1];
    });
    expect(peers).toEqual(['2', '1']);
  });

  test('the title line counts each flow once; flows of applications come before those of IPCPs', () => {
    const flow = {
      flowId: 99,
      name: 'net.n2',
      ends: [{ pid: 5_000_000, program: 'ipcpd-unicast' }],
      ipcp: 5_000_001,
      layer: 'lan1',
      qos: { inOrder: 0, loss: 1, ber: 1 },
      up: true,
      allocatedAt: at - 1_000,
    };
    const allocated = ['n1', 'n2'].map(
      (node) => ({ event: 'flow.allocated', node, at, flow }) as unknown as LiveEvent,
    );
    const lines = screen(allocated.reduce(reduce, small), ['4'], { columns: 140 });
    expect(lines[0]).toContain('  4 flows');
    expect(lines.slice(3, 8).map((line) => line.split(/ {2,}/).slice(0, 3).join('|'))).toEqual([
      expect.stringMatching(/operf/),
      expect.stringMatching(/operf/),
      expect.stringMatching(/operf/),
      'n1 net.n1|n2 net.n2|net.n2',
      '',
    ]);
  });

  test('columns that do not fit come into sight, until the last is', () => {
    const titles = (...keys: string[]): string => screen(small, ['4', ...keys], { columns: 80 })[2] ?? '';
    expect(titles()).toMatch(/^CLIENT +SERVER +NAME .*…$/);
    expect(titles('Right')).toMatch(/^CLIENT +NAME /);
    expect(titles(...Array(20).fill('Right'))).toMatch(/^CLIENT .* RESENT +LOST$/);
    expect(titles(...Array(20).fill('Right'), ...Array(20).fill('Left'))).toBe(titles());
    expect(screen(small, ['4'], { columns: 80 }).at(-1)).toContain('← → columns');
    expect(screen(small, ['4'], { columns: 140 }).at(-1)).not.toContain('← →');
    expect(pressed(small, ['Right', 'Right', 'Left', 'Enter']).state.overlay).toMatchObject({ key: 'n2' });
  });

  test('links with their rates', () => {
    expect(screen(small, ['5'])[3]).toMatch(/^n1-n2 +n1:e1 +n2:e1 +[\d.]+ Mb\/s +[▁▂▃▄▅▆▇█]{3} +0 +-$/);
  });

  test('events follow the newest, until another is chosen', () => {
    const more: LiveEvent = { event: 'ipcp.crashed', at, node: 'n2', pid: 5_000_000, name: 'net.n2' };
    const { state } = pressed(small, ['6']);
    const last = (model: Model, of: ScreenState): string => frame(model, of, { ...drawn, rows: 6 })[4] ?? '';
    expect(last(reduce(small, more), state)).toMatch(/n2 +ipcp\.crashed +net\.n2/);
    const chosen = pressed(small, ['Home'], { from: state }).state;
    expect(last(reduce(small, more), chosen)).not.toContain('crashed');
  });

  test('commands with what failed', () => {
    const model = reduce(small, {
      event: 'command',
      at,
      node: 'n1',
      command: 'irm ipcp destroy name x',
      ms: 12,
      error: 'no such IPCP',
    });
    expect(screen(model, ['8'])[3]).toMatch(
      /^\d\d:\d\d:00\.0 +n1 +12 ms +irm ipcp destroy name x: no such IPCP$/,
    );
  });
});

describe('keys', () => {
  test('tab goes round, numbers lead there', () => {
    const views = ['grid', 'layer', 'flows', 'links', 'events', 'logs', 'commands', 'topology'];
    const seen = views.map(
      (_view, count) =>
        pressed(
          small,
          Array.from({ length: count + 1 }, () => 'Tab'),
        ).state.view,
    );
    expect(seen).toEqual(views);
    expect(pressed(small, ['BackTab']).state.view).toBe('commands');
  });

  test('a filter is typed, kept, marked and dropped', () => {
    const typing = screen(large, ['/', ...words('n4')]);
    expect(typing.at(-1)).toMatch(/^\/n4 +enter keeps it/);
    expect(typing.slice(3, 14).map((line) => line.split(' ')[0])).toEqual([
      'n3',
      'n4',
      'n5',
      'n39',
      'n40',
      'n41',
      'n42',
      'n43',
      'n44',
      'n45',
      'n46',
    ]);
    expect(screen(large, ['/', ...words('n49'), 'Erase', 'Enter'])[1]).toContain('1 topology*');
    expect(screen(large, ['/', ...words('nothing'), 'Enter'])[3]).toBe('nothing contains "nothing"');
    expect(pressed(large, ['/', ...words('n4'), 'Enter', 'Escape']).state.filters.topology).toBe('');
  });

  test('keys that are typed into a filter do nothing else', () => {
    const { state, effects } = pressed(small, ['/', ...words('qxfc12')]);
    expect([state.filters.topology, state.view, effects]).toEqual(['qxfc12', 'topology', []]);
  });

  test('s sorts by each column in turn, S the other way', () => {
    const names = (keys: string[]): string[] =>
      screen(small, keys)
        .slice(3, 6)
        .map((line) => line.split(' ')[0] ?? '');
    expect(screen(small, ['2', 's'])[2]).toMatch(/^NODE▲/);
    expect(names(['2', 's', 'S'])).toEqual(['n3', 'n2', 'n1']);
    expect(names(['2', 's', 's', 's', 's', 's'])).toEqual(['n1', 'n2', 'n3']);
  });

  test('a row stays chosen while others come before it', () => {
    const { state } = pressed(large, ['Down', 'Down', 's']);
    const filtered = { ...state, filters: { topology: 'running' } };
    const { state: again } = pressed(large, ['Enter'], { from: filtered });
    expect(again.overlay).toMatchObject({ kind: 'details', key: 'n3' });
  });

  test('enter tells all, esc leads back', () => {
    const lines = screen(small, ['Down', 'Enter']);
    expect(lines[2]).toBe('node n2  running');
    expect(lines.join('\n')).toMatch(/INTERFACES\n {2}e1 {2}02:00:.* to n1:e1/);
    expect(screen(small, ['4', 'Enter']).join('\n')).toMatch(
      /CLIENT\n.*operf 1\d+ on node n1.*\n.*qos.*\n.*sent \d+ packets/,
    );
    expect(screen(small, ['5', 'Enter']).join('\n')).toContain('cable, MTU 1500 bytes');
    expect(screen(small, ['3', 'Enter']).join('\n')).toContain('net.n1 of layer net on node n1');
    expect(screen(small, ['6', 'Enter']).join('\n')).toContain('2026-11-26T12:00:00');
    expect(pressed(small, ['Enter', 'Escape']).state.overlay).toBeUndefined();
    expect(pressed(small, ['4', 'Escape']).state.view).toBe('topology');
  });

  test('what can be done with a row can be done from its details', () => {
    expect(pressed(small, ['Down', 'Enter', 'x']).effects).toEqual([{ kind: 'shell', node: 'n2' }]);
    expect(pressed(small, ['5', 'Enter', 'c']).effects).toEqual([{ kind: 'capture', link: 'n1-n2' }]);
    expect(pressed(small, ['Down', 'Enter', 'l']).state).toMatchObject({
      view: 'logs',
      logsOf: 'n2',
      overlay: undefined,
    });
  });

  test('help tells of every key', () => {
    const text = screen(small, ['?'], { rows: 48 }).join('\n');
    for (const key of ['/', 's S', 'l', 'x', 'f', 'c', 'p', 'q', 'enter', 'esc'])
      expect(text).toContain(`\n  ${key} `);
  });

  test.each<[string, string[], Effect]>([
    ['q quits', ['q'], { kind: 'quit' }],
    ['so does Ctrl-C, wherever it is pressed', ['/', 'CtrlC'], { kind: 'interrupt' }],
    ['x opens a shell on the node', ['Down', 'x'], { kind: 'shell', node: 'n2' }],
    ['l asks for logs', ['l'], { kind: 'logs' }],
    ['p stands still', ['p'], { kind: 'pause', isPaused: true }],
    ['c captures on the link of the row', ['5', 'c'], { kind: 'capture', link: 'n1-n2' }],
    ['c captures on the only link of a node', ['c'], { kind: 'capture', link: 'n1-n2' }],
    [
      'f asks, and y does it',
      ['f', 'Enter', 'y'],
      { kind: 'fault', fault: { text: 'stop node n1', action: { kind: 'stop', node: 'n1' } } },
    ],
    [
      'f on a link',
      ['5', 'f', 'Enter', 'y'],
      {
        kind: 'fault',
        fault: { text: 'set link n1-n2 down', action: { kind: 'link', link: 'n1-n2', state: 'down' } },
      },
    ],
  ])('%s', (_what, keys, effect) => {
    expect(pressed(small, keys).effects).toEqual([effect]);
  });

  test('faults are not done by another key than y', () => {
    for (const key of ['n', 'Enter', 'Escape', 'q', 'x']) {
      const { state, effects } = pressed(small, ['f', 'Enter', key]);
      expect([state.overlay, effects]).toEqual([undefined, []]);
    }
  });

  test('what acts is refused where the view is read-only, of a replay, or the lab gone', () => {
    const said = (model: Model, setting: Setting): (string | undefined)[] =>
      ['x', 'f', 'c'].map((key) => pressed(model, [key], { setting }).state.message?.text);
    const thrice = (text: string): string[] => [text, text, text];
    expect(said(small, { ...liveSetting, readOnly: true })).toEqual(thrice('this view is read-only'));
    expect(said(small, { ...liveSetting, canAct: false })).toEqual(
      thrice('this is a replay: there is nothing to act on'),
    );
    expect(said(reduce(small, { event: 'lab.ended', at }), liveSetting)).toEqual(thrice('the lab has ended'));
  });

  test('no key in any view makes it fail, with or without a lab', () => {
    const keys = [...Object.keys(names), ...words('jkgGsS/?lpxfc[]+-ey1')];
    for (const model of [emptyModel, reduce(small, { event: 'lab.ended', at }), small]) {
      for (const view of words('12345678')) {
        for (const one of keys) {
          for (const other of ['Enter', 'Down', '/'])
            expect(screen(model, [view, one, other])).toHaveLength(24);
        }
      }
    }
  });
});

describe('sizes', () => {
  test('help and details go on below where they do not fit', () => {
    const narrow = screen(small, ['?'], { columns: 40, rows: 80 });
    expect(narrow.slice(2, 7)).toEqual([
      'MOVING',
      '  1 to 8, tab another view',
      '  ↑ ↓ k j     another row; page up, page',
      '              down, home, end',
      '  enter       all that is known of the',
    ]);
    const details = screen(small, ['4', 'Enter'], { columns: 40, rows: 40 });
    expect(details.slice(5, 7).join('|')).toMatch(/^ {2}operf \d+ on node n1, flow \d+, up,| {4}/);
    expect(screen(small, ['3', 'Right'], { columns: 40, rows: 10 })[2]).toBe('‹ adjacencies ›  net 1 of 3');
  });

  test.each([
    [40, 10],
    [20, 4],
    [80, 24],
    [200, 60],
  ])('every view fits into %i by %i', (columns, rows) => {
    for (const model of [emptyModel, small, large]) {
      for (const keys of [...words('12345678'), ...['?', 'Enter', 'f', '/']].map((key) => [key])) {
        const lines = screen(model, keys, { columns, rows });
        expect(lines).toHaveLength(Math.max(rows, 1));
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
      }
    }
  });

  test('at 40 by 10 a view has seven lines and its tabs their numbers', () => {
    const lines = screen(large, ['4'], { columns: 40, rows: 10 });
    expect(bodyRows(10)).toBe(7);
    expect(lines[1]).toBe(' 1  2  3  4 flows  5  6  7  8');
  });
});

test('what others wrote cannot steer the terminal', () => {
  const text = 'a\u001b[2Jb\u0007c\u009bd';
  const model = reduce(small, { event: 'log', at, node: 'n1', log: 'irmd', text });
  const lines = frame(model, pressed(model, ['7']).state, drawn);
  expect(lines.join('\n')).toContain('a\\x1b[2Jb\\x07c\\x9bd');
  const details = frame(model, pressed(model, ['7', 'Enter']).state, drawn);
  expect(details.join('\n')).toContain('a\\x1b[2Jb\\x07c\\x9bd');
});

test('without colours there is inversion and boldness alone', () => {
  const codes = (colour: boolean): Set<string> => {
    const lines = frame(small, pressed(small, ['2']).state, { ...drawn, colour });
    // eslint-disable-next-line no-control-regex -- the styles of the terminal
    return new Set(Array.from(lines.join('').matchAll(/\u001b\[([\d;]*)m/g), ([, code = '']) => code));
  };
  expect([...codes(true)]).toContain('32');
  expect([...codes(false)].toSorted()).toEqual(['0', '1', '7', '7;1']);
});
