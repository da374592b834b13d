/** Unicast IPCPs of a few nodes in virtual time: how they come into a layer, are connected, and leave it. */
import { describe, expect, test } from 'vitest';
import { layerName, type Member, UnicastNet } from '../../../tests/sim/unicast-net.ts';
import { packetOf } from '../../../tests/support/flow-inbox.ts';
import { O7sError } from '../../lib/errors.ts';
import { qosByName } from '../../lib/qos.ts';
import type { BootstrapConfig } from '../../lib/rpc/api.ts';
import { encodeRecord } from '../connmgr/message.ts';
import type { LayerConfig } from '../enrollment/layer-config.ts';
import { decodeRequest, encodeResponse } from '../enrollment/message.ts';
import type {
  FlowUser,
  IpcpLog,
  LowerFlow,
  StackedFacts,
  StackedIpcp,
  StackedSurroundings,
} from '../shell/layer.ts';

const code = (name: string): unknown => expect.objectContaining({ name: 'O7sError', code: name });

const facts = (member: Member, part: string): unknown => member.ipcp.metrics(member.net.now)[part]!();

/** Addresses of the members that a member has routes to, with the links to each. */
function routes(member: Member): Record<string, number> {
  const byAddress = new Map(
    member.net.members
      .filter(({ isMember }) => isMember)
      .map((each) => [each.layer.address, each.name] as const),
  );
  const { routing } = member.layer;
  return Object.fromEntries(
    [...routing.members()]
      .map((address) => [byAddress.get(address) ?? `${address}`, routing.distance(address)!] as const)
      .toSorted(([a], [b]) => a.localeCompare(b)),
  );
}

/** A ping from one member to a server at another, and its way back. */
function reaches(net: UnicastNet, from: Member, to: Member, name = `ping.${to.name}`): string {
  if (!to.served.has(name)) {
    to.serve(name);
    net.run(1000);
  }
  const flow = net.allocate(from, name);
  if (flow === undefined) return 'unknown';
  if (flow.outcome.kind !== 'accepted') return flow.outcome.kind;
  const server = to.served.get(name)!.at(-1)!;
  flow.end.say('ping');
  net.run(100);
  server.say(`pong to ${server.heard.join()}`);
  net.run(100);
  flow.end.end(net.now);
  net.run(100);
  return flow.end.heard.join();
}

describe('bootstrap', () => {
  test('makes a layer of one member, with the defaults of the manual', () => {
    const net = new UnicastNet();
    const a = net.add('a');
    net.bootstrap(a);
    expect([a.layer.hash, a.layer.maxMessageBytes]).toEqual(['SHA3_256', 1481]);
    expect(facts(a, 'settings')).toEqual({
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
    });
    expect(a.layer.address).toBeGreaterThan(0);
  });

  const others: BootstrapConfig = {
    addr: 4,
    eid: 4,
    ttl: 3,
    hash: 'SHA3_512',
    routing: 'lfa',
    congestion: 'none',
    dht_alpha: 2,
    dht_k: 4,
    dht_t_expire: 600,
    dht_t_refresh: 60,
    dht_t_replicate: 50,
    ls_t_recalc: 1,
    ls_t_update: 5,
    ls_t_timeo: 20,
  };

  test('takes every option, and who enrols gets all of them', () => {
    const net = new UnicastNet({ config: others });
    const [a, b, c] = net.line('a', 'b', 'c') as [Member, Member, Member];
    const expected = {
      eidSize: 4,
      maxTtl: 3,
      routing: 'lfa',
      lsRecalc: 1,
      lsUpdate: 5,
      lsTimeout: 20,
      dhtAlpha: 2,
      dhtK: 4,
      dhtExpire: 600,
      dhtRefresh: 60,
      dhtReplicate: 50,
      congestion: 'none',
    };
    for (const member of [a, b, c]) expect(facts(member, 'settings')).toEqual(expected);
    expect([a.layer.hash, b.layer.hash, c.layer.hash]).toEqual(['SHA3_512', 'SHA3_512', 'SHA3_512']);
    expect(reaches(net, a, c)).toBe('pong to ping');
  });

  test('refuses links that would age out between two announcements', () => {
    const net = new UnicastNet();
    const a = net.add('a');
    const bootstrap = (config: BootstrapConfig) => (): void => net.bootstrap(a, config);
    expect(bootstrap({ ls_t_update: 15, ls_t_timeo: 16 })).toThrow(code('EINVAL') as Error);
    expect(bootstrap({ ls_t_update: 60 })).toThrow(
      'links that are announced every 60 s would age out after 60 s',
    );
    expect(bootstrap({ ls_t_update: 15, ls_t_timeo: 17 })).not.toThrow();
  });

  test.each([1, 2, 3, 255])('with a time to live of %i, packets cross so many links and no more', (ttl) => {
    const net = new UnicastNet({ config: { ttl } });
    const line = net.line('a', 'b', 'c', 'd', 'e');
    const [a, ...rest] = line as [Member, ...Member[]];
    for (const [index, to] of rest.entries()) {
      const { counters } = to.layer.dataTransfer;
      const before = counters.droppedReservedEid;
      // Nobody has this endpoint: that it arrives is all that can be seen.
      a.call(() => void a.layer.dataTransfer.send(to.layer.address, 9, 0, packetOf(Buffer.from('x'))));
      net.run(100);
      expect(counters.droppedReservedEid - before, `${index + 1} links`).toBe(index + 1 <= ttl ? 1 : 0);
    }
  });
});

describe('enrolment', () => {
  test('brings the layer, an address, and after the connections routes to all', () => {
    const net = new UnicastNet();
    const [a, b, c] = net.line('a', 'b', 'c') as [Member, Member, Member];
    expect([routes(a), routes(b), routes(c)]).toEqual([
      { b: 1, c: 2 },
      { a: 1, c: 1 },
      { a: 2, b: 1 },
    ]);
    expect(a.ipcp.counters['enrollmentsServed']).toBe(1);
    expect(c.ipcp.counters['enrolled']).toBe(1);
    expect(reaches(net, a, c)).toBe('pong to ping');
    expect(reaches(net, c, a)).toBe('pong to ping');
  });

  test('needs no more than a few times the delay of the link: nothing waits for a prototype', () => {
    const net = new UnicastNet();
    net.line('a', 'b');
    expect(net.now).toBeLessThan(100 + 20);
  });

  test('takes another address than one that is somebody else already', () => {
    let ofA = 0;
    const net = new UnicastNet({
      around: (around, name) => {
        let draws = 0;
        if (name !== 'c') return around;
        const randomBytes = (count: number): Buffer => {
          draws += 1;
          const bytes = around.randomBytes(count);
          if (draws === 1) bytes.writeUInt32BE(ofA);
          return bytes;
        };
        return { ...around, randomBytes };
      },
    });
    const [a, b] = net.line('a', 'b') as [Member, Member];
    ofA = a.layer.address;
    const c = net.add('c');
    net.link(b, c);
    net.join(c, b);
    net.run(100);
    expect(c.layer.address).not.toBe(ofA);
    expect(routes(a)).toEqual({ b: 1, c: 2 });
  });

  test('in another layer than the one that is there is refused, with the reason', () => {
    const net = new UnicastNet();
    const [a] = net.line('a') as [Member];
    const b = net.add('b');
    net.link(a, b);
    const result = net.enroll(b, 'a', 'other');
    expect(result).toEqual(code('ENOENT'));
    expect((result as O7sError).message).toBe('a refused the enrolment: this is layer net, not other');
    // It may try again.
    expect(net.enroll(b, 'a', layerName)).toMatchObject({ name: layerName });
  });

  test('is for an IPCP that is in no layer, and in no other enrolment', () => {
    const net = new UnicastNet();
    const [a, b] = net.line('a', 'b') as [Member, Member];
    expect(net.enroll(b, 'a')).toEqual(code('EIPCPSTATE'));
    expect(() => b.ipcp.bootstrap('x', {}, net.now)).toThrow(code('EIPCPSTATE') as Error);
    const c = net.add('c');
    net.link(a, c);
    const results: unknown[] = [];
    for (let times = 0; times < 2; times += 1) {
      c.call(() => c.ipcp.enroll('a', undefined, net.now, (result) => results.push(result)));
    }
    expect(() => c.ipcp.bootstrap('x', {}, net.now)).toThrow(code('EIPCPSTATE') as Error);
    net.run(100);
    expect(results).toEqual([code('EIPCPSTATE'), expect.objectContaining({ name: layerName })]);
  });

  test('at somebody who is in no layer is refused at once', () => {
    const net = new UnicastNet();
    const [a, b] = [net.add('a'), net.add('b')];
    net.link(a, b);
    expect(net.enroll(b, 'a')).toEqual(code('ENOTSUP'));
    expect(net.now).toBeLessThan(20);
  });

  test('survives that a fifth of all packets are lost, or says that nobody answers', () => {
    let joined = 0;
    for (let seed = 1; seed <= 20; seed += 1) {
      const net = new UnicastNet({ seed, link: { loss: 0.2, delayMs: 5, jitterMs: 20 } });
      const [a, b] = [net.add('a'), net.add('b')];
      net.link(a, b);
      net.bootstrap(a);
      const result = net.enroll(b, 'a');
      if (result instanceof O7sError) expect(['ETIMEDOUT', 'EFLOWDOWN', 'EINVAL']).toContain(result.code);
      else joined += 1;
      expect(net.now).toBeLessThan(20_000);
    }
    expect(joined).toBeGreaterThan(15);
  });

  test('logs how far the clock of the member is off, if it is by more than 20 ms', () => {
    for (const [aheadMs, logged] of [
      [19, []],
      [5000, ['Clock is 4999 ms behind that of a.']],
      [-5000, ['Clock is 5001 ms ahead of that of a.']],
    ] as const) {
      const lines: string[] = [];
      const quiet: IpcpLog = { error() {}, warn() {}, info() {}, child: () => quiet };
      const log: IpcpLog = { ...quiet, warn: (text) => void lines.push(text), child: () => log };
      const net = new UnicastNet({
        around: (around, name) =>
          name === 'a'
            ? { ...around, wallClock: () => around.wallClock() + BigInt(aheadMs) * 1_000_000n }
            : { ...around, log },
      });
      net.line('a', 'b');
      expect(lines).toEqual(logged);
    }
  });
});

/** A member that answers an enrolment with whatever the test says, and nothing else. */
class Scripted implements StackedIpcp {
  readonly counters = {};
  readonly #around: StackedSurroundings;
  readonly #answer: (id: Buffer) => Buffer;
  acks = 0;

  constructor(around: StackedSurroundings, answer: (id: Buffer) => Buffer) {
    this.#around = around;
    this.#answer = answer;
  }

  acceptFlow(flow: LowerFlow): FlowUser {
    let messages = 0;
    const say = (bytes: Buffer): void => {
      const packet = this.#around.packets.take(bytes.length);
      packet.append(bytes, 0, bytes.length);
      flow.write(packet);
    };
    return {
      deliver: (packet) => {
        messages += 1;
        const record = {
          component: 'Enrollment',
          protocol: 'OEP',
          version: 1,
          syntax: 0,
          address: 0,
          extensions: 0,
        };
        if (messages === 1) say(encodeRecord(record));
        else if (messages === 2) say(this.#answer(decodeRequest(packet.bytes())!.id));
        else this.acks += 1;
      },
      setUp: () => {},
      released: () => {},
    };
  }

  bootstrap(): never {
    throw new Error('not for this test');
  }
  enroll(): void {}
  connect(): void {}
  disconnect(): void {}
  facts(): StackedFacts {
    return { address: null, adjacencies: [], routes: [] };
  }

  readonly gauges = {};

  metrics(): Record<string, never> {
    return {};
  }
  close(): void {}
  nextDeadline(): number {
    return Infinity;
  }
  advance(): void {}
}

describe('a member, perhaps a prototype, that answers an enrolment', () => {
  const unicast = {
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
  } as const;
  const config: LayerConfig = { name: layerName, hash: 'SHA3_256', unicast };
  const plain = { time: 0n, extensions: 0, reason: undefined, address: undefined } as const;
  const accepted = (id: Buffer, layer: LayerConfig, type = 1): Buffer =>
    encodeResponse({ ...plain, id, response: 0, layer: { config: layer, type, peer: 9 } });

  test.each<readonly [string, (id: Buffer) => Buffer, string | RegExp]>([
    [
      'refuses',
      (id) => encodeResponse({ ...plain, id, response: -1, layer: undefined }),
      'x refused the enrolment: code -1',
    ],
    [
      'refuses for a reason that no terminal should see',
      (id) => encodeResponse({ ...plain, id, response: -1, layer: undefined, reason: 'go\u001b[2Jaway\n' }),
      'x refused the enrolment: go?[2Jaway?',
    ],
    [
      'tells nothing of its layer',
      (id) => encodeResponse({ ...plain, id, response: 0, layer: undefined }),
      'x told nothing of its layer',
    ],
    [
      'is in another layer',
      (id) => accepted(id, { ...config, name: 'other' }),
      'x is in layer other, not in net',
    ],
    [
      'is in a broadcast layer',
      (id) => accepted(id, { ...config, unicast: undefined }),
      'x is not in a unicast layer',
    ],
    [
      'answers somebody else',
      () => accepted(Buffer.alloc(8), config),
      'x gave no valid answer to the enrolment',
    ],
    ['answers nonsense', () => Buffer.from('nonsense'), 'x gave no valid answer to the enrolment'],
    [
      'has addresses of another size',
      (id) => {
        const bytes = accepted(id, config);
        // addr_size 4, the first field of the data transfer's part.
        bytes[bytes.indexOf(Buffer.from('0804100818', 'hex')) + 1] = 8;
        return bytes;
      },
      'the layer has address size 8, which is not supported',
    ],
    [
      'has a unicast layer without settings',
      (id) => {
        const bytes = accepted(id, { ...config, unicast: undefined });
        // ipcp_type 2, the last field.
        bytes[bytes.length - 1] = 1;
        return bytes;
      },
      'the layer tells none of its settings',
    ],
  ])('and %s', (_what, answer, message) => {
    const net = new UnicastNet();
    const x = net.world.node('x');
    let scripted: Scripted | undefined;
    x.start((around) => (scripted = new Scripted(around, answer)));
    const b = net.add('b');
    net.world.link(x, b.node);
    const result = net.enroll(b, 'x', layerName);
    expect(result).toBeInstanceOf(O7sError);
    expect((result as O7sError).message).toBe(message);
    net.run(100);
    // A joiner that failed acknowledges nothing, and can still bootstrap.
    expect(scripted!.acks).toBe(0);
    expect(() => net.bootstrap(b)).not.toThrow();
  });

  test('and accepts is acknowledged', () => {
    const net = new UnicastNet();
    const x = net.world.node('x');
    let scripted: Scripted | undefined;
    x.start((around) => (scripted = new Scripted(around, (id) => accepted(id, { ...config, name: 'any' }))));
    const b = net.add('b');
    net.world.link(x, b.node);
    expect(net.enroll(b, 'x')).toMatchObject({ name: 'any' });
    net.run(100);
    expect(scripted!.acks).toBe(1);
  });
});

describe('connections', () => {
  test('need a layer', () => {
    const net = new UnicastNet();
    const [a, b] = [net.add('a'), net.add('b')];
    net.link(a, b);
    net.bootstrap(a);
    expect(net.connect(b, 'a', 'dt')).toEqual(code('EIPCPSTATE'));
  });

  test('of data transfer are refused where the flow below would be ordered; those of management never are', () => {
    const net = new UnicastNet();
    const [, b] = net.line('a', 'b') as [Member, Member];
    for (const [name, qos] of Object.entries(qosByName)) {
      const result = net.connect(b, 'a', 'dt', qos);
      if (name === 'raw') expect(result).toBeUndefined();
      else expect(result, name).toEqual(code('ENOTSUP'));
      expect(net.connect(b, 'a', 'mgmt', qos), name).toBeUndefined();
    }
  });

  test('to an IPCP with the same address are refused on either side', () => {
    const net = new UnicastNet({
      around: (around) => ({ ...around, randomBytes: (count) => Buffer.alloc(count, 5) }),
    });
    const [a, b] = [net.add('a'), net.add('b')];
    net.link(a, b);
    net.bootstrap(a);
    net.bootstrap(b);
    expect(net.connect(b, 'a', 'dt')).toEqual(code('ENOTSUP'));
    expect(net.connect(b, 'a', 'mgmt')).toEqual(code('ENOTSUP'));
    expect([facts(a, 'connections'), facts(b, 'connections')]).toEqual([[], []]);
  });

  test('of data transfer without management bring no route, and the other way round', () => {
    for (const component of ['dt', 'mgmt'] as const) {
      const net = new UnicastNet();
      const [a, b] = [net.add('a'), net.add('b')];
      net.link(a, b);
      net.bootstrap(a);
      net.enroll(b, 'a');
      net.connect(b, 'a', component);
      net.run(1000);
      expect([routes(a), routes(b)]).toEqual([{}, {}]);
      net.connect(b, 'a', component === 'dt' ? 'mgmt' : 'dt');
      net.run(100);
      expect([routes(a), routes(b)]).toEqual([{ b: 1 }, { a: 1 }]);
    }
  });

  test('that are ended by who made them take the route along, at both ends and beyond', () => {
    const net = new UnicastNet();
    const [a, b, c] = net.line('a', 'b', 'c') as [Member, Member, Member];
    c.call(() => c.ipcp.disconnect('b', 'dt'));
    net.run(100);
    expect([routes(a), routes(b), routes(c)]).toEqual([{ b: 1 }, { a: 1 }, {}]);
    net.connect(c, 'b', 'dt');
    net.run(100);
    expect(routes(a)).toEqual({ b: 1, c: 2 });
    // The other end did not make it.
    b.call(() => b.ipcp.disconnect('c', 'dt'));
    net.run(100);
    expect(routes(a)).toEqual({ b: 1, c: 2 });
  });

  test('to one neighbour may be several: packets take the one that came up last, and each is a way if another ends', () => {
    const net = new UnicastNet({ config: { ls_t_update: 600, ls_t_timeo: 700 } });
    const [a, b] = net.line('a', 'b') as [Member, Member];
    expect(b.layer.maxMessageBytes).toBe(1481);
    // A second link, that carries less, under another name.
    a.node.names.add('a2');
    const [first] = net.world.links;
    first!.cut = true;
    const second = net.link(a, b, { maxMessageBytes: 1000 });
    expect(net.connect(b, 'a2', 'dt')).toBeUndefined();
    first!.cut = false;
    net.run(100);
    expect([a.layer.maxMessageBytes, b.layer.maxMessageBytes]).toEqual([985, 985]);
    const packets = second.counts.packets;
    expect(reaches(net, b, a)).toBe('pong to ping');
    expect(second.counts.packets).toBeGreaterThan(packets);
    b.call(() => b.ipcp.disconnect('a2', 'dt'));
    net.run(100);
    expect([routes(a), routes(b), a.layer.maxMessageBytes]).toEqual([{ b: 1 }, { a: 1 }, 1481]);
    expect(reaches(net, a, b)).toBe('pong to ping');
  });

  test('over a link that goes down are not used, and are when it is up again', () => {
    const net = new UnicastNet();
    const [a, b, c] = net.line('a', 'b', 'c') as [Member, Member, Member];
    const [, second] = net.world.links;
    second!.setUp(false);
    net.run(20);
    expect([routes(a), routes(b), routes(c)]).toEqual([{ b: 1 }, { a: 1 }, {}]);
    second!.setUp(true);
    net.run(200);
    expect([routes(a), routes(c)]).toEqual([
      { b: 1, c: 2 },
      { a: 2, b: 1 },
    ]);
    expect(reaches(net, a, c)).toBe('pong to ping');
  });
});

describe('an IPCP that is gone', () => {
  test.each(['destroyed', 'crashed', 'vanished'] as const)(
    '%s is noticed, and joins again as somebody new',
    (how) => {
      const net = new UnicastNet();
      const [a, b, c] = net.line('a', 'b', 'c') as [Member, Member, Member];
      expect(reaches(net, a, c)).toBe('pong to ping');
      const old = c.layer.address;
      net.end(c, how);
      net.run(how === 'vanished' ? 5100 : 50);
      expect([routes(a), routes(b)]).toEqual([{ b: 1 }, { a: 1 }]);
      expect(net.allocate(a, 'ping.c')).toBeUndefined();
      const again = net.replace(c);
      net.join(again, b);
      net.run(1000);
      expect(again.layer.address).not.toBe(old);
      expect(routes(a)).toEqual({ b: 1, c: 2 });
      expect(net.allocate(a, 'ping.c')).toBeUndefined();
      expect(reaches(net, a, again)).toBe('pong to ping');
      expect(reaches(net, again, a)).toBe('pong to ping');
    },
  );

  test('says so to the ends of its flows when it is destroyed', () => {
    const net = new UnicastNet();
    const [a, , c] = net.line('a', 'b', 'c') as [Member, Member, Member];
    c.serve('ping.c');
    net.run(100);
    const flow = net.allocate(a, 'ping.c')!;
    net.end(c, 'destroyed');
    net.run(100);
    expect(flow.end.isReleased).toBe(true);
  });
});

test('names that are withdrawn are no longer found', () => {
  const net = new UnicastNet();
  const [a, , c] = net.line('a', 'b', 'c') as [Member, Member, Member];
  expect(reaches(net, a, c)).toBe('pong to ping');
  c.withdraw('ping.c');
  net.run(1000);
  expect(net.allocate(a, 'ping.c')).toBeUndefined();
});

test('no two components count under one name', () => {
  const net = new UnicastNet();
  const [a] = net.line('a') as [Member];
  const { dataTransfer, routing, directory, flowAllocator } = a.layer;
  const parts = [dataTransfer, routing, directory, flowAllocator, a.ipcp];
  const names = Object.keys({ ...a.ipcp.counters, ...a.layer.counters });
  expect(names).toHaveLength(parts.reduce((sum, { counters }) => sum + Object.keys(counters).length, 0));
});

test('a flow to a name that is served here goes nowhere', () => {
  const net = new UnicastNet();
  const [a] = net.line('a') as [Member];
  expect(reaches(net, a, a)).toBe('pong to ping');
});

test('between IPCPs of one node, over calls, all is the same', () => {
  const net = new UnicastNet({ link: { isCall: true } });
  const [a, , c] = net.line('a', 'b', 'c') as [Member, Member, Member];
  expect(routes(a)).toEqual({ b: 1, c: 2 });
  expect(reaches(net, a, c)).toBe('pong to ping');
  net.end(c, 'destroyed');
  net.run(50);
  expect(routes(a)).toEqual({ b: 1 });
});
