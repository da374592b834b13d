/** The longest message of a layer, which is what its links carry, and how those that use the layer hear of it. */
import { expect, test } from 'vitest';
import { type Member, UnicastNet } from '../../../tests/sim/unicast-net.ts';
import { O7sError } from '../../lib/errors.ts';

/** A line of members, and what the user of a flow from the last to the first is told. */
function lineWithFlow(net: UnicastNet): { members: Member[]; told: number[] } {
  const members = net.line('a', 'b', 'c');
  const [a, , c] = members as [Member, Member, Member];
  a.serve('x');
  net.run(10);
  const told: number[] = [];
  const flow = net.allocate(c, 'x');
  expect(flow?.outcome.kind).toBe('accepted');
  Object.assign(flow!.end, { limitChanged: () => told.push(c.layer.maxMessageBytes) });
  return { members, told };
}

const limits = (members: readonly Member[]): number[] => members.map(({ layer }) => layer.maxMessageBytes);

test('a link that carries less is told to every flow of the layer, and one that carries more again', () => {
  const net = new UnicastNet();
  const { members, told } = lineWithFlow(net);
  const [near] = net.world.links;
  expect(limits(members)).toEqual([1481, 1481, 1481]);
  near!.setLimit(1000);
  net.run(200);
  expect(limits(members)).toEqual([985, 985, 985]);
  expect(told).toEqual([985]);
  near!.setLimit(1496);
  net.run(200);
  expect([...limits(members), ...told]).toEqual([1481, 1481, 1481, 985, 1481]);
});

test('so is a member that joins over a link that carries less, and one that leaves', () => {
  const net = new UnicastNet();
  const { members, told } = lineWithFlow(net);
  const d = net.add('d');
  net.link(members[1]!, d, { maxMessageBytes: 515 });
  expect(net.enroll(d, 'b')).not.toBeInstanceOf(O7sError);
  net.connect(d, 'b', 'mgmt');
  net.connect(d, 'b', 'dt');
  net.run(200);
  expect([...limits([...members, d]), ...told]).toEqual([500, 500, 500, 500, 500]);
  net.end(d, 'destroyed');
  net.run(200);
  expect([...limits(members), ...told]).toEqual([1481, 1481, 1481, 500, 1481]);
});

test('a link stays the link it was: nobody loses a route, and no second announcement is made of it', () => {
  const net = new UnicastNet();
  const { members } = lineWithFlow(net);
  const announced = (): number => net.counters()['routing.updatesAccepted'] ?? 0;
  const calculations = new Set<number>();
  const before = announced();
  const [near] = net.world.links;
  near!.setLimit(1000);
  for (let step = 0; step < 200; step += 1) {
    net.run(1);
    for (const { layer } of members) calculations.add(layer.forwarding.size);
  }
  expect([...calculations]).toEqual([2]);
  // Each end announces it once, and two others accept each.
  expect(announced() - before).toBe(4);
});
