/** Flow allocators of two members with nothing but the test between them. */
import { describe, expect, test } from 'vitest';
import { packetOf } from '../../../../tests/support/flow-inbox.ts';
import { errnoOf } from '../../../lib/errors.ts';
import { npQos, type QosSpec, rawQos } from '../../../lib/qos.ts';
import { type Packet, PacketPool } from '../../../lib/wire/packet.ts';
import type { FlowOutcome, FlowRequest, FlowUser, LayerFlow } from '../../shell/layer.ts';
import type { Eid } from '../dt/header.ts';
import { FlowAllocator, type FlowAllocatorLimits, type UnicastFlow } from './flow-allocator.ts';
import {
  decodeFlowMessage,
  encodeFlowMessage,
  flowCode,
  type FlowMessage,
  flowMessageLength,
} from './message.ts';

const hash = Buffer.alloc(32, 7);
const asking = Buffer.from('asking');
const answering = Buffer.from('answering');

interface Sent {
  readonly to: number;
  readonly eid: Eid;
  readonly bytes: Buffer;
}

/** What a member's allocator sends, and what its users hear. */
class Member {
  now = 1000;
  /** Whether there is a way to other members. */
  hasRoute = true;
  maxMessageBytes = 1481;
  deadlinesChanged = 0;
  readonly sent: Sent[] = [];
  readonly requests: FlowRequest[] = [];
  readonly allocator: FlowAllocator;
  readonly address: number;
  #eids = 0;

  constructor(address: number, avoidsCongestion = false, limits?: Partial<FlowAllocatorLimits>) {
    this.address = address;
    const around = {
      address,
      hashBytes: hash.length,
      avoidsCongestion,
      carrier: {
        headerBytes: 15,
        send: (to: number, eidLow: number, eidHigh: number, packet: Packet): boolean => {
          if (this.hasRoute)
            this.sent.push({ to, eid: { high: eidHigh, low: eidLow }, bytes: Buffer.from(packet.bytes()) });
          return this.hasRoute;
        },
      },
      packets: new PacketPool(),
      events: { flowRequested: (request: FlowRequest) => void this.requests.push(request) },
      clock: () => this.now,
      randomBytes: (count: number) => Buffer.alloc(count, (this.#eids += 1)),
      maxMessageBytes: () => this.maxMessageBytes,
      deadlineChanged: () => void (this.deadlinesChanged += 1),
    };
    this.allocator = new FlowAllocator(
      limits === undefined ? around : { ...around, limits: { ...wide, ...limits } },
    );
  }

  /** Asks another for a flow; what came of it, in the order it came. */
  ask(to: number, qos: QosSpec = rawQos): { user: User; flow: LayerFlow; outcomes: FlowOutcome[] } {
    const [user, outcomes] = [new User(), [] as FlowOutcome[]];
    const flow = this.allocator.allocate(to, hash, qos, asking, user, this.now, (outcome) =>
      outcomes.push(outcome),
    );
    return { user, flow, outcomes };
  }

  /** Accepts the oldest request. */
  accept(piggyback = answering): { user: User; flow: LayerFlow | undefined } {
    const user = new User();
    return { user, flow: this.allocator.accept(this.requests.shift()!.handle, piggyback, user, this.now) };
  }

  hears(message: FlowMessage | Buffer): void {
    this.allocator.receive(packetOf(Buffer.isBuffer(message) ? message : encoded(message)));
  }

  /** Messages for other allocators, sent since the last call. */
  said(): FlowMessage[] {
    const messages = this.sent.filter(({ eid }) => eid.low === 0 && eid.high === 0);
    this.sent.splice(0);
    return messages.map(({ bytes }) => {
      const message = decodeFlowMessage(bytes, 0, bytes.length, hash.length);
      if (typeof message === 'string') throw new Error(message);
      return message;
    });
  }

  /** Lets time pass, deadline by deadline. */
  after(ms: number): void {
    const end = this.now + ms;
    for (let next = this.allocator.nextDeadline(); next <= end; next = this.allocator.nextDeadline()) {
      this.now = Math.max(this.now, next);
      this.allocator.advance(this.now);
    }
    this.now = end;
  }

  counts(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.allocator.counters).filter(([, count]) => count > 0));
  }
}

class User implements FlowUser {
  readonly heard: string[] = [];

  deliver(packet: Packet): void {
    this.heard.push(packet.bytes().toString('latin1'));
  }
  setUp(up: boolean): void {
    this.heard.push(up ? '(up)' : '(down)');
  }
  released(): void {
    this.heard.push('(released)');
  }
  setPaused(paused: boolean): void {
    this.heard.push(paused ? '(paused)' : '(resumed)');
  }
}

const wide: FlowAllocatorLimits = {
  replyMs: 2000,
  flowsMax: 4032,
  requestsMax: 1024,
  requestsOfMemberMax: 64,
  requestsRememberedMax: 1024,
  releasedRememberedMax: 1024,
  retellMs: 50,
  heldBytesMax: 256 * 1024,
};

function encoded(message: FlowMessage): Buffer {
  const bytes = Buffer.alloc(flowMessageLength(message));
  encodeFlowMessage(message, bytes, 0);
  return bytes;
}

/** Carries all that members sent to each other. */
function pass(...members: readonly Member[]): void {
  for (let busy = true; busy;) {
    busy = false;
    for (const from of members) {
      for (const { to, eid, bytes } of from.sent.splice(0)) {
        busy = true;
        const receiver = members.find(({ address }) => address === to)!.allocator;
        if (eid.low === 0 && eid.high === 0) receiver.receive(packetOf(bytes));
        else receiver.deliver(eid.low, eid.high, 0, packetOf(bytes));
      }
    }
  }
}

interface Pair {
  readonly a: Member;
  readonly b: Member;
}

const pair = (avoidsCongestion = false, limits?: Partial<FlowAllocatorLimits>): Pair => ({
  a: new Member(1, avoidsCongestion, limits),
  b: new Member(2, avoidsCongestion, limits),
});

/** A flow from `a` to `b`. */
function open({ a, b }: Pair): {
  asker: { user: User; flow: UnicastFlow };
  server: { user: User; flow: UnicastFlow };
} {
  const { user, flow } = a.ask(2);
  pass(a, b);
  const server = b.accept();
  pass(a, b);
  return {
    asker: { user, flow: flow as UnicastFlow },
    server: { user: server.user, flow: server.flow as UnicastFlow },
  };
}

const write = (flow: LayerFlow, text: string): void => flow.write(packetOf(Buffer.from(text)));
const refused = (code: Parameters<typeof errnoOf>[0]): FlowOutcome => ({
  kind: 'refused',
  response: -errnoOf(code),
});

describe('a flow', () => {
  test('is asked for, accepted, carries messages both ways, and is released', () => {
    const { a, b } = pair();
    const { user, flow, outcomes } = a.ask(2, npQos);
    pass(a, b);
    expect(b.requests).toEqual([{ handle: 1, hash, qos: npQos, piggyback: asking }]);
    expect(outcomes).toEqual([]);
    const server = b.accept();
    pass(a, b);
    expect(outcomes).toEqual([{ kind: 'accepted', piggyback: answering }]);
    write(flow, 'ping');
    write(server.flow!, 'pong');
    pass(a, b);
    expect([user.heard, server.user.heard]).toEqual([['pong'], ['ping']]);
    flow.deallocate(a.now);
    pass(a, b);
    expect(server.user.heard).toEqual(['ping', '(released)']);
    expect([a.allocator.flows, b.allocator.flows]).toEqual([[], []]);
    // Neither the end that is given up nor the one that was released says anything more.
    flow.deallocate(a.now);
    server.flow!.deallocate(b.now);
    write(flow, 'x');
    write(server.flow!, 'x');
    expect([a.sent, b.sent]).toEqual([[], []]);
    expect([a.counts()['droppedNotOpen'], b.counts()['droppedNotOpen']]).toEqual([1, 1]);
  });

  test('has random endpoint ids of 64 bits from 64 up, with room in front for headers', () => {
    const both = pair();
    const { asker, server } = open(both);
    expect([asker.flow.eid.low, server.flow.eid.low]).toEqual([64, 64]);
    expect(asker.flow.eid.high).not.toBe(0);
    expect(asker.flow.headerBytes).toBe(15);
    const second = open(both);
    expect(second.asker.flow.eid.low).toBe(65);
  });

  test('to the member itself', () => {
    const a = new Member(1);
    const { user, flow, outcomes } = a.ask(1);
    pass(a);
    const server = a.accept();
    pass(a);
    write(flow, 'ping');
    write(server.flow!, 'pong');
    pass(a);
    expect([outcomes.length, user.heard, server.user.heard]).toEqual([1, ['pong'], ['ping']]);
  });

  test('takes messages before the reply is there', () => {
    const { a, b } = pair();
    const { user } = a.ask(2);
    pass(a, b);
    const { flow } = b.accept();
    const [reply] = b.sent.splice(0);
    write(flow!, 'early');
    pass(a, b);
    b.sent.push(reply!);
    pass(a, b);
    expect(user.heard).toEqual(['early']);
  });

  test('carries nothing before it is open, and nothing that is too long', () => {
    const { a, b } = pair();
    const { flow } = a.ask(2);
    write(flow, 'x');
    expect(a.counts()['droppedNotOpen']).toBe(1);
    pass(a, b);
    b.accept();
    pass(a, b);
    a.maxMessageBytes = 4;
    write(flow, '12345');
    write(flow, '1234');
    expect([a.counts()['droppedTooLong'], a.sent.length]).toEqual([1, 1]);
  });

  test('counts what it carried, and what had no way', () => {
    const both = pair();
    const { asker, server } = open(both);
    write(asker.flow, 'abc');
    pass(both.a, both.b);
    both.a.hasRoute = false;
    write(asker.flow, 'de');
    expect(asker.flow.counts).toMatchObject({
      sentPackets: 1,
      sentBytes: 3,
      sendFailedPackets: 1,
      sendFailedBytes: 2,
    });
    expect(server.flow.counts).toMatchObject({ receivedPackets: 1, receivedBytes: 3 });
  });
});

describe('a refusal', () => {
  test('ends the attempt at once, with the code of the peer', () => {
    const { a, b } = pair();
    const { outcomes } = a.ask(2);
    pass(a, b);
    b.allocator.refuse(b.requests[0]!.handle, -1009);
    pass(a, b);
    expect([outcomes, a.allocator.flows]).toEqual([[{ kind: 'refused', response: -1009 }], []]);
    // It was answered: nothing answers twice.
    b.allocator.refuse(b.requests[0]!.handle, -1);
    expect(b.accept().flow).toBeUndefined();
    expect(b.sent).toEqual([]);
  });

  test('with a code that is none is one all the same', () => {
    const { a } = pair();
    const { flow, outcomes } = a.ask(2);
    a.hears({
      code: flowCode.reply,
      receiverEid: (flow as UnicastFlow).eid,
      senderEid: { high: 0, low: 0 },
      response: 5,
      piggyback: Buffer.alloc(0),
    });
    expect(outcomes).toEqual([refused('EIPCP')]);
  });

  test('comes when no flow is left, on either side', () => {
    const { a, b } = pair(false, { flowsMax: 1 });
    a.ask(2);
    expect(a.ask(2).outcomes).toEqual([refused('EBADF')]);
    pass(a, b);
    b.accept();
    const c = new Member(3);
    const { outcomes } = c.ask(2);
    pass(b, c, a);
    expect(b.accept().flow).toBeUndefined();
    pass(b, c, a);
    expect(outcomes).toEqual([refused('EIPCP')]);
  });

  test('comes when the request or the reply is too long for the layer', () => {
    const { a, b } = pair();
    a.maxMessageBytes = 61 + hash.length + asking.length - 1;
    expect(a.ask(2).outcomes).toEqual([refused('EMSGSIZE')]);
    expect([a.sent, a.allocator.flows]).toEqual([[], []]);
    a.maxMessageBytes += 1;
    const { outcomes } = a.ask(2);
    pass(a, b);
    b.maxMessageBytes = 61 + answering.length - 1;
    expect(b.accept().flow).toBeUndefined();
    pass(a, b);
    expect(outcomes).toEqual([refused('EMSGSIZE')]);
    expect(b.allocator.flows).toEqual([]);
    expect([a.counts()['droppedTooLong'], b.counts()['droppedTooLong']]).toEqual([1, 1]);
  });

  test('a prototype is never sent more than 2048 bytes', () => {
    const { a } = pair();
    a.maxMessageBytes = 9000;
    const outcomes: FlowOutcome[] = [];
    a.allocator.allocate(2, hash, rawQos, Buffer.alloc(2048 - 61 - 32 + 1), new User(), 0, (each) =>
      outcomes.push(each),
    );
    expect([outcomes, a.sent]).toEqual([[refused('EMSGSIZE')], []]);
  });
});

describe('replies', () => {
  test('that are lost end the attempt after 2 s; the next has another endpoint id', () => {
    const { a, b } = pair();
    const first = a.ask(2);
    const { eid } = first.flow as UnicastFlow;
    a.after(1999);
    expect(first.outcomes).toEqual([]);
    a.after(1);
    expect([first.outcomes, a.allocator.flows]).toEqual([[{ kind: 'unanswered' }], []]);
    expect((a.ask(2).flow as UnicastFlow).eid).not.toEqual(eid);
    pass(a, b);
    expect(b.requests).toHaveLength(2);
  });

  test('that are lost leave no flow behind at the peer', () => {
    const { a, b } = pair();
    a.ask(2);
    pass(a, b);
    const server = b.accept();
    b.sent.splice(0);
    a.after(2000);
    pass(a, b);
    expect([server.user.heard, b.allocator.flows]).toEqual([['(released)'], []]);
  });

  test('that nobody waits for any more are not given', () => {
    const { a, b } = pair();
    a.ask(2);
    pass(a, b);
    a.after(2000);
    pass(a, b);
    expect(b.accept().flow).toBeUndefined();
    expect([b.sent, b.counts()['requestsGivenUp']]).toEqual([[], 1]);
  });

  test('that are late have the flow of the peer released, though what told it before was lost', () => {
    const { a, b } = pair();
    const { outcomes } = a.ask(2);
    pass(a, b);
    a.after(2000);
    a.sent.splice(0);
    const server = b.accept();
    pass(a, b);
    expect(outcomes).toEqual([{ kind: 'unanswered' }]);
    expect([server.user.heard, b.allocator.flows]).toEqual([['(released)'], []]);
  });

  test('that are late refusals change nothing', () => {
    const { a, b } = pair();
    a.ask(2);
    pass(a, b);
    a.after(2000);
    a.sent.splice(0);
    b.allocator.refuse(b.requests[0]!.handle, -1007);
    pass(a, b);
    expect([a.sent, a.counts()['droppedUnexpectedReply']]).toEqual([[], 1]);
  });

  test('to an attempt that was given up have the flow of the peer released', () => {
    const { a, b } = pair();
    const { flow, outcomes } = a.ask(2);
    pass(a, b);
    const server = b.accept();
    flow.deallocate(a.now);
    expect(outcomes).toEqual([{ kind: 'unanswered' }]);
    pass(a, b);
    expect(server.user.heard).toEqual(['(released)']);
    expect(b.counts()).toMatchObject({ releasedByPeer: 1, droppedUnexpectedRelease: 1 });
  });

  test.each([
    ['accepts with another endpoint id', 0],
    ['refuses', -1009],
  ])('that are not the first are ignored: one that %s', (_what, response) => {
    const both = pair();
    const { asker, server } = open(both);
    both.a.hears({
      code: flowCode.reply,
      receiverEid: asker.flow.eid,
      senderEid: { high: 99, low: 99 },
      response,
      piggyback: Buffer.alloc(0),
    });
    write(asker.flow, 'still');
    pass(both.a, both.b);
    expect(server.user.heard).toEqual(['still']);
    expect(both.a.counts()['droppedUnexpectedReply']).toBe(1);
  });

  test('for an unknown endpoint id are ignored', () => {
    const { a } = pair();
    a.hears({
      code: flowCode.reply,
      receiverEid: { high: 1, low: 64 },
      senderEid: { high: 1, low: 64 },
      response: 0,
      piggyback: answering,
    });
    expect([a.sent, a.counts()]).toEqual([[], { flowRepliesIn: 1, droppedUnexpectedReply: 1 }]);
  });

  test('that have no way leave no flow behind', () => {
    const { a, b } = pair();
    a.ask(2);
    pass(a, b);
    b.hasRoute = false;
    expect(b.accept().flow).toBeUndefined();
    expect(b.allocator.flows).toEqual([]);
  });
});

describe('requests', () => {
  const request = (source: number, low: number): FlowMessage => ({
    code: flowCode.request,
    source,
    senderEid: { high: 1, low },
    qos: rawQos,
    hash,
    piggyback: asking,
  });

  test('that come twice are one, also when it is answered', () => {
    const { a, b } = pair();
    const { user, flow } = a.ask(2);
    const [copy] = [...a.sent];
    pass(a, b);
    b.hears(copy!.bytes);
    const server = b.accept();
    b.hears(copy!.bytes);
    pass(a, b);
    expect([b.requests, b.counts()['droppedRepeatedRequest']]).toEqual([[], 2]);
    write(flow, 'x');
    pass(a, b);
    expect([server.user.heard, user.heard]).toEqual([['x'], []]);
  });

  test('of one member, and of all, are limited until they are answered', () => {
    const { b } = pair(false, { requestsMax: 5, requestsOfMemberMax: 3 });
    for (let low = 0; low < 5; low += 1) b.hears(request(1, low));
    expect(b.requests).toHaveLength(3);
    for (let source = 3; source < 8; source += 1) b.hears(request(source, 0));
    expect(b.requests).toHaveLength(5);
    expect(b.counts()['droppedTooManyRequests']).toBe(5);
    b.accept();
    b.hears(request(1, 9));
    expect(b.requests).toHaveLength(5);
  });

  test('that were answered are remembered in a bounded number', () => {
    const { b } = pair(false, { requestsRememberedMax: 10 });
    for (let low = 0; low < 1000; low += 1) {
      b.hears(request(1, low));
      b.allocator.refuse(b.requests.shift()!.handle, -1);
    }
    b.hears(request(1, 999));
    expect(b.requests).toEqual([]);
    b.hears(request(1, 0));
    expect(b.requests).toHaveLength(1);
  });

  test('from nobody, and what is no message, are dropped', () => {
    const { b } = pair();
    b.hears(request(0, 1));
    b.hears(Buffer.alloc(60));
    b.hears(Buffer.alloc(2049));
    b.hears(Buffer.alloc(61).fill(9, 58, 59));
    expect([b.requests, b.sent, b.counts()]).toEqual([[], [], { flowRequestsIn: 1, droppedFlowMessage: 4 }]);
  });
});

describe('a release', () => {
  test('is code 32 with both endpoint ids', () => {
    const both = pair();
    const { asker, server } = open(both);
    asker.flow.deallocate();
    expect(both.a.said()).toEqual([{ code: 32, receiverEid: server.flow.eid, senderEid: asker.flow.eid }]);
  });

  test('that was lost is told again to who goes on sending, now and then', () => {
    const both = pair();
    const { asker, server } = open(both);
    asker.flow.deallocate();
    const told = { code: 32, receiverEid: server.flow.eid, senderEid: asker.flow.eid } as const;
    expect(both.a.said()).toEqual([told]);
    // What was under way when it was told is no reason.
    write(server.flow, 'x');
    pass(both.b, both.a);
    expect(both.a.said()).toEqual([]);
    both.a.after(50);
    for (const text of ['y', 'z']) {
      write(server.flow, text);
      const [{ eid, bytes }] = both.b.sent.splice(0) as [Member['sent'][number]];
      both.a.allocator.deliver(eid.low, eid.high, 0, packetOf(bytes));
    }
    pass(both.a, both.b);
    expect([server.user.heard, both.b.counts()['droppedUnexpectedRelease']]).toEqual([
      ['(released)'],
      undefined,
    ]);
  });

  test('is not told again for ever: the oldest are forgotten', () => {
    const both = pair(false, { releasedRememberedMax: 1 });
    const [first, second] = [open(both), open(both)];
    first.asker.flow.deallocate();
    second.asker.flow.deallocate();
    both.a.said();
    both.a.after(50);
    for (const { server } of [first, second]) write(server.flow, 'x');
    pass(both.b, both.a, both.b);
    expect([first, second].map(({ server }) => server.user.heard)).toEqual([[], ['(released)']]);
  });

  test('is believed only with both of them', () => {
    const both = pair();
    const { asker, server } = open(both);
    const wrong = { high: 1, low: asker.flow.eid.low };
    both.b.hears({ code: flowCode.release, receiverEid: server.flow.eid, senderEid: wrong });
    both.b.hears({ code: flowCode.release, receiverEid: wrong, senderEid: asker.flow.eid });
    // One that is not open has no peer yet.
    const { flow } = both.a.ask(2);
    both.a.hears({
      code: flowCode.release,
      receiverEid: (flow as UnicastFlow).eid,
      senderEid: { high: 0, low: 0 },
    });
    expect(server.user.heard).toEqual([]);
    expect([
      both.a.counts()['droppedUnexpectedRelease'],
      both.b.counts()['droppedUnexpectedRelease'],
    ]).toEqual([1, 2]);
  });

  test('of all flows and attempts is what remains to do when the layer is left', () => {
    const both = pair();
    const { server } = open(both);
    const { outcomes } = both.a.ask(2);
    both.a.allocator.close();
    pass(both.a, both.b);
    expect([outcomes, server.user.heard]).toEqual([[{ kind: 'unanswered' }], ['(released)']]);
    expect(both.a.allocator.nextDeadline()).toBe(Infinity);
  });
});

test('packets for endpoints that there are not are dropped', () => {
  const both = pair();
  const { asker, server } = open(both);
  const { low, high } = server.flow.eid;
  for (const [eidLow, eidHigh] of [
    [low, high ^ 1],
    [low + 1, high],
    [0xffff_ffff, 0xffff_ffff],
  ] as const) {
    both.b.allocator.deliver(eidLow, eidHigh >>> 0, 0, packetOf(Buffer.from('x')));
  }
  expect([server.user.heard, both.b.counts()['droppedUnknownEid']]).toEqual([[], 3]);
  asker.flow.deallocate();
});

describe('congestion', () => {
  const long = 'x'.repeat(1000);
  /** As many packets as may leave at once. */
  const first = 15;
  const fill = (flow: LayerFlow): void => {
    for (let packet = 0; packet < first; packet += 1) write(flow, long);
  };

  test('that a receiver sees is told to the sender, in the endpoint id of the sender', () => {
    const both = pair(true);
    const { asker, server } = open(both);
    const { low, high } = server.flow.eid;
    for (let packet = 0; packet < 11; packet += 1)
      both.b.allocator.deliver(low, high, 1, packetOf(Buffer.from('x')));
    expect(both.b.said().map((message) => ({ ...message }))).toEqual(
      [1, 3, 11].map((ece) => ({ code: flowCode.update, receiverEid: asker.flow.eid, ece })),
    );
    both.a.hears({ code: flowCode.update, receiverEid: asker.flow.eid, ece: 11 });
    expect([asker.flow.sender!.level, asker.flow.counts.receivedUpdates]).toEqual([11, 1]);
    both.a.hears({ code: flowCode.update, receiverEid: { high: 0, low: 1 }, ece: 11 });
    expect(both.a.counts()).toMatchObject({ flowUpdatesIn: 1, droppedUnexpectedUpdate: 1 });
  });

  test('is nothing to a layer that does not avoid it', () => {
    const both = pair();
    const { asker, server } = open(both);
    both.b.allocator.deliver(server.flow.eid.low, server.flow.eid.high, 63, packetOf(Buffer.from('x')));
    both.a.hears({ code: flowCode.update, receiverEid: asker.flow.eid, ece: 63 });
    for (let packet = 0; packet < 1000; packet += 1) write(asker.flow, long);
    expect([both.b.sent, both.a.sent.length, asker.user.heard]).toEqual([[], 1000, []]);
  });

  test('packets beyond the rate wait, in order, and the user is paused meanwhile', () => {
    const both = pair(true);
    const { asker } = open(both);
    fill(asker.flow);
    expect([both.a.sent.length, asker.user.heard]).toEqual([first, []]);
    for (const text of ['one' + long, 'two', 'three']) write(asker.flow, text);
    expect([both.a.sent.splice(0).length, asker.user.heard, asker.flow.backlog]).toEqual([
      first,
      ['(paused)'],
      3,
    ]);
    both.a.after(17);
    expect(both.a.sent.map(({ bytes }) => bytes.toString().slice(0, 5))).toEqual(['onexx', 'two', 'three']);
    expect([asker.user.heard, asker.flow.backlog]).toEqual([['(paused)', '(resumed)'], 0]);
  });

  test('what waits leaves at the rate, never all at once', () => {
    const both = pair(true);
    const { asker } = open(both);
    const { sender } = asker.flow;
    // From the first sign of congestion on the rate does not double any more.
    sender!.updated(1);
    sender!.updated(0);
    const bytesANs = sender!.bytesMax / sender!.windowNs;
    const begin = both.a.now;
    for (let packet = 0; packet < 200; packet += 1) write(asker.flow, long);
    expect(both.a.sent.splice(0)).toHaveLength(first);
    let left = 0;
    while (asker.flow.backlog > 0) {
      const from = both.a.now;
      both.a.after(both.a.allocator.nextDeadline() - both.a.now);
      const bytes = both.a.sent.splice(0).reduce((sum, { bytes: { length } }) => sum + length, 0);
      // It grows meanwhile, by a sixteenth at most.
      expect(bytes).toBeLessThanOrEqual((both.a.now - from) * 1e6 * bytesANs * 20 + 1000);
      left += bytes;
    }
    expect(left).toBe((200 - first) * 1000);
    expect(both.a.now - begin).toBeGreaterThan(50);
  });

  test('what waits is bounded, and what is beyond is counted', () => {
    const both = pair(true, { heldBytesMax: 3000 });
    const { asker } = open(both);
    fill(asker.flow);
    for (let packet = 0; packet < 10; packet += 1) write(asker.flow, long);
    expect(asker.flow.backlog).toBe(4);
    expect([both.a.counts()['droppedHeld'], asker.flow.counts.sendFailedBytes]).toEqual([6, 6000]);
  });

  test('what waits is sent when the flow is given up, before its release', () => {
    const both = pair(true);
    const { asker, server } = open(both);
    fill(asker.flow);
    const texts = [`one${long}`, 'two', 'three'];
    for (const text of texts) write(asker.flow, text);
    pass(both.a, both.b);
    server.user.heard.length = 0;
    asker.flow.deallocate();
    pass(both.a, both.b);
    expect(server.user.heard).toEqual([...texts, '(released)']);
    expect(both.a.allocator.nextDeadline()).toBe(Infinity);
  });

  test('what waits when the peer releases the flow is given up', () => {
    const both = pair(true);
    const { asker, server } = open(both);
    fill(asker.flow);
    for (let packet = 0; packet < 5; packet += 1) write(asker.flow, long);
    both.a.sent.splice(0);
    server.flow.deallocate();
    pass(both.a, both.b);
    both.a.after(5000);
    expect([both.a.sent, asker.flow.backlog, asker.user.heard.at(-1)]).toEqual([[], 0, '(released)']);
  });
});
