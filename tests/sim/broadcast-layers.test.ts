/** Broadcast layers of up to 100 members under virtual time: everybody hears everybody else exactly once. */
import { describe, expect, test } from 'vitest';
import { O7sError } from '../../runtime/lib/errors.ts';
import { rawQos } from '../../runtime/lib/qos.ts';
import { BroadcastIpcp } from '../../runtime/ipcpd/broadcast/broadcast-ipcp.ts';
import type { Joined, LayerFlow } from '../../runtime/ipcpd/shell/layer.ts';
import { FlowInbox, packetOf } from '../support/flow-inbox.ts';
import { shapes } from '../support/routing-net.ts';
import { type SimNode, World } from './world.ts';

/** A member, and applications that have joined the layer there. */
class Member {
  readonly node: SimNode;
  readonly inboxes: FlowInbox[] = [];
  readonly ipcp: BroadcastIpcp;
  readonly #world: World;
  readonly #flows: LayerFlow[] = [];
  #joined: Joined | undefined;

  constructor(world: World, node: SimNode) {
    this.#world = world;
    this.node = node;
    let ipcp: BroadcastIpcp | undefined;
    node.start((around) => (ipcp = new BroadcastIpcp(around)));
    this.ipcp = ipcp!;
  }

  get name(): string {
    return this.node.name;
  }

  bootstrap(): void {
    this.node.run(() => (this.#joined = this.ipcp.bootstrap('bcl', {})));
  }

  enroll(at: Member): void {
    const world = this.#world;
    const result = world.ask<Joined | O7sError>(this.node, `the enrolment of ${this.name}`, (done) =>
      this.ipcp.enroll(at.name, 'bcl', world.time.now, done),
    );
    if (result instanceof O7sError) throw result;
    this.#joined = result;
  }

  connect(to: Member): void {
    const world = this.#world;
    const fault = world.ask<O7sError | undefined>(this.node, `the connection of ${this.name}`, (done) =>
      this.ipcp.connect(to.name, 'dt', rawQos, world.time.now, done),
    );
    if (fault !== undefined) throw fault;
  }

  /** An application joins here. */
  join(): void {
    const inbox = new FlowInbox();
    this.inboxes.push(inbox);
    this.#flows.push(this.#joined!.layer.join!(inbox));
  }

  /** The last application that joined says something. */
  say(text: string): void {
    this.node.run(() => this.#flows.at(-1)!.write(packetOf(Buffer.from(text))));
  }

  get drops(): Record<string, number> {
    const counters = { ...this.ipcp.counters, ...this.#joined!.layer.counters };
    return Object.fromEntries(
      Object.entries(counters).filter(([name, count]) => name.includes('dropped') && count > 0),
    );
  }
}

/** A tree of members with an application each, or two at every third. */
class Tree {
  readonly world: World;
  readonly members: Member[];
  /** By number of a member, that of who it joined at. */
  readonly parents: number[] = [];

  constructor(seed: number, links: readonly (readonly [number, number])[], count: number) {
    this.world = new World(seed);
    this.members = Array.from({ length: count }, (_, index) => this.#member(this.world.node(`n${index}`)));
    this.members[0]!.bootstrap();
    for (const [parent, child] of links) {
      this.parents[child] = parent;
      this.world.link(this.members[parent]!.node, this.members[child]!.node, { jitterMs: 2 });
      this.enter(child);
    }
    for (const index of this.members.keys()) this.joinAt(index);
    this.run(100);
  }

  run(ms: number): void {
    this.world.time.runTo(this.world.time.now + ms);
  }

  enter(index: number): void {
    const [member, parent] = [this.members[index]!, this.members[this.parents[index]!]!];
    member.enroll(parent);
    member.connect(parent);
  }

  joinAt(index: number): void {
    for (let count = index % 3 === 0 ? 2 : 1; count > 0; count -= 1) this.members[index]!.join();
  }

  /** The IPCP of a node dies and is started anew, in no layer yet. */
  replace(index: number): void {
    const { node } = this.members[index]!;
    node.crash(true);
    this.members[index] = this.#member(node);
  }

  /** Everybody says something at the same time; what anybody heard too little, too much or that was his own. */
  faults(round: string): string[] {
    for (const { inboxes } of this.members) for (const inbox of inboxes) inbox.messages.length = 0;
    for (const member of this.members) member.say(`${round} ${member.name}`);
    this.run(1000);
    return this.members.flatMap(({ name, inboxes }) =>
      inboxes.flatMap((inbox, index) => {
        // Who speaks does not hear himself, another application beside him does.
        const speaks = index === inboxes.length - 1;
        const expected = this.members
          .filter((each) => !speaks || each.name !== name)
          .map((each) => `${round} ${each.name}`);
        const isRight = inbox.messages.toSorted().join() === expected.toSorted().join();
        return isRight ? [] : [`${name}: ${inbox.messages.length} in place of ${expected.length}`];
      }),
    );
  }

  #member(node: SimNode): Member {
    return new Member(this.world, node);
  }
}

/** A random tree. */
function randomTree(count: number, seed: number): [number, number][] {
  const { random } = new World(seed);
  return Array.from({ length: count - 1 }, (_, index) => [random.below(index + 1), index + 1]);
}

describe('everybody hears everybody else exactly once', () => {
  test.each([
    ['line', 30, shapes.line(30)],
    ['star', 30, shapes.star(30)],
    ['binary tree', 63, shapes.tree(63)],
    ['random tree', 40, randomTree(40, 1)],
    ['random tree', 100, randomTree(100, 2)],
  ] as const)('in a %s of %i', (_shape, count, links) => {
    const tree = new Tree(count, links, count);
    expect(tree.faults('first')).toEqual([]);
    // A minute of silence later as well.
    tree.run(60_000);
    expect(tree.faults('second')).toEqual([]);
    expect(tree.members.flatMap(({ drops }) => Object.keys(drops))).toEqual([]);
  });

  test.each([1, 2, 3])('after members have died and come again, seed %i', (seed) => {
    const links = randomTree(20, seed);
    const tree = new Tree(seed, links, 20);
    const { random } = tree.world;
    for (let round = 0; round < 10; round += 1) {
      const index = 1 + random.below(19);
      tree.replace(index);
      tree.enter(index);
      tree.joinAt(index);
      tree.parents.forEach((parent, child) => {
        if (parent === index) tree.members[child]!.connect(tree.members[index]!);
      });
      tree.run(5000);
      expect(tree.faults(`round ${round}`), `${index}`).toEqual([]);
    }
  });
});

test('what one says costs a packet on each link', () => {
  const tree = new Tree(1, shapes.tree(31), 31);
  const packets = (): number => tree.world.links.reduce((sum, { counts }) => sum + counts.packets, 0);
  const before = packets();
  tree.members[17]!.say('x');
  tree.run(100);
  expect(packets() - before).toBe(30);
});
