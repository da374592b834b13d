/** Connections between two members over a link in virtual time, and towards a peer that the test plays itself. */
import { describe, expect, test } from 'vitest';
import { type LinkOptions, type SimNode, World } from '../../../tests/sim/world.ts';
import { FlowInbox, packetOf } from '../../../tests/support/flow-inbox.ts';
import { O7sError } from '../../lib/errors.ts';
import { Logger } from '../../lib/log.ts';
import { rawQos } from '../../lib/qos.ts';
import { type Deadlines, never } from '../../lib/time/clock.ts';
import { type Packet, packetHeadroom } from '../../lib/wire/packet.ts';
import type { FlowUser, LayerMetrics, LowerFlow, StackedFacts, StackedIpcp } from '../shell/layer.ts';
import { Connection, type ConnectionUser } from './connection.ts';
import { type Component, ConnectionManager } from './connection-manager.ts';
import { decodeRecord, encodeRecord, noComponent } from './message.ts';

const code = (name: string): unknown => expect.objectContaining({ name: 'O7sError', code: name });

const quiet = new Logger(() => {}, 'test');

/** A component that keeps what happens to its connections. */
class Probe implements Component {
  readonly name: string;
  readonly protocol = 'p';
  readonly version = 1;
  readonly syntax = 2;
  readonly settles = true;
  readonly keepalive = 'always';
  readonly address: number;
  readonly connections: Connection[] = [];
  readonly seen: string[] = [];
  refusing: O7sError | undefined;
  /** Says hello when it has a connection. */
  greets = false;
  onPacket: (packet: Packet) => void = (packet) => void this.seen.push(packet.bytes().toString());

  constructor(name = 'Probe', address = 0) {
    this.name = name;
    this.address = address;
  }

  refuses(): O7sError | undefined {
    return this.refusing;
  }

  connected(connection: Connection): ConnectionUser {
    this.connections.push(connection);
    if (this.greets) connection.write(packetOf(Buffer.from('hello')));
    return {
      deliver: (packet) => this.onPacket(packet),
      setUp: (up) => void this.seen.push(up ? '<up>' : '<down>'),
      closed: () => void this.seen.push('<closed>'),
    };
  }
}

/** An IPCP that is nothing but its connections. */
class Bare implements StackedIpcp {
  readonly manager: ConnectionManager;
  readonly counters = {};

  constructor(around: ConstructorParameters<typeof ConnectionManager>[0]) {
    this.manager = new ConnectionManager(around);
  }

  acceptFlow(flow: LowerFlow): FlowUser {
    return this.manager.accept(flow);
  }

  nextDeadline(): number {
    return this.manager.nextDeadline();
  }

  advance(now: number): void {
    this.manager.advance(now);
  }

  bootstrap(): never {
    throw new Error('not for this test');
  }
  enroll(): void {}
  connect(): void {}
  disconnect(): void {}
  facts(): StackedFacts {
    return { address: null, adjacencies: [], routes: [] };
  }

  readonly gauges = {};

  metrics(): LayerMetrics {
    return {};
  }
  close(): void {
    this.manager.closeAll();
  }
}

interface End {
  readonly node: SimNode;
  readonly manager: ConnectionManager;
  readonly probe: Probe;
}

interface Pair {
  readonly world: World;
  readonly a: End;
  readonly b: End;
}

function pair(options: LinkOptions = {}): Pair {
  const world = new World(1);
  const end = (name: string, address: number): End => {
    const node = world.node(name);
    let ipcp: Bare | undefined;
    node.start((around) => (ipcp = new Bare(around)));
    const probe = new Probe('Probe', address);
    ipcp!.manager.serve(probe);
    return { node, manager: ipcp!.manager, probe };
  };
  const [a, b] = [end('a', 1), end('b', 2)];
  world.link(a.node, b.node, options);
  return { world, a, b };
}

function connect({ world, a }: Pair, component: Component = a.probe, lasting = false): Connection | O7sError {
  return world.ask(a.node, 'the connection', (done) =>
    a.manager.connect(component, 'b', rawQos, { lasting }, done),
  );
}

function say({ world, a }: Pair, text: string): void {
  a.node.run(() => a.probe.connections.at(-1)!.write(packetOf(Buffer.from(text))));
  world.time.runTo(world.time.now + 10);
}

describe('two of our kind', () => {
  test('know each other, and packets go both ways at once', () => {
    const both = pair();
    const connection = connect(both) as Connection;
    expect(connection.peer).toMatchObject({ address: 2, extensions: 1 });
    expect([connection.extended, connection.initiated, connection.readyAt <= both.world.time.now]).toEqual([
      true,
      true,
      true,
    ]);
    both.world.time.runTo(both.world.time.now + 10);
    const [back] = both.b.probe.connections;
    expect([back!.peer.address, back!.initiated, back!.destination]).toEqual([1, false, undefined]);
    say(both, 'x');
    both.b.node.run(() => back!.write(packetOf(Buffer.from('y'))));
    both.world.time.runTo(both.world.time.now + 10);
    expect([both.a.probe.seen, both.b.probe.seen]).toEqual([['y'], ['x']]);
  });

  test('hear of the end of a connection, whoever ends it', () => {
    const both = pair();
    connect(both);
    both.world.time.runTo(both.world.time.now + 10);
    both.b.node.run(() => both.b.probe.connections[0]!.close());
    both.world.time.runTo(both.world.time.now + 10);
    expect([both.a.probe.seen, both.b.probe.seen]).toEqual([['<closed>'], ['<closed>']]);
    expect(both.a.manager.connectionsOf(both.a.probe)).toEqual([]);
  });

  test('a component that the other does not have, or that refuses, is told as such', () => {
    const both = pair();
    expect(connect(both, new Probe('Other'))).toEqual(code('ENOTSUP'));
    both.b.probe.refusing = new O7sError('EEXIST');
    expect(connect(both)).toEqual(code('ENOTSUP'));
    expect(both.b.probe.connections).toEqual([]);
  });

  test('the side that asks may refuse, too', () => {
    const both = pair();
    both.a.probe.refusing = new O7sError('EEXIST', 'the same address');
    expect(connect(both)).toEqual(code('EEXIST'));
    both.world.time.runTo(both.world.time.now + 10);
    expect(both.b.probe.seen).toEqual(['<closed>']);
  });

  test('a name that nobody has is unknown', () => {
    const both = pair();
    const { world, a } = both;
    const result = world.ask<Connection | O7sError>(a.node, 'the connection', (done) =>
      a.manager.connect(a.probe, 'nobody', rawQos, { lasting: false }, done),
    );
    expect(result).toEqual(code('ENAME'));
  });

  test('silence takes a connection down within seconds, and a sign of life brings it back', () => {
    const both = pair();
    connect(both);
    const [link] = both.world.links;
    link!.cut = true;
    both.world.time.runTo(both.world.time.now + 6000);
    expect(both.a.probe.seen).toEqual(['<down>']);
    expect(both.a.probe.connections[0]!.up).toBe(false);
    link!.cut = false;
    both.world.time.runTo(both.world.time.now + 2000);
    expect(both.a.probe.seen).toEqual(['<down>', '<up>']);
  });

  test('a device that goes down takes it down at once', () => {
    const both = pair();
    connect(both);
    both.world.links[0]!.setUp(false);
    expect(both.a.probe.seen).toEqual(['<down>']);
    both.world.links[0]!.setUp(true);
    expect(both.a.probe.seen).toEqual(['<down>', '<up>']);
  });

  test('only a lasting connection is made anew after a long silence, and not after it was ended', () => {
    for (const lasting of [false, true]) {
      const both = pair();
      connect(both, undefined, lasting);
      const [link] = both.world.links;
      link!.cut = true;
      both.world.time.runTo(both.world.time.now + 130_000);
      expect(both.a.manager.connectionsOf(both.a.probe)).toHaveLength(0);
      link!.cut = false;
      both.world.time.runTo(both.world.time.now + 10_000);
      expect(both.a.manager.connectionsOf(both.a.probe)).toHaveLength(lasting ? 1 : 0);
      both.a.node.run(() => both.a.manager.disconnect(both.a.probe, 'b'));
      both.world.time.runTo(both.world.time.now + 10_000);
      expect(both.a.manager.connectionsOf(both.a.probe)).toHaveLength(0);
    }
  });

  test('one that is given up while it is lost is not made anew', () => {
    const both = pair();
    connect(both, undefined, true);
    const [link] = both.world.links;
    link!.cut = true;
    both.world.time.runTo(both.world.time.now + 130_000);
    both.a.node.run(() => both.a.manager.disconnect(both.a.probe, 'b'));
    link!.cut = false;
    both.world.time.runTo(both.world.time.now + 60_000);
    expect(both.a.manager.connectionsOf(both.a.probe)).toHaveLength(0);
  });

  test.each([
    ['that is silent, and lost later', 60_000],
    ['that is lost', 130_000],
  ])('one %s is not made anew beside one that somebody has made', (_what, ms) => {
    const both = pair();
    connect(both, undefined, true);
    const [link] = both.world.links;
    link!.cut = true;
    both.world.time.runTo(both.world.time.now + ms);
    link!.cut = false;
    // The peer is another one by now, which knows nothing of the first connection.
    for (const flow of link!.flows) if (flow.node === both.b.node) flow.user = undefined;
    connect(both, undefined, true);
    both.world.time.runTo(both.world.time.now + 200_000);
    expect(both.a.manager.connectionsOf(both.a.probe)).toHaveLength(1);
  });
});

/** A manager, and the other end of its flows in the hands of the test. */
class Hand {
  readonly sent: Buffer[] = [];
  readonly probe = new Probe('Probe', 7);
  readonly manager: ConnectionManager;
  readonly ends: FlowUser[] = [];
  readonly logged: string[] = [];
  released = 0;
  now = 1000;

  constructor() {
    const world = new World(1);
    const node = world.node('x');
    this.manager = new ConnectionManager({
      lower: {
        allocate: (_name, _qos, user, done) => {
          this.ends.push(user);
          done(this.flow());
        },
      },
      packets: node.packets,
      log: new Logger(
        ({ component, level, text }) => this.logged.push(`${component}(${level}): ${text}`),
        'x',
      ),
      clock: () => this.now,
      deadlineChanged: () => {},
    });
    this.manager.serve(this.probe);
  }

  flow(headerBytes = 18): LowerFlow {
    return {
      headerBytes,
      backlog: 0,
      maxMessageBytes: 1496,
      write: (packet) => void this.sent.push(Buffer.from(packet.bytes())),
      deallocate: () => void (this.released += 1),
    };
  }

  /** A flow comes in, with these first packets. */
  bring(...packets: Buffer[]): FlowUser {
    const user = this.manager.accept(this.flow());
    for (const packet of packets) user.deliver(packetOf(packet));
    return user;
  }

  connect(): (Connection | O7sError)[] {
    const results: (Connection | O7sError)[] = [];
    this.manager.connect(this.probe, 'peer', rawQos, { lasting: false }, (result) => results.push(result));
    return results;
  }

  advance(ms: number): void {
    const end = this.now + ms;
    const subject: Deadlines = this.manager;
    for (let next = subject.nextDeadline(); next <= end; next = subject.nextDeadline()) {
      this.now = next;
      subject.advance(next);
    }
    this.now = end;
  }
}

const record = { component: 'Probe', protocol: 'p', version: 1, syntax: 2, address: 9, extensions: 0 };

describe('a prototype', () => {
  test('is answered at once, and not written to before it has settled', () => {
    const hand = new Hand();
    hand.bring(encodeRecord(record));
    expect(hand.sent.map(decodeRecord)).toEqual([{ ...record, address: 7, extensions: 1 }]);
    expect(hand.probe.connections[0]!.readyAt).toBe(hand.now + 300);
    expect(hand.probe.connections[0]!.extended).toBe(false);
  });

  test('is sent a sign of life every 30 s, none before, and is lost after 120 s of silence', () => {
    const hand = new Hand();
    hand.bring(encodeRecord(record));
    hand.sent.length = 0;
    hand.advance(29_999);
    expect(hand.sent).toEqual([]);
    hand.advance(60_001);
    expect(hand.sent.map(({ length }) => length)).toEqual([0, 0, 0]);
    expect(hand.probe.seen).toEqual([]);
    hand.advance(30_000);
    expect(hand.probe.seen).toEqual(['<down>', '<closed>']);
    expect(hand.released).toBe(1);
  });

  test('that speaks lives on', () => {
    const hand = new Hand();
    const user = hand.bring(encodeRecord(record));
    for (let minute = 0; minute < 10; minute += 1) {
      hand.advance(60_000);
      user.deliver(packetOf(Buffer.alloc(0)));
    }
    expect(hand.probe.seen).toEqual([]);
  });

  test.each([
    ['another protocol', { ...record, protocol: 'q' }, 'ENOTSUP'],
    ['another version', { ...record, version: 2 }, 'ENOTSUP'],
    ['another syntax', { ...record, syntax: 0 }, 'ENOTSUP'],
    ['no such component', noComponent, 'ENOTSUP'],
    ['another component name, which is not compared', { ...record, component: 'x' }, undefined],
  ])('that answers with %s', (_what, answer, fault) => {
    const hand = new Hand();
    const results = hand.connect();
    hand.ends[0]!.deliver(packetOf(encodeRecord(answer)));
    if (fault === undefined) expect(results[0]).toBeInstanceOf(Connection);
    else expect(results).toEqual([code(fault)]);
  });

  test('that answers nothing is asked three times, each time over a flow of its own', () => {
    const hand = new Hand();
    const results = hand.connect();
    hand.advance(2999);
    expect([results, hand.ends.length, hand.released]).toEqual([[], 3, 2]);
    hand.advance(1);
    expect([results, hand.released]).toEqual([[code('ETIMEDOUT')], 3]);
  });

  test('whose answer is lost answers the next time', () => {
    const hand = new Hand();
    const results = hand.connect();
    hand.advance(1000);
    hand.ends[1]!.deliver(packetOf(encodeRecord(record)));
    expect(results[0]).toBeInstanceOf(Connection);
    expect([hand.released, hand.manager.connectionsOf(hand.probe).length]).toEqual([1, 1]);
  });

  test('that answers no record is given up', () => {
    const hand = new Hand();
    const results = hand.connect();
    hand.ends[0]!.deliver(packetOf(Buffer.from('hello')));
    hand.advance(999);
    expect(results).toEqual([]);
    hand.advance(1);
    expect([results, hand.released]).toEqual([[code('EINVAL')], 1]);
  });
});

test('the log tells of flows by descriptors, the lowest free ones, of those that come in and those that were asked for', () => {
  const hand = new Hand();
  const [first] = [hand.bring(encodeRecord(record)), hand.connect()];
  hand.ends[0]!.deliver(packetOf(encodeRecord(record)));
  hand.bring(encodeRecord({ ...record, component: 'Other' }));
  hand.bring();
  hand.advance(1000);
  first.released();
  // One that has ended gives back no number that another has by now.
  const again = hand.bring(encodeRecord(record));
  first.released();
  again.released();
  hand.bring(encodeRecord(record));
  const served = (fd: number): string[] =>
    [
      `Handling incoming flow ${fd}.`,
      'Request to connect to Probe.',
      `Finished handling incoming flow ${fd} for Probe.`,
    ].map((text) => `connection-manager(II): ${text}`);
  expect(hand.logged).toEqual([
    ...served(64),
    'connection-manager(II): Handling incoming flow 66.',
    'connection-manager(EE): No such component: Other',
    'connection-manager(II): Handling incoming flow 66.',
    'connection-manager(EE): Error receiving OCEP info: -110.',
    ...served(64),
    ...served(64),
  ]);
});

describe('what overtakes the record of the peer', () => {
  test('is kept for the component, up to 16 packets', () => {
    const hand = new Hand();
    const results = hand.connect();
    const [end] = hand.ends;
    for (let number = 0; number < 20; number += 1) end!.deliver(packetOf(Buffer.from(`early ${number}`)));
    end!.deliver(packetOf(encodeRecord(record)));
    end!.deliver(packetOf(Buffer.from('late')));
    expect(results[0]).toBeInstanceOf(Connection);
    const kept = Array.from({ length: 16 }, (_, number) => `early ${number}`);
    expect(hand.probe.seen).toEqual([...kept, 'late']);
    expect(hand.manager.counters.droppedEarly).toBe(4);
  });

  test('can be handed on, with headers in front', () => {
    const hand = new Hand();
    hand.connect();
    const starts: number[] = [];
    hand.probe.onPacket = ({ start }) => void starts.push(start);
    hand.ends[0]!.deliver(packetOf(Buffer.from('early')));
    hand.ends[0]!.deliver(packetOf(encodeRecord(record)));
    expect(starts).toEqual([packetHeadroom]);
  });
});

describe('between IPCPs of one process, where everything happens at once', () => {
  test.each(['a', 'b'])('what %s says when it has the connection reaches the other', (speaker) => {
    const both = pair({ isCall: true });
    const { probe } = both[speaker as 'a' | 'b'];
    probe.greets = true;
    const connection = connect(both);
    expect(connection).toBeInstanceOf(Connection);
    expect((speaker === 'a' ? both.b : both.a).probe.seen).toEqual(['hello']);
    say(both, 'x');
    expect(both.b.probe.seen.at(-1)).toBe('x');
  });

  test('who ends the connection at once is told to who asked', () => {
    const both = pair({ isCall: true });
    both.b.probe.refusing = new O7sError('EEXIST');
    expect(connect(both)).toEqual(code('ENOTSUP'));
    const other = pair({ isCall: true });
    other.a.probe.refusing = new O7sError('EEXIST');
    expect(connect(other)).toEqual(code('EEXIST'));
    expect(other.b.probe.connections).toEqual([]);
    expect(other.b.manager.connectionsOf(other.b.probe)).toEqual([]);
  });
});

test('a flow that comes when all is ended is given back', () => {
  let give: (flow: LowerFlow) => void = () => {};
  const hand = new Hand();
  const manager = new ConnectionManager({
    lower: { allocate: (_name, _qos, _user, done) => void (give = done) },
    packets: new World(1).node('x').packets,
    clock: () => 0,
    log: quiet,
    deadlineChanged: () => {},
  });
  const results: unknown[] = [];
  manager.connect(hand.probe, 'x', rawQos, { lasting: true }, (result) => results.push(result));
  manager.closeAll();
  give(hand.flow());
  expect([results, hand.released, hand.sent, manager.nextDeadline()]).toEqual([
    [code('ECANCELED')],
    1,
    [],
    never,
  ]);
});

describe('who comes', () => {
  test('and asks for what there is not is told so, as the prototype tells it', () => {
    const hand = new Hand();
    hand.bring(encodeRecord({ ...record, component: 'Nothing' }));
    expect(hand.sent.map((bytes) => bytes.toString('hex'))).toEqual(['0a001200180028004000']);
    expect(hand.released).toBe(1);
  });

  test('and speaks nonsense, or nothing for a second, is shut out', () => {
    const hand = new Hand();
    hand.bring(Buffer.from('hello'));
    hand.bring();
    expect(hand.released).toBe(1);
    hand.advance(1000);
    expect([hand.released, hand.sent, hand.manager.nextDeadline()]).toEqual([2, [], never]);
    expect(hand.manager.counters).toMatchObject({ droppedHandshake: 1, droppedStranger: 1 });
  });

  test('in great numbers, silent, makes room for the next', () => {
    const hand = new Hand();
    for (let count = 0; count < 300; count += 1) hand.bring();
    expect(hand.released).toBe(300 - 256);
    hand.bring(encodeRecord(record));
    expect(hand.probe.connections).toHaveLength(1);
  });

  test('and sends a sign of life first is still listened to', () => {
    const hand = new Hand();
    hand.bring(Buffer.alloc(0), encodeRecord(record), Buffer.from('x'));
    expect(hand.probe.seen).toEqual(['x']);
  });
});

test('a flow through too many layers is refused', () => {
  const hand = new Hand();
  const user = new FlowInbox();
  const flow = hand.flow(120);
  const manager = new ConnectionManager({
    lower: { allocate: (_name, _qos, _user, done) => done(flow) },
    packets: new World(1).node('x').packets,
    log: quiet,
    clock: () => 0,
    deadlineChanged: () => {},
  });
  const results: unknown[] = [];
  manager.connect(hand.probe, 'x', rawQos, { lasting: false }, (result) => results.push(result));
  expect([results, hand.released, user.messages]).toEqual([[code('ENOTSUP')], 1, []]);
});
