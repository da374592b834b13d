/** Each link layer with whole daemons over a cable; IPCPs in one process, and in one each. */
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type Flow, O7sError, rawQos, type Session } from '../../runtime/lib/index.ts';
import { openSession, sessionsEnded } from '../support/application.ts';
import { program, type Running } from '../support/command.ts';
import { addresses, bootstrapWords, LinkNet } from '../support/link-net.ts';
import { linkKinds } from '../support/link-rig.ts';
import { namespacesMissing } from '../support/namespaces.ts';
import type { TestNode } from '../support/node.ts';
import { until } from '../support/until.ts';

const missing = namespacesMissing();
const cases = linkKinds.flatMap((kind) =>
  (['shared', 'process'] as const).map((mode) => [kind, mode] as const),
);

/** An address is used at once, without looking whether others have it. */
const nodad = (kind: string): string[] => (kind === 'udp6' ? ['nodad'] : []);

/** A session with a node that ends, and is seen to end, with the test. */
async function sessionOf(node: TestNode): Promise<Session> {
  const session = await openSession(node);
  onTestFinished(async () => {
    session[Symbol.dispose]();
    await sessionsEnded(node);
  });
  return session;
}

describe.each(cases)('%s, ipcpd %s', (kind, mode) => {
  let net: LinkNet;
  let server: Running;

  beforeEach(({ skip }) => skip(missing !== undefined, missing));
  beforeAll(async () => {
    if (missing !== undefined) return;
    net = await LinkNet.start(mode);
    await net.join(kind, ['ping.b', 'svc']);
    server = await net.b.serve('ping.b', '-Q');
    await net.b.manage('name register ping.b layer lan');
    await net.b.manage('name create svc');
    await net.b.manage('name register svc layer lan');
  });
  afterAll(async () => {
    if (missing !== undefined) return;
    const ended = await Promise.all([net.a, net.b].map((node) => node.stop()));
    const left = [net.a, net.b].map((node) => [node.files(), node.processes()]);
    await net[Symbol.asyncDispose]();
    expect(ended.map(({ status }) => status)).toEqual([0, 0]);
    expect(left).toEqual([
      [[], []],
      [[], []],
    ]);
  });

  /** A flow from `a` to the test itself at `b`. */
  async function open(timeout = rawQos.timeout): Promise<{ client: Flow; served: Flow }> {
    const [atA, atB] = [await sessionOf(net.a), await sessionOf(net.b)];
    await net.b.manage(`bind process ${atB.pid} name svc`);
    const [client, served] = await Promise.all([
      atA.allocFlow('svc', { qos: { ...rawQos, timeout }, timeout: 10_000 }),
      atB.acceptFlow({ timeout: 10_000 }),
    ]);
    return { client, served };
  }

  test('pings', async () => {
    const { status, stdout } = await net.a.oping('-n', 'ping.b', '-c', '3', '-i', '10');
    expect(stdout).toContain('3 packets transmitted, 3 received, 0 out-of-order, 0% packet loss');
    expect(status).toBe(0);
  });

  test('1400 bytes', async () => {
    const { stdout } = await net.a.oping('-n', 'ping.b', '-c', '10', '-i', '5', '-s', '1400');
    expect(stdout).toContain('1400 bytes from ping.b: seq=9 ');
    expect(stdout).toContain('10 packets transmitted, 10 received');
  });

  test('flows at once, and as fast as it goes', async () => {
    const parallel = await Promise.all(
      Array.from({ length: 8 }, () => net.a.oping('-n', 'ping.b', '-c', '20', '-i', '5', '-Q')),
    );
    for (const { stdout } of parallel) expect(stdout).toContain('20 packets transmitted, 20 received');
    const flood = await net.a.oping('-n', 'ping.b', '-c', '1000', '-f', '-Q');
    expect(flood.stdout).toContain('1000 packets transmitted, 1000 received');
  });

  test('the longest message arrives whole', async () => {
    const { client, served } = await open();
    const message = Buffer.alloc(client.maxMessageBytes, 'z');
    await client.write(message);
    expect(await served.read({ timeout: 10_000 })).toEqual(message);
    await expect(client.write(Buffer.alloc(message.length + 1))).rejects.toMatchObject({ code: 'EMSGSIZE' });
  });

  test('a server that starts anew is found', async () => {
    await server.kill('SIGKILL');
    await net.b.processGone(server.pid);
    const without = await net.a.oping('-n', 'ping.b', '-c', '1');
    expect([without.status, without.stdout]).toEqual([1, 'Failed to allocate flow: -1003.\n']);
    server = await net.b.serve('ping.b', '-Q');
    const { stdout } = await net.a.oping('-n', 'ping.b', '-c', '2', '-i', '5');
    expect(stdout).toContain('2 packets transmitted, 2 received');
  });

  test('a name that nobody has', async () => {
    const { status, stdout } = await net.a.oping('-n', 'nobody', '-c', '1');
    expect([status, stdout]).toEqual([1, 'Failed to allocate flow: -1007.\n']);
  });

  test('a flow that is idle lives by keepalives, and dies without them', async () => {
    const { client, served } = await open(800);
    const before = (await net.b.counters('e0'))['keepalivesIn'] ?? 0;
    // At four in a timeout, twelve are three timeouts.
    await until('keepalives', async () => ((await net.b.counters('e0'))['keepalivesIn'] ?? 0) >= before + 12);
    await client.write(Buffer.from('still here'));
    expect(String(await served.read({ timeout: 10_000 }))).toBe('still here');
    const dataPlanes = net.a.processes().filter(({ command }) => command.includes('ipcpd'));
    for (const { pid } of dataPlanes) process.kill(pid, 'SIGSTOP');
    try {
      await expect(served.read({ timeout: 10_000 })).rejects.toMatchObject({ code: 'EFLOWPEER' });
    } finally {
      for (const { pid } of dataPlanes) process.kill(pid, 'SIGCONT');
    }
  });

  test.each(['closes', 'exits', 'is killed'])(
    'a client that %s is seen by the server at once',
    async (how) => {
      if (how === 'closes') {
        const { served, client } = await open();
        await client.close();
        // The flow's own timeout is two minutes.
        await expect(served.read({ timeout: 10_000 })).rejects.toMatchObject({ code: 'EFLOWDOWN' });
        expect(served.released).toBe(true);
        return;
      }
      const atB = await sessionOf(net.b);
      await net.b.manage(`bind process ${atB.pid} name svc`);
      const pinging = net.a.spawn(program('oping'), ['-n', 'svc', '-i', '10', '-c', '100000']);
      const flow = await atB.acceptFlow({ timeout: 10_000 });
      await flow.read({ timeout: 10_000 });
      await pinging.kill(how === 'exits' ? 'SIGINT' : 'SIGKILL');
      await expect(
        (async () => {
          for (;;) await flow.read({ timeout: 10_000 });
        })(),
      ).rejects.toMatchObject({ code: 'EFLOWDOWN' });
    },
  );

  test('flows one after another, more than one for each endpoint id', async () => {
    const [atA, atB] = [await sessionOf(net.a), await sessionOf(net.b)];
    await net.b.manage(`bind process ${atB.pid} name svc`);
    // eth-llc has 62, and every flow takes one at each end.
    for (let round = 0; round < 200; round += 1) {
      const [client, served] = await Promise.all([
        atA.allocFlow('svc', { timeout: 10_000 }),
        atB.acceptFlow({ timeout: 10_000 }),
      ]);
      await client.write(Buffer.from(`${round}`));
      expect(String(await served.read({ timeout: 10_000 }))).toBe(`${round}`);
      // Either end may be the first.
      await (round % 2 === 0 ? client : served).close();
      await (round % 2 === 0 ? served : client).close();
    }
    expect((await net.a.counters('e0'))['droppedUnexpectedRelease']).toBe(0);
  });

  test('a server that closes is seen by the client at once', async () => {
    const { served, client } = await open();
    await served.write(Buffer.from('last words'));
    await served.close();
    expect(String(await client.read({ timeout: 10_000 }))).toBe('last words');
    await expect(client.read({ timeout: 10_000 })).rejects.toMatchObject({ code: 'EFLOWDOWN' });
  });

  test.each(['a', 'b'] as const)('a flow goes on when the device of %s was down', async (end) => {
    const { client, served } = await open();
    const [own, other] = end === 'a' ? [client, served] : [served, client];
    const ip = async (...words: string[]): Promise<string> => net.pair[end].run('ip', ...words);
    await ip('link', 'set', 'eth0', 'down');
    // The device at the other end of the cable has lost its carrier.
    await until('the flow to go down at both ends', () => !own.up && !other.up);
    for (const flow of [own, other]) {
      await expect(flow.read({ timeout: 10_000 })).rejects.toMatchObject({ code: 'EFLOWDOWN' });
      expect(flow.released).toBe(false);
    }
    await ip('link', 'set', 'eth0', 'up');
    const lost = addresses[end].udp6;
    if (!(await ip('-6', 'addr', 'show', 'dev', 'eth0')).includes(lost)) {
      // A device that is down loses its IPv6 addresses.
      if (kind === 'udp6') expect(own.up).toBe(false);
      await ip('addr', 'add', `${lost}/64`, 'dev', 'eth0', 'nodad');
    }
    for (const flow of [own, other]) await flow.untilUp({ timeout: 10_000 });
    // Until the cable has a carrier again, what is sent is lost.
    for (const [from, to] of [
      [own, other],
      [other, own],
    ] as const) {
      await until('a message', async () => {
        await from.write(Buffer.from('again'));
        return to.read({ timeout: 20 }).then(String, () => false);
      });
    }
    const { stdout } = await net.a.oping('-n', 'ping.b', '-c', '1', '-i', '1');
    expect(stdout).toContain('1 received');
  });

  if (kind.startsWith('udp')) {
    test('a flow is down while the address of its layer is gone, and no other', async () => {
      const { client, served } = await open();
      const [own, prefix] = [addresses.b[kind as 'udp4' | 'udp6'], kind === 'udp4' ? 24 : 64];
      const ip = async (...words: string[]): Promise<string> => net.pair.b.run('ip', ...words);
      await ip('addr', 'del', `${own}/${prefix}`, 'dev', 'eth0');
      await until('the flow to go down', () => !served.up);
      expect(client.up).toBe(true);
      // Another address and another device are none of its business.
      await ip('addr', 'add', kind === 'udp4' ? '10.7.0.1/24' : 'fd07::1/64', 'dev', 'eth0', ...nodad(kind));
      await ip('link', 'add', 'other', 'type', 'veth', 'peer', 'name', 'else');
      await ip('link', 'set', 'other', 'up');
      expect(served.up).toBe(false);
      await ip('addr', 'add', `${own}/${prefix}`, 'dev', 'eth0', ...nodad(kind));
      await served.untilUp({ timeout: 10_000 });
      await ip('link', 'set', 'other', 'down');
      await ip('link', 'del', 'other');
      await until('a message', async () => {
        await client.write(Buffer.from('again'));
        return served.read({ timeout: 20 }).then(String, () => false);
      });
      expect(served.up).toBe(true);
    });
  }

  if (mode === 'process') {
    test('an IPCP whose process is killed takes no other along', async () => {
      await net.a.manage('ipcp bootstrap type eth-dix name e1 layer other dev eth0 ethertype B111');
      await net.a.manage('ipcp bootstrap type local name l0 layer here');
      const list = await net.a.manage('ipcp list');
      const pid = Number(/\|\s+(\d+) \|\s+e1 \|/.exec(list)?.[1]);
      const { client, served } = await open();
      process.kill(pid, 'SIGKILL');
      await net.a.logged(`ipcpd ${pid} ended with SIGKILL`);
      expect(await net.a.manage('ipcp list')).not.toContain(' e1 ');
      await client.write(Buffer.from('x'));
      expect(String(await served.read({ timeout: 10_000 }))).toBe('x');
      // Its device is free for another.
      await net.a.manage('ipcp bootstrap type eth-dix name e1 layer other dev eth0 ethertype B111');
      for (const name of ['e1', 'l0']) await net.a.manage(`ipcp destroy name ${name}`);
      expect(net.a.processes().filter(({ command }) => command.includes('ipcpd'))).toHaveLength(1);
    });
  }
});

/** Every option of each kind that is not what it is by default, and the longest message on a cable of MTU 9000. */
const configured = [
  ['eth-dix', 'ethertype B123 hash SHA3_512', 8996],
  ['eth-llc', 'hash SHA3_224', 1497],
  ['udp4', 'port 4000 hash SHA3_384', 8976],
  ['udp6', 'port 4000', 8948],
] as const;

describe.each(configured)('%s with %s and jumbo frames', (kind, words, longest) => {
  let net: LinkNet;

  beforeEach(({ skip }) => skip(missing !== undefined, missing));
  beforeAll(async () => {
    if (missing !== undefined) return;
    net = await LinkNet.start('shared', 9000);
    await net.join(kind, ['svc'], words);
  });
  afterAll(async () => net?.[Symbol.asyncDispose]());

  test(`a flow carries ${longest} bytes, both ways`, async () => {
    const [atA, atB] = [await sessionOf(net.a), await sessionOf(net.b)];
    await net.b.manage(`bind process ${atB.pid} name svc`);
    await net.b.manage('name register svc layer lan');
    const [client, served] = await Promise.all([
      atA.allocFlow('svc', { timeout: 10_000 }),
      atB.acceptFlow({ timeout: 10_000 }),
    ]);
    expect([client.maxMessageBytes, served.maxMessageBytes]).toEqual([longest, longest]);
    for (const [from, to] of [
      [client, served],
      [served, client],
    ] as const) {
      const message = Buffer.alloc(longest, 'z');
      await from.write(message);
      expect(await to.read({ timeout: 10_000 })).toEqual(message);
    }
  });

  test('nobody of the same kind without these options is in the layer', async () => {
    await net.a.manage('ipcp destroy name e0');
    await net.a.manage(bootstrapWords(kind, 'a'));
    const session = await sessionOf(net.a);
    await expect(session.allocFlow('svc', { timeout: 3000 })).rejects.toThrow(O7sError);
  });
});
