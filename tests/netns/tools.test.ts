/** The tools between two nodes with all their daemons, on one cable; onc over a bad one, ovpn with what runs over IP. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { perfectLink } from '../support/bad-cable.ts';
import { program, type Running, type Tool } from '../support/command.ts';
import { eventsOf } from '../support/documented-events.ts';
import { namespacesMissing } from '../support/namespaces.ts';
import { startTwoNodes, type TwoNodes } from '../support/two-nodes.ts';
import { until } from '../support/until.ts';
import { vpnMissing } from '../support/vpn-missing.ts';

const missing = namespacesMissing();
beforeEach(({ skip }) => skip(missing !== undefined, missing));

/** Two nodes. What is in `conf` encrypts flows from `a` to the name vpn. */
const start = ({ bad = false, conf }: { bad?: boolean; conf?: string } = {}): Promise<TwoNodes> =>
  startTwoNodes(bad, (a) => {
    if (conf !== undefined) a.writeSecurity('client/vpn/enc.conf', conf);
  });

/** A server at `b`, reachable from `a`. */
async function serve({ b }: TwoNodes, name: string, tool: Tool, ...args: string[]): Promise<Running> {
  const server = tool === 'ovpn' ? await b.startTool(tool, ...args) : await b.startTool(tool, '-l', ...args);
  await b.manage(`bind process ${server.pid} name ${name}`);
  await b.manage(`name register ${name} layer lan`);
  return server;
}

const printed = (running: Running, text: string): Promise<true> =>
  until(`it to print ${text}`, () => running.stdout.includes(text));

test('oecho', async () => {
  const net = await start();
  const server = await serve(net, 'oecho', 'oecho');
  expect(await net.a.tool('oecho')).toMatchObject({
    status: 0,
    stdout: 'Server replied with Client says hi!\n',
  });
  await printed(server, 'Message from client is Client says hi!.\n');
});

test.each(['raw', 'best', 'data'])('operf, %s: one way and back', async (qos) => {
  const net = await start();
  const server = await serve(net, 'perf', 'operf', '--json');
  const uni = await net.a.tool('operf', ...`-n perf -d 500 -s 1000 -r 1600 -q ${qos} --json`.split(' '));
  const finished = eventsOf('operf', uni.stdout).at(-1) as { packets: number };
  // 100 is what the rate allows; how many of them a program gets done is for the processors to say.
  const { packets } = finished;
  expect(packets).toBeGreaterThan(0);
  expect(packets).toBeLessThanOrEqual(100);
  expect(finished).toMatchObject({ type: 'finished', bytes: packets * 1000 });
  const bi = await net.a.tool('operf', ...`-n perf -d 500 -t bi -r 2400 -q ${qos}`.split(' '));
  const size = qos === 'raw' ? 1496 : 1484;
  expect(bi.stdout).toContain(`Packet size truncated to ${size} bytes.\n`);
  expect(bi.stdout).toMatch(/\n(\d+) packets transmitted, \1 received, 0% packet loss, /);
  await until('both to be told', () => server.stdout.split('"received"').length === 3);
  expect(eventsOf('operf', server.stdout).filter(({ type }) => type === 'received')).toMatchObject([
    { packets, bytes: packets * 1000, missing: 0 },
    { missing: 0, notReturned: 0 },
  ]);
});

test('operf and ocbr, as fast as it goes: counts agree where nothing may be lost', async () => {
  const net = await start();
  const server = await serve(net, 'perf', 'operf', '--json');
  const flood = await net.a.tool('operf', ...'-n perf -d 300 -f -q data --json'.split(' '));
  const sent = eventsOf('operf', flood.stdout).at(-1);
  expect(sent).toMatchObject({ type: 'finished' });
  await printed(server, '"received"');
  const { packets, bytes } = sent as { packets: number; bytes: number };
  expect(packets).toBeGreaterThan(1000);
  expect(eventsOf('operf', server.stdout).at(-1)).toMatchObject({ packets, bytes, missing: 0 });
});

test('ocbr', async () => {
  const net = await start();
  const server = await serve(net, 'cbr', 'ocbr', '--json');
  const { stdout } = await net.a.tool('ocbr', ...'-n cbr -d 2 -s 1000 -r 800k --json'.split(' '));
  expect(eventsOf('ocbr', stdout).at(-1)).toMatchObject({ type: 'sent', packets: 200, bytes: 200_000 });
  await printed(server, '"released"');
  const count = (): number =>
    eventsOf('ocbr', server.stdout).reduce((sum, { packets }) => sum + Number(packets ?? 0), 0);
  await until('all to be told', () => count() === 200);
  expect(eventsOf('ocbr', server.stdout).filter(({ type }) => type === 'report').length).toBeGreaterThan(1);
});

test('obc: from one node to the other, each way', async () => {
  const { a, b } = await start();
  await b.manage('ipcp bootstrap type broadcast name news.b layer news autobind');
  await b.manage('name register news.b layer lan');
  await a.manage('ipcp enroll name news.a type broadcast layer news dst news.b autobind');
  await a.manage('ipcp connect name news.a dst news.b component dt');
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const reader = await to.startTool('obc', '-n', 'news', '-l');
    await printed(reader, 'New flow.');
    expect(await from.tool('obc', '-n', 'news', '-m', 'hello')).toMatchObject({ status: 0, stderr: '' });
    await printed(reader, 'Message is hello.\n');
    expect(reader.stdout).toBe('Starting a reader.\nNew flow.\nMessage is hello.\n');
  }
});

describe('onc', () => {
  const hash = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

  test.each([
    ['a good cable', perfectLink, 20],
    // A frame takes 1 ms each way: without that no frame could overtake another.
    ['5 % loss', { loss: 0.05, duplication: 0, delay: 1, jitter: 0 }, 100],
    ['loss, doubles and disorder', { loss: 0.05, duplication: 0.02, delay: 1, jitter: 2 }, 20],
  ] as const)('a tar of a folder over %s arrives whole', async (_cable, traits, megabytes) => {
    const net = await start({ bad: traits !== perfectLink });
    const folder = mkdtempSync(join(tmpdir(), 'o7s-onc-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    for (let part = 0; part < 10; part += 1) {
      writeFileSync(join(folder, `part-${part}`), randomBytes(megabytes * 100_000));
    }
    const tar = join(folder, '..', `o7s-onc-${process.pid}.tar`);
    onTestFinished(() => rmSync(tar, { force: true }));
    const server = net.b.spawn('sh', ['-c', `exec ${program('onc')} -v -l -n sink </dev/null >${tar}`]);
    await until('it to wait', () => server.stderr.includes('waiting'));
    await net.b.manage('name register sink layer lan');
    const allocated = net.a.spawn('sh', ['-c', `tar c -C ${folder} . | ${program('onc')} -v -n sink`]);
    await until('the flow', () => allocated.stderr.includes('flow 64'));
    await net.cable?.become(traits);
    expect(await allocated.finished).toMatchObject({ status: 0, stdout: '' });
    expect(await server.finished).toMatchObject({ status: 0 });
    const unpacked = mkdtempSync(join(tmpdir(), 'o7s-onc-'));
    onTestFinished(() => rmSync(unpacked, { recursive: true, force: true }));
    expect(spawnSync('tar', ['x', '-f', tar, '-C', unpacked]).status).toBe(0);
    for (let part = 0; part < 10; part += 1) {
      expect(hash(join(unpacked, `part-${part}`))).toBe(hash(join(folder, `part-${part}`)));
    }
    if (net.cable === undefined) return;
    const [there] = await net.cable.end();
    expect(there.lost / there.sent).toBeGreaterThan(0.03);
  });

  test('a node that dies: the other end fails, and does not hang', async () => {
    const net = await start();
    const server = net.b.spawn(program('onc'), ['-v', '-l', '-n', 'sink']);
    await until('it to wait', () => server.stderr.includes('waiting'));
    await net.b.manage('name register sink layer lan');
    const client = net.a.spawn(program('onc'), ['-n', 'sink']);
    client.child.stdin?.write('hello');
    await until('the first bytes', () => server.stdout === 'hello');
    await net.b.irmd.kill('SIGKILL');
    for (const end of [client, server]) {
      const { status, stderr } = await end.finished;
      expect(status).toBe(1);
      expect(stderr).toMatch(/(^|\n)onc: .*\n$/);
    }
  });
});

const tunnelMissing = vpnMissing();

describe('ovpn', () => {
  beforeEach(({ skip }) => skip(tunnelMissing !== undefined, tunnelMissing));
  const mask = '255.255.255.0';

  async function tunnel(net: TwoNodes): Promise<{ client: Running; server: Running }> {
    const server = await serve(net, 'vpn', 'ovpn', '-i', '10.8.0.2', '-m', mask);
    const client = await net.a.startTool('ovpn', '-n', 'vpn', '-i', '10.8.0.1', `--mask=${mask}`);
    for (const end of [client, server]) await printed(end, 'Starting');
    return { client, server };
  }

  test.each([
    ['clear', undefined, 1496],
    ['encrypted', 'kex=X25519\ncipher=aes-256-gcm\n', 1468],
  ] as const)('ping and iperf3, %s', async (_how, conf, mtu) => {
    const net = await start(conf === undefined ? {} : { conf });
    const { client, server } = await tunnel(net);
    const [a] = net.ends;
    expect(client.stdout).toBe(
      'Allocating a flow to vpn.\nFlow allocated.\nTunnel device name is tun0.\nStarting read/write threads.\n',
    );
    expect(server.stdout).toBe(
      'Waiting for a new flow...\nFlow allocated.\nTunnel device name is tun0.\nStarting read/write threads.\n',
    );
    expect(await a.run('ip', 'addr', 'show', 'dev', 'tun0')).toMatch(
      new RegExp(`,UP,.* mtu ${mtu} [^]*inet 10\\.8\\.0\\.1/24 `),
    );
    if (conf !== undefined) expect(net.a.log).toContain('Negotiated X25519 + aes-256-gcm.');
    // One by one: after the first answer ping waits for the last two round trips only, however busy the machine is.
    for (let pings = 0; pings < 3; pings += 1) {
      const pinged = await a.run('ping', '-c', '1', '-W', '30', '-s', '1400', '10.8.0.2');
      expect(pinged).toContain('1 packets transmitted, 1 received, 0% packet loss');
    }
    const sink = net.b.spawn('iperf3', ['-s', '-1', '-B', '10.8.0.2', '--forceflush']);
    await printed(sink, 'Server listening');
    const report = JSON.parse(await a.run('iperf3', '-c', '10.8.0.2', '-n', '20M', '-J')) as {
      readonly end: Record<'sum_sent' | 'sum_received', { readonly bytes: number }>;
    };
    expect(report.end.sum_sent.bytes).toBeGreaterThanOrEqual(20 * 1024 ** 2);
    // What is still under way at the end of the test does not count.
    expect(report.end.sum_received.bytes).toBeGreaterThan(10 * 1024 ** 2);
    expect(await sink.finished).toMatchObject({ status: 0 });
    const nobody = readFileSync(`/proc/${client.pid}/status`, 'utf8');
    if (process.getuid?.() === 0) expect(nobody).toMatch(/\nUid:\t65534\t65534\t65534\t65534\n/);
    expect(await client.kill('SIGQUIT')).toMatchObject({ status: 0, stderr: '' });
    expect(client.stdout).toMatch(/\nShutting down\.\.\.\n$/);
    await expect(a.run('ip', 'link', 'show', 'tun0')).rejects.toThrow('tun0');
    const ended = await server.finished;
    expect(ended).toMatchObject({ status: 1 });
    expect(ended.stdout).toMatch(/\nShutting down\.\.\.\n$/);
    expect(ended.stderr).toMatch(/^ovpn: flow 64 was released.*\n$/);
  });

  test('a cable that is pulled and plugged in again', async () => {
    const net = await start();
    await tunnel(net);
    const [a, b] = net.ends;
    await b.run('ip', 'link', 'set', 'eth0', 'down');
    await expect(a.run('ping', '-c', '1', '-W', '1', '10.8.0.2')).rejects.toThrow('100% packet loss');
    await b.run('ip', 'link', 'set', 'eth0', 'up');
    await until('it to go on', () =>
      a.run('ping', '-c', '1', '-W', '1', '10.8.0.2').then(
        () => true,
        () => false,
      ),
    );
  });

  test('as JSON; two tunnels on one node', async () => {
    const net = await start();
    const server = await serve(net, 'vpn', 'ovpn', '-i', '10.8.0.2', '-m', mask, '--json');
    const client = await net.a.startTool('ovpn', '-n', 'vpn', '-i', '10.8.0.1', '-m', mask, '--json');
    for (const end of [client, server]) await printed(end, '"running"');
    await serve(net, 'other', 'ovpn', '-i', '10.9.0.2', '-m', mask);
    const other = await net.a.startTool('ovpn', '-n', 'other', '-i', '10.9.0.1', '-m', mask);
    await printed(other, 'Tunnel device name is tun1.\n');
    for (const address of ['10.8.0.2', '10.9.0.2']) await net.ends[0].run('ping', '-c', '1', address);
    await client.kill('SIGINT');
    const events = eventsOf('ovpn', client.stdout);
    expect(events).toMatchObject([
      { type: 'allocating', server: 'vpn' },
      { type: 'flow', fd: 64 },
      { type: 'device', name: 'tun0', address: '10.8.0.1', mask, mtu: 1496 },
      { type: 'running' },
      { type: 'stopping' },
      { type: 'statistics', lostOut: 0, lostIn: 0 },
    ]);
    const { packetsIn, packetsOut } = events.at(-1) as { packetsIn: number; packetsOut: number };
    expect(packetsIn).toBeGreaterThan(0);
    expect(packetsOut).toBeGreaterThan(0);
    await server.finished;
    expect(eventsOf('ovpn', server.stdout).map(({ type }) => type)).toEqual([
      'waiting',
      'flow',
      'device',
      'running',
      'stopping',
      'statistics',
      'error',
    ]);
  });

  test('failures', async () => {
    const net = await start();
    const nobody = await net.a.tool('ovpn', '-n', 'nobody', '-i', '10.8.0.1', '-m', mask);
    expect(nobody).toMatchObject({
      status: 1,
      stdout: 'Allocating a flow to nobody.\nFailed to allocate flow.\n',
    });
    expect(nobody.stderr).toMatch(/^ovpn: .*nobody.*\n$/);
    const waiting = await net.b.startTool('ovpn', '-i', '10.8.0.2', '-m', mask);
    await printed(waiting, 'Waiting');
    expect(await waiting.kill('SIGTERM')).toMatchObject({
      status: 0,
      stdout: 'Waiting for a new flow...\nShutting down...\n',
    });
    const refused = await net.a.tool('ovpn', '--foo');
    expect(refused).toMatchObject({ status: 1, stdout: '', stderr: "ovpn: unrecognized option '--foo'\n" });
    const extra = await net.a.tool('ovpn', 'foo', '-i', '1.2.3.4');
    expect(extra.status).toBe(1);
    expect(extra.stdout).toMatch(/^Unknown arguments specified: foo \n\nUsage: ovpn /);
  });
});
