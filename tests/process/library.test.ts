/** The library against a real irmd and ipcpd. */
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type Flow,
  FlowSet,
  IrmClient,
  qosByName,
  type QosName,
  rawQos,
  type Session,
} from '../../runtime/lib/index.ts';
import { openSession, sessionsEnded } from '../support/application.ts';
import type { Running } from '../support/command.ts';
import { TestNode } from '../support/node.ts';
import { until } from '../support/until.ts';

const part = fileURLToPath(new URL('../support/library-program.ts', import.meta.url));
const code = (name: string): unknown => expect.objectContaining({ name: 'O7sError', code: name });

interface Setup {
  readonly node: TestNode;
  session(program?: string): Promise<Session>;
}

async function start(): Promise<Setup> {
  const node = await TestNode.start();
  const sessions: Session[] = [];
  onTestFinished(async () => {
    for (const session of sessions) session[Symbol.dispose]();
    try {
      if (node.running) await sessionsEnded(node);
    } finally {
      await node[Symbol.asyncDispose]();
    }
  });
  return {
    node,
    session: async (program) => {
      const session = await openSession(node, program);
      sessions.push(session);
      return session;
    },
  };
}

function program(node: TestNode, ...args: string[]): Running {
  return node.spawn(process.execPath, [part, ...args]);
}

/** A flow of this process with itself, directly or through a layer. */
async function ownFlow(setup: Setup, name = 'own'): Promise<{ a: Flow; b: Flow; session: Session }> {
  const session = await setup.session();
  await setup.node.irm(`bind process ${session.pid} name ${name}`);
  const [a, b] = await Promise.all([session.allocFlow(name), session.acceptFlow()]);
  return { a, b, session };
}

describe('waiting ends', () => {
  test('by its signal, in every call', async () => {
    const setup = await start();
    const { a, session } = await ownFlow(setup);
    const calls: ((signal: AbortSignal) => Promise<unknown>)[] = [
      (signal) => session.acceptFlow({ signal }),
      (signal) => session.allocFlow('own', { signal }),
      (signal) => a.read({ signal }),
      (signal) => a.messages({ signal }).next(),
      (signal) => new FlowSet().wait({ signal }),
      (signal) => new FlowSet().events({ signal }).next(),
      (signal) => a.readInto(Buffer.alloc(10), { signal }),
    ];
    for (const call of calls) {
      await expect(call(AbortSignal.abort())).rejects.toEqual(code('ECANCELED'));
      const controller = new AbortController();
      const pending = call(controller.signal);
      setImmediate(() => controller.abort());
      await expect(pending).rejects.toEqual(code('ECANCELED'));
    }
    // Nothing of what was cancelled is in the way of the next.
    const [c, d] = await Promise.all([session.allocFlow('own'), session.acceptFlow()]);
    await c.write(Buffer.from('x'));
    expect((await d.read()).toString()).toBe('x');
  });

  test('by its signal, in every call of management', async () => {
    const { node } = await start();
    await using irmd = await IrmClient.connect({ path: node.managementSocket });
    const pid = await irmd.createIpcp('u', 'unicast');
    const calls: ((options: { signal: AbortSignal }) => Promise<unknown>)[] = [
      (options) => irmd.snapshot(options),
      (options) => irmd.rib('', options),
      (options) => irmd.counters(options),
      (options) => irmd.version(options),
      (options) => irmd.createIpcp('never', 'local', options),
      (options) => irmd.destroyIpcp(pid, options),
      (options) => irmd.killIpcp(pid, options),
      (options) => irmd.listIpcps(options),
      (options) => irmd.ipcpCounters(pid, options),
      (options) => irmd.bootstrapIpcp(pid, 'net', {}, options),
      (options) => irmd.enrollIpcp(pid, 'x', undefined, options),
      (options) => irmd.connectIpcp(pid, 'x', 'dt', options),
      (options) => irmd.disconnectIpcp(pid, 'x', 'dt', options),
      (options) => irmd.ipcpMetrics(pid, undefined, options),
      (options) => irmd.createName('never', options),
      (options) => irmd.destroyName('never', options),
      (options) => irmd.listNames(options),
      (options) => irmd.registerName('never', pid, options),
      (options) => irmd.unregisterName('never', pid, options),
      (options) => irmd.bindProgram(part, 'never', options),
      (options) => irmd.unbindProgram(part, 'never', options),
      (options) => irmd.bindProcess(pid, 'never', options),
      (options) => irmd.unbindProcess(pid, 'never', options),
      (options) => irmd.logLevel('DB', options),
    ];
    for (const call of calls) {
      await expect(call({ signal: AbortSignal.abort() })).rejects.toEqual(code('ECANCELED'));
    }
    expect(await irmd.logLevel()).toBe('II');
    expect(await irmd.listNames()).toEqual([]);
    expect((await irmd.listIpcps()).map(({ name, layer }) => [name, layer])).toEqual([['u', null]]);
    // One that irmd is at already: its answer is not waited for, and goes to nobody.
    const controller = new AbortController();
    const pending = irmd.bindProcess(process.pid, 'late', { signal: controller.signal });
    controller.abort();
    await expect(pending).rejects.toEqual(code('ECANCELED'));
    expect((await irmd.version()).pid).toBe(node.irmd.pid);
  });

  test('by its timeout, in every call', async () => {
    const setup = await start();
    const { a, session } = await ownFlow(setup);
    await expect(session.acceptFlow({ timeout: 5 })).rejects.toEqual(code('ETIMEDOUT'));
    await expect(session.allocFlow('own', { timeout: 5 })).rejects.toEqual(code('ETIMEDOUT'));
    await expect(a.read({ timeout: 5 })).rejects.toEqual(code('ETIMEDOUT'));
  });

  test('when irmd is gone; flows go on', async () => {
    const setup = await start();
    const { a, b, session } = await ownFlow(setup);
    const accepting = session.acceptFlow();
    const ended = expect(accepting).rejects.toEqual(code('EIRMD'));
    await setup.node.irmd.kill('SIGKILL');
    await ended;
    await expect(session.allocFlow('own')).rejects.toEqual(code('EIRMD'));
    expect(session.closed).toBe(true);
    await a.write(Buffer.from('still here'));
    expect((await b.read()).toString()).toBe('still here');
  });
});

describe('a flow', () => {
  test('has the lowest free descriptor, from 64', async () => {
    const setup = await start();
    const { a, b, session } = await ownFlow(setup);
    expect(new Set([a.fd, b.fd])).toEqual(new Set([64, 65]));
    const lower = a.fd === 64 ? a : b;
    await lower.close();
    const [c, d] = await Promise.all([session.allocFlow('own'), session.acceptFlow()]);
    expect(new Set([c.fd, d.fd])).toEqual(new Set([64, 66]));
  });

  test('takes its longest message, and refuses a longer one', async () => {
    const setup = await start();
    const { a, b } = await ownFlow(setup);
    expect(a.maxMessageBytes).toBe(b.maxMessageBytes);
    const message = Buffer.alloc(a.maxMessageBytes, 0x5a);
    const [received] = await Promise.all([b.read(), a.write(message)]);
    expect(received.equals(message)).toBe(true);
    await expect(a.write(Buffer.alloc(a.maxMessageBytes + 1))).rejects.toEqual(code('EMSGSIZE'));
  });

  test('is down for the reader when the other end closes, after what was sent', async () => {
    const setup = await start();
    const { a, b } = await ownFlow(setup);
    await a.write(Buffer.from('last'));
    await a.close();
    expect((await b.read()).toString()).toBe('last');
    await expect(b.read()).rejects.toEqual(code('EFLOWDOWN'));
    await expect(a.read()).rejects.toEqual(code('ENOTALLOC'));
  });

  test.each(Object.keys(qosByName) as QosName[])('of %s carries messages both ways', async (name) => {
    const setup = await start();
    const session = await setup.session();
    await setup.node.irm(`bind process ${session.pid} name own`);
    const qos = qosByName[name];
    const [a, b] = await Promise.all([session.allocFlow('own', { qos }), session.acceptFlow()]);
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const writing = (async () => {
        for (let index = 0; index < 2000; index += 1) await from.write(Buffer.alloc(500, index));
      })();
      for (let index = 0; index < 2000; index += 1) {
        expect((await to.read({ timeout: 5000 })).equals(Buffer.alloc(500, index))).toBe(true);
      }
      await writing;
    }
    await a.close();
    await expect(b.read({ timeout: 5000 })).rejects.toEqual(code('EFLOWDOWN'));
  });

  test('carries 100 000 messages to a slow reader in order, and memory stays bounded', async () => {
    const setup = await start();
    const { a, b } = await ownFlow(setup);
    const count = 100_000;
    const message = Buffer.alloc(1000);
    let written = 0;
    const writer = (async () => {
      for (; written < count; written += 1) {
        message.writeUInt32BE(written, 0);
        await a.write(message);
      }
    })();
    // 100 MB are to go through; what lies between writer and reader is far less at any time.
    let ahead = 0;
    for (let index = 0; index < count; index += 1) {
      expect((await b.read()).readUInt32BE(0)).toBe(index);
      ahead = Math.max(ahead, written - index);
      if (index % 1000 === 0) await until('a pause', () => true);
    }
    await writer;
    expect(ahead).toBeLessThan(10_000);
  });

  test('that nobody uses stays up by its signs of life', async () => {
    const setup = await start();
    const session = await setup.session();
    await setup.node.irm(`bind process ${session.pid} name own`);
    const qos = { ...rawQos, timeout: 1000 };
    const [a, b] = await Promise.all([session.allocFlow('own', { qos }), session.acceptFlow()]);
    const opened = performance.now();
    await until('longer than the timeout', () => performance.now() > opened + 2 * qos.timeout);
    expect([a.up, b.up]).toEqual([true, true]);
    await a.write(Buffer.from('x'));
    expect((await b.read()).toString()).toBe('x');
  });

  test('asks for the QoS that both ends then have', async () => {
    const setup = await start();
    const session = await setup.session();
    await setup.node.irm(`bind process ${session.pid} name own`);
    const qos = { ...rawQos, timeout: 4321, bandwidth: 2n ** 60n };
    const [a, b] = await Promise.all([session.allocFlow('own', { qos }), session.acceptFlow()]);
    expect([a.qos, b.qos]).toEqual([qos, qos]);
  });
});

describe('through the local layer', () => {
  test('a request from the data plane reaches who accepts', async () => {
    const setup = await start();
    const { node } = setup;
    await node.manage('i b t local n l l lan');
    const session = await setup.session();
    await node.manage(`b proc ${session.pid} n svc`);
    await node.manage('n r svc l lan');
    // The process that serves a name is asked directly first; while it does not accept, the layer is.
    const allocating = session.allocFlow('svc');
    await node.logged('Flow request arrived for svc.');
    const [a, b] = await Promise.all([allocating, session.acceptFlow()]);
    expect(a.maxMessageBytes).toBe(b.maxMessageBytes);
    for (let index = 0; index < 100; index += 1) await a.write(Buffer.from(`${index}`));
    for (let index = 0; index < 100; index += 1) expect((await b.read()).toString()).toBe(`${index}`);
    await b.write(Buffer.from('back'));
    expect((await a.read()).toString()).toBe('back');
    await a.close();
    await node.logged('Completed deallocation of flow_id');
  });
});

describe('a program', () => {
  test('ends by itself when its flows are closed', async () => {
    const { node } = await start();
    const server = program(node, 'echo-once');
    await until('the server', () => server.stdout.includes('accepting'));
    await node.manage(`b proc ${server.pid} n svc`);
    const client = program(node, 'ask-once', 'svc');
    expect(await client.finished).toMatchObject({ status: 0, stdout: 'hello\n', stderr: '' });
    expect(await server.finished).toMatchObject({
      status: 0,
      stdout: 'accepting\nflow is down\n',
      stderr: '',
    });
    await node.processGone(server.pid);
  });

  test('that is killed while it accepts is not given flows', async () => {
    const { node } = await start();
    const server = program(node, 'accept');
    await until('the server', () => server.stdout.includes('accepting'));
    await node.manage(`b proc ${server.pid} n svc`);
    await server.kill();
    await node.processGone(server.pid);
    expect((await node.oping('-n', 'svc', '-c', '1')).stdout).toBe('Failed to allocate flow: -1003.\n');
    await node.serve('svc');
    expect((await node.oping('-n', 'svc', '-c', '1', '-i', '1')).stdout).toContain('1 received');
  });

  test('that is killed while it allocates takes nobody with it', async () => {
    const setup = await start();
    const { node } = setup;
    const session = await setup.session();
    await node.manage(`b proc ${session.pid} n svc`);
    const client = program(node, 'allocate', 'svc');
    await until('the client', () => client.stdout.includes('allocating'));
    await node.logged(`Allocating flow for ${client.pid} to svc`);
    await client.kill();
    await node.processGone(client.pid);
    // Whoever asks next is served.
    const [a, b] = await Promise.all([session.allocFlow('svc'), session.acceptFlow()]);
    await a.write(Buffer.from('x'));
    expect((await b.read()).toString()).toBe('x');
  });

  test('that is killed with a flow open ends the flow for the other', async () => {
    const setup = await start();
    const { node } = setup;
    const server = program(node, 'accept');
    await until('the server', () => server.stdout.includes('accepting'));
    await node.manage(`b proc ${server.pid} n svc`);
    const session = await setup.session();
    const flow = await session.allocFlow('svc');
    await until('the flow', () => server.stdout.includes('accepted'));
    const read = expect(flow.read()).rejects.toEqual(code('EFLOWDOWN'));
    await server.kill();
    await read;
  });

  test('that is killed while ipcpd waits for it leaves no flow in the layer', async () => {
    const { node } = await start();
    await node.manage('i b t local n l l lan');
    await node.manage('n c svc');
    await node.manage('n r svc l lan');
    const client = program(node, 'allocate', 'svc');
    await node.logged('Flow request arrived for svc.');
    await client.kill();
    await node.processGone(client.pid);
    await node.logged('No active process for svc.');
    await until('all ends to be gone', () => {
      const count = (text: string): number => node.log.split(text).length - 1;
      return count('Allocating flow ') - 1 === count('Finished deallocating flow ');
    });
    expect((await node.oping('-n', 'svc', '-c', '1')).stdout).toBe('Failed to allocate flow: -1003.\n');
  });
});

test('a flow that goes out of scope sends what was written first', async () => {
  const { a, b } = await ownFlow(await start());
  {
    await using flow = a;
    await flow.write(Buffer.from('last words'));
  }
  expect((await b.read()).toString()).toBe('last words');
  await expect(b.read()).rejects.toEqual(code('EFLOWDOWN'));
});

test('calls that come at the same time share one session', async () => {
  const { node } = await start();
  {
    await using irmd = await IrmClient.connect({ path: `${node.directory}/irm.sock` });
    await irmd.bindProgram(part, 'own');
  }
  const both = program(node, 'together', 'own');
  const { stdout } = await both.finished;
  expect(stdout).toBe('64 65\n');
});
