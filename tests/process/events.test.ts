/** What irmd tells those that listen, held against the schema that docs/events.md is made from. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { eventSchema } from '../../runtime/irmd/event-schema.ts';
import { dataQos, type IrmSnapshot, rawQos } from '../../runtime/lib/index.ts';
import { openSession, sessionsEnded } from '../support/application.ts';
import { LineSocket } from '../support/line-socket.ts';
import { TestNode } from '../support/node.ts';
import { findEvent, listen, type Told } from '../support/told-events.ts';
import { until } from '../support/until.ts';

/** A connection that has subscribed, and may stop reading. */
class RawListener implements Disposable {
  readonly #socket: Socket;
  #text = '';
  readonly #lines: { readonly params?: Told; readonly result?: unknown }[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      const lines = `${this.#text}${chunk.toString()}`.split('\n');
      this.#text = lines.pop() ?? '';
      for (const line of lines) this.#lines.push(JSON.parse(line) as object);
    });
  }

  static async open(path: string): Promise<RawListener> {
    const socket = connect(path);
    await once(socket, 'connect');
    socket.write('{"jsonrpc":"2.0","id":1,"method":"events.subscribe","params":{}}\n');
    return new RawListener(socket);
  }

  lines(): readonly { readonly params?: Told; readonly result?: unknown }[] {
    return this.#lines;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

test('the life of a layer and of a flow with order, with counters', async () => {
  const node = await TestNode.start();
  onTestFinished(() => node[Symbol.asyncDispose]());
  const told = await listen(node, '--interval', '0.1');
  expect(told()[0]).toMatchObject({ event: 'snapshot', dropped: 0, ipcps: [], layers: [] });
  await node.manage('ipcp bootstrap type local name lo layer lo');
  await node.manage('ipcp bootstrap type unicast name a layer net autobind');
  await node.manage('name register a layer lo');
  await node.manage('ipcp enroll name b dst a autobind');
  await node.manage('ipcp connect name b dst a');
  const address = findEvent(told(), 'ipcp.enrolled')?.ipcp.address ?? '';
  expect(address).toMatch(/^([0-9a-f]{2}\.){3}[0-9a-f]{2}$/);
  const route = await until('a route to b', () =>
    findEvent(told(), 'routes.changed', ({ name, set }) => name === 'a' && set[0]?.address === address),
  );
  expect(route).toMatchObject({ set: [{ address, links: 1, via: [address] }], gone: [] });
  for (const component of ['mgmt', 'dt']) {
    const added = findEvent(told(), 'adjacency.added', ({ name, adjacency }) => {
      return name === 'a' && adjacency.component === component;
    });
    expect(added?.adjacency).toMatchObject({ peer: address, up: true, prototype: false, destination: null });
  }

  // A flow within the node: counted by the libraries at both its ends.
  await node.serveTool('ping', 'oping');
  const ping = await node.tool('oping', '-n', 'ping', '-c', '5', '-i', '1ms', '-q', 'data');
  expect(ping.status).toBe(0);
  const flow = findEvent(told(), 'flow.allocated', (event) => event.flow.name === 'ping')?.flow;
  expect(flow).toMatchObject({ ipcp: null, layer: null, up: true, qos: { inOrder: 1, loss: 0 } });
  expect(flow?.ends.map((end) => end.program)).toEqual(['oping', 'oping']);
  await until('the end of the flow', () => {
    return findEvent(told(), 'flow.deallocated', ({ flowId }) => flowId === flow?.flowId);
  });

  // One whose ends are both of this process.
  const session = await openSession(node, 'observed');
  onTestFinished(async () => {
    session[Symbol.dispose]();
    await sessionsEnded(node);
  });
  await node.manage(`bind process ${session.pid} name svc`);
  const accepting = session.acceptFlow();
  const client = await session.allocFlow('svc', { qos: dataQos });
  const server = await accepting;
  await client.write(Buffer.from('hello'));
  expect((await server.read()).toString()).toBe('hello');
  await server.write(Buffer.from('hello'));
  await client.read();
  const counted = await until('what the ends of the flow have counted', () =>
    told()
      .flatMap((event) => (event.event === 'counters' ? event.flows : []))
      .findLast(({ ends }) => {
        const own = ends.filter(({ pid, messagesReceived }) => pid === session.pid && messagesReceived === 1);
        return own.length === 2;
      }),
  );
  const end = { pid: session.pid, messagesSent: 1, messagesReceived: 1, frct: { reliable: true } };
  expect(counted).toMatchObject({ port: null, ends: [end, end] });

  await node.manage('ipcp destroy name b');
  await until('the loss of b', () =>
    findEvent(told(), 'routes.changed', ({ gone }) => gone.includes(address)),
  );
  await until('the removal', () => findEvent(told(), 'adjacency.removed', ({ name }) => name === 'a'));
  const gauges = told()
    .flatMap((event) => (event.event === 'counters' ? event.ipcps : []))
    .map((ipcp) => ipcp.gauges);
  expect(gauges.some((each) => each['members'] === 2)).toBe(true);

  // Who comes later is told what there is.
  const [late] = (await listen(node))();
  const ipcps = await node.managed((irmd) => irmd.listIpcps());
  const { pid } = ipcps.find(({ name }) => name === 'a') ?? {};
  expect(late).toMatchObject({
    event: 'snapshot',
    ipcps,
    names: expect.arrayContaining([{ name: 'svc', policy: 'spillover' }]) as unknown,
    processes: expect.arrayContaining([
      expect.objectContaining({ program: 'observed', names: ['svc'] }),
    ]) as unknown,
    flows: [{ name: 'svc', ends: [{ pid: session.pid, program: 'observed' }] }],
    layers: [
      { names: ['a'], linkUp: null, adjacencies: [], routes: [] },
      { pid, names: [], adjacencies: [], routes: [] },
    ],
  });
});

test('a program that takes its events too slowly gets a snapshot that says how many it missed', async () => {
  const node = await TestNode.start();
  onTestFinished(() => node[Symbol.asyncDispose]());
  await node.managed(async (irmd) => {
    const abort = new AbortController();
    const events = irmd.events(abort.signal);
    expect((await events.next()).value).toMatchObject({ event: 'snapshot', dropped: 0 });
    // Answers come behind the events that they caused.
    for (let round = 0; round < 25; round += 1) {
      const names = Array.from({ length: 100 }, (_, index) => `n${index}`);
      await Promise.all(names.map((name) => irmd.createName(name)));
      await Promise.all(names.map((name) => irmd.destroyName(name)));
    }
    await irmd.createName('last');
    const { value } = await events.next();
    expect(value).toMatchObject({ event: 'snapshot', dropped: 5001, names: [{ name: 'last' }] });
    await irmd.createName('later');
    expect((await events.next()).value).toMatchObject({ event: 'name.created', name: 'later' });
    abort.abort();
  });
});

describe('a process that is asked for its flows', () => {
  let node: TestNode;
  beforeAll(async () => {
    node = await TestNode.start();
  });
  afterAll(() => node[Symbol.asyncDispose]());

  test.each([
    ['nothing', undefined],
    ['an error', { error: { code: -95, message: 'no' } }],
    ['nonsense', { result: [{ flowId: 1, messagesSent: 'many' }] }],
    [
      'of a flow of others',
      { result: [{ flowId: 77, fd: 1, messagesSent: 1, messagesReceived: 1, drops: {}, frct: null }] },
    ],
  ])('and reports %s harms nobody', async (what, answer) => {
    // A server of its own: that of another case may still wait for a client that never comes.
    const name = what.replaceAll(' ', '-');
    await node.serve(name, '-Q');
    using process = await LineSocket.open(node.applicationSocket);
    await process.call(1, 'process.announce', { program: 'odd' });
    const qos = JSON.parse(JSON.stringify({ ...rawQos, bandwidth: '0' })) as object;
    const { error } = await process.call(2, 'flow.allocate', { name, qos, timeoutMs: null });
    expect(error).toBeUndefined();
    const asked = (): { id: number }[] => {
      return (process.lines as { id: number; method?: string }[]).filter(
        ({ method }) => method === 'flows.report',
      );
    };
    await node.managed(async (irmd) => {
      const isOdd = async (): Promise<boolean> => {
        const { flows } = await irmd.counters();
        return flows.some(({ ends }) => ends.some(({ messagesReceived }) => messagesReceived === 1));
      };
      expect(await isOdd()).toBe(false);
      const [question] = await until('the question', () => asked().length > 0 && asked());
      if (answer !== undefined) {
        process.write(`${JSON.stringify({ jsonrpc: '2.0', id: question?.id, ...answer })}\n`);
      }
      for (let count = 0; count < 3; count += 1) {
        expect(await isOdd()).toBe(false);
        expect((await irmd.listNames()).length).toBeGreaterThan(0);
      }
    });
    // Only who answers well is asked again.
    if (!JSON.stringify(answer ?? {}).includes('77')) expect(asked()).toHaveLength(1);
  });
});

test('who does not read is told how much it has missed, and then all there is; irmd holds little for it', async () => {
  const node = await TestNode.start();
  onTestFinished(() => node[Symbol.asyncDispose]());
  using socket = await RawListener.open(node.managementSocket);
  const first = await until('the answer', () => socket.lines().at(0));
  expect(first).toMatchObject({ id: 1, result: { event: 'snapshot', dropped: 0, names: [] } });
  socket.pause();
  const long = 'n'.repeat(200);
  // Much more than sockets and irmd hold.
  const names = 8000;
  await node.managed(async (irmd) => {
    for (let from = 0; from < names; from += 500) {
      const some = Array.from({ length: 500 }, (_, index) => `${long}${from + index}`);
      await Promise.all(some.map((name) => irmd.createName(name)));
      if (from === 0) continue;
      await Promise.all(some.map((name) => irmd.destroyName(name)));
    }
  });
  socket.resume();
  const again = await until('another snapshot', () =>
    socket
      .lines()
      .map(({ params }) => params)
      .find((event) => event?.event === 'snapshot'),
  );
  expect(v.parse(eventSchema, again)).toMatchObject({ names: { length: 500 } });
  const events = socket.lines().filter(({ params }) => params !== undefined && params.event !== 'snapshot');
  const { dropped } = again as IrmSnapshot;
  expect(dropped).toBeGreaterThan(0);
  expect(events.length + dropped).toBe(500 + 2 * (names - 500));
});
