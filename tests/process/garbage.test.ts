/** Whatever is sent to the sockets of a node, it goes on serving everybody else. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { LineSocket } from '../support/line-socket.ts';
import { TestNode } from '../support/node.ts';
import { until } from '../support/until.ts';

let node: TestNode;
beforeAll(async () => {
  node = await TestNode.start();
  await node.serve('x', '-Q');
});
afterAll(() => node[Symbol.asyncDispose]());

/** The node still manages names and carries pings. */
async function serves(): Promise<void> {
  await node.manage('name create still-here');
  const { stdout } = await node.oping('-n', 'x', '-c', '1', '-i', '1');
  expect(stdout).toContain('1 received');
  expect(node.irmd.child.exitCode).toBeNull();
}

const sockets = [
  ['applications', () => node.applicationSocket],
  ['management', () => node.managementSocket],
] as const;

describe.each(sockets)('the socket for %s', (_name, path) => {
  test.each([
    ['random bytes', () => Buffer.concat([randomBytes(5000), Buffer.from('\n')])],
    ['a line of 2 MB', () => Buffer.alloc(2 * 1024 * 1024, 'x')],
    ['a line of 2 MB in JSON', () => Buffer.from(`{"id":1,"method":"${'x'.repeat(2 * 1024 * 1024)}"}\n`)],
    [
      'another value than an object',
      () => Buffer.from('[{"jsonrpc":"2.0","id":1,"method":"irmd.version"}]\n'),
    ],
    ['an object that is no request', () => Buffer.from('{"a":1}\n')],
  ])('%s end the connection', async (_what, bytes) => {
    using socket = await LineSocket.open(path());
    socket.write(bytes());
    await socket.closedByPeer();
    await serves();
  });

  test('half a message, then the end', async () => {
    const socket = await LineSocket.open(path());
    socket.write('{"jsonrpc":"2.0","id":1,"meth');
    socket[Symbol.dispose]();
    await serves();
  });

  test('what does not fit is refused with its place, and the connection goes on', async () => {
    using socket = await LineSocket.open(path());
    const wrong: readonly (readonly [string, object])[] = [
      ['no.such.method', {}],
      ['constructor', {}],
      ['__proto__', {}],
      ['toString', {}],
      ['process.announce', { program: 7 }],
      ['process.announce', { program: '' }],
      ['process.announce', { program: 'p', more: 1 }],
      ['flow.allocate', { name: 'x' }],
      ['flow.allocate', { name: 'x', qos: null, timeoutMs: null }],
      ['flow.accept', { timeoutMs: -1, listen: '@x' }],
      ['flow.accept', { timeoutMs: null, listen: '/etc/passwd' }],
      ['flow.deallocate', { flowId: 1 }],
      ['flow.deallocate', { flowId: 1.5 }],
      ['ipcp.create', { name: 'x', type: 'nothing' }],
      ['ipcp.create', { name: 'x'.repeat(256), type: 'local' }],
      ['ipcp.destroy', { pid: -1 }],
      ['ipcp.bootstrap', { pid: 1, layer: 'l', config: { ethertype: 1 } }],
      ['name.create', { name: 'x' }],
      ['name.create', []],
    ];
    for (const [index, [method, params]] of wrong.entries()) {
      expect((await socket.call(index, method, params)).error, method).toMatchObject({
        code: expect.any(Number),
        message: expect.any(String),
      });
    }
    expect(socket.ended).toBe(false);
    await serves();
  });
});

test('an application must say who it is, once', async () => {
  using socket = await LineSocket.open(node.applicationSocket);
  const accept = { timeoutMs: 1, listen: '@x' };
  expect((await socket.call(1, 'flow.accept', accept)).error).toMatchObject({ code: -22 });
  expect((await socket.call(2, 'process.announce', { program: 'p' })).result).toEqual({ pid: process.pid });
  expect((await socket.call(3, 'process.announce', { program: 'p' })).error).toMatchObject({ code: -17 });
  expect((await socket.call(4, 'flow.accept', accept)).error).toMatchObject({ code: -110 });
  expect((await socket.call(5, 'flow.deallocate', { flowId: 1 })).error).toMatchObject({ code: -1000 });
});

describe('the socket for flows', () => {
  async function flowSocket(): Promise<Socket> {
    const pid = await node.ipcpd();
    const path = `${node.directory}/ipcpd-${pid}.sock`;
    await until('the socket', () => node.files().includes(`ipcpd-${pid}.sock`));
    const socket = connect(path);
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return socket;
  }

  async function isShut(socket: Socket): Promise<void> {
    socket.resume();
    await until('the connection to be shut', () => socket.closed);
  }

  test.each([
    ['random bytes', () => randomBytes(1000)],
    ['a packet before the token', () => Buffer.from('0000000568656c6c6f'.padEnd(80, '0'), 'hex')],
    ['a token of the wrong length', () => Buffer.from('01000011'.padEnd(80, '0'), 'hex')],
  ])('%s: shut out', async (_what, bytes) => {
    const socket = await flowSocket();
    socket.write(bytes());
    await isShut(socket);
    await serves();
  });

  test('a token nobody was given, and the second use of one', async () => {
    const token = Buffer.concat([Buffer.from('01000010', 'hex'), randomBytes(16)]);
    const first = await flowSocket();
    first.write(token);
    const second = await flowSocket();
    second.write(token);
    // One of them waits as early as it came, until its time is over; the other is shut at once.
    await Promise.race([isShut(first), isShut(second)]);
    await Promise.all([first, second].map(isShut));
    await serves();
  });

  test('a token that was used opens nothing more', async () => {
    await node.manage('i b t local n l l lan');
    using server = await LineSocket.open(node.applicationSocket);
    using client = await LineSocket.open(node.applicationSocket);
    await server.call(1, 'process.announce', { program: 'p' });
    await client.call(1, 'process.announce', { program: 'p' });
    await node.manage(`b proc ${process.pid} n tokens`);
    await node.manage('n r tokens l lan');
    const qos = {
      delay: 0,
      bandwidth: '0',
      availability: 0,
      loss: 1,
      ber: 1,
      inOrder: 0,
      maxGap: 0,
      timeout: 120_000,
    };
    client.write(
      `${JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'flow.allocate', params: { name: 'tokens', qos, timeoutMs: null } })}\n`,
    );
    await node.logged('Flow request arrived for tokens.');
    const accepted = await server.call(2, 'flow.accept', { timeoutMs: null, listen: '@unused' });
    const granted = await until('the grant', () =>
      client.lines.find((line) => (line as { id: number }).id === 2),
    );
    const tokens = [accepted, granted].map(
      (answer) => (answer as { result: { token: string } }).result.token,
    );
    expect(tokens[0]).not.toBe(tokens[1]);
    const hello = (token = ''): Buffer =>
      Buffer.concat([Buffer.from('01000010', 'hex'), Buffer.from(token, 'hex')]);
    const [a, b] = [await flowSocket(), await flowSocket()];
    let received = '';
    b.on('data', (chunk: Buffer) => (received += chunk.toString('hex')));
    a.write(hello(tokens[1]));
    b.write(hello(tokens[0]));
    a.write(Buffer.from('00000001aa', 'hex'));
    await until('the packet', () => received === '00000001aa');
    const thief = await flowSocket();
    let stolen = '';
    thief.on('data', (chunk: Buffer) => (stolen += chunk.toString('hex')));
    thief.write(hello(tokens[0]));
    a.write(Buffer.from('00000001bb', 'hex'));
    await until('the second packet', () => received === '00000001aa00000001bb');
    expect(stolen).toBe('');
    await serves();
  });
});
