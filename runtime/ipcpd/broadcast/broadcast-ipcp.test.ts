import { describe, expect, test } from 'vitest';
import { type SimNode, World } from '../../../tests/sim/world.ts';
import { FlowInbox, packetOf } from '../../../tests/support/flow-inbox.ts';
import { O7sError } from '../../lib/errors.ts';
import { rawQos } from '../../lib/qos.ts';
import type { Joined, Layer, LayerFlow } from '../shell/layer.ts';
import { BroadcastIpcp, type BroadcastLimits } from './broadcast-ipcp.ts';

const code = (name: string): unknown => expect.objectContaining({ name: 'O7sError', code: name });

interface Member {
  readonly node: SimNode;
  readonly ipcp: BroadcastIpcp;
}

interface Application {
  readonly inbox: FlowInbox;
  readonly flow: LayerFlow;
}

/** Members of a broadcast layer, made in the order of a tree: each joins through one that is there. */
class Tree {
  readonly world: World;
  readonly members = new Map<string, Member>();
  readonly #joined = new Map<string, Joined>();
  readonly #limits: BroadcastLimits;

  constructor(limits: BroadcastLimits = {}) {
    this.world = new World(1);
    this.#limits = limits;
  }

  add(name: string): Member {
    const node = this.world.node(name);
    let ipcp: BroadcastIpcp | undefined;
    node.start((around) => (ipcp = new BroadcastIpcp(around, this.#limits)));
    const member = { node, ipcp: ipcp! };
    this.members.set(name, member);
    return member;
  }

  bootstrap(name: string): void {
    const { node, ipcp } = this.add(name);
    node.run(() => this.#joined.set(name, ipcp.bootstrap('bcl', {})));
  }

  enroll(name: string, at: string, wanted?: string): Joined | O7sError {
    const { node, ipcp } = this.members.get(name) ?? this.add(name);
    this.world.link(node, this.members.get(at)!.node);
    const result = this.world.ask<Joined | O7sError>(node, 'the enrolment', (done) =>
      ipcp.enroll(at, wanted, this.world.time.now, done),
    );
    if (!(result instanceof O7sError)) this.#joined.set(name, result);
    return result;
  }

  connect(name: string, to: string, component: 'dt' | 'mgmt' = 'dt'): O7sError | undefined {
    const { node, ipcp } = this.members.get(name)!;
    return this.world.ask<O7sError | undefined>(node, 'the connection', (done) =>
      ipcp.connect(to, component, rawQos, this.world.time.now, done),
    );
  }

  /** A line of members, each connected to the one before. */
  line(...names: string[]): this {
    for (const [index, name] of names.entries()) {
      const before = names[index - 1];
      if (before === undefined) {
        this.bootstrap(name);
      } else {
        const fault = [this.enroll(name, before), this.connect(name, before)].find(
          (result) => result instanceof O7sError,
        );
        if (fault !== undefined) throw fault;
      }
    }
    return this;
  }

  layer(name: string): Layer {
    return this.#joined.get(name)!.layer;
  }

  join(name: string): Application {
    const inbox = new FlowInbox();
    const flow = this.layer(name).join!(inbox);
    return { inbox, flow };
  }

  say(name: string, { flow }: Application, text: string): void {
    this.members.get(name)!.node.run(() => flow.write(packetOf(Buffer.from(text))));
    this.world.time.runTo(this.world.time.now + 100);
  }
}

test('everybody in a tree hears everybody else exactly once', () => {
  const tree = new Tree().line('a', 'b', 'c');
  tree.enroll('d', 'b');
  tree.connect('d', 'b');
  const applications = new Map(['a', 'b', 'c', 'd'].map((name) => [name, tree.join(name)]));
  const second = tree.join('b');
  for (const [name, application] of applications) tree.say(name, application, `from ${name}`);
  for (const [name, { inbox }] of applications) {
    const others = [...applications.keys()].filter((other) => other !== name);
    expect(inbox.messages).toEqual(others.map((other) => `from ${other}`));
  }
  expect(second.inbox.messages).toEqual(['from a', 'from b', 'from c', 'from d']);
});

test('who left hears nothing more, and who is sent to an empty packet does not hear it', () => {
  const tree = new Tree().line('a', 'b');
  const [a, b] = [tree.join('a'), tree.join('b')];
  tree.say('a', a, '');
  expect(b.inbox.messages).toEqual([]);
  b.flow.deallocate(0);
  tree.say('a', a, 'x');
  expect(b.inbox.messages).toEqual([]);
});

test('a message of 1399 bytes goes through, a longer one is dropped and counted', () => {
  const tree = new Tree().line('a', 'b');
  const [a, b] = [tree.join('a'), tree.join('b')];
  tree.say('a', a, 'x'.repeat(1399));
  tree.say('a', a, 'x'.repeat(1400));
  expect(b.inbox.messages.map(({ length }) => length)).toEqual([1399]);
});

describe('enrolment', () => {
  test('tells the name of the layer', () => {
    const tree = new Tree();
    tree.bootstrap('a');
    expect(tree.enroll('b', 'a')).toMatchObject({ name: 'bcl' });
  });

  test('in another layer than the one that is there is refused with the reason', () => {
    const tree = new Tree();
    tree.bootstrap('a');
    const result = tree.enroll('b', 'a', 'other');
    expect(result).toEqual(code('ENOENT'));
    expect((result as O7sError).message).toBe('a refused the enrolment: this is layer bcl, not other');
  });

  test('with a name nobody serves fails', () => {
    const tree = new Tree();
    const { node } = tree.add('a');
    tree.add('b');
    const { ipcp } = tree.members.get('b')!;
    const other = tree.members.get('b')!.node;
    tree.world.link(node, other);
    const result = tree.world.ask<Joined | O7sError>(other, 'the enrolment', (done) =>
      ipcp.enroll('nobody', undefined, tree.world.time.now, done),
    );
    expect(result).toEqual(code('ENAME'));
  });
});

describe('connections', () => {
  test('there is no management', () => {
    const tree = new Tree().line('a', 'b');
    expect(tree.connect('b', 'a', 'mgmt')).toEqual(code('EINVAL'));
  });

  test('a second one to the same neighbour is not made', () => {
    const tree = new Tree().line('a', 'b');
    expect(tree.connect('b', 'a')).toBeUndefined();
    const [a, b] = [tree.join('a'), tree.join('b')];
    tree.say('a', a, 'x');
    expect(b.inbox.messages).toEqual(['x']);
  });

  test('that are ended carry nothing more', () => {
    const tree = new Tree().line('a', 'b');
    const [a, b] = [tree.join('a'), tree.join('b')];
    const { node, ipcp } = tree.members.get('b')!;
    node.run(() => ipcp.disconnect('a', 'dt'));
    tree.say('a', a, 'x');
    expect(b.inbox.messages).toEqual([]);
    expect(ipcp.metrics()['connections']!()).toEqual([]);
    expect(tree.members.get('a')!.ipcp.metrics()['connections']!()).toEqual([]);
  });

  test('are made anew when the link was silent for long', () => {
    const tree = new Tree().line('a', 'b');
    const [a, b] = [tree.join('a'), tree.join('b')];
    const [link] = tree.world.links;
    link!.cut = true;
    tree.world.time.runTo(tree.world.time.now + 200_000);
    expect(tree.members.get('b')!.ipcp.metrics()['connections']!()).toEqual([]);
    link!.cut = false;
    tree.world.time.runTo(tree.world.time.now + 10_000);
    tree.say('a', a, 'x');
    expect(b.inbox.messages).toEqual(['x']);
  });

  test('live on over short silences without being made anew', () => {
    const tree = new Tree().line('a', 'b');
    const [link] = tree.world.links;
    link!.cut = true;
    tree.world.time.runTo(tree.world.time.now + 60_000);
    const neighbours = (): unknown => tree.members.get('a')!.ipcp.metrics()['connections']!();
    expect(neighbours()).toMatchObject([{ up: false }]);
    link!.cut = false;
    tree.world.time.runTo(tree.world.time.now + 2000);
    expect(neighbours()).toMatchObject([{ up: true }]);
    expect(tree.members.get('a')!.ipcp.counters['connectionsOpened']).toBe(2);
  });
});

test('a loop is noticed, and its packets are stopped', () => {
  const tree = new Tree().line('a', 'b', 'c');
  const applications = ['a', 'b', 'c'].map((name) => tree.join(name));
  tree.world.link(tree.members.get('c')!.node, tree.members.get('a')!.node);
  tree.connect('c', 'a');
  tree.say('a', applications[0]!, 'round');
  tree.world.time.runTo(tree.world.time.now + 10_000);
  const dropped = ['a', 'b', 'c'].map((name) => tree.layer(name).counters['droppedLoop'] ?? 0);
  expect(Math.max(...dropped)).toBeGreaterThan(0);
  // It has come to rest.
  const before = tree.world.links.map(({ counts }) => counts.packets);
  const keepalives = 4 * 2 * 10;
  tree.world.time.runTo(tree.world.time.now + 10_000);
  const after = tree.world.links.map(({ counts }) => counts.packets);
  expect(
    after.reduce((sum, each) => sum + each, 0) - before.reduce((sum, each) => sum + each, 0),
  ).toBeLessThan(keepalives);
});

test('names are not for such a layer', () => {
  const tree = new Tree();
  const { ipcp } = tree.add('a');
  const { layer } = ipcp.bootstrap('bcl', {});
  expect(() => layer.register(Buffer.alloc(32))).toThrow(code('ENOTSUP') as Error);
  const known: boolean[] = [];
  layer.query(Buffer.alloc(32), 0, (value) => known.push(value));
  expect(known).toEqual([false]);
});
