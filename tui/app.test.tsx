/** The view as ink draws it, on streams that look like a terminal. */
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { render } from 'ink';
import { afterEach, expect, test, vi } from 'vitest';
import type { LiveActions, LiveSource } from '../rumba/index.ts';
import { recordedLab } from '../tests/support/recorded-lab.ts';
import { until } from '../tests/support/until.ts';
import { App } from './app.tsx';
import { Store } from './store.ts';

class FakeTerminal extends PassThrough {
  readonly isTTY = true;
  columns = 100;
  rows = 20;
  setRawMode = (): this => this;
  ref = (): this => this;
  unref = (): this => this;
}

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function show({ actions, readOnly = false }: { actions?: LiveActions; readOnly?: boolean } = {}) {
  const [stdin, stdout] = [new FakeTerminal(), new FakeTerminal()];
  let frame = '';
  stdout.setEncoding('utf8').on('data', (text: string) => (frame = stripVTControlCharacters(text)));
  const store = new Store();
  const followLogs = vi.fn<() => void>();
  const source: LiveSource = { title: 'x', events: async function* () {}, followLogs, actions };
  const app = (
    <App store={store} source={source} readOnly={readOnly} colour={false} onInterrupt={undefined} />
  );
  // Every frame is written whole.
  const shown = render(app, {
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    debug: true,
    interactive: true,
    exitOnCtrlC: false,
    patchConsole: false,
  });
  cleanups.push(() => {
    shown.unmount();
    store.close();
  });
  for (const event of recordedLab({ nodes: 3, flows: 3, seconds: 2, periodMs: 1_000 })) store.push(event);
  return {
    stdout,
    store,
    followLogs,
    type: (keys: string) => stdin.write(keys),
    shows: (pattern: RegExp) =>
      until(`the screen to show ${pattern}`, () => pattern.test(frame)).catch((error: unknown) => {
        throw new Error(`${String(error)}; it is:\n${frame}`, { cause: error });
      }),
    ended: shown.waitUntilExit(),
  };
}

const actionsWith = (some: Partial<LiveActions>): LiveActions => some as LiveActions;

test('what is told appears, keys lead through the views, q ends it', async () => {
  const { type, shows, ended, followLogs } = show();
  await shows(/recorded running {2}3\/3 nodes {2}7\/7 IPCPs {2}3 flows/);
  type('4');
  await shows(/CLIENT +SERVER +NAME/);
  type('\u001b[C\t');
  await shows(/LINK +FROM +TO/);
  type('7');
  await shows(/no logs yet/);
  expect(followLogs).toHaveBeenCalled();
  // Keys that come at once are pressed one by one.
  type('1jj\r');
  await shows(/node n3 {2}running/);
  type('q');
  await shows(/NODE|┌/);
  type('q');
  await ended;
});

test('a fault is confirmed, carried out, and its failure told', async () => {
  const stopNode = vi.fn<LiveActions['stopNode']>(async (node) => {
    throw new Error(`cannot stop ${node}`);
  });
  const { type, shows } = show({ actions: actionsWith({ stopNode }) });
  await shows(/3\/3 nodes/);
  type('jf');
  await shows(/What shall happen\?\n stop node n2/);
  type('\r');
  await shows(/stop node n2\?/);
  expect(stopNode).not.toHaveBeenCalled();
  type('y');
  await shows(/cannot stop n2/);
  expect(stopNode).toHaveBeenCalledWith('n2');
});

test('a capture is shown while it runs, and what it complains of at its end', async () => {
  const file = '/tmp/x.pcap';
  const capture = vi.fn<LiveActions['capture']>().mockResolvedValueOnce(file);
  const { type, shows, store } = show({ actions: actionsWith({ capture }) });
  await shows(/3\/3 nodes/);
  type('5c');
  await shows(/capturing link n1-n2 into \/tmp\/x\.pcap/);
  expect(capture).toHaveBeenCalledWith('n1-n2');
  const event = { event: 'capture', at: 1, link: 'n1-n2', file } as const;
  store.push({ ...event, isOver: false, complaint: null });
  await shows(/3 flows {2}capturing n1-n2 /);
  store.push({ ...event, isOver: true, complaint: '7 frames were not captured' });
  await shows(/3 flows {3}[^]*capture on link n1-n2 has ended, 7 frames were not captured: \/tmp\/x\.pcap/);
});

test('while it stands still, what comes is not shown; then it is', async () => {
  const { type, shows, store } = show();
  await shows(/3\/3 nodes/);
  type('6p');
  await shows(/PAUSED/);
  store.push({ event: 'node.ended', at: Date.UTC(2026, 10, 26, 13), node: 'n2' });
  await until('the event to be taken', () => store.model().nodes.get('n2')?.condition === 'ended');
  type('k');
  await shows(/PAUSED/);
  await expect(shows(/3\/3 nodes/)).resolves.toBe(true);
  type('p');
  await shows(/2\/3 nodes[^]*the node has ended/);
});

test('another size is drawn anew, down to 40 by 10 and back', async () => {
  const { stdout, shows } = show();
  await shows(/3\/3 nodes/);
  for (const [columns, rows, pattern] of [
    [40, 10, /NODE +STATE[^]*n1 +running/],
    [100, 20, /┏━+┓/],
  ] as const) {
    Object.assign(stdout, { columns, rows });
    stdout.emit('resize');
    await shows(pattern);
  }
});

test('read-only, nothing can be done', async () => {
  const { type, shows } = show({ readOnly: true, actions: actionsWith({}) });
  await shows(/read-only/);
  type('x');
  await shows(/this view is read-only/);
});
