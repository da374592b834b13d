/** oecho, operf, ocbr and obc on one node, over direct flows and a broadcast layer. oping has a file of its own. */
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Flow, Session } from '../../runtime/lib/index.ts';
import { openSession, sessionsEnded } from '../support/application.ts';
import type { Running, Tool } from '../support/command.ts';
import { eventsOf } from '../support/documented-events.ts';
import { TestNode } from '../support/node.ts';
import { until } from '../support/until.ts';

async function start(): Promise<TestNode> {
  const node = await TestNode.start();
  onTestFinished(() => node[Symbol.asyncDispose]());
  return node;
}

function empty(): TestNode {
  const node = TestNode.empty();
  onTestFinished(() => node[Symbol.asyncDispose]());
  return node;
}

const sessions = new WeakMap<TestNode, Session>();

/** A flow of the test itself to a name of the node. */
async function flowTo(node: TestNode, name: string): Promise<Flow> {
  let session = sessions.get(node);
  if (session === undefined) {
    const opened = await openSession(node);
    session = opened;
    sessions.set(node, opened);
    onTestFinished(async () => {
      opened[Symbol.dispose]();
      await sessionsEnded(node);
    });
  }
  return session.allocFlow(name, { timeout: 10_000 });
}

const printed = (running: Running, text: string): Promise<true> =>
  until(`it to print ${text}`, () => running.stdout.includes(text));

describe.each<[Tool, number, string]>([
  ['oecho', 0, 'Usage: oecho [OPTION]...\n'],
  ['operf', 0, 'Usage: operf [OPTION]...\n'],
  ['ocbr', 0, 'Usage: cbr [OPTION]...\n'],
  ['obc', 0, 'Usage: obc [OPTION]...\n'],
])('%s', (tool, status, usage) => {
  test('usage, without irmd', async () => {
    const node = empty();
    const help = await node.tool(tool, '--help');
    expect(help).toMatchObject({ status, stderr: '' });
    expect(help.stdout.startsWith(usage)).toBe(true);
    expect(await node.tool(tool, '--foo')).toMatchObject({ status, stdout: help.stdout });
  });

  test('no irmd', async () => {
    const {
      status: ended,
      stdout,
      stderr,
    } = await empty().tool(tool, '-l', ...(tool === 'obc' ? ['-n', 'x'] : []));
    expect([ended, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(new RegExp(`^FATAL: Could not announce to IRMd\\.\\n${tool}: .*\\n$`));
  });
});

describe('oecho', () => {
  test('what it prints at both ends, one client after another', async () => {
    const node = await start();
    const server = await node.serveTool('oecho', 'oecho');
    for (let round = 0; round < 2; round += 1) {
      expect(await node.tool('oecho')).toMatchObject({
        status: 0,
        stdout: 'Server replied with Client says hi!\n',
        stderr: '',
      });
    }
    const exchange = 'New flow.\nMessage from client is Client says hi!.\n';
    expect(server.stdout).toBe(`Starting the server.\n${exchange}${exchange}`);
    // It has no last words: the signal itself ends it.
    expect(await server.kill('SIGINT')).toMatchObject({ status: null, signal: 'SIGINT' });
  });

  test('a client that goes away, or says more, is not the end of the server', async () => {
    const node = await start();
    const server = await node.serveTool('oecho', 'oecho');
    await (await flowTo(node, 'oecho')).close();
    await printed(server, 'Failed to read packet.\n');
    const flow = await flowTo(node, 'oecho');
    const long = Buffer.from(`${'x'.repeat(300)}\u0000and more`);
    await flow.write(long);
    expect(await flow.read({ timeout: 5000 })).toEqual(long);
    await printed(server, `Message from client is ${'x'.repeat(300)}.\n`);
    expect(await node.tool('oecho')).toMatchObject({ status: 0 });
  });

  test('nobody serves', async () => {
    const { status, stdout, stderr } = await (await start()).tool('oecho');
    expect([status, stdout]).toEqual([255, 'Failed to allocate flow.\n']);
    expect(stderr).toMatch(/^oecho: .*oecho.*\n$/);
  });

  test('as JSON', async () => {
    const node = await start();
    const server = await node.serveTool('oecho', 'oecho', '--json');
    const client = await node.tool('oecho', '--json');
    expect(eventsOf('oecho', client.stdout)).toMatchObject([{ type: 'reply', text: 'Client says hi!' }]);
    expect(eventsOf('oecho', server.stdout)).toMatchObject([
      { type: 'started' },
      { type: 'flow', fd: 64 },
      { type: 'message', fd: 64, text: 'Client says hi!' },
    ]);
    await node.irmd.kill('SIGKILL');
    expect((await server.finished).status).toBe(0);
    expect(eventsOf('oecho', server.stdout).at(-1)).toMatchObject({
      type: 'error',
      during: 'accept',
      errno: -1002,
    });
  });
});

describe('operf', () => {
  test('one way, in the form of the manual', async () => {
    const node = await start();
    const server = await node.serveTool('perf', 'operf');
    const { status, stdout, stderr } = await node.tool(
      'operf',
      ...'-n perf -d 200 -s 1000 -r 400'.split(' '),
    );
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toBe(
      'Doing a unidirectional test.\nSending 1000 byte packets for 0 s to perf at 0.400 Mb/s.\n\nTest finished.\n',
    );
    // 200 ms at a packet each 20 ms.
    await printed(server, 'Seqno 9 from fd 64');
    const lines = server.stdout.split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'Ouroboros perf server started.',
      'New flow 64.',
      'Doing a unidirectional test.',
    ]);
    const packets = lines.slice(3, -1).map((line) => /^Seqno (\d+) from fd 64: (\d+\.\d{6})$/.exec(line));
    expect(packets.map((match) => Number(match?.[1]))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(Math.abs(Number(packets[0]?.[2]) - Date.now() / 1000)).toBeLessThan(60);
    expect(await server.kill('SIGINT')).toMatchObject({ status: 0 });
  });

  test('back and forth, flooding', async () => {
    const node = await start();
    const server = await node.serveTool('perf', 'operf');
    const { status, stdout } = await node.tool('operf', ...'-n perf -d 300 -t bi -f'.split(' '));
    expect(status).toBe(0);
    expect(stdout).toMatch(
      new RegExp(
        '^Doing a bidirectional test\\.\\nFlooding perf with 1500 byte packets for 0 seconds\\.\\n\\nTest finished\\.\\n' +
          '(Server timed out\\.\\n)?\\n--- perf perf statistics ---\\n' +
          '[1-9]\\d* packets transmitted, [1-9]\\d* received, \\d+% packet loss, time: \\d+\\.\\d{3} ms, ' +
          'bandwidth: \\d+\\.\\d{3} Mb/s\\.\\n$',
      ),
    );
    expect(server.stdout).toMatch(
      /^Ouroboros perf server started\.\nNew flow 64\.\nDoing a bidirectional test\.\n/,
    );
    expect(server.stdout).not.toContain('Seqno');
  });

  test('paced back and forth all comes back, and it ends then', async () => {
    const node = await start();
    await node.serveTool('perf', 'operf');
    const { stdout } = await node.tool('operf', ...'-n perf -d 200 -t bi -s 100 -r 80'.split(' '));
    expect(stdout).toContain('\n20 packets transmitted, 20 received, 0% packet loss, ');
    expect(stdout).not.toContain('timed out');
  });

  test('a quiet server tells what a flow brought; a packet longer than the flow takes is cut', async () => {
    const node = await start();
    const server = await node.serveTool('perf', 'operf', '-Q');
    const { stdout } = await node.tool('operf', ...'-n perf -d 100 -s 1048576 -r 1G'.split(' '));
    expect(stdout).toMatch(/^Packet size truncated to 1048260 bytes\.\nDoing a unidirectional test\.\n/);
    await printed(server, 'bandwidth');
    expect(server.stdout).toMatch(
      /\nFlow 64: [1-9]\d* packets received, 0 missing, time: .* ms, bandwidth: .* Mb\/s\.\n$/,
    );
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s ends a client with its statistics',
    async (signal) => {
      const node = await start();
      await node.serveTool('perf', 'operf', '-Q');
      const client = await node.startTool('operf', ...'-n perf -t bi -s 100 -r 80'.split(' '));
      await printed(client, 'Sending');
      const { status, stdout } = await client.kill(signal);
      expect(status).toBe(0);
      expect(stdout).toContain('Test finished.\n');
      expect(stdout).toContain('--- perf perf statistics ---');
    },
  );

  test('a server drops a silent flow, and one that asks for no test, and serves the others', async () => {
    const node = await start();
    const server = await node.serveTool('perf', 'operf');
    const wrong = await flowTo(node, 'perf');
    await wrong.write(Buffer.from('hello'));
    await printed(server, 'New flow 64.\nInvalid config message.\n');
    await expect(wrong.read({ timeout: 10_000 })).rejects.toMatchObject({ code: 'EFLOWDOWN' });
    const silent = await flowTo(node, 'perf');
    await silent.write(Buffer.from('01000000', 'hex'));
    await silent.write(Buffer.from('0700000000', 'hex'));
    expect((await silent.read({ timeout: 5000 })).toString('hex')).toBe('0700000000');
    await printed(server, 'Flow 64 timed out.\n');
    await expect(silent.read({ timeout: 10_000 })).rejects.toMatchObject({ code: 'EFLOWDOWN' });
  });

  test('failures', async () => {
    const node = await start();
    const unknown = await node.tool('operf', '-n', 'nobody', '-s', '1');
    expect(unknown).toMatchObject({
      status: 1,
      stdout: 'Packet size set to 64 bytes.\nFailed to allocate flow.\n',
    });
    expect(unknown.stderr).toMatch(/^operf: .*nobody.*\n$/);
    expect(await node.tool('operf')).toMatchObject({ status: 1, stdout: 'No server specified.\n' });
    const server = await node.serveTool('perf', 'operf');
    await node.irmd.kill('SIGKILL');
    expect(await server.finished).toMatchObject({
      status: 1,
      stdout: 'Ouroboros perf server started.\nFailed to accept flow.\n',
    });
  });

  test('as JSON', async () => {
    const node = await start();
    const server = await node.serveTool('perf', 'operf', '--json');
    const bi = await node.tool('operf', ...'-n perf -d 100 -t bi -s 100 -r 80 --json'.split(' '));
    expect(eventsOf('operf', bi.stdout)).toMatchObject([
      { type: 'test', fd: 64, test: 'bi' },
      { type: 'sending', server: 'perf', bytes: 100, durationMs: 100, rate: 80_000 },
      { type: 'finished', packets: 10, bytes: 1000 },
      { type: 'statistics', server: 'perf', sent: 10, received: 10, lossPercent: 0 },
    ]);
    const flood = await node.tool('operf', ...'-n perf -d 50 -s 2 -f --json'.split(' '));
    expect(eventsOf('operf', flood.stdout).map(({ type }) => type)).toEqual([
      'note',
      'test',
      'sending',
      'finished',
    ]);
    const nobody = await node.tool('operf', '-n', 'nobody', '--json');
    expect(eventsOf('operf', nobody.stdout)).toMatchObject([
      { type: 'error', code: 'ENAME', errno: -1007, during: 'allocate' },
    ]);
    await printed(server, '"test":"uni"');
    await until('all to be told', () => server.stdout.split('"received"').length === 3);
    const events = eventsOf('operf', server.stdout);
    const packets = events.flatMap(({ type, packets: some }) =>
      type === 'packets' ? (some as number[][]) : [],
    );
    expect(packets.map(([sequence]) => sequence)).toEqual(packets.map((_packet, index) => index));
    expect(events.filter(({ type }) => type === 'received')).toMatchObject([
      { fd: 64, packets: 10, bytes: 1000, missing: 0, notReturned: 0 },
      { fd: 64, packets: packets.length, missing: 0 },
    ]);
  });
});

describe('ocbr', () => {
  test('a second at 80 kb/s, in the form of the manual', async () => {
    const node = await start();
    const server = await node.serveTool('cbr', 'ocbr');
    const { status, stdout, stderr } = await node.tool('ocbr', ...'-n cbr -d 1 -s 100 -r 80k'.split(' '));
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^Client started, duration 1, rate 80000 b\/s, size 100 B\.\nsent statistics: {7}100 packets, {8}10000 bytes in {6}1\d{3} ms, 0\.0\d{3} Mb\/s\n$/,
    );
    const countIn = (text: string): number =>
      [...text.matchAll(/: +(\d+) packets/g)].reduce((sum, [, count]) => sum + Number(count), 0);
    await until('its last report', () => countIn(server.stdout) === 100);
    const lines = server.stdout.split('\n');
    expect(lines.slice(0, 2)).toEqual(['Server started, interval is 1 s, timeout is 1 s.', 'New flow.']);
    const report =
      /^Flow {3}64: +(\d+) packets \( +(\d+) bytes\) in +(\d+) ms => +\d+\.\d{4} pps, +\d+\.\d{4} Mbps$/;
    const reports = lines.slice(2, -1).map((line) => report.exec(line));
    expect(reports.reduce((sum, match) => sum + Number(match?.[2]), 0)).toBe(10_000);
    expect(lines[2]?.length).toBe(
      'Flow   64:       125 packets (      125000 bytes) in      1002 ms =>  124.7210 pps,    0.9978 Mbps'
        .length,
    );
    expect(await server.kill('SIGTERM')).toMatchObject({ status: 0 });
  });

  test('a flood, and a busy wait', async () => {
    const node = await start();
    await node.serveTool('cbr', 'ocbr');
    const flood = await node.tool('ocbr', ...'-n cbr -d 1 -f -s 64'.split(' '));
    expect(Number(/statistics: +(\d+) packets/.exec(flood.stdout)?.[1])).toBeGreaterThan(1000);
    const spin = await node.tool('ocbr', ...'-n cbr -d 1 -s 100 -r 400k --spin'.split(' '));
    expect(spin.stdout).toContain('statistics:       500 packets,        50000 bytes');
  });

  test('a silent flow is told of and released; a client that is stopped tells what it sent', async () => {
    const node = await start();
    const server = await node.serveTool('cbr', 'ocbr', '-i', '5');
    const client = await node.startTool('ocbr', ...'-n cbr -s 100 -r 80k'.split(' '));
    await printed(server, 'New flow.');
    client.child.kill('SIGSTOP');
    await printed(server, 'Test on flow 64 timed out\nFlow   64: ');
    expect(server.stdout).toMatch(/timed out\nFlow {3}64: .* Mbps\n$/);
    client.child.kill('SIGCONT');
    const { status, stdout, stderr } = await client.finished;
    expect(status).toBe(0);
    expect(stdout).toMatch(/\nsent statistics: /);
    // The server has released the flow: the client cannot go on.
    expect(stderr).toMatch(/^ocbr: .*flow.*\n$/);
    const other = await node.startTool('ocbr', ...'-n cbr -s 100 -r 80k'.split(' '));
    await until('its flow', () => server.stdout.split('New flow.').length === 3);
    expect(await other.kill('SIGINT')).toMatchObject({ status: 0, stderr: '' });
    expect(other.stdout).toMatch(/\nsent statistics: /);
  });

  test('ten flows at once, and an eleventh when one of them has ended', async () => {
    const node = await start();
    const server = await node.serveTool('cbr', 'ocbr', '-t', '60');
    const flows: Flow[] = [];
    for (let count = 0; count < 10; count += 1) flows.push(await flowTo(node, 'cbr'));
    await printed(server, "Can't accept any more flows, waiting.\n");
    const waiting = flowTo(node, 'cbr');
    waiting.catch(() => {});
    await flows[0]?.close();
    await waiting;
    await until('it', () => server.stdout.split('New flow.').length === 12);
  });

  test('failures', async () => {
    const node = await start();
    const nobody = await node.tool('ocbr', '-n', 'nobody');
    expect(nobody).toMatchObject({
      status: 255,
      stdout: 'Client started, duration 60, rate 1000000 b/s, size 1000 B.\nFailed to allocate flow.\n',
    });
    expect(nobody.stderr).toMatch(/^ocbr: .*nobody.*\n$/);
    expect(await node.tool('ocbr', '-n', 'x', '-s', '524289')).toMatchObject({
      status: 1,
      stdout: 'Maximum size: 524288.\n',
    });
    const server = await node.serveTool('cbr', 'ocbr');
    await node.irmd.kill('SIGKILL');
    const { status, stdout } = await server.finished;
    expect([status, stdout]).toEqual([
      1,
      'Server started, interval is 1 s, timeout is 1 s.\nFailed to accept flow.\n',
    ]);
  });

  test('as JSON', async () => {
    const node = await start();
    const server = await node.serveTool('cbr', 'ocbr', '--json');
    const { stdout } = await node.tool('ocbr', ...'-n cbr -d 1 -s 100 -r 80k --json'.split(' '));
    expect(eventsOf('ocbr', stdout)).toMatchObject([
      { type: 'started', server: 'cbr', durationS: 1, rate: 80_000, bytes: 100, flood: false },
      { type: 'sent', packets: 100, bytes: 10_000 },
    ]);
    await printed(server, 'released');
    const types = (): unknown[] => eventsOf('ocbr', server.stdout).map(({ type }) => type);
    await until('the last report', () => types().at(-1) === 'report');
    expect(types().filter((type) => type !== 'report')).toEqual(['listening', 'flow', 'released']);
    const nobody = await node.tool('ocbr', '-n', 'nobody', '--json');
    expect(eventsOf('ocbr', nobody.stdout).at(-1)).toMatchObject({ type: 'error', during: 'allocate' });
  });
});

describe('obc', () => {
  async function withLayer(): Promise<TestNode> {
    const node = await start();
    await node.manage('ipcp bootstrap type broadcast name bc layer news');
    return node;
  }

  test('what one sends all others print', async () => {
    const node = await withLayer();
    const one = await node.startTool('obc', '-n', 'news', '-l');
    const other = await node.startTool('obc', '-n', 'news', '-l');
    for (const reader of [one, other]) await printed(reader, 'New flow.');
    const long = 'x'.repeat(300);
    for (const words of [[], ['-m', long], ['-m', '']]) {
      expect(await node.tool('obc', '-n', 'news', ...words)).toMatchObject({
        status: 0,
        stdout: '',
        stderr: '',
      });
    }
    const told =
      'Starting a reader.\nNew flow.\nMessage is Ouroboros multicast rocks!.\n' +
      `Message is ${long}.\nMessage is .\n`;
    for (const reader of [one, other]) await until('all', () => reader.stdout === told);
    expect(await one.kill('SIGINT')).toMatchObject({ signal: 'SIGINT' });
    await node.manage('ipcp destroy name bc');
    expect(await other.finished).toMatchObject({ status: 0, stdout: `${told}Failed to read.\n` });
  });

  test('a layer that is not there', async () => {
    const node = await start();
    for (const [words, before] of [
      [[], ''],
      [['-l'], 'Starting a reader.\n'],
    ] as const) {
      const { status, stdout, stderr } = await node.tool('obc', '-n', 'news', ...words);
      expect([status, stdout]).toEqual([255, `${before}Failed to join broadcast.\n`]);
      expect(stderr).toMatch(/^obc: .*news.*\n$/);
    }
    const nameless = await node.tool('obc', '-l');
    expect(nameless).toMatchObject({ status: 1, stderr: '' });
    expect(nameless.stdout).toMatch(/^Please specify a name\.\n\nUsage: obc /);
  });

  test('as JSON', async () => {
    const node = await withLayer();
    const reader = await node.startTool('obc', '-n', 'news', '-l', '--json');
    await printed(reader, '"flow"');
    const { stdout } = await node.tool('obc', '-n', 'news', '-m', 'h\u00e9', '--json');
    expect(eventsOf('obc', stdout)).toEqual([{ type: 'sent', bytes: 4 }]);
    await printed(reader, 'message');
    expect(eventsOf('obc', reader.stdout)).toMatchObject([
      { type: 'started', layer: 'news' },
      { type: 'flow', fd: 64 },
      { type: 'message', text: 'h\u00e9', bytes: 4 },
    ]);
  });
});
