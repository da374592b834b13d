/** What irmd answers, held against what docs/rpc.md says of it. */
import * as v from 'valibot';
import { expect, onTestFinished, test } from 'vitest';
import { managementDocumentation } from '../../runtime/irmd/documentation.ts';
import { LineSocket } from '../support/line-socket.ts';
import { TestNode } from '../support/node.ts';

test('every method of irm.sock answers as documented', async () => {
  const node = await TestNode.start();
  onTestFinished(() => node[Symbol.asyncDispose]());
  const server = await node.startServer();
  using socket = await LineSocket.open(node.managementSocket);
  const called = new Set<string>();
  let id = 0;
  const call = async (method: keyof typeof managementDocumentation, params: object): Promise<unknown> => {
    called.add(method);
    id += 1;
    const { result, error } = await socket.call(id, method, params);
    expect([method, error]).toEqual([method, undefined]);
    v.parse(managementDocumentation[method].result, result);
    return result;
  };
  const qos = {
    delay: 4_294_967_295,
    bandwidth: '0',
    availability: 0,
    loss: 1,
    ber: 1,
    inOrder: 0,
    maxGap: 4_294_967_295,
    timeout: 120_000,
  };
  const create = async (name: string, type: string): Promise<number> =>
    ((await call('ipcp.create', { name, type })) as { pid: number }).pid;
  await call('irmd.version', {});
  const a = await create('a', 'unicast');
  await call('ipcp.bootstrap', { pid: a, layer: 'net', config: {} });
  await call('name.create', { name: 'a', policy: 'round-robin' });
  await call('process.bind', { pid: a, name: 'a' });
  const b = await create('b', 'unicast');
  await call('ipcp.enroll', { pid: b, destination: 'a', layer: null });
  await call('ipcp.connect', { pid: b, destination: 'a', component: 'dt', qos });
  await call('name.register', { name: 'x', pid: a });
  await call('program.bind', { program: '/bin/x', name: 'x', auto: null });
  await call('log.level', { level: null });
  await call('process.bind', { pid: server.pid, name: 'x' });
  await call('ipcp.list', {});
  await call('name.list', {});
  await call('ipcp.counters', { pid: b });
  await call('ipcp.metrics', { pid: b, parts: null });
  await call('node.snapshot', {});
  await call('node.counters', {});
  await call('node.rib', { path: '' });
  await call('events.subscribe', { countersMs: 1000 });
  await call('process.unbind', { pid: server.pid, name: 'x' });
  await call('program.unbind', { program: '/bin/x', name: null });
  await call('name.unregister', { name: 'x', pid: a });
  await call('name.destroy', { name: 'x' });
  await call('ipcp.disconnect', { pid: b, destination: 'a', component: 'dt' });
  await call('ipcp.destroy', { pid: b });
  await call('ipcp.kill', { pid: a });
  expect([...called].toSorted()).toEqual(Object.keys(managementDocumentation).toSorted());
});
