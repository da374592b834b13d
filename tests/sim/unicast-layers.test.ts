/**
 * Unicast layers of up to 100 members under virtual time: enrolment along the graph, failures, loss, and members that
 * are prototypes. `npm run sim` does the same with as many members as it is told.
 */
import { describe, expect, test } from 'vitest';
import type { Member, UnicastNet } from './unicast-net.ts';
import {
  type Costs,
  drops,
  faultsOf,
  layerOf,
  nameOf,
  policies,
  rise,
  serveAll,
  type ShapeName,
  shapes,
  sizes,
  tableOf,
} from './unicast-scenarios.ts';

const minute = 60_000;
const allShapes = Object.keys(shapes) as ShapeName[];

/** Packets that found no route where they were forwarded, not where they began. */
function missedOnTheWay(net: UnicastNet): number {
  const { droppedNoRoute = 0, 'directory.noRoute': begun = 0 } = drops(net);
  return droppedNoRoute - begun;
}

describe('a layer comes up, registers names, and loses a link', () => {
  test.each([10, 50, 100])('%i members of each shape', (count) => {
    const rows: Costs[] = [];
    for (const [index, shape] of allShapes.entries()) {
      let missedWhileRising: number | undefined;
      const { costs, faults, net } = rise(shape, count, {
        config: { routing: policies[index % 3] },
        reached: (_, at) => (missedWhileRising ??= missedOnTheWay(at)),
      });
      expect(faults, shape).toEqual([]);
      // Each joiner looks for its directory before it has a connection. Where that takes long, questions are asked twice,
      // and the second answer is of no use. Nothing else is lost.
      const explained = ['droppedNoRoute', 'directory.noRoute', 'directory.droppedUnexpectedAnswer'];
      expect(
        Object.keys(drops(net)).filter((name) => !explained.includes(name)),
        shape,
      ).toEqual([]);
      // A member may have a route before the one behind it has; what is missed is said again.
      expect(missedOnTheWay(net), shape).toBe(missedWhileRising);
      expect(missedWhileRising, shape).toBeLessThan(count / 10);
      rows.push(costs);
    }
    expect(`\n${tableOf(rows)}\n`).toMatchSnapshot();
  });

  test('a layer of 50 is up in less than a second, not in 50 settling delays', () => {
    for (const shape of allShapes) expect(layerOf(shape, 50).settle(), shape).toBeLessThan(1000);
  });
});

describe('a link that comes and goes', () => {
  test.each(policies)('with %s, leaves right routes and costs no more each time', (routing) => {
    const net = layerOf('grid', 25, { config: { routing } });
    net.settle();
    net.run(5000);
    const [link] = net.world.links.slice(20);
    const packets: number[] = [];
    for (let times = 0; times < 30; times += 1) {
      const before = total(net);
      link!.setUp(times % 2 === 1);
      net.run(500);
      packets.push(total(net) - before);
      expect(net.wrongRoutes()).toEqual([]);
    }
    expect(Math.max(...packets)).toBeLessThan(3 * Math.min(...packets));
    expect(sizes(net).lsdb).toBe(2 * net.world.links.length);
  });

  test('faster than routing follows does not bring it out of order', () => {
    const net = layerOf('random', 30);
    net.settle();
    serveAll(net);
    net.run(5000);
    const { random } = net.world;
    for (let times = 0; times < 500; times += 1) {
      net.run(random.below(20));
      const link = random.pick(net.world.links);
      link.setUp(link.cut);
    }
    for (const link of net.world.links) if (link.cut) link.setUp(true);
    // What a link lost while it was cut is sent again as soon as it carries again.
    expect(net.settle()).toBeLessThan(100);
    expect(faultsOf(net)).toEqual([]);
    // A calculation at most every 10 ms.
    expect(net.counters()['routing.calculations']! / net.members.length).toBeLessThan(net.now / 10);
  });
});

describe('packets that are lost, doubled and in no order', () => {
  test.each(policies)('with %s: the layer comes up, and everything is found', (routing) => {
    const link = { delayMs: 3, jitterMs: 25, loss: 0.05, duplication: 0.05 };
    const net = layerOf('random', 30, { seed: 7, config: { routing }, link });
    expect(net.settle(10 * minute)).toBeLessThan(20_000);
    serveAll(net);
    net.run(minute);
    // Routes stay right all the time.
    for (let times = 0; times < 20; times += 1) {
      net.run(3000);
      expect(net.wrongRoutes()).toEqual([]);
    }
    expect(faultsOf(net, { attempts: 20 })).toEqual([]);
  });
});

describe('prototypes among ours', () => {
  const isOdd = (index: number): boolean => index % 2 === 1;

  test.each<readonly [ShapeName, number, string, (index: number) => boolean]>([
    ['line', 7, 'every second one', isOdd],
    ['ring', 8, 'every second one', isOdd],
    ['grid', 16, 'every third one', (index) => index % 3 === 2],
    ['tree', 15, 'the leaves', (index) => index >= 7],
    ['star', 9, 'the hub', (index) => index === 0],
    ['random', 20, 'all but one', (index) => index !== 4],
  ])('%s of %i, %s', (shape, count, _who, isPrototype) => {
    const net = layerOf(shape, count, { seed: 5, isPrototype });
    net.settle(10 * minute);
    net.run(minute);
    serveAll(net);
    net.run(minute);
    expect(net.wrongRoutes()).toEqual([]);
    expect(complaints(net)).toEqual([]);
    for (const from of net.members) {
      for (const to of net.members) {
        if (from === to) continue;
        const where = `${from.name} looks for ${nameOf(to)}`;
        // What prototypes do not find of each other is not for ours to mend.
        if (from.isOurs || to.isOurs) expect(net.find(from, nameOf(to)), where).toContain(to);
      }
    }
    for (const [from, to] of [
      [net.members.find(({ isOurs }) => isOurs)!, net.members.find(({ isOurs }) => !isOurs)!],
      [net.members.find(({ isOurs }) => !isOurs)!, net.members.find(({ isOurs }) => isOurs)!],
    ] as const) {
      const flow = net.allocate(from, nameOf(to))!;
      expect(flow.outcome.kind).toBe('accepted');
      flow.end.say('ping');
      net.run(1000);
      expect(to.served.get(nameOf(to))!.at(-1)!.heard).toEqual(['ping']);
    }
  });

  test('links of ours that come and go leave no stale route at a prototype for longer than it takes to heal it', () => {
    const net = layerOf('grid', 16, { seed: 6, isPrototype: (index) => index % 3 === 2 });
    net.settle(10 * minute);
    net.run(minute);
    const ours = net.world.links.filter(({ ends }) => ends.every((end) => net.member(end.name).isOurs));
    const { random } = net.world;
    for (let round = 0; round < 10; round += 1) {
      const link = random.pick(ours);
      link.setUp(link.cut);
      net.run(random.below(minute));
    }
    for (const link of ours) if (link.cut) link.setUp(true);
    net.run(3 * minute);
    expect(net.wrongRoutes()).toEqual([]);
    expect(complaints(net)).toEqual([]);
  });
});

const total = (net: UnicastNet): number =>
  net.world.links.reduce((sum, { counts }) => sum + counts.packets, 0);

const complaints = (net: UnicastNet): string[] =>
  net.members.flatMap(({ prototype }: Member) => prototype?.complaints ?? []);
