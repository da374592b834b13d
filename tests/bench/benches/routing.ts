/**
 * What routing costs a member: one calculation of all routes with the tables for packets made from it, in layers of 10,
 * 100 and 1000 members, and look-ups of next hops.
 */
import type { Neighbour } from '../../../runtime/ipcpd/unicast/pff/forwarding.ts';
import { forwardingOf } from '../../../runtime/ipcpd/unicast/pff/policies.ts';
import { Graph } from '../../../runtime/ipcpd/unicast/routing/graph.ts';
import { Routes } from '../../../runtime/ipcpd/unicast/routing/routes.ts';
import { routingPolicies } from '../../../runtime/lib/rpc/api.ts';
import { Seeded } from '../../support/seeded.ts';
import { type Bench, figure } from '../bench.ts';
import { median } from '../numbers.ts';

const linksAMember = 5;
/** What is measured runs for about so long, in ms. */
const runMs = 300;

interface Layer {
  readonly graph: Graph;
  readonly addresses: readonly number[];
  readonly neighbours: readonly number[];
}

/** A random layer in one piece. */
function layerOf(members: number): Layer {
  const random = new Seeded(members);
  const graph = new Graph();
  const addresses = Array.from({ length: members }, () => random.address());
  const links = new Set<string>();
  const neighbours: number[] = [];
  const connect = (a: number, b: number): void => {
    const key = `${Math.min(a, b)} ${Math.max(a, b)}`;
    const [one, other] = [addresses[a], addresses[b]];
    if (a === b || links.has(key) || one === undefined || other === undefined) return;
    links.add(key);
    graph.connect(one, other);
    if (a === 0 || b === 0) neighbours.push(a === 0 ? other : one);
  };
  for (let index = 1; index < members; index += 1) connect(index, random.below(index));
  const most = Math.min(linksAMember * members, (members * (members - 1)) / 2);
  while (links.size < most) connect(random.below(members), random.below(members));
  return { graph, addresses, neighbours };
}

/** Median time of a call, in us, of calls in rounds of so many. */
function microseconds(call: () => void, calls = 1): number {
  const samples: number[] = [];
  const until = performance.now() + runMs;
  // The first tenth warms up.
  for (let now = performance.now(); now < until; now = performance.now()) {
    for (let count = 0; count < calls; count += 1) call();
    samples.push(((performance.now() - now) * 1000) / calls);
  }
  return median(samples.slice(Math.floor(samples.length / 10)));
}

export const routing: Bench = {
  about: 'calculation of routes and look-ups of next hops',
  async *measure({ quick, number }) {
    // Each figure is the median of a few hundred already.
    if (quick && number > 0) return;
    for (const members of quick ? [10, 100] : [10, 100, 1000]) {
      const { graph, addresses, neighbours } = layerOf(members);
      const [self = 0] = addresses;
      const known = new Map<number, Neighbour>(
        neighbours.map((address) => [address, { address, isUp: true }]),
      );
      for (const policy of routingPolicies) {
        const what = `${members} members, ${policy}`;
        const routes = new Routes(policy);
        const forwarding = forwardingOf(policy);
        const calculate = microseconds(() => routes.calculate(graph, self, neighbours));
        yield figure({ what: `${what}: calculation`, unit: 'us', better: 'less' }, 'ours', calculate);
        const install = microseconds(() => forwarding.install(routes, (address) => known.get(address)));
        yield figure({ what: `${what}: tables for packets`, unit: 'us', better: 'less' }, 'ours', install);
        const others = addresses.slice(1);
        let missed = 0;
        const lookUp = microseconds(() => {
          for (const address of others) if (forwarding.nextHop(address) === undefined) missed += 1;
        });
        if (missed > 0) throw new Error('a member has no route');
        const rate = (others.length / lookUp) * 1e6;
        yield figure({ what: `${what}: look-ups`, unit: '1/s', better: 'more' }, 'ours', rate);
      }
    }
  },
};
