/** What goes wrong around irmd: it says so, others are not disturbed, and nothing is left behind. */
import { once } from 'node:events';
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { asUser } from '../support/as-user.ts';
import { program } from '../support/command.ts';
import { LineSocket } from '../support/line-socket.ts';
import { TestNode } from '../support/node.ts';
import { pythonEnvironment } from '../support/python.ts';
import { until } from '../support/until.ts';

const MiB = 1024 * 1024;
const rawQos = {
  ...{ delay: 0, bandwidth: '0', availability: 0, loss: 1, ber: 1 },
  ...{ inOrder: 0, maxGap: 0, timeout: 120_000 },
};

let node: TestNode;
beforeAll(async () => {
  node = await TestNode.start();
  await node.manage('i b t local n l l ll');
  await node.serve('steady', '-Q');
});
afterAll(async () => {
  const { status } = await node.stop();
  const left = [node.files(), node.processes()];
  await node[Symbol.asyncDispose]();
  expect([status, ...left]).toEqual([0, [], []]);
});

/** What irmd holds: descriptors, and flows it knows of. */
async function held(): Promise<{ readonly descriptors: number; readonly flows: number }> {
  const flows = await node.managed(async (irmd) => {
    for await (const event of irmd.events()) if (event.event === 'snapshot') return event.flows.length;
    throw new Error('no snapshot');
  });
  return { descriptors: readdirSync(`/proc/${node.irmd.pid}/fd`).length, flows };
}

/** Memory of irmd, in bytes. */
function resident(): number {
  const [, pages = '0'] = readFileSync(`/proc/${node.irmd.pid}/statm`, 'utf8').split(' ');
  return Number(pages) * 4096;
}

/** The node still serves, and comes to hold what it held before. */
async function recovers(before: Awaited<ReturnType<typeof held>>): Promise<void> {
  expect((await node.oping('-n', 'steady', '-c', '1', '-i', '1')).stdout).toContain('1 received');
  await until(
    'irmd to let go of all',
    async () => {
      const now = await held();
      return now.flows <= before.flows && now.descriptors <= before.descriptors;
    },
    20_000,
  );
}

describe('an application that is killed while a flow is allocated', () => {
  test('a client that waits for a process to accept', async () => {
    const before = await held();
    using server = await LineSocket.open(node.applicationSocket);
    await server.call(1, 'process.announce', { program: 'slow' });
    await node.manage(`b proc ${process.pid} n slow`);
    const client = node.spawn(program('oping'), ['-n', 'slow', '-c', '1']);
    await node.logged(`Allocating flow for ${client.pid} to slow`);
    await client.kill('SIGKILL');
    await node.logged(`Process ${client.pid} died.`);
    // The next accept is for the next client, and not for the dead one.
    const answer = await server.call(2, 'flow.accept', { timeoutMs: 50, listen: '@unused' });
    expect(answer.error).toMatchObject({ code: -110 });
    server[Symbol.dispose]();
    await recovers(before);
  });

  test('a client over a layer', async () => {
    const before = await held();
    using server = await LineSocket.open(node.applicationSocket);
    await server.call(1, 'process.announce', { program: 'slow' });
    await node.manage(`b proc ${process.pid} n slow2`);
    await node.manage('n r slow2 l ll');
    // As an IPCP would: by the layer, because a local process is asked first and does not accept.
    const client = node.spawn(program('oping'), ['-n', 'slow2', '-c', '1']);
    await node.logged('Flow request arrived for slow2.');
    await client.kill('SIGKILL');
    await node.logged(`Process ${client.pid} died.`);
    server[Symbol.dispose]();
    await recovers(before);
  });

  test('a server that was granted the flow, directly and over a layer', async () => {
    const before = await held();
    await node.manage('n c gone');
    await node.manage('n r gone l ll');
    for (const layer of [false, true]) {
      using server = await LineSocket.open(node.applicationSocket);
      await server.call(1, 'process.announce', { program: 'gone' });
      await node.manage(`b proc ${process.pid} n gone`);
      using client = await LineSocket.open(node.applicationSocket);
      await client.call(1, 'process.announce', { program: 'client' });
      const asked = client.call(2, 'flow.allocate', { name: 'gone', qos: rawQos, timeoutMs: null });
      if (layer) await until('the layer', () => node.log.includes('Flow request arrived for gone.'));
      const granted = await server.call(2, 'flow.accept', { timeoutMs: null, listen: '@nobody-listens' });
      expect(granted.result).toMatchObject({ token: expect.any(String) });
      server[Symbol.dispose]();
      expect(await asked).toMatchObject({ result: { flowId: expect.any(Number) } });
    }
    await recovers(before);
  });
});

/**
 * Opens connections and accept calls beyond a user's share, prints what it was refused, and holds all until its input
 * ends: `node -e greedy SOCKET CONNECTIONS ACCEPTS`.
 */
const greedy = `
  const [path, connections, accepts] = process.argv.slice(1);
  const { createConnection } = require('node:net');
  const refused = { connections: [], requests: [] };
  const open = (index) => {
    const socket = createConnection(path);
    let text = '';
    let isAnswered = false;
    socket.setEncoding('utf8').on('error', () => {}).on('data', (piece) => {
      text += piece;
      const lines = text.split('\\n').slice(0, -1).map(JSON.parse);
      const fault = lines.find(({ id, error }) => id === null && error !== undefined);
      if (fault !== undefined && !isAnswered) refused.connections.push(fault.error);
      const isAnnounced = lines.some(({ id, result }) => id === 0 && result !== undefined);
      const wanted = index > 0 || fault !== undefined ? 0 : Number(accepts);
      const errors = lines.filter(({ id, error }) => id > 0 && error !== undefined).map(({ error }) => error);
      const isOver = fault !== undefined || (isAnnounced && errors.length >= wanted);
      if (!isOver || isAnswered) return;
      isAnswered = true;
      refused.requests.push(...errors);
      if (index + 1 < Number(connections)) open(index + 1);
      else console.log(JSON.stringify(refused));
    });
    const send = (id, method, params) => socket.write(JSON.stringify({ jsonrpc: '2.0', id, method, params }) + '\\n');
    send(0, 'process.announce', { program: 'greedy' });
    if (index > 0) return;
    for (let id = 1; id <= 1024 + Number(accepts); id += 1) send(id, 'flow.accept', { timeoutMs: null, listen: '@none' });
  };
  open(0);
  process.stdin.resume().on('end', () => process.exit());
`;

test('a user who takes all a user may have is refused more, and others are served', async ({ skip }) => {
  skip(process.getuid?.() !== 0, 'other users need root');
  const before = await held();
  chmodSync(node.directory, 0o755);
  const [uid, connections, accepts] = [1077, 1030, 5];
  const words = ['-e', greedy, node.applicationSocket, String(connections), String(accepts)];
  const user = node.spawn(...asUser(uid)(process.execPath, words));
  await until('the user to be refused', () => user.stdout.includes('\n'), 40_000);
  const refused = JSON.parse(user.stdout) as Record<'connections' | 'requests', unknown[]>;
  expect(refused.connections).toHaveLength(connections - 1024);
  expect(refused.connections[0]).toMatchObject({
    code: -11,
    message: `user ${uid} has 1024 connections to irmd open on this node, its share`,
    data: { hint: expect.stringContaining('run as root') },
  });
  expect(refused.requests).toHaveLength(accepts);
  expect(refused.requests[0]).toMatchObject({
    code: -11,
    message: `user ${uid} has 1024 requests for flows and accept calls open on this node, its share`,
  });
  // A tool of that user says why; another user is served.
  const [file, args] = asUser(uid)(program('oping'), ['-n', 'steady', '-c', '1']);
  const tool = await node.run(file, args);
  expect([tool.status, tool.stderr]).toEqual([
    1,
    expect.stringContaining(`user ${uid} has 1024 connections`),
  ]);
  const python = await node.run(...asUser(uid)('python3', ['-c', 'import ouroboros; ouroboros.Session()']), {
    env: pythonEnvironment,
  });
  expect(python.stderr).toContain(
    `user ${uid} has 1024 connections to irmd open on this node, its share; end some`,
  );
  expect((await node.oping('-n', 'steady', '-c', '1', '-i', '1')).stdout).toContain('1 received');
  const metrics = await node.manage('metrics');
  expect(metrics).toMatch(/^o7s_refused_total\{what="connections"\} ([7-9]|10)$/m);
  expect(metrics).toContain(`o7s_refused_total{what="requests"} ${accepts}\n`);
  user.child.stdin?.end();
  await user.finished;
  await recovers(before);
  expect((await node.run(file, [...args, '-i', '1'])).stderr).not.toContain('its share');
});

describe('a client that floods', () => {
  test('100 MB in one line: shut out, and no memory is kept for it', async () => {
    const before = await held();
    const memory = resident();
    for (const path of [node.applicationSocket, node.managementSocket]) {
      const socket = connect(path);
      socket.on('error', () => {});
      onTestFinished(() => void socket.destroy());
      await once(socket, 'connect');
      const piece = Buffer.alloc(MiB, 'x');
      let sent = 0;
      while (sent < 100 && !socket.destroyed) {
        sent += 1;
        const taken = Promise.withResolvers<void>();
        socket.write(piece, () => taken.resolve());
        await taken.promise;
      }
      await until('the connection to be shut', () => socket.closed);
      expect(sent).toBeLessThan(100);
    }
    expect(resident() - memory).toBeLessThan(64 * MiB);
    await recovers(before);
  });

  test('a million requests: others are served meanwhile, and memory stays', async () => {
    const before = await held();
    const memory = resident();
    const socket = connect(node.managementSocket);
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    let answers = 0;
    let tail = '';
    socket.on('data', (chunk: Buffer) => {
      for (const byte of chunk) if (byte === 10) answers += 1;
      tail = `${tail}${chunk.toString('latin1')}`.slice(-200);
    });
    const million = 1_000_000;
    const block = 10_000;
    let most = 0;
    const meanwhile: Promise<string>[] = [];
    for (let id = 0; id < million; id += block) {
      let text = '';
      for (let index = 0; index < block; index += 1) {
        text += `{"jsonrpc":"2.0","id":${id + index},"method":"name.list"}\n`;
      }
      if (!socket.write(text)) await once(socket, 'drain');
      most = Math.max(most, resident());
      if (id === million / 2) meanwhile.push(node.manage('n l steady'));
    }
    await until('all answers', () => answers === million, 50_000);
    expect(tail).toMatch(new RegExp(`"id":${million - 1},"result":\\[.*\\]\\}\\n$`));
    for (const listed of await Promise.all(meanwhile)) expect(listed).toContain('steady');
    expect(most - memory).toBeLessThan(256 * MiB);
    socket.destroy();
    await recovers(before);
  });

  test('a million requests without reading an answer: asked for no more, and memory stays', async () => {
    const before = await held();
    const memory = resident();
    const socket = connect(node.managementSocket);
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    socket.pause();
    // It is taken for as long as answers fit; then the writer waits.
    const block = 20_000;
    for (let id = 0; id < 1_000_000; id += block) {
      const ids = Array.from({ length: block }, (_, index) => id + index);
      socket.write(ids.map((each) => `{"jsonrpc":"2.0","id":${each},"method":"name.list"}\n`).join(''));
    }
    await until(
      'the flood to stand',
      async () => {
        const waiting = socket.writableLength;
        await node.manage('n l steady');
        return waiting > 0 && socket.writableLength === waiting;
      },
      30_000,
    );
    expect(resident() - memory).toBeLessThan(64 * MiB);
    socket.destroy();
    await recovers(before);
  });

  test('half a message that never goes on', async () => {
    const before = await held();
    const halves = await Promise.all(
      [node.applicationSocket, node.managementSocket].map((path) => LineSocket.open(path)),
    );
    for (const half of halves) half.write('{"jsonrpc":"2.0","id":1,"meth');
    expect((await node.oping('-n', 'steady', '-c', '1', '-i', '1')).stdout).toContain('1 received');
    for (const half of halves) half[Symbol.dispose]();
    await recovers(before);
  });
});

test('a disk that is full under the log', async () => {
  await using own = TestNode.empty();
  const irmd = own.spawn('sh', ['-c', 'exec "$0" --stdout > /dev/full', program('irmd')]);
  await until('irmd to serve', async () => (await own.irm('ipcp list')).status === 0);
  await own.manage('i b t local n l l ll');
  const server = own.spawn(program('oping'), ['-l', '-Q']);
  await own.manage(`bind process ${server.pid} name x`);
  expect((await own.oping('-n', 'x', '-c', '1', '-i', '1')).stdout).toContain('1 received');
  expect((await irmd.kill('SIGTERM')).status).toBe(0);
  await server.finished;
  expect([own.files(), own.processes()]).toEqual([[], []]);
});
