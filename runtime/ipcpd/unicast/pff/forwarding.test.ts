import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { u32 } from '../../../../tests/support/any-message.ts';
import { routingPolicies } from '../../../lib/rpc/api.ts';
import type { RouteList } from '../routing/routes.ts';
import type { Forwarding, Neighbour } from './forwarding.ts';
import { forwardingOf } from './policies.ts';

interface TestNeighbour extends Neighbour {
  isUp: boolean;
}

const high = 0xffff_fffe;
const neighbours = new Map<number, TestNeighbour>(
  [1, 2, 3, high].map((address) => [address, { address, isUp: true }]),
);

/** Routes as a table: destination and hops. */
function listOf(rows: readonly (readonly [number, readonly number[]])[]): RouteList {
  return {
    size: rows.length,
    destination: (index) => rows[index]![0],
    hopCount: (index) => rows[index]![1].length,
    hop: (index, number) => rows[index]![1][number]!,
  };
}

function installed(
  policy: (typeof routingPolicies)[number],
  rows: readonly (readonly [number, readonly number[]])[],
): Forwarding<TestNeighbour> {
  for (const neighbour of neighbours.values()) neighbour.isUp = true;
  const forwarding = forwardingOf<TestNeighbour>(policy);
  forwarding.install(listOf(rows), (address) => neighbours.get(address));
  return forwarding;
}

function setUp(address: number, isUp: boolean): void {
  neighbours.get(address)!.isUp = isUp;
}

/** Next hops of consecutive packets. */
const hops = (
  forwarding: Forwarding<TestNeighbour>,
  destination: number,
  packets = 1,
): (number | undefined)[] => Array.from({ length: packets }, () => forwarding.nextHop(destination)?.address);

describe.each(routingPolicies)('%s', (policy) => {
  test('a destination without a route has no next hop', () => {
    const forwarding = installed(policy, [[10, [1]]]);
    expect(forwarding.size).toBe(1);
    expect(forwarding.nextHop(10)).toBe(neighbours.get(1));
    expect(forwarding.nextHop(11)).toBeUndefined();
    expect(forwarding.nextHop(0)).toBeUndefined();
    expect(forwardingOf(policy).nextHop(10)).toBeUndefined();
  });

  test('addresses above 2^31 are destinations and next hops like others', () => {
    const forwarding = installed(policy, [
      [high, [high]],
      [0x8000_0000, [high]],
      [0x7fff_ffff, [1]],
    ]);
    expect(hops(forwarding, high)).toEqual([high]);
    expect(hops(forwarding, 0x8000_0000)).toEqual([high]);
    expect(hops(forwarding, 0x7fff_ffff)).toEqual([1]);
  });

  test('a hop that data transfer does not know is left out, and a destination that has no other', () => {
    const forwarding = installed(policy, [
      [10, [99]],
      [11, [1]],
    ]);
    expect(forwarding.size).toBe(1);
    expect(forwarding.nextHop(10)).toBeUndefined();
    expect(hops(forwarding, 11)).toEqual([1]);
  });

  test('new routes replace all of the old', () => {
    const forwarding = installed(policy, [
      [10, [1]],
      [11, [1]],
    ]);
    const known = (address: number): TestNeighbour | undefined => neighbours.get(address);
    forwarding.install(listOf([[11, [2]]]), known);
    expect([forwarding.size, ...hops(forwarding, 10), ...hops(forwarding, 11)]).toEqual([1, undefined, 2]);
    forwarding.install(listOf([]), known);
    expect([forwarding.size, ...hops(forwarding, 11)]).toEqual([0, undefined]);
  });

  test('the only next hop is taken even when it is down', () => {
    const forwarding = installed(policy, [[10, [1]]]);
    setUp(1, false);
    expect(hops(forwarding, 10, 3)).toEqual([1, 1, 1]);
  });
});

test('link_state: the first hop is taken, up or down', () => {
  const forwarding = installed('link_state', [[10, [1]]]);
  setUp(1, false);
  expect(hops(forwarding, 10, 2)).toEqual([1, 1]);
});

/** Which neighbours are down, and the next hops of six packets to a destination with the hops 1, 2, 3. */
const table: readonly (readonly [down: readonly number[], lfa: string, ecmp: string])[] = [
  [[], '111111', '123123'],
  [[1], '222222', '232323'],
  [[2], '111111', '131313'],
  [[3], '111111', '121212'],
  [[1, 2], '333333', '333333'],
  [[1, 3], '222222', '222222'],
  [[2, 3], '111111', '111111'],
  [[1, 2, 3], '111111', '123123'],
];

test.each(table)('with %j down, of three hops', (down, lfa, ecmp) => {
  for (const [policy, expected] of [['lfa', lfa] as const, ['ecmp', ecmp] as const]) {
    const forwarding = installed(policy, [[10, [1, 2, 3]]]);
    for (const address of down) setUp(address, false);
    expect(hops(forwarding, 10, 6).join(''), policy).toBe(expected);
  }
});

test('lfa: the next packet takes the alternate when the flow goes down, and the first hop when it is up again', () => {
  const forwarding = installed('lfa', [[10, [1, 2]]]);
  expect(hops(forwarding, 10)).toEqual([1]);
  setUp(1, false);
  expect(hops(forwarding, 10)).toEqual([2]);
  setUp(1, true);
  expect(hops(forwarding, 10)).toEqual([1]);
});

test('ecmp: each destination has turns of its own, which begin anew with new routes', () => {
  const rows = [
    [10, [1, 2]],
    [11, [1, 2]],
  ] as const;
  const forwarding = installed('ecmp', rows);
  expect(hops(forwarding, 10, 3)).toEqual([1, 2, 1]);
  expect(hops(forwarding, 11, 1)).toEqual([1]);
  forwarding.install(listOf(rows), (address) => neighbours.get(address));
  expect(hops(forwarding, 10, 2)).toEqual([1, 2]);
});

test.each(routingPolicies)('%s: every destination of many has its own next hop', (policy) => {
  fc.assert(
    fc.property(fc.uniqueArray(u32, { maxLength: 300 }), (destinations) => {
      const rows = destinations.map((destination) => [destination, [1 + (destination % 3)]] as const);
      const forwarding = installed(policy, rows);
      expect(forwarding.size).toBe(destinations.length);
      for (const [destination, [hop]] of rows) expect(hops(forwarding, destination)).toEqual([hop]);
    }),
  );
});
