/**
 * Unicast layers with whole daemons: over three nodes in line, IPCPs in one process and in one each, and over a ring whose
 * cables carry a link layer of each type.
 */
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Flow, O7sError, type Session } from '../../runtime/lib/index.ts';
import { openSession, sessionsEnded } from '../support/application.ts';
import type { Running } from '../support/command.ts';
import { lineOfOurs, MixedLayer, type MixedNode } from '../support/mixed-layer.ts';
import { namespacesMissing } from '../support/namespaces.ts';
import type { TestNode } from '../support/node.ts';
import { until } from '../support/until.ts';

const missing = namespacesMissing();
beforeEach(({ skip }) => skip(missing !== undefined, missing));

const part = fileURLToPath(new URL('../support/library-program.ts', import.meta.url));
const code = (name: string): unknown => expect.objectContaining({ name: 'O7sError', code: name });
/** How long anything may take that is to happen by itself, ms; what waits for a timeout of the layer takes longer. */
const patience = 8000;
const received = (count: number): string => `${count} packets transmitted, ${count} received`;

/** Sessions of this test, with the nodes they are of. */
const sessions: { readonly session: Session; readonly node: TestNode }[] = [];
afterEach(async () => {
  const ended = sessions.splice(0);
  for (const { session } of ended) session[Symbol.dispose]();
  for (const node of new Set(ended.map((each) => each.node))) await sessionsEnded(node);
});

async function sessionOf({ ours: node }: MixedNode): Promise<Session> {
  const session = await openSession(node);
  sessions.push({ session, node });
  return session;
}

let names = 0;

/** Flows from a session at one node to one at another, of a name of their own. */
async function openFlows(from: MixedNode, to: MixedNode, count = 1): Promise<[near: Flow, far: Flow][]> {
  const name = `svc${(names += 1)}`;
  const [client, server] = [await sessionOf(from), await sessionOf(to)];
  await to.ours.managed((irmd) => irmd.bindProcess(server.pid, name));
  await to.ours.ofIpcp(`net.${to.name}`, (irmd, { pid }) => irmd.registerName(name, pid));
  const each = async (): Promise<[Flow, Flow]> =>
    Promise.all([
      client.allocFlow(name, { timeout: patience }),
      server.acceptFlow({ timeout: patience }),
    ] as const);
  return Promise.all(Array.from({ length: count }, each));
}

async function openFlow(from: MixedNode, to: MixedNode): Promise<[near: Flow, far: Flow]> {
  const [flow] = await openFlows(from, to);
  return flow!;
}

/** What the IPCPs of nodes have dropped, by node, IPCP and reason. */
async function dropsOf(nodes: Iterable<MixedNode>): Promise<Map<string, number>> {
  const drops = new Map<string, number>();
  for (const { name, ours } of nodes) {
    const ipcps = await ours.managed((irmd) => irmd.listIpcps());
    for (const ipcp of ipcps) {
      for (const [reason, count] of Object.entries(await ours.counters(ipcp.name))) {
        if (reason.includes('dropped') && count > 0) drops.set(`${name} ${ipcp.name} ${reason}`, count);
      }
    }
  }
  return drops;
}

async function routesOf({ name, ours }: MixedNode): Promise<number> {
  return ((await ours.metrics(`net.${name}`, 'routes'))['routes'] as readonly unknown[]).length;
}

async function neighboursUp({ name, ours }: MixedNode): Promise<number> {
  const { neighbours } = await ours.metrics(`net.${name}`, 'neighbours');
  return (neighbours as readonly { up: boolean }[]).filter(({ up }) => up).length;
}

/** Flows of applications that the IPCP of a node has. */
async function flowsOf({ name, ours }: MixedNode): Promise<number> {
  return ((await ours.metrics(`net.${name}`, 'flows'))['flows'] as readonly unknown[]).length;
}

/** The process that runs an IPCP. */
async function hostOf(node: TestNode, ipcp: string): Promise<number> {
  return node.ofIpcp(ipcp, async (_irmd, { hostPid }) => hostPid);
}

describe.each(['shared', 'process'] as const)('a line of three, ipcpd %s', (ipcpd) => {
  let layer: MixedLayer;
  let [a, b, c]: MixedNode[] = [];
  let server: Running;
  /** What does not depend on where IPCPs run. */
  const onceOnly = (what: string, body: () => Promise<void>): void => {
    if (ipcpd === 'shared') test(what, body);
  };

  beforeAll(async () => {
    if (missing !== undefined) return;
    layer = await MixedLayer.make({ ...lineOfOurs('a', 'b', 'c'), ipcpd });
    [a, b, c] = [...layer.nodes];
    await layer.converged();
    server = await c!.ours.serve('ping.c', '-Q');
    await c!.ours.manage('name register ping.c layer net');
  });
  afterAll(async () => {
    if (missing !== undefined) return;
    const nodes = [...layer.nodes].map(({ ours }) => ours);
    const ended = await Promise.all(nodes.map((node) => node.stop()));
    const left = nodes.map((node) => [node.files(), node.processes()]);
    await layer[Symbol.asyncDispose]();
    expect(ended.map(({ status }) => status)).toEqual([0, 0, 0]);
    expect(left).toEqual([1, 2, 3].map(() => [[], []]));
  });

  test('pings through the middle, short and long ones', async () => {
    const before = (await b!.ours.counters('net.b'))['dtForwarded'] ?? 0;
    const { status, stdout } = await a!.ours.oping('-n', 'ping.c', '-c', '3', '-i', '10');
    expect([status, stdout]).toEqual([
      0,
      expect.stringContaining(`${received(3)}, 0 out-of-order, 0% packet loss`),
    ]);
    const long = await a!.ours.oping('-n', 'ping.c', '-c', '5', '-i', '5', '-s', '1400');
    expect(long.stdout).toContain('1400 bytes from ping.c: seq=4 ');
    expect(long.stdout).toContain(received(5));
    expect((await b!.ours.counters('net.b'))['dtForwarded']).toBeGreaterThanOrEqual(before + 16);
    const flood = await a!.ours.oping('-n', 'ping.c', '-c', '1000', '-f', '-Q');
    expect(flood.stdout).toContain(received(1000));
  });

  onceOnly('the longest message arrives whole, and a longer one is refused where it is written', async () => {
    for (const [from, to] of [
      [a!, c!],
      [c!, a!],
    ] as const) {
      const [near, far] = await openFlow(from, to);
      // An Ethernet frame less the headers of both layers.
      expect([near.maxMessageBytes, far.maxMessageBytes]).toEqual([1481, 1481]);
      const longest = Buffer.alloc(1481, 'z');
      await near.write(longest);
      expect(await far.read({ timeout: patience })).toEqual(longest);
      await far.write(longest);
      expect(await near.read({ timeout: patience })).toEqual(longest);
      await expect(near.write(Buffer.alloc(1482))).rejects.toEqual(code('EMSGSIZE'));
      expect(() => far.tryWrite(Buffer.alloc(1482))).toThrow(code('EMSGSIZE') as Error);
    }
  });

  onceOnly('carries many flows at once, each its own', async () => {
    const flows = await openFlows(a!, c!, 60);
    // Which end belongs to which is seen by what comes through.
    await Promise.all(
      flows.map(async ([near], index) => {
        for (let round = 0; round < 10; round += 1) await near.write(Buffer.from(`${index} ${round}`));
      }),
    );
    const heard = await Promise.all(
      flows.map(async ([, far]) => {
        const messages: string[] = [];
        while (messages.length < 10) messages.push(String(await far.read({ timeout: patience })));
        return messages.join();
      }),
    );
    const rounds = Array.from({ length: 10 }, (_, round) => round);
    const expected = flows.map((_, index) => rounds.map((round) => `${index} ${round}`).join());
    expect(new Set(heard)).toEqual(new Set(expected));
    expect([await flowsOf(a!), await flowsOf(c!)]).toEqual([60, 60]);
    for (const [near] of flows) await near.close();
    await until(
      'all flows to be gone',
      async () => (await flowsOf(a!)) + (await flowsOf(c!)) === 0,
      patience,
    );
  });

  onceOnly('loses nothing without counting it, as fast as it goes', async () => {
    const [near, far] = await openFlow(a!, c!);
    const before = await dropsOf(layer.nodes);
    const count = 20_000;
    let heard = 0;
    const reading = (async () => {
      try {
        for (;;) {
          const message = await far.read({ timeout: patience });
          if (message.length === 1) return;
          heard += 1;
        }
      } catch (error) {
        if (!(error instanceof O7sError)) throw error;
      }
    })();
    const message = Buffer.alloc(1000, 'x');
    for (let index = 0; index < count; index += 1) {
      if (!near.tryWrite(message)) await near.write(message);
    }
    // The last word may be lost as well.
    const isDone = { value: false };
    const ending = (async () => {
      while (!isDone.value) {
        await near.write(Buffer.from('.'));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    await reading;
    isDone.value = true;
    await ending;
    const after = await dropsOf(layer.nodes);
    const drops = [...after].map(([reason, total]) => [reason, total - (before.get(reason) ?? 0)] as const);
    const dropped = drops.reduce((sum, [, each]) => sum + each, 0);
    // Some of the last words may be among them.
    expect(count - heard, JSON.stringify(drops)).toBeLessThanOrEqual(dropped);
    // How many arrive is for the processors to say.
    expect(heard).toBeGreaterThan(0);
  });

  onceOnly('a name that nobody has is unknown at once, at every member', async () => {
    const asked = [...layer.nodes].map(async (node) =>
      expect((await sessionOf(node)).allocFlow('nobody', { timeout: patience })).rejects.toEqual(
        code('ENAME'),
      ),
    );
    const pinging = a!.ours.oping('-n', 'nobody', '-c', '1');
    await Promise.all(asked);
    const { status, stdout } = await pinging;
    expect([status, stdout]).toEqual([1, 'Failed to allocate flow: -1007.\n']);
  });

  onceOnly('a server that is killed is missed at once, and found when it is back', async () => {
    const session = await sessionOf(a!);
    const flow = await session.allocFlow('ping.c', { timeout: patience });
    await server.kill('SIGKILL');
    await expect(flow.read({ timeout: patience })).rejects.toEqual(code('EFLOWDOWN'));
    await expect(session.allocFlow('ping.c', { timeout: patience })).rejects.toEqual(code('EIPCP'));
    server = await c!.ours.serve('ping.c', '-Q');
    const { stdout } = await a!.ours.oping('-n', 'ping.c', '-c', '2', '-i', '5');
    expect(stdout).toContain(received(2));
  });

  onceOnly('a client that is killed has its flow released, at the server and in the layer', async () => {
    const session = await sessionOf(c!);
    await c!.ours.managed((irmd) => irmd.bindProcess(session.pid, 'brief'));
    await c!.ours.ofIpcp('net.c', (irmd, { pid }) => irmd.registerName('brief', pid));
    const client = a!.ours.spawn(process.execPath, [part, 'allocate', 'brief']);
    const flow = await session.acceptFlow({ timeout: patience });
    await until('the client to have its flow', () => client.stdout.includes('allocated'));
    await client.kill('SIGKILL');
    await expect(flow.read({ timeout: patience })).rejects.toEqual(code('EFLOWDOWN'));
    await flow.close();
    await until(
      'both ends to be gone',
      async () => (await flowsOf(a!)) + (await flowsOf(c!)) === 0,
      patience,
    );
  });

  onceOnly('a name of two nodes is served by either; one that is unregistered is found nowhere', async () => {
    const [atA, atC] = [await a!.ours.serve('two', '-Q'), await c!.ours.serve('two', '-Q')];
    for (const node of [a!, c!]) await node.ours.manage('name register two layer net');
    const ping = async (from: MixedNode): Promise<string> =>
      (await from.ours.oping('-n', 'two', '-c', '1', '-i', '5')).stdout;
    expect(await ping(b!)).toContain(received(1));
    await atA.kill('SIGKILL');
    await a!.ours.manage('name unregister two layer net');
    await until('the other to be asked', async () => (await ping(b!)).includes(received(1)), patience);
    expect(await ping(a!)).toContain(received(1));
    await c!.ours.manage('name unregister two layer net');
    const forgotten = [a!, b!].map(async (node) => {
      const session = await sessionOf(node);
      await until(
        `${node.name} to forget the name`,
        () =>
          session.allocFlow('two', { timeout: patience }).then(
            (flow) => void flow.close(),
            (error: unknown) => ['ENAME', 'EIPCP'].includes((error as O7sError).code),
          ),
        patience,
      );
    });
    await Promise.all(forgotten);
    await atC.kill('SIGTERM');
  });

  onceOnly(
    'without data transfer on a cable there is no way over it; without management there is',
    async () => {
      const [near, far] = await openFlow(a!, c!);
      await c!.irm('ipcp disconnect name net.c dst net.b component dt');
      await until('the routes to go', async () => (await routesOf(a!)) === 1 && (await routesOf(c!)) === 0);
      await expect(near.read({ timeout: patience })).rejects.toEqual(code('EFLOWDOWN'));
      const unreached = await (
        await sessionOf(a!)
      )
        .allocFlow('ping.c', { timeout: 3000 })
        .catch((e: unknown) => e);
      expect(unreached).toEqual(code('ENAME'));
      await c!.irm('ipcp connect name net.c dst net.b component dt');
      for (const flow of [near, far]) await flow.untilUp({ timeout: patience });
      await near.write(Buffer.from('again'));
      expect(String(await far.read({ timeout: patience }))).toBe('again');
      await c!.irm('ipcp disconnect name net.c dst net.b component mgmt');
      const { stdout } = await a!.ours.oping('-n', 'ping.c', '-c', '3', '-i', '5');
      expect(stdout).toContain(received(3));
      await c!.irm('ipcp connect name net.c dst net.b component mgmt');
    },
  );

  onceOnly(
    'the IPCP in the middle is destroyed: flows across notice, and carry on when it is a member again',
    async () => {
      const [near, far] = await openFlow(a!, c!);
      await b!.irm('ipcp destroy name net.b');
      await expect(near.read({ timeout: patience })).rejects.toEqual(code('EFLOWDOWN'));
      await expect(far.read({ timeout: patience })).rejects.toEqual(code('EFLOWDOWN'));
      expect([near.released, far.released]).toEqual([false, false]);
      await until('the routes to go', async () => (await routesOf(a!)) + (await routesOf(c!)) === 0);
      await layer.enroll('b', 'a');
      await layer.connect('b', 'a');
      await layer.connect('c', 'b');
      await near.untilUp({ timeout: patience });
      await until(
        'the message to come through',
        async () => {
          await near.write(Buffer.from('again'));
          return (await far.read({ timeout: 200 }).catch(() => ''))?.toString() === 'again';
        },
        patience,
      );
      const { stdout } = await a!.ours.oping('-n', 'ping.c', '-c', '3', '-i', '5');
      expect(stdout).toContain(received(3));
    },
  );

  test('kill -9 of the data plane in the middle: irmd says so, neighbours withdraw, and it can be a member again', async () => {
    const node = b!.ours;
    const [near] = await openFlow(a!, c!);
    const killed = await hostOf(node, 'net.b');
    process.kill(killed, 'SIGKILL');
    await node.logged(`ipcpd ${killed} ended with SIGKILL; its IPCPs and flows are gone.`);
    await node.logged('(net.b) crashed.');
    // With one process for all of them the link layers are gone as well: nobody says goodbye.
    const left = ipcpd === 'shared' ? [] : ['lan1.b', 'lan2.b'];
    await until('irmd to have cleaned up', async () => {
      const ipcps = await node.managed((irmd) => irmd.listIpcps());
      return (
        ipcps
          .map((ipcp) => ipcp.name)
          .toSorted()
          .join() === left.join()
      );
    });
    await until(
      'the neighbours to see it',
      async () => (await neighboursUp(a!)) + (await neighboursUp(c!)) === 0,
    );
    await expect(near.read({ timeout: patience })).rejects.toEqual(code('EFLOWDOWN'));
    expect([await routesOf(a!), await routesOf(c!)]).toEqual([0, 0]);
    if (ipcpd === 'shared') {
      await until(
        'the new data plane',
        async () => (await node.irm('ipcp create type local name x')).status === 0,
      );
      for (const [lan, to] of [
        ['lan1', 'a'],
        ['lan2', 'c'],
      ] as const) {
        await node.manage(`ipcp bootstrap type eth-dix name ${lan}.b layer ${lan} dev ${b!.device(to)}`);
        await layer.announce(to, 'b');
      }
    }
    await layer.enroll('b', 'a');
    await layer.connect('b', 'a');
    await layer.connect('c', 'b');
    await layer.converged();
    const { stdout } = await a!.ours.oping('-n', 'ping.c', '-c', '3', '-i', '5');
    expect(stdout).toContain(received(3));
  });
});

describe('a ring with a link layer of each type', () => {
  const ring = ['a', 'b', 'c', 'd'] as const;
  let layer: MixedLayer;
  let [a, b, c, d]: MixedNode[] = [];

  beforeAll(async () => {
    if (missing !== undefined) return;
    const { nodes, cables } = lineOfOurs(...ring);
    layer = await MixedLayer.make({
      nodes,
      cables: [...cables, ['a', 'd']],
      link: ['eth-dix', 'eth-llc', 'udp4', 'udp6'],
      options: 'routing lfa',
    });
    [a, b, c, d] = [...layer.nodes];
    await layer.converged();
    for (const node of layer.nodes) {
      await node.ours.serve(`ping.${node.name}`, '-Q');
      await node.ours.manage(`name register ping.${node.name} layer net`);
    }
  });
  afterAll(async () => layer?.[Symbol.asyncDispose]());

  const hopsTo = async (from: MixedNode, to: MixedNode): Promise<unknown> => {
    const { address } = await to.ours.metrics(`net.${to.name}`, 'address');
    const { routes } = await from.ours.metrics(`net.${from.name}`, 'routes');
    return (routes as readonly { address: unknown; links: number }[]).find(
      (route) => route.address === address,
    )?.links;
  };

  test('everybody reaches everybody else, over each of them', async () => {
    for (const [from, to] of [
      [a!, b!],
      [b!, c!],
      [c!, d!],
      [d!, a!],
      [a!, c!],
    ] as const) {
      const { stdout } = await from.ours.oping('-n', `ping.${to.name}`, '-c', '5', '-i', '5', '-s', '1400');
      expect(stdout, `${from.name} to ${to.name}`).toContain(received(5));
    }
    // All flows have the room of the link with the least: that of eth-dix, though these two are joined by udp4.
    const [near] = await openFlow(c!, d!);
    expect(near.maxMessageBytes).toBe(1496 - 15);
  });

  test.each([
    ['eth-dix', 'a', 'b'],
    ['eth-llc', 'b', 'c'],
    ['udp4', 'c', 'd'],
    ['udp6', 'd', 'a'],
  ] as const)('a flow goes the other way round when its %s link fails, and back', async (_type, from, to) => {
    const [here, there] = [layer.node(from), layer.node(to)];
    const [near, far] = await openFlow(here, there);
    const device = here.device(to);
    const addresses = await here.ip('-o', '-6', 'address', 'show', 'dev', device, 'scope', 'global');
    expect(await hopsTo(here, there)).toBe(1);
    const heard = (): Promise<boolean> =>
      near
        .write(Buffer.from('x'))
        .then(
          async () => (await far.read({ timeout: 100 })).length === 1,
          () => false,
        )
        .catch(() => false);
    await here.setLink(to, 'down');
    await until('the flow to go the other way', heard, patience);
    await until('the route to be the long one', async () => (await hopsTo(here, there)) === 3, patience);
    expect((await here.ours.oping('-n', `ping.${to}`, '-c', '3', '-i', '5')).stdout).toContain(received(3));
    await here.setLink(to, 'up');
    const lost = /inet6 (\S+)/.exec(addresses)?.[1];
    // A device that is down loses its IPv6 addresses.
    if (lost !== undefined) await here.ip('address', 'replace', lost, 'dev', device, 'nodad');
    await until('the route to be the short one', async () => (await hopsTo(here, there)) === 1, patience);
    await until('the flow to go on', heard, patience);
  });

  test('who is of another type, of another layer, or looks for nobody is refused with the reason', async () => {
    const { ours } = b!;
    const enrol = async (words: string): Promise<string> => {
      const { status, stdout, stderr } = await ours.irm(`ipcp enroll name odd ${words}`);
      expect(status, words).toBe(1);
      await ours.irm('ipcp destroy name odd');
      return stdout + stderr;
    };
    expect(await enrol('type broadcast dst net.a')).toMatchInlineSnapshot(`
      "Failed to enroll IPCP.
      irm: net.a refused the enrolment: layer net is a unicast layer
      "
    `);
    expect(await enrol('type unicast dst net.nobody')).toMatchInlineSnapshot(`
      "Failed to enroll IPCP.
      irm: net.nobody is not known here, and no layer knows it; register it in a layer that both nodes are in
      "
    `);
    expect(await enrol('type unicast layer other')).toMatchInlineSnapshot(`
      "Failed to enroll IPCP.
      irm: other is not known here, and no layer knows it; register it in a layer that both nodes are in
      "
    `);
    expect(await routesOf(a!)).toBe(3);
  });
});
