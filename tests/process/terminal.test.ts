/** What the tools show on a terminal, in a real pseudo-terminal. */
import { expect, onTestFinished, test } from 'vitest';
import { program, type Running, type Tool } from '../support/command.ts';
import { TestNode } from '../support/node.ts';
import { Screen, type ScreenOptions } from '../support/screen.ts';

const ctrlC = '\u0003';

async function start(): Promise<TestNode> {
  const node = await TestNode.start();
  onTestFinished(() => node[Symbol.asyncDispose]());
  return node;
}

function show(node: TestNode, tool: Tool, args: string, options: ScreenOptions = {}): Screen {
  const env = { O7S_RUN_DIR: node.directory, O7S_CONFIG_DIR: node.configuration, ...options.env };
  const screen = new Screen(program(tool), args.split(' '), { ...options, env });
  onTestFinished(() => screen[Symbol.asyncDispose]());
  return screen;
}

async function ended(server: Running): Promise<void> {
  await server.kill('SIGKILL');
}

test('oping: a quiet run shows how it goes, and at the end its statistics alone', async () => {
  const node = await start();
  await node.serve('x', '-Q');
  const screen = show(node, 'oping', '-n x -f -Q', { columns: 110 });
  await screen.shows(/^\d+ sent, \d+ received, \d+\.\d{3} ms on average$/);
  screen.type(ctrlC);
  expect(await screen.exited).toEqual({ status: 0, signal: 0 });
  const { lines } = screen;
  // The terminal itself shows the key, where the line was.
  expect(lines[0]).toMatch(/^(\^C)?$/);
  expect(lines[1]).toBe('--- x ping statistics ---');
  expect(lines[2]).toMatch(
    /^\d+ packets transmitted, \d+ received, 0 out-of-order, \d+% packet loss, time: /,
  );
  expect(lines[3]).toMatch(/^rtt min\/avg\/max\/mdev = /);
  expect(lines).toHaveLength(4);
});

test('oping: with a line a reply there is no other', async () => {
  const node = await start();
  await node.serve('x');
  const screen = show(node, 'oping', '-n x -i 100');
  await screen.shows(/seq=8 /);
  expect(screen.lines.filter((line) => / sent, /.test(line))).toEqual([]);
  screen.type(ctrlC);
  expect(await screen.exited).toEqual({ status: 0, signal: 0 });
  await screen.shows(/rtt min\/avg\/max\/mdev = .* (ms|µs)$/);
});

test.each<[Tool, string, string, RegExp, RegExp]>([
  [
    'operf',
    '-n x -s 100 -r 800',
    '-Q',
    /^\d+ of 60 s: \d+ packets, 0\.\d{3} Mb\/s$/m,
    /\n\nTest finished\.$/,
  ],
  [
    'operf',
    '-n x -s 100 -r 800 -t bi',
    '-Q',
    /^\d+ of 60 s: \d+ packets, \d+ back, 0\.\d{3} Mb\/s$/m,
    /\nTest finished\.\n\n--- x perf statistics ---\n.* Mb\/s\.$/,
  ],
  [
    'ocbr',
    '-n x -s 100 -r 800k',
    '-i 60',
    /^\d+ of 60 s: \d+ packets, 0\.\d{4} Mb\/s$/m,
    /\nsent statistics: .* Mb\/s$/,
  ],
])('%s %s: how it goes, narrower and wider, until Ctrl-C', async (tool, args, serverArgs, line, last) => {
  const node = await start();
  const server = await node.serveTool('x', tool, ...serverArgs.split(' '));
  const screen = show(node, tool, args, { columns: 110 });
  await screen.shows(line);
  const before = screen.lines.length;
  // The line is cut to the width, and leaves nothing behind on its way.
  for (const columns of [20, 12, 130, 110]) {
    screen.resize(columns, 24);
    await screen.shows(columns > 100 ? line : /^\d+ of 60 s: \d+/m);
  }
  await screen.shows(line);
  expect(screen.lines).toHaveLength(before);
  expect(screen.lines.filter((each) => /of 60 s/.test(each))).toHaveLength(1);
  screen.type(ctrlC);
  expect(await screen.exited).toEqual({ status: 0, signal: 0 });
  const text = screen.lines.map((each) => each.replace(/^\^C/, '')).join('\n');
  expect(text).toMatch(last);
  expect(text).not.toMatch(/of 60 s/);
  expect(screen.cursor).toEqual({ column: 0, row: screen.lines.length });
  await ended(server);
});

test('ocbr: a server shows its reports, and the line below them', async () => {
  const node = await start();
  const screen = show(node, 'ocbr', '-l -i 60', { columns: 110 });
  await node.logged('(ocbr)');
  const pid = Number(/Process added: (\d+) \(ocbr\)/.exec(node.log)?.[1]);
  await node.manage(`bind process ${pid} name x`);
  const client = await node.startTool('ocbr', ...'-n x -s 100 -r 80k'.split(' '));
  await screen.shows(/timeout is 1 s\.\nNew flow\.\n1 flows, 0 packets$/);
  await client.kill('SIGKILL');
  await screen.shows(/\nNew flow\.\nFlow {3}64: .* Mbps\n0 flows, \d+ packets$/);
  screen.type(ctrlC);
  expect(await screen.exited).toEqual({ status: 0, signal: 0 });
});

test('a dumb terminal gets no such line', async () => {
  const node = await start();
  await node.serve('x', '-Q');
  const screen = show(node, 'oping', '-n x -c 70 -i 10 -Q', { env: { TERM: 'dumb' } });
  expect(await screen.exited).toEqual({ status: 0, signal: 0 });
  expect(screen.written).toMatch(/^\r\n--- x ping statistics ---\r\n/);
});

test('what others send cannot steer the terminal', async () => {
  const node = await start();
  await node.manage('ipcp bootstrap type broadcast name bc layer news');
  const screen = show(node, 'obc', '-n news -l');
  await screen.shows(/New flow/);
  await node.tool('obc', '-n', 'news', '-m', 'a\u001b[2Jb\u0007c\u009bd\ttab');
  await screen.shows(/Message is a\\x1b\[2Jb\\x07c\\x9bd\s+tab\.$/);
  expect(screen.lines[0]).toBe('Starting a reader.');
  screen.type(ctrlC);
  await screen.exited;
});
