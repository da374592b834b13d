/** The Python binding beside our own tools. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestNode } from '../support/node.ts';
import { runPython, startPython } from '../support/python.ts';
import { findEvent, listen } from '../support/told-events.ts';
import { until } from '../support/until.ts';

let node: TestNode;
beforeAll(async () => {
  node = await TestNode.start();
});
afterAll(() => node[Symbol.asyncDispose]());

test.each(['RAW', 'RAW_NO_ERRORS'])('a client of `oecho -l`, qos %s', async (qos) => {
  const server = await node.serveTool('oecho', 'oecho');
  const reply = await runPython(node, 'echo_client', qos);
  expect(reply).toMatchObject({ status: 0, stdout: 'Server replied with Client says hi!\n', stderr: '' });
  await server.kill('SIGTERM');
});

test('a server of oecho', async () => {
  const server = await startPython(node, 'echo_server', '2');
  await node.logged(`Process added: ${server.pid} (programs.py).`);
  await node.manage(`bind process ${server.pid} name oecho`);
  for (let count = 0; count < 2; count += 1) {
    const { status, stdout } = await node.tool('oecho');
    expect([status, stdout]).toEqual([0, 'Server replied with Client says hi!\n']);
  }
  const { status, stdout, stderr } = await server.finished;
  expect([status, stdout, stderr]).toEqual([0, 'ready\nEFLOWDOWN\nEFLOWDOWN\n', '']);
});

test('a client of `oping -l`', async () => {
  const server = await node.serve('ping', '-Q');
  const { status, stdout, stderr } = await runPython(node, 'ping_client', 'ping', '3');
  expect([status, stdout, stderr]).toEqual([0, 'reply 0\nreply 1\nreply 2\n', '']);
  await server.kill('SIGTERM');
});

test('a server of oping in an event loop, with what it reports of its flows; it ends with irmd', async () => {
  const own = await TestNode.start();
  await using _ = own;
  const told = await listen(own, '--interval', '0.1');
  await own.manage('name create py.ping');
  const server = await startPython(own, 'ping_server');
  await own.manage(`bind process ${server.pid} name py.ping`);
  const clients = await Promise.all(
    Array.from({ length: 3 }, () => own.oping('-n', 'py.ping', '-c', '20', '-i', '10ms')),
  );
  for (const { stdout } of clients)
    expect(stdout).toContain('20 packets transmitted, 20 received, 0 out-of-order');
  await until('the ends', () => server.stdout.split('ended EFLOWDOWN').length === 4);
  const { flow } = findEvent(told(), 'flow.allocated') ?? {};
  expect(flow?.ends.map(({ program }) => program)).toContain('programs.py');
  const reports = told()
    .flatMap((event) => (event.event === 'counters' ? event.flows : []))
    .flatMap(({ ends }) => ends.filter(({ pid }) => pid === server.pid));
  expect(Math.max(...reports.map(({ messagesReceived }) => messagesReceived))).toBeGreaterThan(0);
});

test('a broadcast layer', async () => {
  await node.manage('ipcp bootstrap type broadcast name all layer news autobind');
  const hears = await startPython(node, 'hear', 'news', '2');
  expect(await runPython(node, 'tell', 'news', 'one', 'two')).toMatchObject({ status: 0, stderr: '' });
  expect(await hears.finished).toMatchObject({ status: 0, stdout: 'ready\nheard one\nheard two\n' });
});

test('errors have the codes of the page', async () => {
  const { stdout, stderr } = await runPython(node, 'refusals');
  expect([stdout, stderr]).toEqual(['ENAME\nEIPCP\nETIMEDOUT\nEINVAL\n', '']);
});

test('an event loop with many calls, a flow that is busy, and one that was deallocated elsewhere', async () => {
  const { stdout, stderr } = await runPython(node, 'event_loop');
  expect([stdout, stderr]).toEqual(['ran 5000\nothers have their turn True\nhandled 4000\nheard x\n', '']);
});

test('strangers at the door of a process are shut out, and cost it nothing', async () => {
  const { stdout, stderr } = await runPython(node, 'strangers');
  expect([stdout, stderr]).toEqual([`ETIMEDOUT\ngone\n${'True\n'.repeat(8)}pauses True\nin\n`, '']);
});
