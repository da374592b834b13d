/**
 * Unicast and broadcast IPCPs of one node: the commands that make, join and connect them, with every case of
 * irmd-and-irm.md 11.6 to 11.8, what irmd tells of them, and what applications get from their layers. The IPCPs reach
 * each other over direct flows and over a local layer, in one process and in one each.
 */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { IrmChange, IrmSnapshot, Session } from '../../runtime/lib/index.ts';
import { openSession, sessionsEnded } from '../support/application.ts';
import { type Finished, program } from '../support/command.ts';
import { TestNode } from '../support/node.ts';
import { until } from '../support/until.ts';

const silent = { status: 0, stdout: '', stderr: '' };
const usage = expect.stringMatching(/^Usage: irm ipcp /) as unknown;
const code = (name: string): unknown => expect.objectContaining({ name: 'O7sError', code: name });

async function startNode(mode: 'shared' | 'process' = 'shared'): Promise<TestNode> {
  const node = TestNode.empty();
  await node.startIrmd('--ipcpd', mode);
  return node;
}

/** Whether an IPCP serves a name: it cannot be bound to it again. */
async function serves(node: TestNode, ipcp: string, name: string): Promise<boolean> {
  if ((await node.irm(`bind ipcp ${ipcp} name ${name}`)).status !== 0) return true;
  await node.manage(`unbind ipcp ${ipcp} name ${name}`);
  return false;
}

async function layersOf(node: TestNode): Promise<Record<string, string | null>> {
  const ipcps = await node.managed((irmd) => irmd.listIpcps());
  return Object.fromEntries(ipcps.map(({ name, layer }) => [name, layer]));
}

async function destroyAll(node: TestNode): Promise<void> {
  await node.managed(async (irmd) => {
    for (const { pid } of await irmd.listIpcps()) await irmd.destroyIpcp(pid);
  });
}

describe('what the commands say', () => {
  let node: TestNode;
  beforeAll(async () => {
    node = await startNode();
    await node.manage('ipcp bootstrap type unicast name a layer net autobind');
    await node.manage('ipcp bootstrap type broadcast name all layer news autobind');
  });
  afterAll(() => node[Symbol.asyncDispose]());

  const refused = (stdout: string, stderr: string | RegExp): object => ({
    status: 1,
    stdout,
    stderr: typeof stderr === 'string' ? stderr : (expect.stringMatching(stderr) as unknown),
  });
  const notEnrolled = 'Failed to enroll IPCP.\n';

  test.each<readonly [string, object]>([
    // bootstrap
    ['bootstrap type unicast name x', { status: 1, stdout: usage }],
    ['bootstrap type unicast layer net', { status: 1, stdout: usage }],
    ['bootstrap type uni-cast name x layer net', { status: 1, stdout: usage }],
    ['bootstrap type unicast name x layer net ttl', { status: 1, stdout: usage }],
    ['bootstrap type unicast name x layer net foo 1', refused('Unknown option: "foo".\n', '')],
    ['bootstrap t u n x l net h MD5', refused('Unknown parameter for h: "MD5".\n', '')],
    ['bootstrap t u n x l net addr_auth none', refused('Unknown parameter for addr_auth: "none".\n', '')],
    ['bootstrap t u n x l net dir dht', refused('Unknown parameter for dir: "dht".\n', '')],
    ['bootstrap t u n x l net rout static', refused('Unknown parameter for rout: "static".\n', '')],
    ['bootstrap t u n x l net cong ecn', refused('Unknown parameter for cong: "ecn".\n', '')],
    ['bootstrap t u n x l net ttl many', refused('Unknown parameter for ttl: "many".\n', '')],
    ['bootstrap t u n x l net ls_t_update -1', refused('Unknown parameter for ls_t_update: "-1".\n', '')],
    ['bootstrap t u n x l net fd 3', refused('Unknown parameter for fd: "3".\n', '')],
    ['bootstrap t u n x l net a 8', refused(expect.stringMatching(/^Cannot use 8 byte addresses/), '')],
    ['bootstrap name nobody layer net', refused('No IPCPs matching nobody found.\n\n', '')],
    ['bootstrap type broadcast name a layer net', refused('Types do not match.\n\n', '')],
    ['bootstrap type unicast name all layer net', refused('Types do not match.\n\n', '')],
    ['bootstrap name a layer other', refused('', /^irm: IPCP \d+ is in a layer already; /)],
    // enroll
    ['enroll', { status: 1, stdout: usage }],
    ['enroll name x', { status: 1, stdout: usage }],
    ['enroll layer net', { status: 1, stdout: usage }],
    ['enroll name x dst', { status: 1, stdout: usage }],
    ['enroll name x layer net foo y', refused('"foo" is unknown, try "irm enroll_ipcp".\n', '')],
    ['enroll name x type local dst a', refused('', 'irm: an IPCP of type local does not enrol\n')],
    ['enroll name x type uni dst a', refused('', 'irm: an IPCP of type uni does not enrol\n')],
    ['enroll name x dst nobody', refused(notEnrolled, /^irm: nobody is not known here/)],
    ['enroll name x layer nobody', refused(notEnrolled, /^irm: nobody is not known here/)],
    ['enroll name a dst all', refused(notEnrolled, /^irm: IPCP \d+ is in a layer already; /)],
    [
      'enroll name x dst all',
      refused(notEnrolled, 'irm: all refused the enrolment: layer news is a broadcast layer\n'),
    ],
    [
      'enroll name y type broadcast dst a',
      refused(notEnrolled, 'irm: a refused the enrolment: layer net is a unicast layer\n'),
    ],
    [
      'enroll name x dst a layer foo',
      refused(
        'Enrollment destination does not match requested layer.\n',
        'irm: a refused the enrolment: this is layer net, not foo\n',
      ),
    ],
    // connect
    ['connect', { status: 1, stdout: usage }],
    ['connect name a', { status: 1, stdout: usage }],
    ['connect dst a', { status: 1, stdout: usage }],
    ['connect name a dst b component', { status: 1, stdout: usage }],
    ['connect name a dst b foo x', refused('"foo" is unknown, try "irm ipcp connect".\n', '')],
    ['connect name nobody dst a', refused('', 'irm: there is no IPCP nobody\n')],
    ['connect name a dst nobody', refused('', /^irm: nobody is not known here/)],
    ['connect name x dst a', refused('', /^irm: IPCP \d+ is not in a layer; /)],
    ['connect name low dst a', refused('', /^irm: IPCP low is of type local, which has no connections\n$/)],
    ['connect name a dst nobody component x', silent],
    ['connect name all dst nobody', refused('', /^irm: No such component: Management; /)],
    [
      'connect name a dst nobody component x qos fast',
      { ...silent, stdout: 'Unknown QoS cube, defaulting to raw.\n' },
    ],
    [
      'connect name a dst all component mgmt',
      refused('', 'irm: the peer has no component Management, or refuses this one\n'),
    ],
    [
      'connect name a dst all component dt',
      refused('', 'irm: the peer speaks "" version 0 syntax 0 for Data Transfer\n'),
    ],
    // disconnect
    ['disconnect', { status: 1, stdout: usage }],
    ['disconnect name a', { status: 1, stdout: usage }],
    ['disconnect name a dst b foo x', refused('"foo" is unknown, try "irm ipcp connect".\n', '')],
    ['disconnect name nobody dst a', refused('', 'irm: there is no IPCP nobody\n')],
    [
      'disconnect name low dst a',
      refused('', /^irm: IPCP low is of type local, which has no connections\n$/),
    ],
    ['disconnect name a dst nobody', silent],
    ['disconnect name a dst nobody component dt', silent],
    ['disconnect name a dst nobody component x', silent],
  ])('irm ipcp %s', async (words, result) => {
    if (words.includes('low')) await node.irm('ipcp create type local name low');
    expect(await node.irm(`ipcp ${words}`)).toMatchObject(result);
  });

  test('what a failed command has created stays, in no layer', async () => {
    await node.irm('ipcp enroll name left dst nobody');
    expect(await layersOf(node)).toMatchObject({ a: 'net', left: null });
    const { stdout } = await node.irm('ipcp list name left');
    expect(stdout).toMatch(/\| +left \| +unicast \| +Not enrolled\. \|/);
    // And joins once it can.
    expect(await node.irm('ipcp enroll name left dst a')).toMatchObject(silent);
    expect(await layersOf(node)).toMatchObject({ left: 'net' });
  });
});

describe('bootstrap', () => {
  let node: TestNode;
  beforeAll(async () => {
    node = await startNode();
  });
  afterAll(() => node[Symbol.asyncDispose]());

  test('without options makes the layer of the manual', async () => {
    await node.manage('ipcp bootstrap type unicast name a layer net');
    onTestFinished(() => destroyAll(node));
    expect(await node.metrics('a', 'settings', 'hash', 'maxMessageBytes')).toEqual({
      hash: 'SHA3_256',
      maxMessageBytes: 1481,
      settings: {
        eidSize: 8,
        maxTtl: 60,
        routing: 'link_state',
        lsRecalc: 4,
        lsUpdate: 15,
        lsTimeout: 60,
        dhtAlpha: 3,
        dhtK: 8,
        dhtExpire: 86_400,
        dhtRefresh: 900,
        dhtReplicate: 900,
        congestion: 'mb-ecn',
      },
    });
    expect(await serves(node, 'a', 'a')).toBe(false);
  });

  test('takes every option, shortened as the manual has it, and hands it to who enrols', async () => {
    const words = [
      'ipcp b t u n a l net h SHA3_512 addr 4 ei 4 tt 7 addr_ flat di DHT dht_a 2 dht_k 4',
      'dht_t_e 600 dht_t_ref 60 dht_t_rep 30 r ecmp ls_t_t 9 ls_t_u 3 ls_t_r 1 c none au',
    ];
    const made = await node.irm(words.join(' '));
    onTestFinished(() => destroyAll(node));
    expect(made).toMatchObject({
      ...silent,
      stderr: 'irm: endpoint ids have 8 bytes here; eid is ignored\n',
    });
    await node.manage('ipcp enroll name b dst a');
    const settings = {
      eidSize: 4,
      maxTtl: 7,
      routing: 'ecmp',
      lsRecalc: 1,
      lsUpdate: 3,
      lsTimeout: 9,
      dhtAlpha: 2,
      dhtK: 4,
      dhtExpire: 600,
      dhtRefresh: 60,
      dhtReplicate: 30,
      congestion: 'none',
    };
    for (const name of ['a', 'b']) {
      expect(await node.metrics(name, 'settings', 'hash')).toEqual({ hash: 'SHA3_512', settings });
    }
  });

  test.each([
    ['fd 4', 'endpoint ids have 8 bytes here; fd is ignored'],
    ['eid 2', 'endpoint ids have 8 bytes here; eid is ignored'],
  ])('with %s says what is done otherwise', async (words, said) => {
    expect(await node.irm(`ipcp bootstrap type unicast name a layer net ${words}`)).toMatchObject({
      ...silent,
      stderr: `irm: ${said}\n`,
    });
    await destroyAll(node);
  });

  test('of a broadcast layer ignores a hash, and says so', async () => {
    expect(await node.irm('ipcp bootstrap type broadcast name a layer net hash SHA3_512')).toMatchObject({
      ...silent,
      stderr: 'irm: a broadcast layer always uses SHA3_256; hash is ignored\n',
    });
    await destroyAll(node);
  });

  test('with autobind has the IPCP serve its name and that of the layer', async () => {
    await node.manage('ipcp bootstrap type unicast name a layer net autobind');
    onTestFinished(() => destroyAll(node));
    expect([await serves(node, 'a', 'a'), await serves(node, 'a', 'net')]).toEqual([true, true]);
    expect(await node.manage('name list')).toMatch(/\| +a \|.*\n\| +net \|/);
  });

  test('that fails takes autobind back; the names stay, and it can be done again', async () => {
    const failing = await node.irm('ipcp bootstrap type unicast name a layer net autobind ls_t_timeo 10');
    onTestFinished(() => destroyAll(node));
    expect(failing).toMatchObject({ status: 1, stdout: '' });
    expect(failing.stderr).toBe(
      'irm: links that are announced every 15 s would age out after 10 s; set ls_t_timeo at least 2 s above ls_t_update\n',
    );
    expect([await serves(node, 'a', 'a'), await serves(node, 'a', 'net')]).toEqual([false, false]);
    expect(await node.manage('name list')).toMatch(/\| +net \|/);
    expect(await node.irm('ipcp bootstrap name a layer net autobind')).toMatchObject(silent);
    expect(await serves(node, 'a', 'net')).toBe(true);
    // One that is in a layer already serves what it did before.
    expect(await node.irm('ipcp bootstrap name a layer other autobind')).toMatchObject({ status: 1 });
    expect([await serves(node, 'a', 'a'), await serves(node, 'a', 'other')]).toEqual([true, false]);
  });

  test('of several IPCPs by a pattern bootstraps each', async () => {
    for (const name of ['m1', 'm2']) await node.manage(`ipcp create type unicast name ${name}`);
    onTestFinished(() => destroyAll(node));
    await node.manage('ipcp bootstrap name m* layer net');
    expect(await layersOf(node)).toEqual({ m1: 'net', m2: 'net' });
  });
});

describe.each(['shared', 'process'] as const)('ipcpd %s', (mode) => {
  describe.each(['direct flows', 'a local layer'] as const)('three IPCPs over %s', (over) => {
    let node: TestNode;
    beforeAll(async () => {
      node = await startNode(mode);
      await node.manage('ipcp bootstrap type unicast name a layer net autobind');
      if (over === 'a local layer') {
        await node.manage('ipcp bootstrap type local name low layer low');
        await node.manage('name register a layer low');
        // What a layer brings and what a process of the node serves is found in this order: take the second away.
        for (const name of ['a', 'net']) await node.manage(`unbind ipcp a name ${name}`);
        await node.manage('bind ipcp a name a');
      }
    });
    afterAll(() => node[Symbol.asyncDispose]());

    const routes = async (ipcp: string): Promise<number> =>
      ((await node.metrics(ipcp, 'routes'))['routes'] as readonly unknown[]).length;
    const connections = async (ipcp: string): Promise<string[]> => {
      const { connections: open } = (await node.metrics(ipcp, 'connections')) as {
        connections: { component: string; destination: string | null; up: boolean }[];
      };
      return open.map((each) => `${each.component} ${each.destination ?? '-'} ${each.up ? 'up' : 'down'}`);
    };

    test('enrol, are connected, and reach each other', async () => {
      expect(await node.irm('ipcp enroll name b dst a layer net autobind')).toMatchObject(silent);
      expect(await node.irm('ipcp enroll name c dst b')).toMatchObject(silent);
      expect([await serves(node, 'b', 'b'), await serves(node, 'c', 'c')]).toEqual([true, false]);
      expect(await node.irm('ipcp connect name b dst a')).toMatchObject(silent);
      expect(await node.irm('ipcp connect name c dst b component mgmt')).toMatchObject(silent);
      expect(await node.irm('ipcp connect name c dst b component dt qos raw')).toMatchObject(silent);
      await until('all to know all', async () => (await routes('a')) + (await routes('c')) === 4);
      expect(await connections('c')).toEqual(['Management b up', 'Data Transfer b up']);
      expect(await connections('a')).toEqual(['Management - up', 'Data Transfer - up']);
    });

    test('take only raw flows for data transfer; management is raw whatever is said', async () => {
      expect(await node.irm('ipcp connect name c dst a component mgmt qos data')).toMatchObject(silent);
      for (const qos of ['best', 'voice', 'video', 'data']) {
        expect(await node.irm(`ipcp connect name c dst a component dt qos ${qos}`)).toMatchObject({
          status: 1,
          stdout: '',
          stderr: 'irm: data transfer runs over raw flows only; use qos raw\n',
        });
      }
      expect(await connections('c')).toEqual(['Management b up', 'Data Transfer b up', 'Management a up']);
      await node.manage('ipcp disconnect name c dst a');
    });

    test('lose a route with data transfer, and have it again; management comes and goes without it', async () => {
      await node.manage('ipcp disconnect name c dst b component dt');
      await until('the route to go', async () => (await routes('c')) === 0 && (await routes('a')) === 1);
      expect(await connections('c')).toEqual(['Management b up']);
      await node.manage('ipcp connect name c dst b component dt');
      await until('the route to come', async () => (await routes('c')) === 2 && (await routes('a')) === 2);
      for (let round = 0; round < 3; round += 1) {
        await node.manage('ipcp disconnect name c dst b component mgmt');
        await node.manage('ipcp connect name c dst b component mgmt');
      }
      expect(await routes('a')).toBe(2);
      expect(await node.irm('ipcp disconnect name c dst *')).toMatchObject(silent);
      expect(await connections('c')).toEqual(['Data Transfer b up', 'Management b up']);
      // The other end did not make it.
      expect(await node.irm('ipcp disconnect name b dst c')).toMatchObject(silent);
      expect(await connections('c')).toEqual(['Data Transfer b up', 'Management b up']);
    });

    test('go on when one that others were not connected through is destroyed', async () => {
      await node.manage('ipcp destroy name c');
      await until('the others to see it', async () => (await routes('a')) === 1);
      expect(await node.irm('ipcp enroll name c dst b autobind')).toMatchObject(silent);
      expect(await node.irm('ipcp connect name c dst b')).toMatchObject(silent);
      await until('all to know all', async () => (await routes('a')) === 2 && (await routes('c')) === 2);
    });

    test('carry the flows of applications, and their longest messages', async () => {
      // A process has no direct flow with itself: this one is over the layer, by whichever of the three irmd chooses.
      const session = await openSession(node);
      onTestFinished(async () => {
        session[Symbol.dispose]();
        await sessionsEnded(node);
      });
      await node.manage(`bind process ${session.pid} name own`);
      const forwarded = async (): Promise<number> => (await node.counters('b'))['dtForwarded'] ?? 0;
      const before = await forwarded();
      await node.manage('name register own ipcp c');
      // a has no cable to c: it hears of the name, and says so, by way of b.
      await until('the name to reach a through b', async () => (await forwarded()) >= before + 2);
      const [near, far] = await Promise.all([
        session.allocFlow('own', { timeout: 10_000 }),
        session.acceptFlow(),
      ]);
      const longest = Buffer.alloc(near.maxMessageBytes, 'x');
      for (const message of ['hello', longest]) {
        await near.write(Buffer.from(message));
        expect((await far.read({ timeout: 10_000 })).equals(Buffer.from(message))).toBe(true);
        await far.write(Buffer.from(message));
        expect((await near.read({ timeout: 10_000 })).equals(Buffer.from(message))).toBe(true);
      }
      await expect(near.write(Buffer.alloc(longest.length + 1))).rejects.toEqual(code('EMSGSIZE'));
      await far.close();
      await expect(near.read({ timeout: 10_000 })).rejects.toEqual(code('EFLOWDOWN'));
    });
  });
});

describe('irmd tells', () => {
  /** Changes from now on, with what differs from run to run left out. */
  async function changes(node: TestNode): Promise<() => string[]> {
    const seen: IrmChange[] = [];
    const abort = new AbortController();
    const stopped = Promise.withResolvers<void>();
    const started = Promise.withResolvers<IrmSnapshot>();
    void node
      .managed(async (irmd) => {
        for await (const event of irmd.events(abort.signal)) {
          if (event.event === 'snapshot') started.resolve(event);
          else if (event.event !== 'counters' && !isOfLayer(event)) seen.push(event);
        }
      })
      .then(stopped.resolve, started.reject);
    onTestFinished(async () => {
      abort.abort();
      await stopped.promise;
    });
    await started.promise;
    return () => seen.map(brief);
  }

  test.each(['shared', 'process'] as const)('what becomes of IPCPs over others, ipcpd %s', async (mode) => {
    const node = await startNode(mode);
    onTestFinished(() => node[Symbol.asyncDispose]());
    const told = await changes(node);
    const after = async (what: string, expected: readonly string[]): Promise<void> => {
      const before = told().length;
      await node.irm(what);
      await until(`${what} to be told`, () => told().length >= before + expected.length);
      // When a flow is through is told by both of its ends, sooner or later than the command that ended it.
      const withoutEnds = (list: readonly string[]): string[] => list.filter((each) => each !== flowEnd);
      expect(withoutEnds(told().slice(before))).toEqual(withoutEnds(expected));
      expect(told().slice(before).toSorted()).toEqual(expected.toSorted());
    };
    await after('ipcp bootstrap type unicast name a layer net autobind', [
      'ipcp.created a unicast boot',
      'name.created a',
      'name.bound a',
      'name.created net',
      'name.bound net',
      'ipcp.bootstrapped a net operational',
    ]);
    await after('ipcp enroll name b dst a', [
      'ipcp.created b unicast boot',
      'flow.allocated a',
      'ipcp.enrolled b net operational',
      flowEnd,
    ]);
    await after('ipcp connect name b dst a', [
      'flow.allocated a',
      'ipcp.connected b mgmt a',
      'flow.allocated a',
      'ipcp.connected b dt a',
    ]);
    await after('ipcp disconnect name b dst a', [
      'ipcp.disconnected b dt a',
      flowEnd,
      'ipcp.disconnected b mgmt a',
      flowEnd,
    ]);
    await after('ipcp destroy name b', ['ipcp.destroyed b']);
    await after('ipcp enroll name b dst nobody', ['ipcp.created b unicast boot']);
  });
});

const flowEnd = 'flow.deallocated';

/** What IPCPs find out by themselves comes when it comes. */
function isOfLayer({ event }: IrmChange): boolean {
  return event.startsWith('adjacency.') || event === 'routes.changed';
}

/** A change in one line. */
function brief(change: IrmChange): string {
  switch (change.event) {
    case 'ipcp.created':
    case 'ipcp.bootstrapped':
    case 'ipcp.enrolled': {
      const { name, type, layer, state } = change.ipcp;
      return `${change.event} ${name} ${layer ?? type} ${state}`;
    }
    case 'ipcp.connected':
    case 'ipcp.disconnected':
      return `${change.event} ${change.name} ${change.component} ${change.destination}`;
    case 'flow.allocated':
      return `${change.event} ${change.flow.name}`;
    case 'flow.deallocated':
      return flowEnd;
    default:
      return 'name' in change ? `${change.event} ${change.name}` : change.event;
  }
}

describe.each(['shared', 'process'] as const)('a broadcast layer, ipcpd %s', (mode) => {
  let node: TestNode;
  beforeAll(async () => {
    node = await startNode(mode);
    await node.manage('ipcp bootstrap type broadcast name a layer news autobind');
    await node.manage('ipcp bootstrap type unicast name u layer net');
  });
  afterAll(async () => {
    await sessionsEnded(node);
    await node[Symbol.asyncDispose]();
  });

  async function session(): Promise<Session> {
    const made = await openSession(node);
    onTestFinished(() => made[Symbol.dispose]());
    return made;
  }
  const obc = (...words: string[]): Promise<Finished> => node.run(program('obc'), words);

  test('is joined by its name: everybody hears all others, and nobody himself', async () => {
    const members = await Promise.all(
      Array.from({ length: 3 }, async () => (await session()).joinFlow('news')),
    );
    for (const [index, member] of members.entries()) await member.write(Buffer.from(`from ${index}`));
    for (const [index, member] of members.entries()) {
      const heard = [String(await member.read()), String(await member.read())];
      expect(heard.toSorted()).toEqual([0, 1, 2].filter((other) => other !== index).map((n) => `from ${n}`));
      expect(member.waiting).toBe(0);
    }
    const [first, second, third] = members as [(typeof members)[0], (typeof members)[0], (typeof members)[0]];
    await first.close();
    await second.write(Buffer.from('still here'));
    expect(String(await third.read())).toBe('still here');
  });

  test('carries messages of 1399 bytes, and none of 1400', async () => {
    const [one, other] = [await (await session()).joinFlow('news'), await (await session()).joinFlow('news')];
    expect(one.maxMessageBytes).toBe(1399);
    const longest = Buffer.alloc(1399, 'x');
    await one.write(longest);
    expect(await other.read()).toEqual(longest);
    await expect(one.write(Buffer.alloc(1400))).rejects.toEqual(code('EMSGSIZE'));
  });

  test('that is not there, or is none, is not joined', async () => {
    const own = await session();
    await expect(own.joinFlow('nowhere')).rejects.toEqual(code('EIPCP'));
    await expect(own.joinFlow('net')).rejects.toEqual(code('ENOTALLOC'));
    await expect(own.joinFlow('')).rejects.toEqual(code('EINVAL'));
    await expect(own.joinFlow('n'.repeat(256))).rejects.toEqual(code('EINVAL'));
    await expect(own.joinFlow('news', { signal: AbortSignal.abort() })).rejects.toEqual(code('ECANCELED'));
    // What was cancelled holds nothing.
    expect(await node.metrics('a', 'joined')).toEqual({ joined: 0 });
  });

  test('registers no names, and offers no flows to any', async () => {
    expect(await node.irm('name register x layer news')).toMatchObject({
      status: 1,
      stdout: 'Failed to register with news\n',
      stderr: expect.stringContaining('no names are registered in a broadcast layer') as unknown,
    });
    await node.manage('ipcp bootstrap type broadcast name mute layer mute');
    await node.manage('name create mute');
    const own = await session();
    await expect(own.allocFlow('mute', { timeout: 5000 })).rejects.toEqual(code('EIPCP'));
    await node.manage('ipcp destroy name mute');
  });

  test('that is destroyed releases who has joined', async () => {
    await node.manage('ipcp bootstrap type broadcast name brief layer brief');
    const joined = await (await session()).joinFlow('brief');
    await node.manage('ipcp destroy name brief');
    await expect(joined.read({ timeout: 10_000 })).rejects.toEqual(code('EFLOWDOWN'));
  });

  describe('obc', () => {
    test('prints what others send, up to a NUL', async () => {
      const reader = node.spawn(program('obc'), ['-l', '-n', 'news']);
      await until('obc to join', () => reader.stdout.includes('New flow.'));
      expect(await obc('-n', 'news', '-m', 'hello, all')).toMatchObject(silent);
      expect(await obc('--name', 'news')).toMatchObject(silent);
      const raw = await (await session()).joinFlow('news');
      await raw.write(Buffer.from('seen\0unseen'));
      await raw.write(Buffer.from('no end'));
      await raw.write(Buffer.from(`\0${'x'.repeat(20)}`));
      await raw.write(Buffer.from('y'.repeat(300)));
      await until('the last', () => reader.stdout.includes('yyy'));
      expect(reader.stdout).toBe(
        [
          'Starting a reader.',
          'New flow.',
          'Message is hello, all.',
          'Message is Ouroboros multicast rocks!.',
          'Message is seen.',
          'Message is no end.',
          'Message is .',
          `Message is ${'y'.repeat(300)}.`,
          '',
        ].join('\n'),
      );
      await reader.kill('SIGTERM');
    });

    test('sends a text and the NUL behind it as one message', async () => {
      const heard = await (await session()).joinFlow('news');
      await obc('-n', 'news', '-m', 'hello');
      expect(await heard.read()).toEqual(Buffer.from('hello\0'));
      await obc('-n', 'news', '-m', '');
      expect(await heard.read()).toEqual(Buffer.from('\0'));
    });

    test.each<readonly [string, string[], object]>([
      [
        'to a layer that is not there',
        ['-n', 'nowhere'],
        { status: 255, stdout: 'Failed to join broadcast.\n' },
      ],
      ['to a layer of another type', ['-n', 'net'], { status: 255, stdout: 'Failed to join broadcast.\n' }],
      [
        'listening where no layer is',
        ['-l', '-n', 'nowhere'],
        { status: 255, stdout: 'Starting a reader.\nFailed to join broadcast.\n' },
      ],
      [
        'with a text that is too long',
        ['-n', 'news', '-m', 'x'.repeat(1399)],
        {
          status: 255,
          stdout: 'Failed to write packet.\n',
          stderr: expect.stringContaining('1400 bytes is too long') as unknown,
        },
      ],
      [
        'without a layer',
        ['-l'],
        { status: 1, stdout: expect.stringMatching(/^Please specify a name\.\n\nUsage: obc /) as unknown },
      ],
      ['with --help', ['--help'], { status: 0, stdout: expect.stringMatching(/^Usage: obc /) as unknown }],
      [
        'with an option it has not',
        ['-q'],
        { status: 0, stdout: expect.stringMatching(/^Usage: obc /) as unknown },
      ],
    ])('%s', async (_what, words, result) => {
      expect(await obc(...words)).toMatchObject(result);
    });

    test('ends when its layer does, and without an irmd does not begin', async () => {
      await node.manage('ipcp bootstrap type broadcast name brief layer brief');
      const reader = node.spawn(program('obc'), ['-l', '-n', 'brief']);
      await until('obc to join', () => reader.stdout.includes('New flow.'));
      await node.manage('ipcp destroy name brief');
      expect(await reader.finished).toMatchObject({
        status: 0,
        stdout: 'Starting a reader.\nNew flow.\nFailed to read.\n',
      });
      await using nowhere = TestNode.empty();
      const { status, stderr } = await nowhere.run(program('obc'), ['-n', 'news']);
      expect([status, stderr]).toEqual([1, expect.stringMatching(/^FATAL: Could not announce to IRMd\.\n/)]);
    });
  });
});

test('a member of a broadcast layer that joined another is connected by data transfer alone', async () => {
  await using node = await startNode();
  await node.manage('ipcp bootstrap type broadcast name a layer news autobind');
  for (const name of ['b', 'c']) {
    expect(await node.irm(`ipcp enroll name ${name} type broadcast dst a autobind`)).toMatchObject(silent);
  }
  expect(await node.irm('ipcp connect name b dst a')).toMatchObject({ status: 1, stdout: '' });
  for (const name of ['b', 'c']) {
    expect(await node.irm(`ipcp connect name ${name} dst a component dt`)).toMatchObject(silent);
    // A second way would have every message go round.
    expect(await node.irm(`ipcp connect name ${name} dst a component dt`)).toMatchObject(silent);
  }
  expect(await node.metrics('a', 'connections')).toMatchObject({ connections: [{}, {}] });
  expect(await node.irm('ipcp disconnect name c dst a')).toMatchObject(silent);
  await until('the end of it', async () => {
    const { connections } = await node.metrics('a', 'connections');
    return (connections as readonly unknown[]).length === 1;
  });
});
