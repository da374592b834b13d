import { describe, expect, test } from 'vitest';
import { hashAlgorithms, hashName } from '../lib/names.ts';
import {
  type Accept,
  type DataPlanePort,
  type NameEntry,
  type ProcessEntry,
  programKey,
  Registry,
} from './registry.ts';

const code = (name: string): unknown => expect.objectContaining({ code: name });

function process(registry: Registry, pid: number, program = 'server'): ProcessEntry {
  return registry.addProcess({ pid, uid: 0, privileged: true, program });
}

/** The pids that wait for a name, in the order in which they are served. */
function order(entry: NameEntry): number[] {
  return entry.accepts.map((accept) => accept.process.pid);
}

function acceptOf(registry: Registry, entry: ProcessEntry): Accept {
  const accept: Accept = { process: entry };
  registry.addAccept(accept);
  return accept;
}

describe('names', () => {
  test('exist once, with the policy they were created with', () => {
    const registry = new Registry();
    const first = registry.ensureName('b', 'round-robin');
    const again = registry.ensureName('b', 'spillover');
    registry.ensureName('a', 'spillover');
    expect([first.created, again.created]).toEqual([true, false]);
    expect(again.entry).toBe(first.entry);
    expect(registry.listNames()).toEqual([
      { name: 'a', policy: 'spillover' },
      { name: 'b', policy: 'round-robin' },
    ]);
  });

  test('are found by every hash, until they are destroyed', () => {
    const registry = new Registry();
    const { entry } = registry.ensureName('oping.test', 'spillover');
    for (const algorithm of hashAlgorithms) {
      expect(registry.findNameByHash(hashName('oping.test', algorithm), algorithm)).toBe(entry);
      expect(registry.findNameByHash(hashName('other', algorithm), algorithm)).toBeUndefined();
    }
    expect(registry.findNameByHash(hashName('oping.test', 'SHA3_256'), 'SHA3_512')).toBeUndefined();
    registry.destroyName('oping.test');
    for (const algorithm of hashAlgorithms) {
      expect(registry.findNameByHash(hashName('oping.test', algorithm), algorithm)).toBeUndefined();
    }
    expect(registry.findName('oping.test')).toBeUndefined();
    expect(() => registry.destroyName('oping.test')).toThrow(code('ENAME') as Error);
  });

  test('that are destroyed take their bindings along', () => {
    const registry = new Registry();
    const server = process(registry, 1);
    const { entry } = registry.ensureName('x', 'spillover');
    registry.bindProcess(server, entry, []);
    registry.destroyName('x');
    expect(server.names.size).toBe(0);
    registry.ensureName('x', 'spillover');
    expect(server.names.size).toBe(0);
  });
});

describe('programs', () => {
  test.each([
    ['/usr/bin/oping', 'oping'],
    ['oping', 'oping'],
    ['/x/server.mjs', 'server'],
    ['server.ts', 'server'],
    ['/x/my.tool', 'my.tool'],
    ['', ''],
  ])('%s counts as %s', (path, key) => {
    expect(programKey(path)).toBe(key);
  });

  test('bind every later process of theirs, not those that run', () => {
    const registry = new Registry();
    const { entry } = registry.ensureName('x', 'spillover');
    const before = process(registry, 1);
    registry.bindProgram('/bin/server', entry, null);
    const after = process(registry, 2);
    const other = process(registry, 3, 'other');
    expect([before, after, other].map(({ names }) => names.has(entry))).toEqual([false, true, false]);
    expect(() => registry.bindProgram('/other/server', entry, null)).toThrow(code('EEXIST') as Error);
  });

  test('lose one binding, or all; processes that run keep theirs', () => {
    const registry = new Registry();
    const names = ['x', 'y', 'z'].map((name) => registry.ensureName(name, 'spillover').entry);
    for (const entry of names) registry.bindProgram('server', entry, null);
    const running = process(registry, 1);
    registry.unbindProgram('server', 'y');
    expect(names.map(({ programs }) => programs.size)).toEqual([1, 0, 1]);
    expect(() => registry.unbindProgram('server', 'y')).toThrow(code('ENOENT') as Error);
    registry.unbindProgram('server', null);
    expect(names.map(({ programs }) => programs.size)).toEqual([0, 0, 0]);
    expect(() => registry.unbindProgram('server', null)).toThrow(code('ENOENT') as Error);
    expect(running.names.size).toBe(3);
  });
});

describe('accept calls', () => {
  function threeServers(policy: 'round-robin' | 'spillover') {
    const registry = new Registry();
    const { entry } = registry.ensureName('x', policy);
    const servers = [1, 2, 3].map((pid) => process(registry, pid));
    for (const server of servers) registry.bindProcess(server, entry, []);
    for (const server of servers) acceptOf(registry, server);
    return { registry, entry, servers };
  }

  test('round-robin: in the order in which they came', () => {
    const { registry, entry, servers } = threeServers('round-robin');
    expect(order(entry)).toEqual([1, 2, 3]);
    const [first] = entry.accepts;
    if (first === undefined || servers[0] === undefined) throw new Error('nobody waits');
    registry.removeAccept(first);
    acceptOf(registry, servers[0]);
    expect(order(entry)).toEqual([2, 3, 1]);
  });

  test('spillover: who came last is served first', () => {
    const { registry, entry, servers } = threeServers('spillover');
    expect(order(entry)).toEqual([3, 2, 1]);
    const [first] = entry.accepts;
    if (first === undefined || servers[2] === undefined) throw new Error('nobody waits');
    registry.removeAccept(first);
    acceptOf(registry, servers[2]);
    expect(order(entry)).toEqual([3, 2, 1]);
  });

  test('wait for every name of their process, and leave all at once', () => {
    const registry = new Registry();
    const server = process(registry, 1);
    const names = ['x', 'y'].map((name) => registry.ensureName(name, 'round-robin').entry);
    for (const entry of names) registry.bindProcess(server, entry, []);
    const accept = acceptOf(registry, server);
    expect(names.map(order)).toEqual([[1], [1]]);
    registry.removeAccept(accept);
    expect(names.map(order)).toEqual([[], []]);
  });

  test('that wait already serve a name their process is bound to later', () => {
    const registry = new Registry();
    const server = process(registry, 1);
    const accept = acceptOf(registry, server);
    const { entry } = registry.ensureName('x', 'round-robin');
    registry.bindProcess(server, entry, [accept]);
    expect(order(entry)).toEqual([1]);
    expect(() => registry.bindProcess(server, entry, [accept])).toThrow(code('EEXIST') as Error);
    expect(order(entry)).toEqual([1]);
  });

  test('go to who waits for the name, if it takes them', () => {
    const registry = new Registry();
    const server = process(registry, 1);
    const { entry } = registry.ensureName('x', 'round-robin');
    registry.bindProcess(server, entry, []);
    const asked: string[] = [];
    entry.waiters.add(() => (asked.push('picky'), false));
    entry.waiters.add(() => (asked.push('taker'), true));
    entry.waiters.add(() => (asked.push('third'), true));
    acceptOf(registry, server);
    expect(asked).toEqual(['picky', 'taker']);
    expect(order(entry)).toEqual([]);
  });

  test('end with their binding', () => {
    const registry = new Registry();
    const server = process(registry, 1);
    const names = ['x', 'y'].map((name) => registry.ensureName(name, 'round-robin').entry);
    for (const entry of names) registry.bindProcess(server, entry, []);
    acceptOf(registry, server);
    registry.unbindProcess(server, 'x');
    expect(names.map(order)).toEqual([[], [1]]);
    expect(() => registry.unbindProcess(server, 'x')).toThrow(code('ENOENT') as Error);
    registry.unbindProcess(server, null);
    expect(names.map(order)).toEqual([[], []]);
    expect(() => registry.unbindProcess(server, null)).toThrow(code('ENOENT') as Error);
  });
});

test('a process that is gone leaves no trace', () => {
  const registry = new Registry();
  const { entry } = registry.ensureName('x', 'round-robin');
  registry.bindProgram('server', entry, null);
  const server = process(registry, 1);
  expect(registry.processInfos().map(({ pid }) => pid)).toEqual([1]);
  registry.removeProcess(server);
  expect([registry.processInfos().map(({ pid }) => pid), entry.processes.size, server.names.size]).toEqual([
    [],
    0,
    0,
  ]);
});

/** A place for IPCPs that nobody calls here. */
const plane: DataPlanePort = { pid: 1, socket: '', call: () => Promise.reject(new Error('not called')) };

test('IPCPs are in the order in which layers are asked', () => {
  const registry = new Registry();
  const types = ['eth-dix', 'unicast', 'local', 'udp4', 'eth-dix'] as const;
  for (const [index, type] of types.entries()) {
    registry.addIpcp({ pid: 10 - index, plane, name: `${index}`, type, layer: undefined });
  }
  expect(registry.ipcps().map(({ type, pid }) => `${type} ${pid}`)).toEqual([
    'local 8',
    'unicast 9',
    'eth-dix 6',
    'eth-dix 10',
    'udp4 7',
  ]);
  expect(registry.findIpcp(6).name).toBe('4');
  registry.removeIpcp(6);
  expect(() => registry.findIpcp(6)).toThrow(code('EIPCP') as Error);
});
