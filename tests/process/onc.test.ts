/** onc on one node, over direct flows. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { program, type Running } from '../support/command.ts';
import { eventsOf } from '../support/documented-events.ts';
import { TestNode } from '../support/node.ts';
import { Screen } from '../support/screen.ts';
import { until } from '../support/until.ts';

async function start(): Promise<TestNode> {
  const node = await TestNode.start();
  onTestFinished(() => node[Symbol.asyncDispose]());
  return node;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'o7s-onc-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Runs a shell line on the node in which `onc` is the tool. */
const shell = (node: TestNode, line: string): Running => {
  const running = node.spawn('bash', ['-c', `onc() { ${program('onc')} "$@"; }; ${line}`]);
  running.child.stdin?.end();
  return running;
};

/** A server that binds itself to a name. */
async function serve(node: TestNode, name: string, line: string): Promise<Running> {
  const server = shell(node, line);
  await until('the name to be bound', () => node.log.includes(`to name ${name}`) || node.log.includes(name));
  await until(
    'it to wait',
    () => server.stderr.includes('waiting for a flow') || server.stderr.includes('"waiting"'),
  );
  return server;
}

const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

test('files both ways at once arrive whole, and both ends end by themselves', async () => {
  const node = await start();
  const path = folder();
  const [there, back] = [randomBytes(3_000_001), randomBytes(1_234_567)];
  writeFileSync(join(path, 'there'), there);
  writeFileSync(join(path, 'back'), back);
  const server = await serve(node, 'sink', `onc -v -l -n sink <${path}/back >${path}/got.there`);
  const client = shell(node, `onc -v -n sink <${path}/there >${path}/got.back`);
  expect(await client.finished).toMatchObject({ status: 0, stdout: '' });
  expect(await server.finished).toMatchObject({ status: 0, stdout: '' });
  expect(hash(readFileSync(join(path, 'got.there')))).toBe(hash(there));
  expect(hash(readFileSync(join(path, 'got.back')))).toBe(hash(back));
  expect(client.stderr).toMatch(
    /^onc: flow 64\nonc: flow 64 ended: 3000001 bytes sent, 1234567 received in \d+ ms\n$/,
  );
  expect(server.stderr).toMatch(
    /^onc: bound to sink\nonc: waiting for a flow\nonc: flow 64\nonc: flow 64 ended: 1234567 bytes sent, 3000001 received in \d+ ms\n$/,
  );
});

test('a pipe at either end', async () => {
  const node = await start();
  const path = folder();
  const server = await serve(node, 'sink', `onc -v -l -n sink </dev/null | tar x -C ${path} -f -`);
  const client = shell(node, `tar c -C ${process.cwd()} topologies | onc -n sink`);
  expect(await client.finished).toMatchObject({ status: 0, stdout: '', stderr: '' });
  expect(await server.finished).toMatchObject({ status: 0 });
  const name = 'topologies/two-nodes.ts';
  expect(readFileSync(join(path, name), 'utf8')).toBe(readFileSync(name, 'utf8'));
});

test('-k takes what all bring, one after another', async () => {
  const node = await start();
  const server = await serve(node, 'sink', 'exec onc -v -l -k -n sink'.replace('onc', program('onc')));
  for (const word of ['one', 'two', 'three']) {
    expect(await shell(node, `echo ${word} | onc -n sink`).finished).toMatchObject({ status: 0, stdout: '' });
  }
  await until('all', () => server.stdout === 'one\ntwo\nthree\n');
  expect((await server.kill('SIGTERM')).status).toBe(143);
});

test('--exec answers each flow with a command of its own, many at once', async () => {
  const node = await start();
  await serve(node, 'upper', `exec ${program('onc')} -v -l -k -n upper --exec 'tr a-z A-Z'`);
  // The first does not end before the others have.
  const slow = node.spawn(program('onc'), ['-n', 'upper']);
  slow.child.stdin?.write('first\n');
  await until('its answer is not there before its input ends', () => node.log.includes('accepted'));
  const quick = await Promise.all(
    ['a', 'b', 'c'].map((word) => shell(node, `echo ${word} | onc -n upper`).finished),
  );
  expect(quick.map(({ status, stdout }) => [status, stdout])).toEqual([
    [0, 'A\n'],
    [0, 'B\n'],
    [0, 'C\n'],
  ]);
  slow.child.stdin?.end('and last\n');
  expect(await slow.finished).toMatchObject({ status: 0, stdout: 'FIRST\nAND LAST\n' });
});

test('a command at the client, its status, and one that does not read', async () => {
  const node = await start();
  const server = await serve(node, 'x', `onc -v -l -n x --exec 'echo from the server; exit 3'`);
  const client = shell(node, `onc -n x --exec 'cat >&2; head -c 1000000 /dev/zero'`);
  expect(await client.finished).toMatchObject({ status: 0, stderr: 'from the server\n' });
  expect(await server.finished).toMatchObject({ status: 3 });
  expect(server.stderr).toContain('ended: 16 bytes sent, 1000000 received');
});

test('without order an end cannot be told: silence is one', async () => {
  const node = await start();
  const server = await serve(node, 'x', 'onc -v -l -n x --exec cat');
  const client = shell(node, 'echo hello | onc -q raw -n x');
  expect(await client.finished).toMatchObject({ status: 0, stdout: 'hello\n', stderr: '' });
  expect(await server.finished).toMatchObject({ status: 0 });
});

test.each(['client', 'server'] as const)(
  'a %s that is killed is told at the other end, which fails',
  async (who) => {
    const node = await start();
    const server = node.spawn(program('onc'), ['-v', '-l', '-n', 'sink']);
    await until('it to wait', () => server.stderr.includes('waiting'));
    const client = node.spawn(program('onc'), ['-n', 'sink']);
    client.child.stdin?.write('hello');
    await until('the first bytes', () => server.stdout === 'hello');
    const [killed, left] = who === 'client' ? [client, server] : [server, client];
    await killed.kill('SIGKILL');
    const { status, stderr } = await left.finished;
    expect(status).toBe(1);
    expect(stderr).toMatch(/(^|\n)onc: .*(went away|down).*\n$/);
  },
);

test('an output that is closed', async () => {
  const node = await start();
  const server = node.spawn(program('onc'), ['-v', '-l', '-n', 'sink']);
  await until('it to wait', () => server.stderr.includes('waiting'));
  server.child.stdout?.destroy();
  const client = node.spawn(program('onc'), ['-n', 'sink']);
  client.child.stdin?.write(Buffer.alloc(1000));
  expect(await server.finished).toMatchObject({ status: 1 });
  expect(server.stderr).toContain('onc: standard output is closed\n');
  expect(await client.finished).toMatchObject({ status: 1 });
});

test('failures', async () => {
  const node = await start();
  const run = (...args: string[]): Promise<unknown> => node.tool('onc', ...args);
  expect(await run('-n', 'nobody')).toMatchObject({
    status: 1,
    stdout: '',
    stderr: expect.stringMatching(/^onc: .*nobody.*\n$/),
  });
  expect(await run()).toMatchObject({
    status: 1,
    stdout: 'onc: no name; say -n NAME, or -l to accept a flow\n',
  });
  expect(await run('-n', 'x', '-k')).toMatchObject({ status: 1, stdout: 'onc: -k is for -l\n' });
  expect(await run('-n', 'x', '-q', 'fast')).toMatchObject({
    status: 1,
    stdout: 'onc: unknown QoS fast; take one of raw, best, video, voice, data\n',
  });
  expect(await run('--help')).toMatchObject({ status: 0 });
  expect(await run('--foo')).toMatchObject({ status: 1 });
  const waiting = node.spawn(program('onc'), ['-v', '-l', '-n', 'x']);
  await until('it to wait', () => waiting.stderr.includes('waiting'));
  expect((await waiting.kill('SIGINT')).status).toBe(130);
});

test('as JSON, on standard error', async () => {
  const node = await start();
  const server = await serve(node, 'x', 'onc --json -l -n x --exec cat');
  const client = shell(node, 'echo hello | onc --json -n x');
  expect(await client.finished).toMatchObject({ status: 0, stdout: 'hello\n' });
  await server.finished;
  expect(eventsOf('onc', client.stderr)).toMatchObject([
    { type: 'flow', fd: 64 },
    { type: 'ended', fd: 64, sentBytes: 6, receivedBytes: 6 },
  ]);
  expect(eventsOf('onc', server.stderr).map(({ type }) => type)).toEqual([
    'bound',
    'waiting',
    'flow',
    'ended',
    'command',
  ]);
});

test('two people at terminals: lines go both ways, Ctrl-D at one ends both', async () => {
  const node = await start();
  const env = { O7S_RUN_DIR: node.directory, O7S_CONFIG_DIR: node.configuration };
  await using server = new Screen(program('onc'), ['-v', '-l', '-n', 'chat'], { env });
  await server.shows(/waiting for a flow/);
  await using client = new Screen(program('onc'), ['-n', 'chat'], { env });
  client.type('hello there\r');
  await server.shows(/\nhello there$/);
  server.type('hello yourself\r');
  await client.shows(/hello there\nhello yourself$/);
  client.type('\u0004');
  expect(await client.exited).toEqual({ status: 0, signal: 0 });
  expect(await server.exited).toEqual({ status: 0, signal: 0 });
  expect(client.lines).toEqual(['hello there', 'hello yourself']);
});

test('Ctrl-C ends it, and the other end knows', async () => {
  const node = await start();
  const env = { O7S_RUN_DIR: node.directory, O7S_CONFIG_DIR: node.configuration };
  const server = node.spawn(program('onc'), ['-v', '-l', '-n', 'chat']);
  await until('it to wait', () => server.stderr.includes('waiting'));
  await using client = new Screen(program('onc'), ['-n', 'chat'], { env });
  client.type('hello\r');
  await until('the line', () => server.stdout === 'hello\n');
  client.type('\u0003');
  expect((await client.exited).status).toBe(130);
  expect((await server.finished).status).toBe(1);
});

test('a long transfer shows how it goes on a terminal, and nothing of it stays', async () => {
  const node = await start();
  const env = { O7S_RUN_DIR: node.directory, O7S_CONFIG_DIR: node.configuration };
  const server = await serve(node, 'sink', 'onc -v -l -n sink </dev/null >/dev/null');
  const path = folder();
  // Its input stays open until there is a file.
  const input = `(echo hi; until [ -e ${path}/over ]; do sleep 0.02; done)`;
  await using client = new Screen('bash', ['-c', `${input} | ${program('onc')} -n sink`], { env });
  await client.shows(/^\d+ s: 0\.0 MB sent, 0\.0 MB received, \d+\.\d Mb\/s$/);
  writeFileSync(join(path, 'over'), '');
  expect(await client.exited).toEqual({ status: 0, signal: 0 });
  expect(client.lines).toEqual([]);
  expect(await server.finished).toMatchObject({ status: 0 });
});
