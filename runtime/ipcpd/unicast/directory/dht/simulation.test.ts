import { describe, expect, test } from 'vitest';
import { DirectoryNet, type NetMember, type NetOptions } from '../../../../../tests/support/directory-net.ts';
import { Dht, type DhtConfig } from './dht.ts';

interface Layer {
  readonly net: DirectoryNet;
  readonly members: NetMember[];
}

interface LayerOptions extends NetOptions {
  readonly ours: number;
  readonly prototypes?: number;
  /** Between two members that come, in ms. */
  readonly pauseMs?: number;
}

const isOurs = ({ dht }: NetMember): boolean => dht instanceof Dht;
const alive = (members: readonly NetMember[]): NetMember[] => members.filter((member) => member.isAlive);
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
const sent = (members: readonly NetMember[]): number => sum(members.map((member) => member.sent));

/** A layer whose members came one after another, each enrolled by one that was there, and time to settle. */
function layer({ ours, prototypes = 0, pauseMs = 200, ...options }: LayerOptions): Layer {
  const net = new DirectoryNet(options);
  const members: NetMember[] = [];
  const left = { ours, prototypes };
  while (left.ours + left.prototypes > 0) {
    const peer = members[net.below(members.length)]?.address ?? 0;
    const isPrototype = net.below(left.ours + left.prototypes) >= left.ours;
    left[isPrototype ? 'prototypes' : 'ours'] -= 1;
    members.push(isPrototype ? net.addPrototype(peer) : net.addOurs(peer));
    net.run(pauseMs);
  }
  net.run(5000);
  return { net, members };
}

/** Each member serves a name of its own. */
function registerAll({ net, members }: Layer): Map<NetMember, Buffer> {
  const names = new Map(members.map((member) => [member, net.randomBytes(32)]));
  for (const [member, key] of names) net.register(member, key);
  net.run(5000);
  return names;
}

/** A choice of members, spread over all. */
function some(members: readonly NetMember[], max: number): NetMember[] {
  const step = Math.max(1, members.length / max);
  return Array.from(
    { length: Math.min(max, members.length) },
    (_one, index) => members[Math.floor(index * step)]!,
  );
}

interface Asked {
  readonly asked: number;
  readonly found: number;
  /** Answers that named somebody else. */
  readonly wrong: number;
  /** ms until the answer, of all but a hundredth. */
  readonly usual: number;
  readonly longest: number;
  /** Messages for each query. */
  readonly messages: number;
}

/** Lets members ask for names of others. */
function ask(
  { net, members }: Layer,
  askers: readonly NetMember[],
  names: ReadonlyMap<NetMember, Buffer>,
  owners: readonly NetMember[],
): Asked {
  const before = sent(members);
  const outcomes: { owner: NetMember; outcome: ReturnType<DirectoryNet['query']> }[] = [];
  for (const asker of askers) {
    for (const owner of owners) {
      const key = names.get(owner);
      if (asker !== owner && key !== undefined) outcomes.push({ owner, outcome: net.query(asker, key) });
    }
    net.run(7);
  }
  net.run(7000);
  const times = outcomes.map(({ outcome }) => outcome.after).toSorted((a, b) => a - b);
  const found = outcomes.filter(({ owner, outcome }) => outcome.addresses?.includes(owner.address));
  const wrong = outcomes.filter(({ owner, outcome }) =>
    outcome.addresses?.some((address) => address !== owner.address),
  );
  return {
    asked: outcomes.length,
    found: found.length,
    wrong: wrong.length,
    usual: Math.ceil(times[Math.ceil(times.length * 0.99) - 1] ?? 0),
    longest: Math.ceil(times.at(-1) ?? 0),
    messages: Math.round(((sent(members) - before) / outcomes.length) * 10) / 10,
  };
}

/** Names that nobody serves, as if members served them. */
function unknownNames({ net }: Layer, owners: readonly NetMember[]): Map<NetMember, Buffer> {
  return new Map(owners.map((owner) => [owner, net.randomBytes(32)]));
}

function facts(member: NetMember): Record<string, number> {
  if (!(member.dht instanceof Dht)) throw new Error('no facts of a prototype');
  return member.dht.metrics() as Record<string, number>;
}

describe.each([
  { ours: 3, loss: 0 },
  { ours: 10, loss: 0 },
  { ours: 10, loss: 0.1 },
  { ours: 50, loss: 0.1 },
  { ours: 200, loss: 0 },
  { ours: 200, loss: 0.05 },
])('$ours members of ours, $loss of the packets lost', ({ ours, loss }) => {
  test('every name is found by every member, and none that is not served; in time', () => {
    const one = layer({ seed: ours, ours, loss });
    const names = registerAll(one);
    const askers = some(one.members, 40);
    const known = ask(one, askers, names, some(one.members, 30));
    expect(known).toMatchObject({ found: known.asked, wrong: 0 });
    expect(known.longest).toBeLessThan(loss === 0 ? 150 : 2500);
    const unknown = ask(one, askers, unknownNames(one, one.members.slice(0, 3)), one.members.slice(0, 3));
    expect(unknown).toMatchObject({ found: 0, wrong: 0 });
    // Well before 2 s, by which the prototype gives up.
    expect(unknown.usual).toBeLessThan(loss === 0 ? 200 : 1500);
    expect(unknown.longest).toBeLessThan(2500);
    for (const member of one.members) {
      expect(facts(member)).toMatchObject({
        isJoined: true,
        queries: 0,
        requests: 0,
        lookups: 0,
        deliveries: 0,
      });
    }
  });
});

describe('members come and go', () => {
  test.each([
    { ours: 12, changes: 30 },
    { ours: 100, changes: 60 },
  ])('$changes of $ours', ({ ours, changes }) => {
    const one = layer({ seed: 4, ours, loss: 0.03, routingMs: 100 });
    const { net, members } = one;
    const names = registerAll(one);
    for (let change = 0; change < changes; change += 1) {
      const living = alive(members);
      if (change % 2 === 0) net.kill(living[net.below(living.length)]!);
      else {
        const peer = living[net.below(living.length)]!;
        const member = net.addOurs(peer.address);
        members.push(member);
        const key = net.randomBytes(32);
        names.set(member, key);
        net.register(member, key);
      }
      net.run(net.below(1500));
    }
    net.run(10_000);
    const living = alive(members);
    const dead = members.filter((member) => !member.isAlive);
    const askers = some(living, 25);
    const known = ask(one, askers, names, living);
    expect(known).toMatchObject({ found: known.asked, wrong: 0 });
    expect(ask(one, askers, names, dead)).toMatchObject({ found: 0, wrong: 0 });
  });

  test('who leaves takes his names along at once', () => {
    const one = layer({ seed: 5, ours: 10, routingMs: 60_000 });
    const { net, members } = one;
    net.run(70_000);
    const names = registerAll(one);
    const [leaver] = members as [NetMember];
    net.with(leaver, (dht) => {
      if (dht instanceof Dht) dht.leave(net.now);
    });
    net.run(100);
    expect(ask(one, members.slice(1), names, [leaver])).toMatchObject({ asked: 9, found: 0 });
  });

  test.each([
    { ours: 10, loss: 0.05 },
    { ours: 100, loss: 0.02 },
  ])(
    'a name that is withdrawn by one of $ours is gone, and one that comes back is there',
    ({ ours, loss }) => {
      const one = layer({ seed: 6, ours, loss });
      const { net, members } = one;
      const names = registerAll(one);
      const gone = some(members, 10);
      const askers = some(members, 20);
      expect(ask(one, askers, names, gone).found).toBeGreaterThan(0);
      for (const member of gone) net.unregister(member, names.get(member)!);
      // Whoever resolved it may believe it for so long.
      net.run(15_000);
      expect(ask(one, askers, names, gone)).toMatchObject({ found: 0, wrong: 0 });
      for (const member of gone) {
        for (let turn = 0; turn < 3; turn += 1) {
          net.register(member, names.get(member)!);
          net.run(3);
          net.unregister(member, names.get(member)!);
          net.run(2);
        }
        net.register(member, names.get(member)!);
      }
      net.run(5000);
      const known = ask(one, askers, names, gone);
      expect(known).toMatchObject({ found: known.asked, wrong: 0 });
    },
  );

  test.each([{ ours: 12 }, { ours: 90 }])('a layer of $ours that parts and heals', ({ ours }) => {
    const one = layer({ seed: 7, ours, loss: 0.02 });
    const { net, members } = one;
    const names = registerAll(one);
    const [half, rest] = [members.slice(0, ours / 2), members.slice(ours / 2)];
    net.part(half, 1);
    // Longer than a contact without a route is kept.
    net.run(3_600_000);
    const late = net.randomBytes(32);
    const [withdrawn, moved] = half as [NetMember, NetMember];
    net.unregister(withdrawn, names.get(withdrawn)!);
    names.set(moved, late);
    net.register(moved, late);
    net.run(5000);
    for (const [inside, outside] of [
      [half, rest],
      [rest, half],
    ] as const) {
      const own = inside.filter((member) => member !== withdrawn);
      const known = ask(one, some(inside, 10), names, own);
      expect(known).toMatchObject({ found: known.asked, wrong: 0 });
      expect(ask(one, some(inside, 10), names, outside)).toMatchObject({ found: 0, wrong: 0 });
    }
    net.part(half, 0);
    net.run(15_000);
    const all = members.filter((member) => member !== withdrawn);
    const known = ask(one, some(members, 20), names, all);
    expect(known).toMatchObject({ found: known.asked, wrong: 0 });
    expect(ask(one, some(members, 20), names, [withdrawn])).toMatchObject({ found: 0, wrong: 0 });
  });

  test.each([{ ours: 30 }, { ours: 100 }])(
    'one of $ours that nobody hears for a while, which routing does not notice, is found by all names that it took meanwhile',
    ({ ours }) => {
      const one = layer({ seed: 5, ours, routingMs: 3_600_000 });
      const { net, members } = one;
      net.run(3_700_000);
      registerAll(one);
      const quiet = members[ours / 2]!;
      quiet.part = 1;
      const names = new Map(Array.from({ length: 60 }, () => [{ ...quiet }, net.randomBytes(32)]));
      for (const key of names.values()) net.register(quiet, key);
      net.run(30_000);
      quiet.part = 0;
      net.run(10_000);
      const known = ask(one, [members[3]!], names, [...names.keys()]);
      expect(known).toMatchObject({ asked: 60, found: 60, wrong: 0 });
    },
  );

  test('a short parting withdraws names, and brings them back', () => {
    const one = layer({ seed: 8, ours: 8 });
    const { net, members } = one;
    const names = registerAll(one);
    const [alone] = members as [NetMember];
    net.part([alone], 1);
    net.run(200);
    expect(ask(one, members.slice(1), names, [alone])).toMatchObject({ found: 0 });
    net.unregister(alone, names.get(alone)!);
    net.run(1000);
    net.part([alone], 0);
    net.run(200);
    expect(ask(one, members.slice(1), names, [alone])).toMatchObject({ found: 0 });
    net.register(alone, names.get(alone)!);
    net.run(200);
    expect(ask(one, members.slice(1), names, [alone])).toMatchObject({ found: 7 });
  });
});

describe('time', () => {
  const config: DhtConfig = { alpha: 3, k: 8, tExpire: 60, tRefresh: 15, tReplicate: 10 };

  test('names outlive the life of a value many times over, and no longer than it when their member is silent', () => {
    const one = layer({ seed: 9, ours: 6, loss: 0.05, config });
    const { net, members } = one;
    const names = registerAll(one);
    net.run(600_000);
    const known = ask(one, members, names, members);
    expect(known).toMatchObject({ found: known.asked, wrong: 0 });
    // It does nothing any more, and routing does not notice.
    const [silent] = members as [NetMember];
    silent.wakeAt = -1;
    net.run(75_000);
    const holders = members.slice(1).map((member) => facts(member)['foreignValues']);
    expect(holders).toEqual([4, 4, 4, 4, 4]);
  });

  test('with nothing registered any more, nothing is left', () => {
    const one = layer({ seed: 10, ours: 20, loss: 0.05, config });
    const { net, members } = one;
    const idle = members.map((member) => facts(member));
    const names = registerAll(one);
    ask(one, members, names, members);
    for (const [member, key] of names) net.unregister(member, key);
    net.run(90_000);
    for (const [index, member] of members.entries()) {
      const now = facts(member);
      expect(now).toMatchObject({
        keys: 0,
        foreignValues: 0,
        withdrawnValues: 0,
        owedWithdrawals: 0,
        cached: 0,
        queries: 0,
        deliveries: 0,
        contacts: 19,
      });
      expect(now['tasks']).toBeLessThanOrEqual((idle[index]?.['tasks'] ?? 0) + 30);
    }
  });
});

describe('among prototypes', () => {
  test.each([
    { ours: 1, prototypes: 1 },
    { ours: 2, prototypes: 1 },
    { ours: 1, prototypes: 2 },
    { ours: 5, prototypes: 5 },
    { ours: 1, prototypes: 20 },
    { ours: 25, prototypes: 25 },
    { ours: 80, prototypes: 4 },
    { ours: 40, prototypes: 40 },
  ])(
    '$ours of ours and $prototypes: names of either side are found from the other',
    ({ ours, prototypes }) => {
      const one = layer({ seed: 11 + ours, ours, prototypes, loss: 0.01 });
      const { net, members } = one;
      const names = registerAll(one);
      const kinds = [members.filter(isOurs), members.filter((member) => !isOurs(member))] as const;
      const check = (): void => {
        for (const [askers, owners] of [
          [kinds[0], kinds[0]],
          [kinds[0], kinds[1]],
          [kinds[1], kinds[0]],
        ] as const) {
          const known = ask(one, some(askers, 15), names, some(owners, 15));
          expect(known).toMatchObject({ found: known.asked, wrong: 0 });
          // Its user waits 200 ms.
          if (askers === kinds[1]) expect(known.usual).toBeLessThan(200);
        }
      };
      check();
      net.run(4_000_000);
      check();
      // Newcomers of both kinds find and are found.
      const [ourPeer, prototypePeer] = [kinds[0][0]!, kinds[1][0]!];
      for (const member of [net.addOurs(prototypePeer.address), net.addPrototype(ourPeer.address)]) {
        members.push(member);
        net.run(3000);
        const key = net.randomBytes(32);
        names.set(member, key);
        net.register(member, key);
        net.run(3000);
        const fromHere = ask(one, [member], names, isOurs(member) ? members : kinds[0]);
        expect(fromHere).toMatchObject({ found: fromHere.asked, wrong: 0 });
        const toHere = ask(one, isOurs(member) ? some(members, 20) : some(kinds[0], 20), names, [member]);
        expect(toHere).toMatchObject({ found: toHere.asked, wrong: 0 });
      }
    },
  );

  test('a name that ours withdrew is not found by ours, whatever prototypes repeat', () => {
    const one = layer({ seed: 31, ours: 4, prototypes: 4 });
    const { net, members } = one;
    const names = registerAll(one);
    const ours = members.filter(isOurs);
    const [owner] = ours as [NetMember];
    net.unregister(owner, names.get(owner)!);
    net.run(15_000);
    expect(ask(one, ours, names, [owner])).toMatchObject({ found: 0 });
    net.run(1_200_000);
    expect(ask(one, ours, names, [owner])).toMatchObject({ found: 0 });
    // Not even by prototypes, once its life is over.
    net.run(2_700_000);
    expect(ask(one, members, names, [owner])).toMatchObject({ found: 0 });
  });

  test('a name that a prototype no longer serves is forgotten by ours within t_replicate', () => {
    const one = layer({ seed: 32, ours: 3, prototypes: 1 });
    const { net, members } = one;
    const names = registerAll(one);
    const ours = members.filter(isOurs);
    const owner = members.find((member) => !isOurs(member))!;
    expect(ask(one, ours, names, [owner])).toMatchObject({ found: 3 });
    net.unregister(owner, names.get(owner)!);
    net.run(1_000_000);
    expect(ask(one, ours, names, [owner])).toMatchObject({ found: 0 });
  });
});

test('messages: what a member sends on average', () => {
  const rows = [
    { ours: 3, prototypes: 0 },
    { ours: 10, prototypes: 0 },
    { ours: 50, prototypes: 0 },
    { ours: 100, prototypes: 0 },
    { ours: 200, prototypes: 0 },
    { ours: 5, prototypes: 5 },
    { ours: 25, prototypes: 25 },
  ].map(({ ours, prototypes }) => {
    const one = layer({ seed: 77, ours, prototypes });
    const { net, members } = one;
    const each = (before: number): number => Math.round((sent(members) - before) / members.length);
    const joining = each(0);
    let before = sent(members);
    const names = registerAll(one);
    const registering = Math.round((sent(members) - before) / members.length);
    const known = ask(one, some(members, 20), names, some(members, 20));
    const ourselves = members.filter(isOurs);
    const unknown = ask(
      one,
      some(ourselves, 20),
      unknownNames(one, members.slice(0, 3)),
      members.slice(0, 3),
    );
    before = sent(members);
    net.run(900_000);
    return [
      String(ours).padStart(4),
      String(prototypes).padStart(10),
      String(joining).padStart(7),
      String(registering).padStart(11),
      known.messages.toFixed(1).padStart(11),
      unknown.messages.toFixed(1).padStart(13),
      String(each(before)).padStart(14),
    ].join(' ');
  });
  const table = ['ours prototypes joining a new name known name unknown name 900 s, 1 name', ...rows];
  expect(`\n${table.join('\n')}\n`).toMatchInlineSnapshot(`
    "
    ours prototypes joining a new name known name unknown name 900 s, 1 name
       3          0       0           4         0.0           4.0              3
      10          0       0          18         0.0          16.0             13
      50          0       0          98         0.0          16.0             65
     100          0       0          16         5.7          16.0             10
     200          0       0          16         5.7          16.0             10
       5          5       8          13         2.4          18.0             11
      25         25      30          62        10.9          69.8             34
    "
  `);
});
