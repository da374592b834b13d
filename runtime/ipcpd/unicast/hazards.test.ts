/**
 * What the prototype gets wrong, or takes harm from: each rule of unicast-layer.md 13, and that members of ours keep it.
 * The prototype is a model of that document (tests/support/prototype-ipcp.ts), which complains of what harms it.
 */
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Member, type NetOptions, UnicastNet } from '../../../tests/sim/unicast-net.ts';
import { packetOf } from '../../../tests/support/flow-inbox.ts';
import { O7sError } from '../../lib/errors.ts';
import { type QosSpec, rawQos } from '../../lib/qos.ts';
import { connectionLimits } from '../connmgr/connection-manager.ts';
import { encodeRecord } from '../connmgr/message.ts';

/** A net whose prototypes must have nothing to complain of when the test is over. */
function netWith(prototypes: readonly number[], options: NetOptions = {}): UnicastNet {
  const net = new UnicastNet({ ...options, isPrototype: (index) => prototypes.includes(index) });
  onTestFinished(() => expect(complaints(net)).toEqual([]));
  return net;
}

const complaints = (net: UnicastNet): string[] =>
  net.members.flatMap(({ name, prototype }) =>
    (prototype?.complaints ?? []).map((each) => `${name}: ${each}`),
  );

/** A message from one to a server at another, on the spot; how long it took, or what went wrong. */
function ping(net: UnicastNet, from: Member, to: Member, name = `svc.${to.name}`): number | string {
  if (!to.served.has(name)) {
    to.serve(name);
    net.run(1000);
  }
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const flow = net.allocate(from, name);
    if (flow === undefined) return 'unknown';
    if (flow.outcome.kind !== 'accepted') continue;
    const server = to.served.get(name)!.at(-1)!;
    const start = net.now;
    for (let message = 0; message < 5 && server.heard.length === 0; message += 1) {
      flow.end.say('x');
      for (let ms = 0; ms < 300 && server.heard.length === 0; ms += 1) net.run(1);
    }
    flow.end.end(net.now);
    return server.heard.length > 0 ? net.now - start : 'unheard';
  }
  return 'unanswered';
}

describe('1: raw flows below', () => {
  test('are all that is asked for, whatever a user wants', () => {
    const asked: QosSpec[] = [];
    const net = netWith([0], {
      around: (around, name) => {
        if (name !== 'b') return around;
        const allocate: typeof around.lower.allocate = (to, qos, user, done) => {
          asked.push(qos);
          around.lower.allocate(to, qos, user, done);
        };
        return { ...around, lower: { allocate } };
      },
    });
    const [, b] = net.line('a', 'b') as [Member, Member];
    expect(net.connect(b, 'a', 'mgmt', { ...rawQos, inOrder: 1, loss: 0 })).toBeUndefined();
    expect(net.connect(b, 'a', 'dt', { ...rawQos, inOrder: 1 })).toBeInstanceOf(O7sError);
    expect(asked).toEqual(Array.from({ length: 4 }, () => rawQos));
  });
});

describe('2: settling', () => {
  test.each([
    ['ours enrols with a prototype', [0]],
    ['a prototype enrols with ours', [1]],
  ])('%s: nothing is sent before its reader is armed, so nothing lags behind', (_what, prototypes) => {
    const net = netWith(prototypes, { link: { delayMs: 0.1 } });
    const [a, b] = net.line('a', 'b') as [Member, Member];
    for (const member of [a, b]) member.serve(`svc.${member.name}`);
    net.run(5000);
    // While a further flow is made there is something to say all the time.
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const { end } = net.allocate(from, `svc.${to.name}`)!;
      for (let ms = 0; ms < 20; ms += 0.05) net.world.time.after(ms, () => end.say('x'));
      net.connect(from, to.name, 'dt');
      net.run(5000);
    }
    expect([ping(net, a, b), ping(net, b, a)]).toEqual([1, 1]);
  });

  test('the model complains when it is sent to at once', () => {
    const limits = { connections: { ...connectionLimits, settleMs: 0 } };
    const net = new UnicastNet({ isPrototype: (index) => index === 0, limits, link: { delayMs: 0.1 } });
    net.line('a', 'b');
    expect(complaints(net)).toContainEqual(expect.stringContaining('sent before the reader was armed'));
  });

  test('a database of many links is not sent before that either', () => {
    const net = netWith([6]);
    const line = net.line('a', 'b', 'c', 'd', 'e', 'f', 'g') as Member[];
    net.run(5000);
    expect(net.wrongRoutes()).toEqual([]);
    expect(ping(net, line[0]!, line[6]!)).toBe(6);
  });
});

describe('3: replies to flow requests that a prototype loses', () => {
  test('cost 2 s each; the next request has another endpoint id', () => {
    const net = netWith([1], { seed: 3 });
    const [a, b] = net.line('a', 'b') as [Member, Member];
    b.serve('svc');
    net.run(2000);
    b.prototype!.lostReplies = 1;
    const start = net.now;
    expect(net.allocate(a, 'svc')!.outcome.kind).toBe('unanswered');
    expect(net.now - start).toBeLessThan(2100);
    b.prototype!.lostReplies = 0;
    expect(net.allocate(a, 'svc')!.outcome.kind).toBe('accepted');
    expect(a.layer.flowAllocator.flows).toHaveLength(1);
  });

  test('are had in the end, at the rate the lab has seen and at a worse one', () => {
    const net = netWith([1]);
    const [a, b] = net.line('a', 'b') as [Member, Member];
    b.prototype!.lostReplies = 0.3;
    for (let times = 0; times < 20; times += 1) expect(ping(net, a, b)).toBe(1);
    // What was given up here is known to be so; a prototype forgets nothing.
    expect(a.layer.flowAllocator.flows).toEqual([]);
  });
});

describe('4 and 5: enrolment', () => {
  test('a prototype names who enrolled it as its first contact', () => {
    const net = netWith([2]);
    const [, b, c] = net.line('a', 'b', 'c') as [Member, Member, Member];
    b.serve('svc');
    net.run(2000);
    // It knows nobody but whom its enrolment named.
    expect(net.find(c, 'svc')).toEqual([b]);
  });

  test('a joiner that says nothing holds up nobody else', () => {
    const net = netWith([1, 2]);
    const [a] = net.line('a') as [Member];
    const silent = net.add('silent');
    net.link(a, silent);
    silent.node.run(() =>
      silent.node.allocate('a', rawQos, { deliver() {}, setUp() {}, released() {} }, () => {}),
    );
    const b = net.add('b');
    net.link(a, b);
    const start = net.now;
    net.join(b, a);
    expect(net.now - start).toBeLessThan(100);
  });

  test('a prototype that is held up by somebody is asked again, and named when it is of no use', () => {
    const net = netWith([0]);
    const [a] = net.line('a') as [Member];
    const silent = net.add('silent');
    net.link(a, silent);
    // Each costs its one acceptor a second.
    const hold = (count: number): void => {
      for (let number = 0; number < count; number += 1) {
        silent.node.run(() =>
          silent.node.allocate('a', rawQos, { deliver() {}, setUp() {}, released() {} }, () => {}),
        );
      }
      net.run(5);
    };
    const b = net.add('b');
    net.link(a, b);
    hold(1);
    expect(net.enroll(b, 'a')).toMatchObject({ name: 'net' });
    const c = net.add('c');
    net.link(a, c);
    hold(20);
    const result = net.enroll(c, 'a');
    expect((result as O7sError).message).toBe('a did not answer');
  });
});

describe('8: sequence numbers', () => {
  test('go on when a link comes again, so that prototypes believe it at once', () => {
    const net = netWith([2]);
    const [a, b, c] = net.line('a', 'b', 'c') as [Member, Member, Member];
    net.run(60_000);
    b.call(() => b.ipcp.disconnect('a', 'dt'));
    net.run(40_000);
    net.connect(b, 'a', 'dt');
    net.run(1000);
    expect(net.wrongRoutes()).toEqual([]);
    // It counts as new there, whatever was heard of it before.
    net.run(61_000);
    expect(net.wrongRoutes()).toEqual([]);
    expect(ping(net, c, a)).toBe(2);
  });
});

describe('9: management flows', () => {
  test.each([15, 100, 600])(
    'carry no keepalives and are never silent for 30 s, with announcements every %i s',
    (update) => {
      const net = netWith([0, 2], { config: { ls_t_update: update, ls_t_timeo: 4 * update } });
      const [a, b, c] = net.line('a', 'b', 'c') as [Member, Member, Member];
      net.run(600_000);
      for (const { prototype } of [a, c]) expect(prototype!.routing!.longestSilence).toBeLessThan(30_000);
      expect(net.wrongRoutes()).toEqual([]);
      expect(ping(net, b, c)).toBe(1);
    },
  );

  test('carry no keepalives either when routing has nothing to say', () => {
    const net = netWith([0], {
      config: { ls_t_update: 3000, ls_t_timeo: 9000 },
      limits: { routing: { repeatMs: 1_000_000 } },
    });
    net.line('a', 'b');
    net.run(600_000);
  });

  test('the model complains of a keepalive, and hears of nothing from anybody any more', () => {
    const net = new UnicastNet({ isPrototype: (index) => index === 0 });
    const [a, b] = net.line('a', 'b') as [Member, Member];
    const { node: stranger } = net.add('stranger');
    net.world.link(a.node, stranger);
    const record = {
      component: 'Management',
      protocol: 'LSP',
      version: 1,
      syntax: 0,
      address: 99,
      extensions: 1,
    };
    stranger.run(() =>
      stranger.allocate('a', rawQos, { deliver() {}, setUp() {}, released() {} }, (flow) => {
        if (flow instanceof O7sError) throw flow;
        flow.write(packetOf(encodeRecord(record)));
        net.world.time.after(1000, () => stranger.run(() => flow.write(packetOf(Buffer.alloc(0)))));
      }),
    );
    net.run(2000);
    expect(complaints(net)).toEqual(['a: Management: 99 sent a keepalive']);
    net.run(100_000);
    expect(a.prototype!.routing!.pairs()).toEqual([`${a.address}>${b.address}`]);
  });
});

describe('10: stale routes of prototypes', () => {
  test('over a link of ours that is gone are gone when they could have noticed', () => {
    // a and b are ours, the way round them is of prototypes.
    const net = netWith([2, 3]);
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => net.add(name)) as [
      Member,
      Member,
      Member,
      Member,
    ];
    net.bootstrap(a);
    for (const [from, to] of [
      [b, a],
      [c, b],
      [d, c],
    ] as const) {
      net.link(from, to);
      net.join(from, to);
    }
    net.link(a, d);
    net.connect(a, 'd', 'mgmt');
    net.connect(a, 'd', 'dt');
    net.run(30_000);
    expect(net.wrongRoutes()).toEqual([]);
    const link = net.world.links.find(({ ends }) => ends.includes(a.node) && ends.includes(b.node))!;
    link.setUp(false);
    net.run(100_000);
    expect(net.wrongRoutes()).toEqual([]);
  });

  test('to a flow that was replaced are gone a moment later', () => {
    const net = netWith([0]);
    const [a, b] = net.line('a', 'b') as [Member, Member];
    expect(ping(net, a, b)).toBe(1);
    // Nothing that came before makes it calculate any more.
    net.run(30_000);
    b.call(() => b.ipcp.disconnect('a', 'dt'));
    net.run(1000);
    // The prototype was not told and still sends on the first flow.
    net.connect(b, 'a', 'dt');
    net.run(3000);
    const start = net.now;
    expect(ping(net, a, b)).toBe(1);
    expect(net.now - start).toBeLessThan(1000);
  });
});

describe('11: a prototype that dies', () => {
  test('is no longer announced after two minutes of silence', () => {
    const net = netWith([2]);
    const [a, b, c] = net.line('a', 'b', 'c') as [Member, Member, Member];
    net.run(1000);
    net.end(c, 'vanished');
    net.run(120_000 + 31_000);
    expect([...a.layer.routing.members()]).toEqual([b.address]);
    expect([...b.layer.dataTransfer.neighbours].map(({ address }) => address)).toEqual([a.address]);
  });

  test('and comes again finds its way back', () => {
    const net = netWith([1]);
    const [a, b] = net.line('a', 'b') as [Member, Member];
    net.end(b, 'vanished');
    net.run(10_000);
    const again = net.replace(b);
    net.join(again, a);
    net.run(6000);
    expect(ping(net, a, again)).toBe(1);
    expect(ping(net, again, a)).toBe(1);
  });
});

describe('13: flow allocation', () => {
  test('a prototype that asks for what is not served is refused at once', () => {
    const net = netWith([1]);
    const [a, b] = net.line('a', 'b') as [Member, Member];
    a.serve('svc');
    net.run(2000);
    a.served.delete('svc');
    const start = net.now;
    expect(net.allocate(b, 'svc')!.outcome).toEqual({ kind: 'refused', response: -1007 });
    expect(net.now - start).toBeLessThan(10);
  });

  test('a request that the network doubles is answered once, and a reply that it doubles is believed once', () => {
    const net = netWith([1]);
    const [a, b] = net.line('a', 'b') as [Member, Member];
    for (const member of [a, b]) member.serve(`svc.${member.name}`);
    net.run(2000);
    const [link] = net.world.links;
    const isCode = (bytes: Buffer, code: number): boolean =>
      bytes.length >= 15 + 61 && bytes.readBigUInt64LE(7) === 0n && bytes[15 + 58] === code;
    link!.copies = (bytes, from) =>
      (isCode(bytes, 0) && from === b.node) || (isCode(bytes, 1) && from === b.node) ? 2 : 1;
    expect([ping(net, b, a), ping(net, a, b)]).toEqual([1, 1]);
    expect(a.layer.flowAllocator.counters).toMatchObject({
      droppedRepeatedRequest: 1,
      droppedUnexpectedReply: 1,
    });
  });

  test('a release is nothing to a prototype, which says nothing of its own', () => {
    const net = netWith([1]);
    const [a, b] = net.line('a', 'b') as [Member, Member];
    b.serve('svc');
    net.run(2000);
    const flow = net.allocate(a, 'svc')!;
    const server = b.served.get('svc')![0]!;
    flow.end.end(net.now);
    net.run(1000);
    expect(server.isReleased).toBe(false);
    server.say('to nobody');
    net.run(1000);
    expect(a.layer.flowAllocator.counters.droppedUnknownEid).toBe(1);
  });
});

describe('14: keepalives', () => {
  test('of data transfer keep a prototype from taking the flow for dead', () => {
    const net = netWith([0], { config: { ls_t_update: 20, ls_t_timeo: 60 } });
    const [a, b] = net.line('a', 'b') as [Member, Member];
    net.run(600_000);
    expect([ping(net, a, b), ping(net, b, a)]).toEqual([1, 1]);
  });
});

describe('15: an order of packets that is none', () => {
  test.each([1, 2, 3])('is survived, and loss too: seed %i', (seed) => {
    const net = netWith([1, 3], { seed, link: { delayMs: 5, jitterMs: 40, loss: 0.02 } });
    net.grow(
      [
        [0, 1],
        [1, 2],
        [2, 3],
        [3, 4],
        [4, 0],
      ],
      5,
    );
    net.settle(120_000);
    for (const member of net.members) member.serve(`svc.${member.name}`);
    net.run(120_000);
    net.tend();
    net.settle(120_000);
    for (const from of net.members) {
      for (const to of net.members)
        if (from !== to) expect(ping(net, from, to), `${from.name} to ${to.name}`).toBeTypeOf('number');
    }
  });
});
