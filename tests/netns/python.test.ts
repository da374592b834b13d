/** The Python binding over a cable: its flows go through the data plane. */
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { NamespacePair, namespacesMissing } from '../support/namespaces.ts';
import { TestNode } from '../support/node.ts';
import { runPython, startPython } from '../support/python.ts';

const missing = namespacesMissing();
beforeEach(({ skip }) => skip(missing !== undefined, missing));

test('a client and a server of oecho, beside ours, with and without a CRC', async () => {
  const pair = await NamespacePair.make();
  onTestFinished(() => pair[Symbol.asyncDispose]());
  const [a, b] = await Promise.all([TestNode.start(pair.a.launch), TestNode.start(pair.b.launch)]);
  for (const node of [a, b]) {
    onTestFinished(() => node[Symbol.asyncDispose]());
    await node.manage('i b type eth-dix name e layer lan dev eth0');
  }
  await b.serveTool('oecho', 'oecho');
  await b.manage('n r oecho layer lan');
  for (const qos of ['RAW', 'RAW_NO_ERRORS']) {
    const reply = await runPython(a, 'echo_client', qos);
    expect(reply).toMatchObject({ status: 0, stdout: 'Server replied with Client says hi!\n', stderr: '' });
  }
  const server = await startPython(a, 'ping_server');
  await a.logged('(programs.py).\n');
  const { pid } = a.processes().find(({ command }) => command.includes('ping_server')) ?? {};
  await a.manage(`bind process ${pid} name ping`);
  await a.manage('n r ping layer lan');
  const { stdout } = await b.oping('-n', 'ping', '-c', '5', '-i', '1ms', '-s', '1400');
  expect(stdout).toContain('5 packets transmitted, 5 received');
  expect(server.stderr).toBe('');
});
