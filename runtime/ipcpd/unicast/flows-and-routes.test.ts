/** What users of flows hear when routing loses the members at their other ends. */
import { expect, test } from 'vitest';
import { type End, type Member, UnicastNet } from '../../../tests/sim/unicast-net.ts';

/** Members in a ring or a line, a flow from the first to a name of the last, and what both of its users hear. */
function withFlow(net: UnicastNet, members: readonly Member[]): { told: string[]; near: End; far: End } {
  const [first, last] = [members[0]!, members.at(-1)!];
  last.serve('x');
  net.run(1000);
  const near = net.allocate(first, 'x')!.end;
  const far = last.served.get('x')![0]!;
  const told: string[] = [];
  for (const [who, end] of Object.entries({ near, far })) {
    Object.assign(end, { setUp: (up: boolean) => told.push(`${who} ${up ? 'up' : 'down'}`) });
  }
  return { told, near, far };
}

test('a flow to a member that is cut off is down, and up when there is a route again', () => {
  const net = new UnicastNet();
  const { told, near, far } = withFlow(net, net.line('a', 'b', 'c'));
  const [cut] = net.world.links;
  cut!.setUp(false);
  net.run(100);
  expect(told.splice(0)).toEqual(['near down', 'far down']);
  near.say('lost');
  net.run(100);
  cut!.setUp(true);
  net.run(100);
  expect(told.toSorted()).toEqual(['far up', 'near up']);
  near.say('hello');
  net.run(100);
  expect(far.heard).toEqual(['hello']);
});

test('so is one whose member in between falls silent, after the signs of life it owes', () => {
  const net = new UnicastNet();
  const line = net.line('a', 'b', 'c');
  const { told } = withFlow(net, line);
  net.end(line[1]!, 'vanished');
  net.run(3000);
  expect(told).toEqual([]);
  net.run(3000);
  expect(told.toSorted()).toEqual(['far down', 'near down']);
});

test('where there is another way nobody hears anything', () => {
  const net = new UnicastNet();
  const line = net.line('a', 'b', 'c', 'd');
  const [a, , , d] = line as [Member, Member, Member, Member];
  net.link(a, d);
  for (const component of ['mgmt', 'dt'] as const) net.connect(d, 'a', component);
  const { told, near, far } = withFlow(net, [a, line[1]!, line[2]!]);
  net.world.links[0]!.setUp(false);
  net.run(100);
  near.say('hello');
  net.run(100);
  expect([told, far.heard]).toEqual([[], ['hello']]);
});
