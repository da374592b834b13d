/** Flow allocation against a data plane in memory, the port that Flows is given. */
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { identityOf, storeOf } from '../../tests/support/certificates.ts';
import { until } from '../../tests/support/until.ts';
import { parseEncryptionConfig } from '../lib/crypto/encryption-config.ts';
import { Logger, type LogRecord } from '../lib/log.ts';
import { hashName } from '../lib/names.ts';
import { OapRequest, OapServer } from '../lib/oap/handshake.ts';
import type { Identity } from '../lib/oap/security.ts';
import { dataQos, qosToJson, rawQos } from '../lib/qos.ts';
import type { FlowGrant } from '../lib/rpc/api.ts';
import type { AllocationAnswer, AllocationOutcome, DataPlaneApi } from '../lib/rpc/data-plane-api.ts';
import { EventHub } from './events.ts';
import { type FlowLimits, Flows, type ProgramStarter } from './flows.ts';
import { systemKeys } from './key-source.ts';
import { type DataPlanePort, type IpcpEntry, type ProcessEntry, Registry } from './registry.ts';
import { SecurityFault, type SecuritySource } from './security.ts';
import { shareLimits, Shares } from './shares.ts';

const qos = qosToJson(rawQos);
const maxMessageBytes = 1496;
const known = { known: true, maxMessageBytes };
const oapHeaderBytes = 36;
const live = new AbortController().signal;
const code = (name: string): unknown => expect.objectContaining({ name: 'O7sError', code: name });
const wallClock = (): bigint => 1_795_301_664_000_000_000n;

type Answers = {
  [M in keyof DataPlaneApi]?: (params: DataPlaneApi[M]['params']) => DataPlaneApi[M]['result'];
};

/** Answers calls as it is told, and keeps them. */
class MemoryDataPlane implements DataPlanePort {
  readonly pid = 1;
  readonly socket = '/run/data-plane.sock';
  readonly calls: { readonly method: string; readonly params: Record<string, unknown> }[] = [];
  answers: Answers = {};

  async call<M extends keyof DataPlaneApi>(
    method: M,
    params: DataPlaneApi[M]['params'],
  ): Promise<DataPlaneApi[M]['result']> {
    this.calls.push({ method, params: { ...params } });
    const answer = this.answers[method];
    if (answer === undefined) return null as DataPlaneApi[M]['result'];
    return answer(params);
  }

  of(method: string): Record<string, unknown>[] {
    return this.calls.filter((call) => call.method === method).map(({ params }) => params);
  }
}

interface Setup {
  readonly registry: Registry;
  readonly dataPlane: MemoryDataPlane;
  readonly flows: Flows;
  readonly logged: LogRecord[];
  readonly client: ProcessEntry;
  readonly server: ProcessEntry;
  /** An accept call of a process, as it comes from a session. */
  accept(process: ProcessEntry, timeoutMs?: number | null, signal?: AbortSignal): Promise<FlowGrant>;
  allocate(name: string, timeoutMs?: number | null, signal?: AbortSignal): Promise<FlowGrant>;
}

function setup(
  limits: Partial<FlowLimits> = {},
  security?: SecuritySource,
  starter?: ProgramStarter,
  shares = new Shares(shareLimits, 0),
): Setup {
  const registry = new Registry();
  const dataPlane = new MemoryDataPlane();
  const logged: LogRecord[] = [];
  const log = new Logger((record) => logged.push(record), 'irmd');
  const flows = new Flows({
    registry,
    log,
    events: new EventHub(() => 0),
    limits: { allocateMs: 20_000, acceptorMs: 20, preferenceMs: 20, startMs: 20, ...limits },
    wallClock,
    randomBytes,
    security,
    starter,
    shares,
  });
  const add = (pid: number): ProcessEntry =>
    registry.addProcess({ pid, uid: 7, privileged: false, program: 'p' });
  const client = add(1);
  const server = add(2);
  return {
    registry,
    dataPlane,
    logged,
    flows,
    client,
    server,
    accept: (process, timeoutMs = null, signal = live) =>
      flows.accept(process, { timeoutMs, listen: `@${process.pid}` }, signal),
    allocate: (name, timeoutMs = null, signal = live) =>
      flows.allocate(client, { name, qos, timeoutMs }, signal),
  };
}

function bind({ registry, flows }: Setup, process: ProcessEntry, name: string): void {
  registry.bindProcess(process, registry.ensureName(name, 'round-robin').entry, flows.acceptsOf(process));
}

function layer({ registry, dataPlane }: Setup, pid: number, type: IpcpEntry['type'] = 'eth-dix'): IpcpEntry {
  const ipcp: IpcpEntry = {
    pid,
    plane: dataPlane,
    name: `e${pid}`,
    type,
    layer: {
      name: 'lan',
      hash: 'SHA3_256',
      maxMessageBytes: 1496,
      address: null,
      device: 'eth0',
      joined: { by: 'bootstrap', destination: null, at: 0 },
      names: new Set(),
    },
  };
  registry.addIpcp(ipcp);
  return ipcp;
}

/** An IPCP as one that takes flows. */
function ipcpProcess({ registry, dataPlane, flows }: Setup, ipcp: IpcpEntry): ProcessEntry {
  const process = registry.addProcess({ pid: ipcp.pid, uid: 7, privileged: false, program: 'ipcpd', ipcp });
  flows.acceptStanding(process, dataPlane);
  return process;
}

/** A peer that answers the handshake as it should. */
function goodPeer(): (params: DataPlaneApi['flow.allocate']['params']) => AllocationOutcome {
  const oap = new OapServer();
  return ({ piggyback }) => {
    const verdict = oap.answer(Buffer.from(piggyback, 'hex'), wallClock());
    if ('error' in verdict) return { outcome: 'refused', response: -1009 };
    return { outcome: 'accepted', piggyback: verdict.response.toString('hex'), maxMessageBytes };
  };
}

describe('a direct flow', () => {
  test('joins client and server with one token', async () => {
    const around = setup();
    bind(around, around.server, 'x');
    const accepting = around.accept(around.server);
    const allocated = await around.allocate('x');
    const accepted = await accepting;
    expect(allocated.connect).toBe('@2');
    expect(accepted).toEqual({ ...allocated, connect: null });
    expect(allocated.token).toMatch(/^[0-9a-f]{32}$/);
    expect(around.dataPlane.calls).toEqual([]);
  });

  test('is forgotten when both ends have let go, in whatever way', async () => {
    const around = setup();
    bind(around, around.server, 'x');
    const accepting = around.accept(around.server);
    const { flowId } = await around.allocate('x');
    await accepting;
    expect(around.flows.count).toBe(1);
    around.flows.deallocate(around.client, flowId);
    expect(around.flows.count).toBe(1);
    expect(() => around.flows.deallocate(around.client, flowId)).toThrow(code('ENOTALLOC') as Error);
    around.flows.processGone(around.server);
    expect(around.flows.count).toBe(0);
  });

  test('waits for a server that is between two accept calls', async () => {
    const around = setup({ acceptorMs: 20_000 });
    bind(around, around.server, 'x');
    const allocating = around.allocate('x');
    const accepting = around.accept(around.server);
    expect((await allocating).token).toBe((await accepting).token);
  });

  test('goes to the server whose turn it is', async () => {
    const around = setup();
    const second = around.registry.addProcess({ pid: 3, uid: 7, privileged: false, program: 'p' });
    bind(around, around.server, 'x');
    bind(around, second, 'x');
    const accepting = [around.accept(around.server), around.accept(second)];
    expect((await around.allocate('x')).connect).toBe('@2');
    expect((await around.allocate('x')).connect).toBe('@3');
    await Promise.all(accepting);
  });

  test('is not made between users', async () => {
    const around = setup();
    const other = around.registry.addProcess({ pid: 3, uid: 8, privileged: false, program: 'p' });
    bind(around, other, 'x');
    const stop = new AbortController();
    const accepting = around.accept(other, null, stop.signal);
    await expect(around.allocate('x')).rejects.toEqual(code('EIPCP'));
    stop.abort();
    await expect(accepting).rejects.toEqual(code('ECANCELED'));
  });

  test('is made between privileged users', async () => {
    const around = setup();
    const root = around.registry.addProcess({ pid: 3, uid: 0, privileged: true, program: 'p' });
    const member = around.registry.addProcess({ pid: 4, uid: 8, privileged: true, program: 'p' });
    bind(around, root, 'x');
    const accepting = around.accept(root);
    await around.flows.allocate(member, { name: 'x', qos, timeoutMs: null }, live);
    await accepting;
  });
});

describe('an allocation fails', () => {
  test('when nobody knows the name', async () => {
    const around = setup();
    await expect(around.allocate('x')).rejects.toEqual(code('ENAME'));
  });

  test('when the name is here but nobody serves it', async () => {
    const around = setup();
    around.registry.ensureName('x', 'round-robin');
    await expect(around.allocate('x')).rejects.toEqual(code('EIPCP'));
    bind(around, around.server, 'x');
    await expect(around.allocate('x')).rejects.toEqual(code('EIPCP'));
    expect(around.flows.count).toBe(0);
  });

  test('when its own time is over, or the general limit', async () => {
    const around = setup({ acceptorMs: 20_000 });
    bind(around, around.server, 'x');
    await expect(around.allocate('x', 5)).rejects.toEqual(code('ETIMEDOUT'));
    const short = setup({ acceptorMs: 20_000, allocateMs: 5 });
    bind(short, short.server, 'x');
    await expect(short.allocate('x')).rejects.toEqual(code('EPERM'));
  });

  test('when it is cancelled', async () => {
    const around = setup({ acceptorMs: 20_000 });
    bind(around, around.server, 'x');
    const stop = new AbortController();
    const allocating = around.allocate('x', null, stop.signal);
    stop.abort();
    await expect(allocating).rejects.toEqual(code('ECANCELED'));
    // The server that comes now is not given to it.
    const accepting = around.accept(around.server, 5);
    await expect(accepting).rejects.toEqual(code('ETIMEDOUT'));
  });

  test('when an IPCP asks for an ordered flow, or is asked for one', async () => {
    const around = setup();
    const ipcp = layer(around, 10);
    const own = ipcpProcess(around, ipcp);
    const asked = { name: 'x', qos: qosToJson(dataQos), timeoutMs: null };
    await expect(around.flows.allocate(own, asked, live)).rejects.toEqual(code('ENOTSUP'));
    bind(around, own, 'x');
    for (let times = 0; times < 3; times += 1) {
      await expect(around.flows.allocate(around.client, asked, live)).rejects.toEqual(code('ENOTSUP'));
    }
    // What stands was never taken, and is not put there once more.
    expect(around.registry.findName('x')?.accepts).toHaveLength(1);
    // A raw one it takes.
    await around.flows.allocate(around.client, { ...asked, qos }, live);
    expect(around.dataPlane.of('flow.offered')).toHaveLength(1);
  });
});

describe('an accept call', () => {
  test('ends when its time is over or it is cancelled, and serves nobody then', async () => {
    const around = setup();
    bind(around, around.server, 'x');
    await expect(around.accept(around.server, 1)).rejects.toEqual(code('ETIMEDOUT'));
    await expect(around.accept(around.server, null, AbortSignal.abort())).rejects.toEqual(code('ECANCELED'));
    expect([...around.flows.acceptsOf(around.server)]).toEqual([]);
    expect(around.registry.findName('x')?.accepts).toEqual([]);
    await expect(around.allocate('x')).rejects.toEqual(code('EIPCP'));
  });

  test('serves a name its process is bound to while it waits', async () => {
    const around = setup();
    const accepting = around.accept(around.server);
    bind(around, around.server, 'x');
    await around.allocate('x');
    await accepting;
  });
});

describe('a user who has its share of flows', () => {
  const bounded = (): Setup => setup({}, undefined, undefined, new Shares({ ...shareLimits, flows: 2 }, 0));

  test('gets no more, and who accepts waits on; another user is served', async () => {
    const around = bounded();
    const { registry, flows, server, client } = around;
    bind(around, server, 'x');
    const grants: FlowGrant[] = [];
    for (let times = 0; times < 2; times += 1) {
      const accepting = around.accept(server);
      grants.push(await around.allocate('x'));
      await accepting;
    }
    const waiting = around.accept(server);
    await expect(around.allocate('x')).rejects.toMatchObject({
      code: 'EBADF',
      message: 'user 7 has 2 flows open on this node, its share',
      hint: expect.stringContaining('release some'),
    });
    expect(flows.count).toBe(2);
    const other = registry.addProcess({ pid: 3, uid: 8, privileged: false, program: 'p' });
    const otherServer = registry.addProcess({ pid: 4, uid: 8, privileged: false, program: 'p' });
    bind(around, otherServer, 'y');
    const accepting = around.accept(otherServer);
    await flows.allocate(other, { name: 'y', qos, timeoutMs: null }, live);
    await accepting;
    // What is released is free for the same user, and the accept call that waited is still good.
    for (const process of [client, server]) flows.deallocate(process, grants[0]?.flowId ?? 0);
    expect((await around.allocate('x')).token).toBe((await waiting).token);
  });

  test('is asked over a layer: the requester is told, and who accepts waits on', async () => {
    const around = bounded();
    const ipcp = layer(around, 10);
    bind(around, around.server, 'x');
    const request = (): Promise<AllocationAnswer> =>
      around.flows.requested(ipcp, {
        hash: hashName('x', 'SHA3_256').toString('hex'),
        qos,
        piggyback: new OapRequest(randomBytes(16), wallClock()).bytes.toString('hex'),
        maxMessageBytes: 1496,
      });
    const answers: AllocationAnswer[] = [];
    for (let times = 0; times < 2; times += 1) {
      const accepting = around.accept(around.server);
      answers.push(await request());
      await accepting;
    }
    const waiting = around.accept(around.server);
    expect(await request()).toEqual({ response: -9 });
    expect(around.logged.map(({ text }) => text)).toContain(
      'Refused a flow to x: user 7 has 2 flows open on this node, its share.',
    );
    const [first] = answers;
    if (first === undefined || !('flowId' in first)) throw new Error('the first was to be accepted');
    around.flows.closed(first.flowId);
    expect(await request()).toMatchObject({ response: 0 });
    expect((await waiting).flowId).toBe(first.flowId);
  });
});

describe('over a layer', () => {
  test('the name need not be known here', async () => {
    const around = setup();
    layer(around, 10);
    around.dataPlane.answers = { 'name.query': () => known, 'flow.allocate': goodPeer() };
    const grant = await around.allocate('far');
    expect(grant).toMatchObject({ connect: around.dataPlane.socket, maxMessageBytes: 1496 });
    const [asked] = around.dataPlane.of('flow.allocate');
    expect(asked).toMatchObject({
      pid: 10,
      flowId: grant.flowId,
      token: grant.token,
      hash: hashName('far', 'SHA3_256').toString('hex'),
      qos,
    });
    around.flows.deallocate(around.client, grant.flowId);
    expect(around.flows.count).toBe(1);
    around.flows.closed(grant.flowId);
    around.flows.closed(grant.flowId);
    expect(around.flows.count).toBe(0);
  });

  test('a layer that knows the name does not wait for one that never answers', async () => {
    const around = setup({ preferenceMs: 1 });
    layer(around, 10, 'eth-dix');
    layer(around, 11, 'eth-llc');
    around.dataPlane.answers = { 'name.query': () => known, 'flow.allocate': goodPeer() };
    const call = around.dataPlane.call.bind(around.dataPlane);
    around.dataPlane.call = (method, params) =>
      method === 'name.query' && 'pid' in params && params.pid === 11
        ? new Promise(() => {})
        : call(method, params);
    await around.allocate('far');
    expect(around.dataPlane.of('flow.allocate').map(({ pid }) => pid)).toEqual([10]);
  });

  test('what an IPCP says of a name it does not know is logged where its turn has come', async () => {
    const around = setup();
    layer(around, 10, 'udp4');
    layer(around, 11, 'udp6');
    layer(around, 12, 'eth-dix');
    let serves = 11;
    around.dataPlane.answers = {
      'name.query': ({ pid }) =>
        pid === serves ? known : { ...known, known: false, ...(pid === 12 ? {} : { complaint: `${pid}?` }) },
      'flow.allocate': goodPeer(),
    };
    const complaints = async (): Promise<string[]> => {
      around.logged.length = 0;
      await around.allocate('far').catch(() => {});
      return around.logged
        .filter(({ component }) => component.startsWith('ipcpd/'))
        .map(({ component, level, text, speaker }) => `${speaker?.pid} ${component}(${level}): ${text}`);
    };
    expect(await complaints()).toEqual(['10 ipcpd/udp4(EE): 10?']);
    serves = 12;
    expect(await complaints()).toEqual([]);
    serves = 0;
    expect(await complaints()).toEqual(['10 ipcpd/udp4(EE): 10?', '11 ipcpd/udp6(EE): 11?']);
  });

  test('one that answers in time goes before those that come after it', async () => {
    const around = setup({ preferenceMs: 10_000 });
    layer(around, 10, 'eth-dix');
    layer(around, 11, 'eth-llc');
    around.dataPlane.answers = { 'name.query': () => known, 'flow.allocate': goodPeer() };
    const call = around.dataPlane.call.bind(around.dataPlane);
    around.dataPlane.call = async (method, params) => {
      if (method === 'name.query' && 'pid' in params && params.pid === 11) await new Promise(setImmediate);
      return call(method, params);
    };
    await around.allocate('far');
    expect(around.dataPlane.of('flow.allocate').map(({ pid }) => pid)).toEqual([11]);
  });

  test('where the one that knows took long, those before it may take as long', async () => {
    const around = setup({ preferenceMs: 1 });
    layer(around, 10, 'eth-dix');
    layer(around, 11, 'eth-llc');
    around.dataPlane.answers = { 'name.query': () => known, 'flow.allocate': goodPeer() };
    const call = around.dataPlane.call.bind(around.dataPlane);
    around.dataPlane.call = async (method, params) => {
      if (method === 'name.query' && 'pid' in params) {
        await setTimeout(100);
        if (params.pid === 11) await setTimeout(10);
      }
      return call(method, params);
    };
    await around.allocate('far');
    expect(around.dataPlane.of('flow.allocate').map(({ pid }) => pid)).toEqual([11]);
  });

  test('layers that know the name are tried in their order', async () => {
    const around = setup();
    layer(around, 10, 'eth-dix');
    layer(around, 11, 'local');
    const peer = goodPeer();
    around.dataPlane.answers = {
      'name.query': () => known,
      'flow.allocate': (params) =>
        params.pid === 11 ? { outcome: 'refused', response: -1003 } : peer(params),
    };
    await around.allocate('far');
    expect(around.dataPlane.of('flow.allocate').map(({ pid }) => pid)).toEqual([11, 10]);
    expect(around.flows.count).toBe(1);
  });

  test('a refusal is told with its number, and leaves nothing', async () => {
    const around = setup();
    layer(around, 10);
    around.dataPlane.answers = {
      'name.query': () => known,
      'flow.allocate': () => ({ outcome: 'refused', response: -1009 }),
    };
    await expect(around.allocate('far')).rejects.toEqual(code('EAUTH'));
    expect(around.flows.count).toBe(0);
    expect(around.dataPlane.of('flow.deallocate')).toHaveLength(1);
  });

  test('a handshake that is wrong fails the allocation', async () => {
    const around = setup();
    layer(around, 10);
    around.dataPlane.answers = {
      'name.query': () => known,
      'flow.allocate': () => ({ outcome: 'accepted', piggyback: '00'.repeat(84), maxMessageBytes }),
    };
    await expect(around.allocate('far')).rejects.toEqual(code('ECRYPT'));
    expect(around.flows.count).toBe(0);
  });

  test('who does not answer is asked again, each time with a new handshake, while the name is known', async () => {
    const around = setup();
    layer(around, 10);
    let queries = 0;
    around.dataPlane.answers = {
      'name.query': () => ({ ...known, known: (queries += 1) <= 3 }),
      'flow.allocate': () => ({ outcome: 'unanswered' }),
    };
    await expect(around.allocate('far')).rejects.toEqual(code('EIPCP'));
    const piggybacks = around.dataPlane.of('flow.allocate').map(({ piggyback }) => piggyback);
    expect(piggybacks).toHaveLength(3);
    expect(new Set(piggybacks).size).toBe(3);
    expect(around.flows.count).toBe(0);
  });

  test('a time limit ends the waiting, and the data plane is told', async () => {
    const around = setup();
    layer(around, 10);
    around.dataPlane.answers = { 'name.query': () => known };
    const call = around.dataPlane.call.bind(around.dataPlane);
    around.dataPlane.call = (method, params) =>
      method === 'flow.allocate' ? (call(method, params), new Promise(() => {})) : call(method, params);
    await expect(around.allocate('far', 10)).rejects.toEqual(code('ETIMEDOUT'));
    expect(around.flows.count).toBe(0);
    expect(around.dataPlane.of('flow.deallocate')).toHaveLength(1);
  });

  test('flows of an IPCP that is gone are forgotten', async () => {
    const around = setup();
    const ipcp = layer(around, 10);
    around.dataPlane.answers = { 'name.query': () => known, 'flow.allocate': goodPeer() };
    await around.allocate('far');
    around.flows.ipcpGone(ipcp);
    expect(around.flows.count).toBe(0);
  });
});

describe('a request that comes in', () => {
  const hash = hashName('x', 'SHA3_256').toString('hex');
  const fresh = (): string => new OapRequest(randomBytes(16), wallClock()).bytes.toString('hex');

  test('is given to who accepts, and answered', async () => {
    const around = setup();
    const ipcp = layer(around, 10);
    bind(around, around.server, 'x');
    const accepting = around.accept(around.server);
    const answer = await around.flows.requested(ipcp, { hash, qos, piggyback: fresh(), maxMessageBytes });
    const grant = await accepting;
    expect(answer).toMatchObject({ response: 0, flowId: grant.flowId, token: grant.token });
    expect(grant).toMatchObject({ connect: around.dataPlane.socket, maxMessageBytes: 1496, qos });
    if (!('piggyback' in answer)) throw new Error('refused');
    expect(answer.piggyback).toHaveLength(2 * (oapHeaderBytes + 48));
  });

  test.each([
    ['an unknown name', { hash: hashName('y', 'SHA3_256').toString('hex') }, -1007],
    ['no handshake', { piggyback: '' }, -1009],
    ['a malformed handshake', { piggyback: '00'.repeat(35) }, -1009],
    ['nobody who accepts', {}, -1003],
  ])('is refused: %s', async (_name, change, response) => {
    const around = setup({ acceptorMs: 1 });
    const ipcp = layer(around, 10);
    bind(around, around.server, 'x');
    const request = { hash, qos, piggyback: fresh(), maxMessageBytes, ...change };
    expect(await around.flows.requested(ipcp, request)).toEqual({ response });
    expect(around.flows.count).toBe(0);
  });

  test('is refused when an IPCP is to take an ordered flow', async () => {
    const around = setup({ acceptorMs: 1 });
    const ipcp = layer(around, 10);
    bind(around, ipcpProcess(around, ipcp), 'x');
    const request = { hash, qos: qosToJson(dataQos), piggyback: fresh(), maxMessageBytes };
    expect(await around.flows.requested(ipcp, request)).toEqual({ response: -95 });
  });

  test.each([
    ['eth-dix', 100],
    ['eth-llc', 100],
    ['local', 100],
    ['unicast', 100],
    ['udp4', 5000],
    ['udp6', 5000],
  ] as const)('tells how long packets live, over %s %i ms', async (type, mplMs) => {
    const around = setup();
    const ipcp = layer(around, 10, type);
    bind(around, around.server, 'x');
    const accepting = around.accept(around.server);
    await around.flows.requested(ipcp, {
      hash,
      qos: qosToJson(dataQos),
      piggyback: fresh(),
      maxMessageBytes,
    });
    expect((await accepting).mplMs).toBe(mplMs);
  });

  test('is refused when it is a replay', async () => {
    const around = setup({ acceptorMs: 1 });
    const ipcp = layer(around, 10);
    bind(around, around.server, 'x');
    const request = { hash, qos, piggyback: fresh(), maxMessageBytes };
    await around.flows.requested(ipcp, request);
    expect(await around.flows.requested(ipcp, request)).toEqual({ response: -1009 });
  });

  test('waits a while for somebody who accepts', async () => {
    const around = setup({ acceptorMs: 20_000 });
    const ipcp = layer(around, 10);
    bind(around, around.server, 'x');
    const answering = around.flows.requested(ipcp, { hash, qos, piggyback: fresh(), maxMessageBytes });
    await until('the wait', () => around.registry.findName('x')?.waiters.size === 1);
    const accepting = around.accept(around.server);
    expect((await answering).response).toBe(0);
    await accepting;
  });

  test('is refused when its IPCP goes meanwhile; who accepts waits on', async () => {
    const around = setup({ acceptorMs: 20_000 });
    const ipcp = layer(around, 10);
    bind(around, around.server, 'x');
    const request = { hash, qos, piggyback: fresh(), maxMessageBytes };
    const answering = around.flows.requested(ipcp, request);
    await until('the wait', () => around.registry.findName('x')?.waiters.size === 1);
    around.flows.ipcpGone(ipcp);
    around.registry.removeIpcp(ipcp.pid);
    const accepting = around.accept(around.server);
    expect(await answering).toEqual({ response: -1003 });
    expect(around.flows.count).toBe(0);
    const other = await around.flows.requested(layer(around, 11), { ...request, piggyback: fresh() });
    expect(other.response).toBe(0);
    await accepting;
  });
});

interface SideFiles {
  readonly conf?: string;
  readonly identity?: Identity;
  readonly fault?: SecurityFault;
}

/** What the files of every name say, but for `open`, which has none. */
function files(client: SideFiles, server: SideFiles): SecuritySource {
  const side = ({ conf, identity, fault }: SideFiles) => {
    if (fault !== undefined) throw fault;
    const setting = conf === undefined ? undefined : parseEncryptionConfig(Buffer.from(conf));
    const encryption = setting?.kind === 'on' ? setting.config : undefined;
    return { trust: storeOf('root', 'intermediate'), keys: systemKeys, encryption, identity };
  };
  return {
    client: (name) => ({ name, ...side(name === 'open' ? {} : client) }),
    server: (name) => side(name === 'open' ? {} : server),
  };
}

const texts = (around: Setup): string => around.logged.map(({ text }) => text).join('\n');

describe('security of a direct flow', () => {
  async function direct(
    client: SideFiles,
    server: SideFiles,
    asked = qos,
  ): Promise<{ grants: FlowGrant[]; around: Setup }> {
    const around = setup({}, files(client, server));
    bind(around, around.server, 'svc');
    const accepting = around.accept(around.server);
    const allocated = await around.flows.allocate(
      around.client,
      { name: 'svc', qos: asked, timeoutMs: null },
      live,
    );
    return { grants: [allocated, await accepting], around };
  }

  test('without files there is none, and no handshake', async () => {
    const { grants, around } = await direct({}, {});
    expect(grants.map(({ encryption }) => encryption)).toEqual([undefined, undefined]);
    expect(texts(around)).not.toContain('OAP');
  });

  test('both ends get the same key, which is in no log', async () => {
    const { grants, around } = await direct({ conf: 'kex=X25519' }, { conf: 'cipher=chacha20-poly1305' });
    const [client, server] = grants;
    expect(client?.encryption).toEqual(server?.encryption);
    expect(client?.encryption?.cipher).toBe('chacha20-poly1305');
    expect(client?.encryption?.key).toMatch(/^[0-9a-f]{64}$/);
    expect(texts(around)).toContain('Negotiated X25519 + chacha20-poly1305.');
    expect(texts(around)).not.toContain(client?.encryption?.key ?? '');
  });

  test('each flow has another key', async () => {
    const [a, b] = [await direct({ conf: '' }, {}), await direct({ conf: '' }, {})];
    expect(a.grants[0]?.encryption?.key).not.toBe(b.grants[0]?.encryption?.key);
  });

  test('a server that proves to be who it is, is believed', async () => {
    await direct({}, { identity: identityOf('svc-ec') });
    await direct({ conf: '', identity: identityOf('client') }, { conf: '', identity: identityOf('svc-rsa') });
  });

  test('an ordered flow is not encrypted with a cipher that proves nothing', async () => {
    const ctr = { conf: 'cipher=aes-256-ctr' };
    const ordered = qosToJson(dataQos);
    await direct(ctr, ctr);
    await expect(direct(ctr, ctr, ordered)).rejects.toMatchObject({
      code: 'ECRYPT',
      message: 'the handshake with svc failed: a CTR cipher cannot tell what belongs to an ordered flow',
    });
    // The stronger cipher of both is one that does.
    await direct(ctr, { conf: 'cipher=aes-128-gcm' }, ordered);
  });

  const broken = new SecurityFault('identity', '/x/key.pem', 'not a private key');
  test.each<[string, SideFiles, SideFiles, string, RegExp]>([
    [
      'a certificate of another name',
      {},
      { identity: identityOf('elsewhere') },
      'ECRYPT',
      /that of "elsewhere"$/,
    ],
    [
      'a foreign certificate',
      {},
      { identity: identityOf('svc-foreign') },
      'ECRYPT',
      /nobody known has issued it$/,
    ],
    [
      'a foreign client',
      { identity: identityOf('svc-foreign') },
      {},
      'ECRYPT',
      /nobody known has issued it$/,
    ],
    ['no encryption where it is asked for', {}, { conf: '' }, 'ECRYPT', /it asks for no encryption$/],
    ['a weak key exchange', { conf: '' }, { conf: 'kex=X448' }, 'ECRYPT', /its key exchange is too weak$/],
    [
      'files of a server that are of no use',
      {},
      { fault: broken },
      'ECRYPT',
      /files of its server cannot be used$/,
    ],
    ['files of a client that are of no use', { fault: broken }, {}, 'EBADF', /cannot be prepared$/],
    [
      'a key that cannot sign',
      { conf: 'digest=blake2b512', identity: identityOf('svc-rsa') },
      {},
      'EBADF',
      /cannot sign$/,
    ],
  ])('%s is refused, and who accepts goes on accepting', async (_name, client, server, name, text) => {
    const around = setup({}, files(client, server));
    bind(around, around.server, 'svc');
    const accepting = around.accept(around.server);
    const failure: unknown = await around.allocate('svc').catch((error: unknown) => error);
    expect(failure).toEqual(code(name));
    expect((failure as Error).message).toMatch(text);
    expect(around.flows.count).toBe(0);
    // The same accept call takes the next flow that can be had.
    bind(around, around.server, 'open');
    await expect(Promise.all([accepting, around.allocate('open')])).resolves.toHaveLength(2);
  });
});

describe('security over a layer', () => {
  const hash = hashName('svc', 'SHA3_256').toString('hex');

  /** A client and a server on two nodes, and the outcome of an allocation between them. */
  async function across(
    client: SideFiles,
    server: SideFiles,
    asked = qos,
    limit = 1500,
  ): Promise<{ grants: FlowGrant[]; logs: string[] }> {
    const [near, far] = [setup({}, files(client, {})), setup({ acceptorMs: 1 }, files({}, server))];
    layer(near, 10);
    const peer = layer(far, 20);
    bind(far, far.server, 'svc');
    const accepting = far.accept(far.server);
    near.dataPlane.answers = { 'name.query': () => ({ known: true, maxMessageBytes: limit }) };
    const call = near.dataPlane.call.bind(near.dataPlane);
    near.dataPlane.call = (async (method: keyof DataPlaneApi, params: never) => {
      if (method !== 'flow.allocate') return call(method, params);
      const { piggyback } = params as DataPlaneApi['flow.allocate']['params'];
      const answer = await far.flows.requested(peer, { hash, qos: asked, piggyback, maxMessageBytes: limit });
      return 'piggyback' in answer
        ? { outcome: 'accepted', piggyback: answer.piggyback, maxMessageBytes: limit }
        : { outcome: 'refused', response: answer.response };
    }) as typeof near.dataPlane.call;
    const wanted = { name: 'svc', qos: asked, timeoutMs: null };
    const allocated = await near.flows.allocate(near.client, wanted, live);
    return { grants: [allocated, await accepting], logs: [texts(near), texts(far)] };
  }

  test('both ends get the same key, which only they are told', async () => {
    const { grants, logs } = await across({ conf: 'kex=X448' }, {});
    const [client, server] = grants;
    expect(client?.encryption).toEqual(server?.encryption);
    const key = client?.encryption?.key ?? '';
    expect(key).toHaveLength(64);
    for (const log of logs) {
      expect(log).toContain('Negotiated X448 + aes-256-gcm.');
      expect(log).not.toContain(key);
    }
  });

  test('both prove who they are', async () => {
    const { grants } = await across(
      { identity: identityOf('client') },
      { identity: identityOf('svc-ed25519') },
    );
    expect(grants.map(({ encryption }) => encryption)).toEqual([undefined, undefined]);
  });

  test('an ordered flow is not encrypted with a cipher that proves nothing', async () => {
    const ctr = { conf: 'cipher=aes-128-ctr' };
    const ordered = qosToJson(dataQos);
    await across(ctr, ctr);
    await expect(across(ctr, ctr, ordered)).rejects.toEqual(code('ECRYPT'));
    await across(ctr, { conf: 'cipher=chacha20-poly1305' }, ordered);
  });

  test('an IPCP of the same data plane is told its key with the answer, and it alone', async () => {
    const around = setup({ acceptorMs: 1 }, files({}, { conf: '' }));
    const ipcp = layer(around, 10, 'eth-dix');
    const above = ipcpProcess(around, layer(around, 11, 'unicast'));
    bind(around, above, 'svc');
    const side = files({ conf: '' }, {}).client('svc');
    const piggyback = new OapRequest(randomBytes(16), wallClock(), side).bytes.toString('hex');
    const answer = await around.flows.requested(ipcp, { hash, qos, piggyback, maxMessageBytes });
    expect(answer).toMatchObject({ user: 11, encryption: { cipher: 'aes-256-gcm' } });
    expect(around.dataPlane.calls).toEqual([]);
    bind(around, around.server, 'app');
    const accepting = around.accept(around.server);
    const other = new OapRequest(randomBytes(16), wallClock(), side).bytes.toString('hex');
    const toApplication = await around.flows.requested(ipcp, {
      hash: hashName('app', 'SHA3_256').toString('hex'),
      qos,
      piggyback: other,
      maxMessageBytes,
    });
    expect(toApplication).toMatchObject({ response: 0, user: null });
    expect(toApplication).not.toHaveProperty('encryption');
    expect((await accepting).encryption?.cipher).toBe('aes-256-gcm');
  });

  const wrong = new SecurityFault('encryption', '/x/enc.conf', 'line 1: wrong');
  const broken = new SecurityFault('identity', '/x/key.pem', 'not a private key');
  test.each<[string, SideFiles, SideFiles, string]>([
    ['a server of another name', {}, { identity: identityOf('elsewhere') }, 'ECRYPT'],
    ['a foreign client', { identity: identityOf('svc-foreign') }, {}, 'EAUTH'],
    ['no encryption where it is asked for', {}, { conf: '' }, 'ECRYPT'],
    ['an enc.conf of the server with a mistake', {}, { fault: wrong }, 'ECRYPT'],
    ['a key of the server that is of no use', {}, { fault: broken }, 'EAUTH'],
    ['an enc.conf of the client with a mistake', { fault: wrong }, {}, 'EBADF'],
  ])('%s fails', async (_name, client, server, name) => {
    await expect(across(client, server)).rejects.toEqual(code(name));
  });

  test('a request that no frame of the layer can carry is told', async () => {
    const failure: unknown = await across({ conf: 'kex=ML-KEM-1024' }, {}).catch((error: unknown) => error);
    expect(failure).toEqual(code('EMSGSIZE'));
    expect((failure as Error).message).toBe('the handshake with svc has 1626 bytes');
    // One step less fits, and so does the same where the layer has come to carry more.
    await across({ conf: 'kex=ML-KEM-768' }, {});
    await across({ conf: 'kex=ML-KEM-1024' }, {}, qos, 1800);
  });

  test('a response that no frame can carry is refused', async () => {
    const large = { certificate: Buffer.alloc(1500), key: identityOf('svc-ec').key };
    await expect(across({}, { identity: large })).rejects.toEqual(code('ECRYPT'));
  });
});

describe('programs on demand', () => {
  /** Programs that are started by hand: each tells when it was, and ends when it is told to. */
  class Starter implements ProgramStarter {
    readonly uid = 7;
    readonly started: {
      readonly path: string;
      readonly args: readonly string[];
      readonly end: () => void;
    }[] = [];
    fails = false;

    start(path: string, args: readonly string[], end: () => void): number | undefined {
      if (this.fails) return undefined;
      this.started.push({ path, args, end });
      return 100 + this.started.length;
    }
  }

  function withProgram(limits: Partial<FlowLimits> = {}): Setup & { readonly starter: Starter } {
    const starter = new Starter();
    const around = setup({ startMs: 20_000, ...limits }, undefined, starter);
    const { entry } = around.registry.ensureName('svc', 'spillover');
    around.registry.bindProgram('/bin/svc', entry, ['-l']);
    return { ...around, starter };
  }

  /** What a started program does: it announces itself and accepts. */
  function serve({ registry, flows }: Setup, pid: number): Promise<FlowGrant> {
    const process = registry.addProcess({ pid, uid: 7, privileged: false, program: 'svc' });
    return flows.accept(process, { timeoutMs: null, listen: `@${pid}` }, live);
  }

  test('one is started where nobody accepts, and used again', async () => {
    const around = withProgram();
    const asked = around.allocate('svc');
    await until('the start', () => around.starter.started.length === 1);
    expect(around.starter.started[0]).toMatchObject({ path: '/bin/svc', args: ['-l'] });
    const served = serve(around, 101);
    expect((await asked).connect).toBe('@101');
    await served;
    const again = around.allocate('svc');
    const process = around.registry.findProcess(101);
    if (process === undefined) throw new Error('it is known');
    void around.accept(process);
    expect((await again).connect).toBe('@101');
    expect(around.starter.started).toHaveLength(1);
  });

  test('requests that come while it starts share it', async () => {
    const around = withProgram();
    const asked = [around.allocate('svc'), around.allocate('svc')];
    await until('the start', () => around.starter.started.length === 1);
    const process = around.registry.addProcess({ pid: 101, uid: 7, privileged: false, program: 'svc' });
    for (let times = 0; times < 2; times += 1) void around.accept(process);
    expect((await Promise.all(asked)).map(({ connect }) => connect)).toEqual(['@101', '@101']);
    expect(around.starter.started).toHaveLength(1);
  });

  test('one that ends, and one that cannot be started, serve nobody', async () => {
    const around = withProgram();
    const asked = around.allocate('svc');
    await until('the start', () => around.starter.started.length === 1);
    around.starter.started[0]?.end();
    await expect(asked).rejects.toMatchObject({ code: 'EIPCP' });
    around.starter.fails = true;
    await expect(around.allocate('svc')).rejects.toMatchObject({ code: 'EIPCP' });
    expect(around.logged.map(({ text }) => text)).toContain('Failed to start /bin/svc for svc.');
  });

  test('those that run and never accept are not started without end', async () => {
    const around = withProgram({ startMs: 1, acceptorMs: 1 });
    for (let times = 0; times < 40; times += 1) await around.allocate('svc').catch(() => {});
    expect(around.starter.started).toHaveLength(32);
  });

  test('a request from a layer starts one, too; a stranger on the node does not', async () => {
    const around = withProgram({ acceptorMs: 1 });
    const stranger = around.registry.addProcess({ pid: 50, uid: 8, privileged: false, program: 'p' });
    const params = { name: 'svc', qos, timeoutMs: null };
    await expect(around.flows.allocate(stranger, params, live)).rejects.toMatchObject({ code: 'EIPCP' });
    expect(around.starter.started).toHaveLength(0);
    const ipcp = layer(around, 10);
    const hash = hashName('svc', 'SHA3_256').toString('hex');
    const request = new OapRequest(randomBytes(16), wallClock());
    const piggyback = request.bytes.toString('hex');
    const answered = around.flows.requested(ipcp, { hash, qos, piggyback, maxMessageBytes: 1496 });
    await until('the start', () => around.starter.started.length === 1);
    void serve(around, 101);
    expect(await answered).toMatchObject({ response: 0 });
  });
});
