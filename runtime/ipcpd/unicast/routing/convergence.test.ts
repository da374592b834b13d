/**
 * Whole layers under virtual time. `O7S_SIM_MEMBERS=1000` adds layers of as many members, which takes minutes.
 */
import { describe, expect, test } from 'vitest';
import { RoutingNet, type Shape, shapes, type SimMember } from '../../../../tests/support/routing-net.ts';
import { Seeded } from '../../../../tests/support/seeded.ts';

const minute = 60_000;
/** All that could still be said was said: entries of links that are gone are gone too, in ms. */
const forgottenMs = 110_000;
/** The longest that a prototype believes in a link that is gone and then keeps its routes, in ms. */
const curedMs = 100_000;

function layerOf(
  shape: Shape,
  count: number,
  options: ConstructorParameters<typeof RoutingNet>[1] = {},
): RoutingNet {
  const net = new RoutingNet(count, options);
  for (const [a, b] of shapes[shape](count)) net.connect(a, b);
  return net;
}

function expectConverged(net: RoutingNet): void {
  expect(net.disagreements()).toEqual([]);
  expect(net.unreachable()).toEqual([]);
}

/** When the last member calculated its routes, in ms after a time. */
const routedAfter = (net: RoutingNet, from: number): number =>
  Math.max(...net.members.map(({ routedAt }) => routedAt)) - from;

const header = ['shape', 'links', 'up ms', 'messages', 'bytes', 'an interval', 're-routed ms', 'messages'];

/** Of more members somebody announces something all the time: nothing is ever quiet. */
const quietMembersMax = 10;
const intervalMs = 15_000;

/** What it costs a member that the layer comes up, that an interval passes, and that one link fails. */
function figures(shape: Shape, count: number): string[] {
  const net = layerOf(shape, count);
  const calm = (): void => {
    if (count > quietMembersMax) {
      net.run(3000);
      expect(net.disagreements('links')).toEqual([]);
    } else {
      net.settle(minute);
      expect(net.disagreements()).toEqual([]);
    }
    if (count <= 100) expect(net.unreachable()).toEqual([]);
  };
  const aMember = (total: number): number => Number((total / count).toPrecision(3));
  calm();
  const row = [shape, net.links.length, Math.round(routedAfter(net, 0))];
  row.push(aMember(net.messagesOut), aMember(net.bytesOut));
  const up = net.messagesOut;
  net.run(intervalMs);
  row.push(aMember(net.messagesOut - up));
  calm();
  const [before, at] = [net.messagesOut, net.now];
  const [a, b] = net.links[Math.floor(net.links.length / 2)]!;
  net.cut(a, b);
  calm();
  row.push(Math.round(routedAfter(net, at)));
  // What one link causes is lost in what many members announce meanwhile.
  return [...row, count > quietMembersMax ? '-' : aMember(net.messagesOut - before)].map(String);
}

function tableOf(count: number, of: readonly Shape[] = Object.keys(shapes) as Shape[]): string {
  const rows = [header, ...of.map((shape) => figures(shape, count))];
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  ');
  return rows.map((row) => line(row)).join('\n');
}

describe('a layer comes up, and a link of it fails; a member sends', () => {
  test('10 members', () => {
    expect(tableOf(10)).toMatchInlineSnapshot(`
      "shape   links  up ms  messages  bytes  an interval  re-routed ms  messages
      line        9     12      19.2    521         15.6             5       1.6
      ring       10     12        26    708         18.2             4       3.6
      tree        9     12      18.7    518         14.4             5       1.6
      star        9      2      16.3    496         16.2             3       1.6
      grid       13     12        48   1400         24.4             3         5
      random     19     12       103   3360         39.6             3       8.9"
    `);
  });

  test('50 members', () => {
    expect(tableOf(50)).toMatchInlineSnapshot(`
      "shape   links  up ms  messages  bytes  an interval  re-routed ms  messages
      line       49     32       114   3270         63.3            17         -
      ring       50     22       122   3490         71.9            15         -
      tree       49     12       101   3300         59.5             7         -
      star       49     12      56.4   2840         58.2             3         -
      grid       85     12       279  12900          126             5         -
      random     99     12       276  17200          157             4         -"
    `);
  });

  test('100 members', () => {
    expect(tableOf(100)).toMatchInlineSnapshot(`
      "shape   links  up ms  messages  bytes  an interval  re-routed ms  messages
      line       99     62       227   6480         88.5            29         -
      ring      100     32       234   6700          101            28         -
      tree       99     12       132   6160           83             9         -
      star       99     12      63.1   5420         89.7             3         -
      grid      180     12       447  27600          209             6         -
      random    199     12       347  32800          237             5         -"
    `);
  });

  const more = Number(process.env['O7S_SIM_MEMBERS'] ?? 0);
  for (const shape of more > 0 ? (Object.keys(shapes) as Shape[]) : []) {
    test(`${more} members, ${shape}`, { timeout: 60 * minute }, () => console.log(tableOf(more, [shape])));
  }
});

describe.each(['link_state', 'lfa', 'ecmp'] as const)('policy %s', (policy) => {
  test('every pair has a shortest path, before a link fails and after', () => {
    const net = layerOf('grid', 25, { policy });
    net.settle(minute);
    expectConverged(net);
    for (const [a, b] of net.links.filter((_, index) => index % 9 === 0)) net.cut(a, b);
    net.settle(minute);
    expectConverged(net);
  });
});

test('with lfa packets go around a link from the moment its ends notice', () => {
  const net = layerOf('grid', 25, { policy: 'lfa' });
  net.settle(minute);
  net.cut(11, 12);
  const indexOf = (walked: string): number[] =>
    net.members.filter((member) => net.walk(net.member(11), member) === walked).map(({ index }) => index);
  // To those in a line with the link every other way is longer by two: nobody is sure not to send them back.
  expect(indexOf('dead link')).toEqual([12, 13, 14]);
  expect(indexOf('loop')).toEqual([]);
  net.settle(minute);
  expectConverged(net);
});

describe('messages are lost and overtake each other', () => {
  const options = { loss: 0.1, delayMs: [0.1, 20] as const };
  test.each([1, 2, 3])('seed %i', (seed) => {
    const net = layerOf('random', 40, { ...options, seed });
    net.settle(minute);
    expectConverged(net);
    const at = net.now;
    for (const [a, b] of net.links.filter((_, index) => index % 10 === 0)) net.cut(a, b);
    net.settle(minute);
    expectConverged(net);
    // Not at the next announcement: as soon as what was lost has been sent again.
    expect(routedAfter(net, at)).toBeLessThan(3000);
  });
});

/** Links fail and come again at random, noticed at once or after up to 2 s. */
function churn(net: RoutingNet, ms: number, mayFail: (a: number, b: number) => boolean = () => true): void {
  const down: [number, number][] = [];
  const all = net.links.length;
  const until = net.now + ms;
  while (net.now < until) {
    net.run(net.random.below(4000));
    const isFull = down.length > all / 4;
    if (isFull || (down.length > 0 && net.random.next() < 0.5)) {
      const [link] = down.splice(net.random.below(down.length), 1);
      if (link !== undefined) net.connect(...link);
    } else {
      const links = net.links.filter(([a, b]) => mayFail(a, b));
      if (links.length === 0) continue;
      const link = net.random.pick(links);
      net.cut(...link, net.random.next() < 0.5 ? 0 : net.random.below(2000));
      down.push(link);
    }
  }
}

describe('links fail and come again for ten minutes', () => {
  test.each([
    [1, 0],
    [2, 0],
    [3, 0.05],
    [4, 0.05],
  ])('seed %i, loss %f', (seed, loss) => {
    const net = layerOf('random', 24, { seed, loss });
    net.settle(minute);
    const most = net.surplus() + 2 * net.links.length;
    churn(net, 10 * minute);
    net.run(5000);
    expectQuiet(net, most);
    net.run(forgottenMs);
    expectQuiet(net, most);
    // Nothing is left of what was.
    expect(net.surplus()).toBe(0);
  });

  function expectQuiet(net: RoutingNet, entriesMax: number): void {
    net.settle(minute);
    expectConverged(net);
    for (const { routing } of net.members) {
      expect(routing!.database(net.now).length).toBeLessThanOrEqual(entriesMax);
    }
  }
});

test('members die and new ones come: addresses of the dead are forgotten', () => {
  const net = layerOf('random', 20, { seed: 5, loss: 0.02 });
  net.settle(minute);
  for (let round = 0; round < 10; round += 1) {
    net.run(20_000);
    const victim = net.random.pick(net.members.filter(({ isDead }) => !isDead));
    net.kill(victim.index, 1000);
    const born = net.addMember();
    for (let links = 0; links < 3; links += 1) {
      net.connect(
        born,
        net.random.pick(net.members.filter(({ isDead, index }) => !isDead && index !== born)).index,
      );
    }
  }
  net.run(5000);
  net.settle(minute);
  expect(net.unreachable()).toEqual([]);
  net.run(forgottenMs);
  net.settle(minute);
  expectConverged(net);
  expect(net.surplus()).toBe(0);
});

describe('a layer falls apart and comes together', () => {
  const isEast = ({ index }: SimMember): boolean => index % 2 === 0;
  const across = (net: RoutingNet): [number, number][] =>
    net.links.filter(([a, b]) => isEast(net.member(a)) !== isEast(net.member(b)));

  test('when all links between the parts fail and come again', () => {
    const net = layerOf('random', 30, { seed: 6, loss: 0.05 });
    net.settle(minute);
    const cuts = across(net);
    for (const [a, b] of cuts) net.cut(a, b, 500);
    net.run(3000);
    net.settle(minute);
    expectConverged(net);
    churn(net, 3 * minute);
    for (const [a, b] of cuts) net.connect(a, b);
    net.run(3000);
    net.settle(minute);
    expectConverged(net);
  });

  test('when nobody noticed: what could not be said is said once it can', () => {
    const net = layerOf('random', 30, { seed: 7 });
    net.settle(minute);
    net.isBlocked = (from, to) => isEast(from) !== isEast(to);
    const inside = net.links.filter(([a, b]) => isEast(net.member(a)) === isEast(net.member(b)));
    for (const [a, b] of inside.filter((_, index) => index % 3 === 0)) net.cut(a, b);
    net.run(20_000);
    net.isBlocked = () => false;
    const at = net.now;
    net.settle(minute);
    expectConverged(net);
    expect(net.now - at).toBeLessThan(6000);
  });
});

describe('prototypes alone, as the document describes them', () => {
  const prototypes = { isPrototype: () => true };

  test('a layer of them comes up', () => {
    const net = layerOf('grid', 16, prototypes);
    net.run(20_000);
    expect(net.unreachable()).toEqual([]);
  });

  test('a link that fails is announced and used for ever (6.9)', () => {
    const net = layerOf('ring', 4, prototypes);
    net.run(20_000);
    net.cut(0, 1);
    net.run(10 * minute);
    expect(net.walk(net.member(0), net.member(1))).toBe('dead link');
    expect(net.member(2).prototype?.pairs()).toHaveLength(8);
  });
});

describe('ours and prototypes in one layer', () => {
  /** Nothing a peer must not do, and no link announced that ours made a prototype believe in. */
  function expectGoodPeers(net: RoutingNet): void {
    for (const { prototype } of net.members) {
      if (prototype === undefined) continue;
      expect(prototype.complaints).toEqual([]);
      expect(prototype.ghosts()).toEqual([]);
      expect(prototype.longestSilence).toBeLessThan(30_000);
    }
  }

  test.each(['line', 'ring', 'grid', 'tree', 'star', 'random'] as const)(
    '%s, every third a prototype',
    (shape) => {
      const net = layerOf(shape, 20, { isPrototype: (index) => index % 3 === 1 });
      net.run(20_000);
      expect(net.unreachable()).toEqual([]);
      expectGoodPeers(net);
    },
  );

  // The ring of 6.10: 0 is ours, the others are prototypes. 2 reaches 0 by way of 1 or 3.
  const ring = (): RoutingNet => {
    const net = layerOf('ring', 4, { isPrototype: (index) => index > 0 });
    net.run(20_000);
    return net;
  };

  test('when a link to a prototype fails, prototypes go around it once it has aged out', () => {
    for (const end of [1, 3]) {
      const net = ring();
      const [self, far, other] = [net.member(0), net.member(2), net.member(end)];
      net.cut(0, end);
      expect(net.nextHop(self, other)).toBe(other);
      // Ours at once,
      net.run(100);
      expect(net.nextHop(self, other)).toBe(net.member(4 - end));
      // the prototypes when they no longer believe in it.
      net.run(curedMs);
      expect([net.walk(far, self), net.walk(other, self)]).toEqual([2, 3]);
      expectGoodPeers(net);
    }
  });

  test('a link to a prototype that comes again is used at once', () => {
    const net = ring();
    net.cut(0, 1);
    net.run(10_000);
    net.connect(0, 1);
    net.run(3000);
    expect(net.unreachable()).toEqual([]);
    net.cut(0, 1);
    net.run(3 * minute);
    net.connect(0, 1);
    net.run(3000);
    expect(net.unreachable()).toEqual([]);
    expectGoodPeers(net);
  });

  test('a prototype that counts its link from 0 again is heard, and goes on above the old number (6.5)', () => {
    const net = layerOf('line', 3, { isPrototype: (index) => index === 0 });
    net.run(10 * minute);
    net.disconnect(0, 1);
    net.run(5000);
    net.connect(0, 1);
    for (let second = 0; second < 120; second += 1) {
      net.run(1000);
      expect([second, net.unreachable()]).toEqual([second, []]);
    }
    expectGoodPeers(net);
  });

  test('a prototype that gave a link up is not told that it has it', () => {
    const net = new RoutingNet(3, { isPrototype: (index) => index === 0 });
    net.connect(0, 1);
    net.connect(1, 2);
    net.run(20_000);
    net.disconnect(0, 1);
    net.run(5000);
    // 2 still knows of the link when it sends 0 its database.
    net.connect(0, 2);
    net.run(3 * minute);
    expect(net.unreachable()).toEqual([]);
    expectGoodPeers(net);
  });

  test('a member of ours that dies behind prototypes is forgotten by ours and theirs', () => {
    // 0 and 4 are ours, and all that joins them are prototypes.
    const net = layerOf('line', 6, { isPrototype: (index) => index % 4 !== 0 });
    net.run(20_000);
    expect(net.unreachable()).toEqual([]);
    net.kill(0);
    net.run(curedMs);
    // The prototype beside it announces the link for ever; nobody else does.
    expect([...net.member(4).routing!.members()]).not.toContain(net.member(0).address);
    expect(net.walk(net.member(5), net.member(0))).toBe('no route');
    expectGoodPeers(net);
  });

  test('a link between two of ours that fails is withdrawn past prototypes only by age', () => {
    //  0 - 1 - 2 - 3   ours are 0, 1 and 3, which learns all from the prototype 2; 0 - 1 fails.
    const net = layerOf('line', 4, { isPrototype: (index) => index === 2 });
    net.run(20_000);
    net.cut(0, 1);
    net.run(1000);
    const lost = net.member(0).address;
    expect([...net.member(1).routing!.members()]).not.toContain(lost);
    expect([...net.member(3).routing!.members()]).toContain(lost);
    net.run(80_000);
    expect([...net.member(3).routing!.members()]).not.toContain(lost);
    net.run(20_000);
    expect(net.walk(net.member(2), net.member(0))).toBe('no route');
    expectGoodPeers(net);
  });

  test.each([
    [1, 0],
    [2, 0],
    [3, 0.02],
    [4, 0.02],
  ])('links of ours fail and come again for five minutes: seed %i, loss %f', (seed, loss) => {
    const random = new Seeded(seed + 100);
    const prototypes = new Set(
      Array.from({ length: 12 }, (_, index) => index).filter(() => random.next() < 0.4),
    );
    const net = layerOf('random', 12, { seed, loss, isPrototype: (index) => prototypes.has(index) });
    net.run(20_000);
    churn(net, 5 * minute, (a, b) => !(prototypes.has(a) && prototypes.has(b)));
    net.run(2 * curedMs);
    expect(net.unreachable()).toEqual([]);
    expectGoodPeers(net);
  });

  test('an interval longer than 30 s: no management flow to a prototype is silent for so long', () => {
    const net = layerOf('ring', 4, { isPrototype: (index) => index % 2 === 0, tUpdate: 300, tTimeo: 1000 });
    net.run(20 * minute);
    expectGoodPeers(net);
    expect(net.unreachable()).toEqual([]);
  });
});
