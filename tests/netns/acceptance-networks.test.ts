/**
 * The scenarios of two and three hosts, S25 to S35 of acceptance-scenarios.md, and the remote part of S13. Where ours
 * does better than the prototype, docs/differences.md has a row, and the test asserts ours.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { program, type Running } from '../support/command.ts';
import { joinByVeth, Namespace, namespacesMissing } from '../support/namespaces.ts';
import { TestNode } from '../support/node.ts';
import { hostNameOf } from '../support/link-net.ts';
import { OwnHosts } from '../support/own-hosts.ts';
import { until } from '../support/until.ts';

const missing = namespacesMissing();
beforeEach(({ skip }) => skip(missing !== undefined, missing));

const mtu = 1500;

/** One ping; whether a reply came, else what was printed. */
async function ping(on: TestNode, name: string, ...more: string[]): Promise<string> {
  const { status, stdout } = await on.oping('-n', name, '-c', '2', '-i', '5', '-Q', ...more);
  return status === 0 && stdout.includes(' 2 received') ? 'received' : stdout.trim();
}

/** A server at a node for a name of a layer, for the length of a test. */
async function serve(on: TestNode, name: string, layer: string): Promise<Running> {
  const server = await on.serve(name, '-Q');
  onTestFinished(async () => void (await server.kill('SIGTERM')));
  await on.manage(`name register ${name} layer ${layer}`);
  return server;
}

/** What was logged since a moment. */
function since(on: TestNode): () => string {
  const from = on.log.length;
  return () => on.log.slice(from);
}

const refused = { status: 1, stdout: '' };

/** Layers of one host's node; commands of both at once. */
async function both(nodes: readonly TestNode[], ...lines: string[]): Promise<void> {
  await Promise.all(
    nodes.map(async (node) => {
      for (const line of lines) await node.manage(line);
    }),
  );
}

describe('two hosts', () => {
  const stack = new AsyncDisposableStack();
  let spaces: readonly [Namespace, Namespace];
  let hosts: readonly OwnHosts[];
  let a: TestNode;
  let b: TestNode;

  /** A fresh node on each host. */
  async function freshPair(mode: 'shared' | 'process' = 'shared'): Promise<void> {
    const [atA, atB] = spaces.map(({ launch }, index) =>
      TestNode.empty(hosts[index]?.around(launch) ?? launch),
    );
    if (atA === undefined || atB === undefined) throw new Error('there are two hosts');
    onTestFinished(async () => {
      await atA[Symbol.asyncDispose]();
      await atB[Symbol.asyncDispose]();
    });
    await Promise.all([atA.startIrmd('--ipcpd', mode), atB.startIrmd('--ipcpd', mode)]);
    [a, b] = [atA, atB];
  }

  beforeAll(async () => {
    if (missing !== undefined) return;
    const first = stack.use(await Namespace.make());
    const second = stack.use(await Namespace.make(first));
    await joinByVeth(first, second, mtu);
    spaces = [first, second];
    for (const [index, space] of spaces.entries()) {
      await space.run('ip', 'addr', 'add', `10.9.0.${index + 1}/24`, 'dev', 'eth0');
      await space.run('ip', 'addr', 'add', `fd00::${index + 1}/64`, 'dev', 'eth0', 'nodad');
    }
    hosts = [stack.use(new OwnHosts()), stack.use(new OwnHosts())];
  });
  afterAll(() => stack.disposeAsync());

  test('S13 remote, S25 eth-dix, S28 remote auto-start, S29 which provider is used, S33 broadcast, S34 ovpn', async () => {
    await freshPair();
    await both([a, b], 'ipcp bootstrap type eth-dix name eth0 layer lan dev eth0');

    // S25
    const logged = [since(a), since(b)];
    await serve(b, 'oping-b', 'lan');
    expect(logged[1]?.()).toMatch(/Registered oping-b with IPCP \d+ as e8e3ba17\.\n/);
    // The client's host needs no name.
    expect(await ping(a, 'oping-b')).toBe('received');
    expect(logged[0]?.()).toMatch(/ipcpd\/ipcp\(II\): Allocating flow 1 for \d+ to e8e3ba17\.\n/);
    expect(logged[0]?.()).toMatch(/\[[0-9a-f]{16}\] OAP completed for oping-b\.\n/);
    expect(logged[1]?.()).toMatch(
      /Flow request arrived for oping-b\.\n[^]*Flow 1 accepted by \d+ for oping-b \(uid 0\)\.\n/,
    );
    expect(await ping(a, 'oping-b', '-q', 'data')).toBe('received');
    await a.manage('n c foo');
    expect(await ping(a, 'foo')).toBe('Failed to allocate flow: -1003.');

    // S13: a name without a server is refused, and nobody waits 20 s for it.
    await b.manage('n r opn layer lan');
    expect(await ping(a, 'opn')).toBe('Failed to allocate flow: -1003.');

    // S28
    await b.manage(`b prog ${program('oping')} n opauto auto -- -l`);
    await b.manage('n r opauto l lan');
    expect(await ping(a, 'opauto')).toBe('received');
    const again = since(b);
    expect(await ping(a, 'opauto')).toBe('received');
    expect(again()).not.toContain('Instantiated');

    // S29
    await serve(b, 'op', 'lan');
    await a.manage('n c op');
    const provider = async (): Promise<string> => {
      const log = since(a);
      expect(await ping(a, 'op')).toBe('received');
      return log().includes('(direct)') ? 'direct' : 'remote';
    };
    expect(await provider()).toBe('remote');
    const local = await a.serve('op', '-Q');
    expect(await provider()).toBe('direct');
    await a.manage(`unbind process ${local.pid} name op`);
    expect(await provider()).toBe('remote');
    // The local layer says yes and cannot: the next one that knows the name serves.
    await a.manage('i b t local n l1 l ll');
    await a.manage('n r op l ll');
    expect(await provider()).toBe('remote');
    await a.manage('n u op l ll');
    expect(await provider()).toBe('remote');
    await local.kill('SIGTERM');

    // S33
    await a.manage('i b t broadcast n ba l bc autobind');
    await a.manage('n r ba l lan');
    await a.manage('n r bc l lan');
    await b.manage('i e n bb t broadcast d ba autobind');
    const joined = since(b);
    expect(await b.irm('i co n bb d ba')).toMatchObject(refused);
    await until('the reason', () =>
      joined().includes('connection-manager(EE): No such component: Management\n'),
    );
    await b.manage('i co n bb d ba c dt');
    const readers = [await a.startTool('obc', '-l', '-n', 'bc'), await b.startTool('obc', '-l', '-n', 'bc')];
    await until('both to have joined', () => readers.every(({ stdout }) => stdout.includes('New flow')));
    expect((await a.tool('obc', '-n', 'bc', '-m', 'hello2')).status).toBe(0);
    expect((await b.tool('obc', '-n', 'bc', '-m', 'from-b2')).status).toBe(0);
    for (const text of ['Message is hello2.', 'Message is from-b2.']) {
      await until(text, () => readers.every(({ stdout }) => stdout.includes(text)));
    }
    expect(await a.tool('obc', '-n', 'nope')).toMatchObject({
      status: 255,
      stdout: expect.stringContaining('Failed to join broadcast.'),
    });
    for (const reader of readers) await reader.kill('SIGTERM');

    // S34
    const mask = ['-m', '255.255.255.0'];
    const gateway = await a.startTool('ovpn', '-i', '10.55.0.1', ...mask);
    await a.manage(`bind process ${gateway.pid} name vpn`);
    await a.manage('n r vpn l lan');
    const end = await b.startTool('ovpn', '-n', 'vpn', '-i', '10.55.0.2', ...mask);
    await until('the tunnel', () => end.stdout.includes('Tunnel device name is'));
    await until('packets to pass', async () => {
      const { status, stdout } = await a.run('ping', ['-c', '3', '-i', '0.2', '-W', '5', '10.55.0.2']);
      return status === 0 && stdout.includes(' 3 received, 0% packet loss');
    });
    const ended = await end.kill('SIGINT');
    expect(ended).toMatchObject({ status: 0, stdout: expect.stringContaining('Shutting down...') });
    expect(await spaces[1].run('ip', '-br', 'link')).not.toContain('tun0');
    expect(gateway.stdout).toMatch(/Waiting for a new flow\.\.\.\n[^]*Tunnel device name is tun0\.\n/);
    await gateway.kill('SIGINT');
  });

  test('S26 eth-llc, S27 udp4 and udp6', async () => {
    await freshPair();
    await both([a, b], 'i b t eth-llc n llc l llc dev eth0');
    expect(a.log).toContain('ipcpd/eth-llc(II): Using raw socket device.\n');
    await serve(b, 'opl', 'llc');
    expect(await ping(a, 'opl')).toBe('received');
    for (const { log } of [a, b]) {
      expect(log).toContain('irmd/oap(II): No authentication certificates for opl.\n');
      expect(log).toContain('irmd/oap(II): Key exchange not configured for opl.\n');
    }
    for (const [type, ip, name, hash] of [
      ['udp4', ['10.9.0.1', '10.9.0.2'], 'opb', '2073bc31f81582826530d44e02057473'],
      ['udp6', ['fd00::1', 'fd00::2'], 'op6', '71cb11492d755efd5c766a6984db3dd2'],
    ] as const) {
      await a.manage(`i b t ${type} n ${type} l ${type} ip ${ip[0]}`);
      await b.manage(`i b t ${type} n ${type} l ${type} ip ${ip[1]}`);
      const logged = [since(a), since(b)];
      await serve(b, name, type);
      expect(logged[1]?.()).toMatch(
        new RegExp(`Registered ${name} with IPCP \\d+ as ${hash.slice(0, 8)}\\.`),
      );
      await a.manage(`n c ${name}`);
      expect(await ping(a, name)).toBe('Failed to allocate flow: -1003.');
      expect(logged[0]?.()).toMatch(new RegExp(`ipcpd/${type}\\(EE\\): Could not resolve ${hash}`));
      hosts[0]?.set({ [hash]: [ip[1]] });
      expect(await ping(a, name)).toBe('received');
      // S29: of two layers of the kind udp4 is asked first.
      if (type === 'udp6')
        expect(logged[0]?.()).toMatch(new RegExp(`udp4\\(EE\\): Could not resolve ${hash}`));
    }
    await b.manage('n r op6 l udp4');
    hosts[0]?.set({ '71cb11492d755efd5c766a6984db3dd2': ['10.9.0.2', 'fd00::2'] });
    // The first time the resolver may keep udp4 waiting longer than it is waited for; then both know.
    await until('the layer that comes first to be used', async () => {
      const client = a.spawn(program('oping'), ['-n', 'op6', '-c', '100000', '-i', '20']);
      await until('a reply', () => client.stdout.includes('seq=2'));
      const { flows } = await a.managed((irmd) => irmd.snapshot());
      await client.kill('SIGINT');
      const layers = flows.filter(({ name }) => name === 'op6').map(({ layer }) => layer);
      return layers.join(' ') === 'udp4';
    });
  });

  test('S30 unicast over Ethernet', async () => {
    await freshPair();
    await both([a, b], 'i b t eth-dix n eth0 l lan dev eth0');
    const logged = [since(a), since(b)];
    await a.manage('i b t unicast n ua l net autobind');
    for (const text of [
      /Created new name: ua\.\n[^]*Bound process \d+ to name ua\.\n[^]*Created new name: net\.\n/,
      /Bound process \d+ to name net\.\n[^]*IPCP got address \d+\.\n[^]*Finished bootstrapping in net\.\n/,
    ]) {
      expect(logged[0]?.()).toMatch(text);
    }
    // Nobody has registered the layer's name yet.
    expect(await b.irm('i e n ub l net autobind')).toMatchObject({
      status: 1,
      stdout: 'Failed to enroll IPCP.\n',
    });
    await a.manage('n r ua l lan');
    await a.manage('n r net l lan');
    // The enrolling host needs no names.
    await b.manage('i e n ub l net autobind');
    for (const text of [
      'Enrolling with net...',
      'Requesting enrollment.',
      'Enrolled with net.',
      'in layer net.',
      'to name ub.',
      'to name net.',
    ]) {
      expect(logged[1]?.()).toContain(text);
    }
    for (const each of logged) {
      expect(each()).toMatch(
        /directory\(II\): Using DHT policy\.\n[^]*dht\(II\): DHT initialized\.\n[^]* {2}parameters: alpha=3, k=8, t_exp=86400, t_refr=900, t_replicate=900\.\n/,
      );
    }
    await until('the enrolment to end at A', () =>
      /enrollment\(II\): Enrollment flow \d+ closed\.\n/.test(logged[0]?.() ?? ''),
    );
    // By descriptors: an attempt whose answer was late has others than the one that succeeds.
    const handled = (component: string, between = ''): RegExp =>
      new RegExp(
        `connection-manager\\(II\\): Handling incoming flow (\\d+)\\.\\n[^]*` +
          `connection-manager\\(II\\): Request to connect to ${component}\\.\\n[^]*${between}` +
          `connection-manager\\(II\\): Finished handling incoming flow \\1 for ${component}\\.\\n`,
      );
    expect(logged[0]?.()).toMatch(
      handled('Enrollment', 'enrollment\\(II\\): Incoming enrollment connection on flow \\1\\.\\n[^]*'),
    );
    expect(logged[0]?.()).toMatch(
      /enrollment\(II\): \[([0-9a-f]{16})\] Handling incoming enrollment\.\n[^]*enrollment\(II\): \[\1\] Enrollment completed\.\n/,
    );
    for (const text of ['Requesting enrollment.', 'Enrolled with net.']) {
      expect(logged[1]?.()).toMatch(new RegExp(`unicast-ipcp\\(II\\): \\[[0-9a-f]{16}\\] ${text}\\n`));
    }
    const connecting = since(a);
    await b.manage('i co n ub d ua c mgmt');
    await b.manage('i co n ub d ua c dt');
    for (const what of ['Management', 'Data Transfer']) {
      await until(`the ${what} connection at A`, () => handled(what).test(connecting()));
    }
    for (const what of ['Management', 'Data Transfer']) {
      expect(logged[1]?.()).toMatch(
        new RegExp(`Established ${what} connection between IPCP \\d+ and ua\\.\\n`),
      );
    }
    await serve(a, 'op-a', 'net');
    for (const qos of ['raw', 'best', 'video', 'voice', 'data']) {
      expect(await ping(b, 'op-a', '-q', qos), qos).toBe('received');
    }
    const { lsdb } = (await b.metrics('ub', 'lsdb')) as { lsdb: readonly object[] };
    expect(lsdb).toHaveLength(2);
    const other = await b.irm('i e n ub2 d ua l foo');
    expect(other).toMatchObject({
      status: 1,
      stdout: 'Enrollment destination does not match requested layer.\n',
    });
    for (const component of ['mgmt', 'dt', 'dt']) await b.manage(`i di n ub d ua c ${component}`);
    // Connected again, it serves again.
    await b.manage('i co n ub d ua');
    await until('the name to be found', async () => (await ping(b, 'op-a')) === 'received');
  });

  test('S31 unicast over UDP', async () => {
    await freshPair();
    hosts[1]?.set({ [hostNameOf('ua')]: ['10.9.0.1'], [hostNameOf('net')]: ['10.9.0.1'] });
    for (const [index, node] of [a, b].entries())
      await node.manage(`i b t udp4 n u l ulay ip 10.9.0.${index + 1}`);
    await a.manage('i b t unicast n ua l net autobind');
    await a.manage('n r ua l ulay');
    await a.manage('n r net l ulay');
    await b.manage('i e n ub l net autobind');
    await b.manage('i co n ub d ua');
    await serve(a, 'op', 'net');
    await until('the name to be found', async () => (await ping(b, 'op')) === 'received');
  });

  test.each(['shared', 'process'] as const)('S32 recovery of a member, ipcpd %s', async (mode) => {
    await freshPair(mode);
    await both([a, b], 'i b t eth-dix n eth0 l lan dev eth0');
    await a.manage('i b t unicast n ua l net autobind');
    await a.manage('n r ua l lan');
    await b.manage('i e n ub d ua autobind');
    await b.manage('i co n ub d ua');
    await serve(a, 'op', 'net');
    await until('the name to be found', async () => (await ping(b, 'op')) === 'received');
    for (let round = 0; round < 2; round += 1) {
      await b.killIpcp('ub', mode);
      await until('the IPCP to be gone', async () => !(await b.manage('i l')).includes(' ub '));
      expect(await b.manage('i l')).toContain(' eth0 ');
      await b.manage('i e n ub d ua autobind');
      await b.manage('i co n ub d ua');
      await until('the name to be found', async () => (await ping(b, 'op')) === 'received', 30_000);
    }
    // The other end of a flow is told when an IPCP is destroyed, and not when it is killed.
    await serve(a, 'direct', 'lan');
    await b.manage('n c direct');
    const releases = async (): Promise<number> => (await a.counters('eth0'))['releasedByPeer'] ?? 0;
    const client = b.spawn(program('oping'), ['-n', 'direct', '-c', '100000', '-i', '20']);
    await until('a reply', () => client.stdout.includes('seq=2'));
    const before = await releases();
    await b.killIpcp('eth0', mode);
    await client.finished;
    await until('the IPCP to be gone', async () => !(await b.manage('i l')).includes(' eth0 '));
    expect(await releases()).toBe(before);
  });
});

test('S35 unicast with a router between', async () => {
  await using stack = new AsyncDisposableStack();
  const spaceA = stack.use(await Namespace.make());
  const spaceR = stack.use(await Namespace.make(spaceA));
  const spaceB = stack.use(await Namespace.make(spaceA));
  await joinByVeth(spaceA, spaceR, mtu);
  await joinByVeth(spaceR, spaceB, mtu, ['eth1', 'eth0']);
  const [a, r, b] = await Promise.all(
    [spaceA, spaceR, spaceB].map(async ({ launch }) => stack.use(await TestNode.start(launch))),
  );
  if (a === undefined || r === undefined || b === undefined) throw new Error('three nodes were to start');
  await a.manage('i b t eth-dix n e0 l lan1 dev eth0');
  await a.manage('i b t unicast n ua l net autobind');
  await a.manage('n r ua l lan1');
  await r.manage('i b t eth-dix n e0 l lan1 dev eth0');
  await r.manage('i b t eth-dix n e1 l lan2 dev eth1');
  await r.manage('i e n ur d ua autobind');
  await r.manage('i co n ur d ua');
  await r.manage('n r ur l lan2');
  await b.manage('i b t eth-dix n e0 l lan2 dev eth0');
  await b.manage('i e n ub d ur l net autobind');
  await b.manage('i co n ub d ur');
  const far = await b.serve('far', '-Q');
  await b.manage('n r far l net');
  await until('the name to be found', async () => (await ping(a, 'far')) === 'received');
  const { lsdb } = (await a.metrics('ua', 'lsdb')) as { lsdb: readonly object[] };
  expect(lsdb).toHaveLength(4);
  await far.kill('SIGTERM');
});
