/** Unicast layers whose members come and go, and whose parts part, under virtual time. */
import { describe, expect, test } from 'vitest';
import { churn, drops, faultsOf, layerOf, nameOf, part, serveAll, sizes } from './unicast-scenarios.ts';

const minute = 60_000;

describe('members come and go', () => {
  test.each([
    ['random', 30, 'link_state', 1, 0],
    ['grid', 25, 'lfa', 2, 0],
    ['ring', 15, 'ecmp', 3, 0],
    ['tree', 20, 'link_state', 4, 0.02],
    ['random', 20, 'ecmp', 5, 0.05],
  ] as const)('%s of %i, %s, seed %i, loss %d', (shape, count, routing, seed, loss) => {
    const link = { delayMs: 2, jitterMs: loss === 0 ? 0 : 30, loss, duplication: loss };
    const { net, settledMs } = churn(shape, count, {
      seed,
      config: { routing, dht_t_replicate: 60, dht_t_refresh: 60 },
      link,
      rounds: 25,
      links: true,
    });
    // All has come to rest in the time that was waited for it.
    expect(settledMs).toBeLessThanOrEqual(loss === 0 ? 0 : 5000);
    expect(faultsOf(net, { attempts: loss === 0 ? 1 : 20 })).toEqual([]);
    // What was known of the dead is forgotten, and no end of a flow stays behind whose end was told.
    net.run(20 * minute);
    net.settle(10 * minute);
    // Where packets are lost, what is stored anew may just be on its way once more.
    for (let seconds = 0; seconds < 30 && sizes(net)['deliveries']! > 0; seconds += 1) net.run(1000);
    expect(sizes(net)).toMatchObject({
      lsdb: 2 * net.world.links.length,
      contacts: count - 1,
      values: count - 1,
      deliveries: 0,
      owedWithdrawals: 0,
      withdrawnValues: 0,
    });
    if (loss === 0) expect(sizes(net).flows).toBe(0);
    expect(sizes(net).tasks).toBeLessThan(10);
  });

  test('for hours, and nothing grows', () => {
    const net = layerOf('random', 16, { seed: 9, config: { dht_t_replicate: 60, dht_t_refresh: 60 } });
    net.settle();
    const { random } = net.world;
    const seen: Record<string, number>[] = [];
    const connections: number[] = [];
    for (let round = 0; round < 40; round += 1) {
      net.run(random.below(2 * minute));
      net.tend();
      const member = random.pick(net.members);
      if (member.isMember) net.end(member, random.pick(['destroyed', 'crashed', 'vanished']));
      if (round % 10 === 9) {
        net.tend();
        net.run(20 * minute);
        net.tend();
        net.settle(10 * minute);
        serveAll(net);
        net.run(minute);
        const { connections: count, ...others } = sizes(net);
        connections.push(count!);
        seen.push(others);
      }
    }
    expect(seen.every((each) => JSON.stringify(each) === JSON.stringify(seen[0]))).toBe(true);
    expect(seen[0]).toMatchInlineSnapshot(`
      {
        "contacts": 15,
        "deliveries": 0,
        "flows": 0,
        "lookups": 0,
        "lsdb": 62,
        "neighbours": 5,
        "owedWithdrawals": 0,
        "requests": 0,
        "routes": 15,
        "tasks": 4,
        "values": 15,
        "withdrawnValues": 0,
      }
    `);
    // Each end may have made its own: two of each component with each of five neighbours.
    expect(Math.max(...connections)).toBeLessThanOrEqual(20);
  });

  test('what the drops of a churn are', () => {
    const { net } = churn('random', 30, { seed: 1, rounds: 40 });
    expect(drops(net)).toMatchInlineSnapshot(`
      {
        "connectionsLost": 22,
        "directory.noRoute": 50,
        "droppedNoRoute": 71,
        "routing.droppedExpired": 145,
      }
    `);
  });
});

test('a name is stored anew as long as it is served, and expires when nobody can say that it no longer is', () => {
  const net = layerOf('random', 12, { seed: 3, config: { dht_t_expire: 60, dht_t_replicate: 10 } });
  net.settle();
  serveAll(net);
  net.run(5 * minute);
  const [asker, lost] = [net.members[3]!, net.members[7]!];
  const key = net.hashOf(nameOf(lost)).toString('hex');
  /** Who knows the name. */
  const holders = (): string[] =>
    net.members.flatMap(({ name, isMember, layer }) => {
      if (!isMember) return [];
      const { database } = layer.directory.metrics() as {
        readonly database: readonly { readonly key: string }[];
      };
      return database.some((each) => each.key === key) ? [name] : [];
    });
  expect(net.find(asker, nameOf(lost))).toEqual([lost]);
  expect(holders().length).toBeGreaterThan(1);
  net.end(lost, 'vanished');
  net.run(2 * minute);
  expect([net.find(asker, nameOf(lost)), holders()]).toEqual([[], []]);
  expect(net.find(asker, nameOf(net.members[5]!))).toEqual([net.members[5]]);
});

describe('parts that part', () => {
  test.each([
    ['for half a minute', 30_000],
    ['for ten minutes', 10 * minute],
  ])('%s, work on by themselves, and find together again', (_what, forMs) => {
    const net = layerOf('grid', 36);
    net.settle();
    serveAll(net);
    net.run(5000);
    const [first, last] = [net.members[0]!, net.members.at(-1)!];
    part(net, forMs, () => {
      expect(net.wrongRoutes()).toEqual([]);
      // Whom there is no way to serves nothing, as far as one can tell.
      expect(net.find(first, nameOf(last))).toEqual([]);
      expect(faultsOf(net)).toEqual([]);
      // Each half has news that the other does not hear of.
      first.serve('new.first');
      last.serve('new.last');
      net.members[1]!.withdraw(nameOf(net.members[1]!));
      net.run(5000);
    });
    net.run(minute);
    expect(net.find(last, 'new.first')).toEqual([first]);
    expect(net.find(first, 'new.last')).toEqual([last]);
    expect(net.find(last, nameOf(net.members[1]!))).toEqual([]);
    net.members[1]!.serve(nameOf(net.members[1]!));
    net.run(5000);
    expect(faultsOf(net)).toEqual([]);
  });
});
