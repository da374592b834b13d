/** Two nodes with all their daemons, each in a network namespace, joined by one cable. */
import { existsSync } from 'node:fs';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { program } from '../support/command.ts';
import { NamespacePair, namespacesMissing, processesBeside } from '../support/namespaces.ts';
import { TestNode } from '../support/node.ts';
import { until } from '../support/until.ts';

const missing = namespacesMissing();
beforeEach(({ skip }) => skip(missing !== undefined, missing));

interface Net {
  readonly a: TestNode;
  readonly b: TestNode;
  readonly pair: NamespacePair;
}

async function start(mtu = 1500): Promise<Net> {
  const pair = await NamespacePair.make({ mtu });
  onTestFinished(() => pair[Symbol.asyncDispose]());
  const [a, b] = await Promise.all([pair.a, pair.b].map(({ launch }) => TestNode.start(launch)));
  if (a === undefined || b === undefined) throw new Error('two nodes were to start');
  for (const node of [a, b]) onTestFinished(() => node[Symbol.asyncDispose]());
  return { a, b, pair };
}

/** Both nodes in one layer, with a ping server at `b`. */
async function startLan(words = '', mtu = 1500): Promise<Net> {
  const net = await start(mtu);
  for (const node of [net.a, net.b]) {
    await node.manage(`i b type eth-dix name e0 layer lan dev eth0 ${words}`);
  }
  await net.b.serve('ping.b', '-Q');
  await net.b.manage('n r ping.b layer lan');
  return net;
}

test('pings across, of every size, in any number at once; nothing is left', async () => {
  const { a, b, pair } = await startLan();
  const { status, stdout } = await a.oping('-n', 'ping.b', '-c', '3', '-i', '10');
  expect(status).toBe(0);
  expect(stdout).toContain('3 packets transmitted, 3 received, 0 out-of-order, 0% packet loss');
  const large = await a.oping('-n', 'ping.b', '-c', '3', '-i', '10', '-s', '1496');
  expect(large.stdout).toContain('1496 bytes from ping.b: seq=2');
  const parallel = await Promise.all(
    Array.from({ length: 10 }, () => a.oping('-n', 'ping.b', '-c', '20', '-i', '5', '-Q')),
  );
  for (const one of parallel) expect(one.stdout).toContain('20 packets transmitted, 20 received');
  const flood = await a.oping('-n', 'ping.b', '-c', '2000', '-f', '-Q');
  expect(flood.stdout).toContain('2000 packets transmitted, 2000 received');
  const ended = await Promise.all([a, b].map((node) => node.stop()));
  expect(ended.map((one) => one.status)).toEqual([0, 0]);
  for (const node of [a, b]) expect([node.files(), node.processes()]).toEqual([[], []]);
  // A namespace goes with the last process in it.
  const inside = processesBeside([pair.a.pid, pair.b.pid]);
  expect(inside.length).toBeGreaterThan(0);
  await pair[Symbol.asyncDispose]();
  await until('the namespaces to go', () => inside.every((pid) => !existsSync(`/proc/${pid}`)));
});

test('allocation asks the link at once, not after a second', async () => {
  const { a } = await startLan();
  const { stdout } = await a.oping('-n', 'ping.b', '-c', '1', '-i', '1');
  expect(stdout).toContain('1 received');
  // The name exists in no table of this host.
  expect(await a.manage('name list')).toBe('No names in system.\n\n');
});

test('other hashes, other ethertypes, other MTUs', async () => {
  const { a } = await startLan('hash SHA3_512 ethertype B123', 9000);
  const { stdout } = await a.oping('-n', 'ping.b', '-c', '2', '-i', '5', '-s', '1500', '-Q');
  expect(stdout).toContain('2 packets transmitted, 2 received');
});

describe('failures', () => {
  test('a name that nobody on the link has', async () => {
    const { a } = await startLan();
    const { status, stdout } = await a.oping('-n', 'nobody', '-c', '1');
    expect([status, stdout]).toEqual([1, 'Failed to allocate flow: -1007.\n']);
  });

  test('a registered name whose server is gone', async () => {
    const { a, b } = await startLan();
    const [server] = b.processes().filter(({ command }) => command.includes('oping'));
    if (server === undefined) throw new Error('no server runs');
    process.kill(server.pid, 'SIGKILL');
    await b.processGone(server.pid);
    const { stdout } = await a.oping('-n', 'ping.b', '-c', '1');
    expect(stdout).toBe('Failed to allocate flow: -1003.\n');
  });

  test('no such device; the device twice; a name that is not registered any more', async () => {
    const { a, b } = await startLan();
    const device = await a.irm('i b type eth-dix name e1 layer lan2 dev nosuch0');
    expect([device.status, device.stdout]).toEqual([1, '']);
    expect(device.stderr).toMatch(/nosuch0.*ENODEV/);
    const twice = await a.irm('i b type eth-dix name e2 layer lan2 dev eth0');
    expect([twice.status, twice.stdout]).toEqual([1, '']);
    expect(twice.stderr).toContain('eth0');
    await a.manage('i b type eth-dix name e3 layer lan2 dev eth0 ethertype A001');
    await b.manage('n u ping.b layer lan');
    const gone = await a.oping('-n', 'ping.b', '-c', '1');
    expect(gone.stdout).toBe('Failed to allocate flow: -1007.\n');
  });

  test('a link that was down for a while loses what was under way only', async () => {
    const { a, pair } = await startLan();
    const client = a.spawn(program('oping'), ['-n', 'ping.b', '-i', '10', '-c', '100000']);
    await until('a reply', () => client.stdout.includes('seq=3 '));
    await pair.b.run('ip', 'link', 'set', 'eth0', 'down');
    await pair.b.run('ip', 'link', 'set', 'eth0', 'up');
    const before = client.stdout.split('\n').length;
    await until('more replies', () => client.stdout.split('\n').length > before + 5);
    expect((await client.kill('SIGINT')).status).toBe(0);
  });

  test('the data plane of the server dies: its flows end, and a new one can serve', async () => {
    const { a, b } = await startLan();
    process.kill(await b.ipcpd(), 'SIGKILL');
    await b.logged('(e0) crashed.');
    await until(
      'the new layer',
      async () => (await b.irm('i b type eth-dix name e0 layer lan dev eth0')).status === 0,
    );
    await b.manage('n r ping.b layer lan');
    const { stdout } = await a.oping('-n', 'ping.b', '-c', '1', '-i', '1');
    expect(stdout).toContain('1 received');
  });
});
