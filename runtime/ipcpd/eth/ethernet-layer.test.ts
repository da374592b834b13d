import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashName } from '../../lib/names.ts';
import { rawQos } from '../../lib/qos.ts';
import { never } from '../../lib/time/clock.ts';
import { Packet, PacketPool, packetHeadroom } from '../../lib/wire/packet.ts';
import { MemorySegment } from '../links/memory.ts';
import type { FlowOutcome, FlowRequest, FlowUser, LayerFlow } from '../shell/layer.ts';
import { EthernetLayer, type EthernetLimits, ethernetLimits } from './ethernet-layer.ts';
import { defaultEthertype, dixFraming, dixLayout } from './dix.ts';
import {
  decodeMessage as decode,
  encodeMessage as encode,
  type EthernetMessage,
  messageBytes as bytesOf,
  messageCode,
} from './message.ts';

const decodeMessage = (memory: Buffer, start: number, end: number, hash: number): ReturnType<typeof decode> =>
  decode(dixLayout, memory, start, end, hash);
const encodeMessage = (message: EthernetMessage, memory: Buffer, start: number): number =>
  encode(message, dixLayout, memory, start);
const messageBytes = (message: EthernetMessage): number => bytesOf(message, dixLayout);

const mtu = 1500;
const hash = hashName('oping.test', 'SHA3_256');
const unknown = hashName('nobody', 'SHA3_256');
const requestPiggyback = Buffer.alloc(36, 0x11);
const replyPiggyback = Buffer.alloc(84, 0x11);
const nothing = Buffer.alloc(0);
const macA = Buffer.from('02000000000a', 'hex');
const macB = Buffer.from('02000000000b', 'hex');
const macC = Buffer.from('02000000000c', 'hex');
const broadcastMac = Buffer.alloc(6, 0xff);

/** Time of a test: it passes when the test says so. */
class Clock {
  now = 1000;
}

/** A layer on the segment, with what reached its user. */
class Station {
  readonly mac: Buffer;
  readonly layer: EthernetLayer;
  readonly requests: FlowRequest[] = [];
  readonly #device: { flush(): void };

  constructor(segment: MemorySegment, clock: Clock, mac: Buffer, limits: Partial<EthernetLimits> = {}) {
    this.mac = mac;
    const device = segment.attach(mac, mtu, (frame) => {
      this.layer.receive(frame, clock.now);
      device.flush();
    });
    this.#device = device;
    this.layer = new EthernetLayer({
      hash: 'SHA3_256',
      framing: dixFraming(defaultEthertype),
      device,
      packets: new PacketPool(),
      events: { flowRequested: (request) => this.requests.push(request) },
      limits: { ...ethernetLimits, ...limits },
    });
  }

  flush(): void {
    this.#device.flush();
  }

  /** The request that came in; there must be one. */
  takeRequest(): FlowRequest {
    const request = this.requests.shift();
    if (request === undefined) throw new Error('no request came in');
    return request;
  }
}

/** A user of a flow that keeps copies of what is delivered. */
class Inbox implements FlowUser {
  readonly messages: string[] = [];

  deliver(packet: Packet): void {
    this.messages.push(packet.bytes().toString());
  }

  setUp(up: boolean): void {
    this.messages.push(up ? '(up)' : '(down)');
  }

  released(): void {
    this.messages.push('(released)');
  }
}

/** A device under the test's own control: what comes in is kept, what goes out is any frame. */
class Wire {
  readonly frames: Buffer[] = [];
  readonly #device: { send(packet: Packet): void; flush(): void };

  constructor(segment: MemorySegment, mac: Buffer) {
    this.#device = segment.attach(mac, mtu, (frame) => this.frames.push(Buffer.from(frame.bytes())));
  }

  send(frame: Buffer): void {
    this.#device.send(packetOf(frame));
    this.#device.flush();
  }

  /** Frames that came since the last call. */
  take(): Buffer[] {
    return this.frames.splice(0);
  }

  /** The messages among them. */
  messages(): EthernetMessage[] {
    return this.take().map((frame) => {
      const message = decodeMessage(frame, 18, frame.length, 32);
      if (typeof message === 'string') throw new Error(message);
      return message;
    });
  }
}

function packetOf(bytes: Buffer): Packet {
  const packet = new Packet(Buffer.alloc(packetHeadroom + bytes.length), 0);
  packet.reset(packetHeadroom);
  packet.append(bytes, 0, bytes.length);
  return packet;
}

function frameOf(to: Buffer, from: Buffer, eid: number, payload: Buffer, length = payload.length): Buffer {
  const head = Buffer.alloc(18);
  to.copy(head, 0);
  from.copy(head, 6);
  head.writeUInt16BE(defaultEthertype, 12);
  head.writeUInt16BE(eid, 14);
  head.writeUInt16BE(length, 16);
  return Buffer.concat([head, payload]);
}

function messageFrame(to: Buffer, from: Buffer, message: EthernetMessage): Buffer {
  const payload = Buffer.alloc(messageBytes(message));
  encodeMessage(message, payload, 0);
  return frameOf(to, from, 0, payload);
}

interface Pair {
  readonly clock: Clock;
  readonly segment: MemorySegment;
  readonly a: Station;
  readonly b: Station;
}

function makePair(limits: Partial<EthernetLimits> = {}): Pair {
  const clock = new Clock();
  const segment = new MemorySegment();
  const a = new Station(segment, clock, macA, limits);
  const b = new Station(segment, clock, macB, limits);
  b.layer.register(hash);
  return { clock, segment, a, b };
}

/** One station against a wire the test holds. */
function makeLone(limits: Partial<EthernetLimits> = {}): { clock: Clock; a: Station; wire: Wire } {
  const clock = new Clock();
  const segment = new MemorySegment();
  const a = new Station(segment, clock, macA, limits);
  return { clock, a, wire: new Wire(segment, macB) };
}

function ask(station: Station, name: Buffer, now: number): boolean[] {
  const answers: boolean[] = [];
  station.layer.query(name, now, (known) => answers.push(known));
  station.flush();
  return answers;
}

interface Attempt {
  readonly flow: LayerFlow;
  readonly inbox: Inbox;
  readonly outcomes: FlowOutcome[];
}

function request(station: Station, now: number, piggyback = requestPiggyback): Attempt {
  const inbox = new Inbox();
  const outcomes: FlowOutcome[] = [];
  const flow = station.layer.allocate(hash, rawQos, piggyback, inbox, now, (outcome) =>
    outcomes.push(outcome),
  );
  station.flush();
  return { flow, inbox, outcomes };
}

function accept(station: Station, now: number): { flow: LayerFlow; inbox: Inbox } {
  const inbox = new Inbox();
  const flow = station.layer.accept(station.takeRequest().handle, replyPiggyback, inbox, now);
  if (flow === undefined) throw new Error('the layer did not accept');
  station.flush();
  return { flow, inbox };
}

function say(station: Station, flow: LayerFlow, text: string): void {
  flow.write(packetOf(Buffer.from(text)));
  station.flush();
}

/** A flow from `a` to `b`. */
function connect({ a, b, clock }: Pair): { attempt: Attempt; server: { flow: LayerFlow; inbox: Inbox } } {
  ask(a, hash, clock.now);
  const attempt = request(a, clock.now);
  const server = accept(b, clock.now);
  expect(attempt.outcomes).toEqual([{ kind: 'accepted', piggyback: replyPiggyback }]);
  return { attempt, server };
}

/** A station that knows the wire as the server of the name, with a request under way. */
function requestOverWire(
  limits: Partial<EthernetLimits> = {},
): ReturnType<typeof makeLone> & { attempt: Attempt; eid: number } {
  const lone = makeLone(limits);
  ask(lone.a, hash, lone.clock.now);
  lone.wire.send(messageFrame(macA, macB, { code: messageCode.nameReply, hash }));
  lone.wire.take();
  const attempt = request(lone.a, lone.clock.now);
  const [sent] = lone.wire.messages();
  if (sent?.code !== messageCode.flowRequest) throw new Error('no request was sent');
  return { ...lone, attempt, eid: sent.seid };
}

const reply = (
  deid: number,
  change: Partial<Extract<EthernetMessage, { deid: number }>> = {},
): EthernetMessage => ({
  code: messageCode.flowReply,
  seid: 99,
  deid,
  response: 0,
  piggyback: replyPiggyback,
  ...change,
});

describe('looking a name up', () => {
  test('is answered by who has it, and the answer is remembered', () => {
    const pair = makePair();
    expect(ask(pair.a, hash, pair.clock.now)).toEqual([true]);
    const sent = pair.a.layer.counters.framesOut;
    expect(ask(pair.a, hash, pair.clock.now)).toEqual([true]);
    expect(pair.a.layer.counters.framesOut).toBe(sent);
    expect(pair.a.layer.nextDeadline()).toBe(never);
  });

  test('is repeated until its time is over', () => {
    const { a, wire, clock } = makeLone({ queryMs: 1000, queryRepeatMs: 200 });
    const start = clock.now;
    const answers = ask(a, unknown, start);
    const [first] = wire.take();
    expect(first).toEqual(messageFrame(broadcastMac, macA, { code: messageCode.nameQuery, hash: unknown }));
    const sentAt: number[] = [];
    for (let now = a.layer.nextDeadline(); now < never; now = a.layer.nextDeadline()) {
      a.layer.advance(now);
      a.flush();
      for (const message of wire.messages()) {
        expect(message).toEqual({ code: messageCode.nameQuery, hash: unknown });
        sentAt.push(now - start);
      }
      expect(a.layer.nextDeadline()).toBeGreaterThan(now);
    }
    expect(sentAt).toEqual([200, 400, 600, 800]);
    expect(answers).toEqual([false]);
  });

  test('several at once ask once and are all answered', () => {
    const { a, wire, clock } = makeLone();
    const first = ask(a, hash, clock.now);
    const second = ask(a, hash, clock.now);
    expect(wire.take()).toHaveLength(1);
    wire.send(messageFrame(macA, macB, { code: messageCode.nameReply, hash }));
    expect([first, second]).toEqual([[true], [true]]);
  });

  test('an answer that nobody asked for is not believed', () => {
    const { a, wire, clock } = makeLone();
    wire.send(messageFrame(macA, macB, { code: messageCode.nameReply, hash }));
    expect(a.layer.counters.droppedUnexpectedAnswer).toBe(1);
    expect(ask(a, hash, clock.now)).toEqual([]);
  });

  test('an answer is believed for a while, and news about it at once', () => {
    const { a, wire, clock } = makeLone({ cacheMs: 60_000 });
    ask(a, hash, clock.now);
    wire.send(messageFrame(macA, macB, { code: messageCode.nameReply, hash }));
    const answeredAt = clock.now;
    clock.now = answeredAt + 59_999;
    expect(ask(a, hash, clock.now)).toEqual([true]);
    wire.take();
    // The name moved to C: the next request goes there.
    wire.send(messageFrame(broadcastMac, macC, { code: messageCode.nameReply, hash }));
    request(a, clock.now);
    expect(wire.take().map((frame) => frame.subarray(0, 6))).toEqual([macC]);
    clock.now += 60_000;
    expect(ask(a, hash, clock.now)).toEqual([]);
    expect(wire.messages()).toEqual([{ code: messageCode.nameQuery, hash }]);
  });

  test('as many answers are remembered as there may be, the oldest go', () => {
    const { a, wire, clock } = makeLone({ cacheEntriesMax: 3 });
    const names = ['1', '2', '3', '4'].map((name) => hashName(name, 'SHA3_256'));
    for (const name of names) {
      ask(a, name, clock.now);
      wire.send(messageFrame(macA, macB, { code: messageCode.nameReply, hash: name }));
    }
    expect(names.map((name) => ask(a, name, clock.now))).toEqual([[], [true], [true], [true]]);
  });

  test('who does not have the name, or no longer, is silent', () => {
    const { a, wire } = makeLone();
    const query = messageFrame(broadcastMac, macB, { code: messageCode.nameQuery, hash });
    wire.send(query);
    expect(wire.take()).toEqual([]);
    a.layer.register(hash);
    wire.send(query);
    expect(wire.take()).toEqual([messageFrame(macB, macA, { code: messageCode.nameReply, hash })]);
    a.layer.unregister(hash);
    wire.send(query);
    expect(wire.take()).toEqual([]);
  });
});

describe('allocating a flow', () => {
  test('joins two users, and carries data both ways', () => {
    const pair = makePair();
    const { attempt, server } = connect(pair);
    say(pair.a, attempt.flow, 'hello');
    say(pair.b, server.flow, 'world');
    say(pair.a, attempt.flow, '');
    expect(server.inbox.messages).toEqual(['hello', '']);
    expect(attempt.inbox.messages).toEqual(['world']);
    expect(pair.b.layer.counters.keepalivesIn).toBe(1);
    expect(pair.a.layer.nextDeadline()).toBe(never);
  });

  test('hands the request on as it was asked', () => {
    const pair = makePair();
    ask(pair.a, hash, pair.clock.now);
    request(pair.a, pair.clock.now);
    expect(pair.b.takeRequest()).toMatchObject({ hash, qos: rawQos, piggyback: requestPiggyback });
  });

  test('a refusal reaches the requester with its number', () => {
    const pair = makePair();
    ask(pair.a, hash, pair.clock.now);
    const attempt = request(pair.a, pair.clock.now);
    const { handle } = pair.b.takeRequest();
    pair.b.layer.refuse(handle, -1009);
    pair.b.flush();
    expect(attempt.outcomes).toEqual([{ kind: 'refused', response: -1009 }]);
    // A request is answered once.
    expect(pair.b.layer.accept(handle, replyPiggyback, new Inbox(), pair.clock.now)).toBeUndefined();
  });

  test('a name that is not registered is refused with -1007', () => {
    const pair = makePair();
    ask(pair.a, hash, pair.clock.now);
    pair.b.layer.unregister(hash);
    const attempt = request(pair.a, pair.clock.now);
    expect(attempt.outcomes).toEqual([{ kind: 'refused', response: -1007 }]);
    expect(pair.b.layer.counters.droppedUnknownName).toBe(1);
    expect(pair.b.requests).toEqual([]);
  });

  test('a name that was never looked up is not asked for', () => {
    const { a, wire, clock } = makeLone();
    expect(request(a, clock.now).outcomes).toEqual([{ kind: 'unanswered' }]);
    expect(wire.take()).toEqual([]);
  });

  test('without a reply it ends unanswered at its time, is not repeated, and the name is asked for anew', () => {
    const { a, wire, clock, attempt, eid } = requestOverWire({ replyMs: 3000 });
    expect(a.layer.nextDeadline()).toBe(clock.now + 3000);
    a.layer.advance(clock.now + 2999);
    expect(attempt.outcomes).toEqual([]);
    clock.now += 3000;
    a.layer.advance(clock.now);
    a.flush();
    expect(attempt.outcomes).toEqual([{ kind: 'unanswered' }]);
    expect(wire.take()).toEqual([]);
    expect(a.layer.nextDeadline()).toBe(never);
    expect(ask(a, hash, clock.now)).toEqual([]);
    expect(wire.messages()).toEqual([{ code: messageCode.nameQuery, hash }]);
    // A reply that comes now finds nobody.
    wire.send(messageFrame(macA, macB, reply(eid)));
    expect(attempt.outcomes).toHaveLength(1);
    expect(a.layer.counters.droppedUnexpectedReply).toBe(1);
  });

  test('data that comes before the reply is delivered', () => {
    const { wire, attempt, eid } = requestOverWire();
    wire.send(frameOf(macA, macB, eid, Buffer.from('early')));
    expect(attempt.inbox.messages).toEqual(['early']);
    expect(attempt.outcomes).toEqual([]);
  });

  test('nothing is sent to a peer that has not answered', () => {
    const { a, wire, attempt } = requestOverWire();
    say(a, attempt.flow, 'too soon');
    expect(wire.take()).toEqual([]);
    expect(a.layer.counters.droppedNotOpen).toBe(1);
  });

  test('data goes to the endpoint id of the reply', () => {
    const { a, wire, attempt, eid } = requestOverWire();
    wire.send(messageFrame(macA, macB, reply(eid, { seid: 0xfffe })));
    say(a, attempt.flow, 'x');
    expect(wire.take()).toEqual([frameOf(macB, macA, 0xfffe, Buffer.from('x'))]);
  });

  test('a second reply changes nothing', () => {
    const { a, wire, attempt, eid } = requestOverWire();
    wire.send(messageFrame(macA, macB, reply(eid)));
    wire.send(messageFrame(macA, macB, reply(eid, { seid: 77 })));
    wire.send(messageFrame(macA, macB, reply(eid, { response: -1 })));
    say(a, attempt.flow, 'x');
    expect(wire.take()).toEqual([frameOf(macB, macA, 99, Buffer.from('x'))]);
    expect(attempt.outcomes).toHaveLength(1);
    expect(a.layer.counters.droppedUnexpectedReply).toBe(2);
  });

  test.each([0, 0xffff])('endpoint id %i names no flow', (seid) => {
    const { a, wire, attempt, eid } = requestOverWire();
    wire.send(messageFrame(macA, macB, reply(eid, { seid })));
    expect(attempt.outcomes).toEqual([]);
    a.layer.register(hash);
    wire.send(
      messageFrame(macA, macB, {
        code: messageCode.flowRequest,
        seid,
        qos: rawQos,
        ours: false,
        hash,
        piggyback: nothing,
      }),
    );
    expect(a.requests).toEqual([]);
    expect(a.layer.counters.droppedReservedEid).toBe(2);
  });

  test('a positive response is no response', () => {
    const { a, wire, attempt, eid } = requestOverWire();
    wire.send(messageFrame(macA, macB, reply(eid, { response: 1 })));
    expect(attempt.outcomes).toEqual([]);
    expect(a.layer.counters.droppedUnexpectedReply).toBe(1);
  });

  test('a reply from another station is dropped', () => {
    const { a, wire, attempt, eid } = requestOverWire();
    wire.send(messageFrame(macA, macC, reply(eid)));
    expect(attempt.outcomes).toEqual([]);
    expect(a.layer.counters.droppedForeignSource).toBe(1);
  });

  test('a reply that lost its address is known by its handshake id', () => {
    const { a, wire, attempt } = requestOverWire();
    const zero = Buffer.alloc(6);
    wire.send(messageFrame(zero, macB, reply(0xffff, { piggyback: Buffer.alloc(84, 0x22) })));
    wire.send(messageFrame(zero, macB, reply(0xffff, { piggyback: replyPiggyback.subarray(0, 15) })));
    expect(attempt.outcomes).toEqual([]);
    wire.send(messageFrame(zero, macB, reply(0xffff)));
    expect(attempt.outcomes).toEqual([{ kind: 'accepted', piggyback: replyPiggyback }]);
    expect(a.layer.counters).toMatchObject({ repliesMisdirected: 1, droppedUnexpectedReply: 2 });
    // Only a reply may have lost it.
    a.layer.register(hash);
    wire.send(messageFrame(zero, macB, { code: messageCode.nameQuery, hash }));
    expect(wire.take()).toEqual([]);
    expect(a.layer.counters.droppedForeignDestination).toBe(1);
  });

  test('so many may be open and unanswered, in all and from one station', () => {
    const { a, wire } = makeLone({ requestsMax: 3, requestsOfStationMax: 2 });
    a.layer.register(hash);
    const from = (mac: Buffer, seid: number): void =>
      wire.send(
        messageFrame(macA, mac, {
          code: messageCode.flowRequest,
          seid,
          qos: rawQos,
          ours: false,
          hash,
          piggyback: nothing,
        }),
      );
    from(macB, 1);
    from(macB, 2);
    from(macB, 3);
    expect(a.requests).toHaveLength(2);
    from(macC, 4);
    from(macC, 5);
    expect(a.requests).toHaveLength(3);
    expect(a.layer.counters.droppedTooManyRequests).toBe(2);
    a.layer.refuse(a.takeRequest().handle, -1003);
    from(macB, 6);
    expect(a.requests).toHaveLength(3);
  });

  test('closing the layer ends what is under way', () => {
    const { a, clock, attempt } = requestOverWire();
    const answers = ask(a, unknown, clock.now);
    a.layer.close();
    expect(attempt.outcomes).toEqual([{ kind: 'unanswered' }]);
    expect(answers).toEqual([false]);
    expect(a.layer.nextDeadline()).toBe(never);
  });
});

describe('data', () => {
  test('for another station, from another, or for nobody is dropped and counted', () => {
    const { a, wire, attempt, eid } = requestOverWire();
    wire.send(messageFrame(macA, macB, reply(eid)));
    wire.send(frameOf(macC, macB, eid, Buffer.from('x')));
    wire.send(frameOf(broadcastMac, macB, eid, Buffer.from('x')));
    wire.send(frameOf(macA, macC, eid, Buffer.from('x')));
    wire.send(frameOf(macA, macB, eid + 1, Buffer.from('x')));
    expect(attempt.inbox.messages).toEqual([]);
    expect(a.layer.counters).toMatchObject({
      droppedForeignDestination: 2,
      droppedForeignSource: 1,
      droppedUnknownEid: 1,
    });
  });

  test('is as long as its length says; what is shorter is dropped', () => {
    const { a, wire, attempt, eid } = requestOverWire();
    wire.send(messageFrame(macA, macB, reply(eid)));
    wire.send(Buffer.concat([frameOf(macA, macB, eid, Buffer.from('x')), Buffer.alloc(41)]));
    wire.send(frameOf(macA, macB, eid, Buffer.from('x'), 2));
    for (let length = 0; length < 18; length += 1)
      wire.send(frameOf(macA, macB, eid, nothing).subarray(0, length));
    expect(attempt.inbox.messages).toEqual(['x']);
    expect(a.layer.counters.droppedShort).toBe(19);
  });

  test('up to the longest message passes, longer is dropped', () => {
    const pair = makePair();
    const { attempt, server } = connect(pair);
    expect(pair.a.layer.maxMessageBytes).toBe(mtu - 4);
    say(pair.a, attempt.flow, 'x'.repeat(mtu - 4));
    say(pair.a, attempt.flow, 'x'.repeat(mtu - 3));
    expect(server.inbox.messages.map((message) => message.length)).toEqual([mtu - 4]);
    expect(pair.a.layer.counters.droppedTooLong).toBe(1);
  });

  test('a handshake that does not fit a frame is not sent', () => {
    const pair = makePair();
    ask(pair.a, hash, pair.clock.now);
    request(pair.a, pair.clock.now, Buffer.alloc(1425));
    expect(pair.b.requests).toHaveLength(1);
    request(pair.a, pair.clock.now, Buffer.alloc(1426));
    expect(pair.b.requests).toHaveLength(1);
    expect(pair.a.layer.counters.droppedTooLong).toBe(1);
  });

  test('after the end of a flow is dropped, and its endpoint id rests', () => {
    const pair = makePair({ eidRestMs: 1000 });
    const { attempt, server } = connect(pair);
    server.flow.deallocate(pair.clock.now);
    server.flow.deallocate(pair.clock.now);
    say(pair.a, attempt.flow, 'late');
    expect(server.inbox.messages).toEqual([]);
    expect(pair.b.layer.counters.droppedUnknownEid).toBe(1);
    // Told by now, the other end sends nothing more. The next flow has another id: what is late cannot reach it.
    pair.b.flush();
    const second = request(pair.a, pair.clock.now);
    const next = accept(pair.b, pair.clock.now);
    say(pair.a, attempt.flow, 'late');
    expect(next.inbox.messages).toEqual([]);
    say(pair.a, second.flow, 'on time');
    expect(next.inbox.messages).toEqual(['on time']);
    expect(pair.b.layer.counters.droppedUnknownEid).toBe(1);
    expect(pair.a.layer.counters.droppedNotOpen).toBe(1);
  });

  test('endpoint ids come back: more flows are made in time than there are ids', () => {
    const pair = makePair({ eidRestMs: 10 });
    for (let round = 0; round < 5000; round += 1) {
      pair.clock.now += 10;
      const { attempt, server } = connect(pair);
      attempt.flow.deallocate(pair.clock.now);
      server.flow.deallocate(pair.clock.now);
    }
  });

  test('when all endpoint ids are in use a request is not made', () => {
    const { a, clock, wire } = requestOverWire();
    const attempts = Array.from({ length: 4032 }, () => request(a, clock.now));
    expect(attempts.filter(({ outcomes }) => outcomes.length > 0)).toHaveLength(1);
    expect(wire.take()).toHaveLength(4031);
  });

  test('flows of one pair do not mix', () => {
    const pair = makePair();
    const flows = Array.from({ length: 20 }, () => connect(pair));
    for (const [index, { attempt, server }] of flows.entries()) {
      say(pair.a, attempt.flow, `a${index}`);
      say(pair.b, server.flow, `b${index}`);
    }
    for (const [index, { attempt, server }] of flows.entries()) {
      expect(server.inbox.messages).toEqual([`a${index}`]);
      expect(attempt.inbox.messages).toEqual([`b${index}`]);
    }
  });
});

test('codes that nobody knows are dropped', () => {
  const { a, wire } = makeLone();
  const payload = Buffer.alloc(80);
  payload.writeUInt8(4, 37);
  wire.send(frameOf(macA, macB, 0, payload));
  expect(a.layer.counters.droppedUnknownCode).toBe(1);
});

test('random frames never throw, and open no flow', () => {
  const mac = fc.constantFrom(macA, macB, macC, broadcastMac, Buffer.alloc(6));
  const anyEid = fc.oneof(fc.constantFrom(0, 0, 0, 64, 65, 0xffff), fc.integer({ min: 0, max: 0xffff }));
  const length = fc.option(fc.integer({ min: 0, max: 0xffff }), { nil: undefined });
  const payload = fc
    .tuple(fc.uint8Array({ maxLength: 160 }), fc.integer({ min: 0, max: 5 }))
    .map(([array, code]) => {
      const bytes = Buffer.from(array);
      if (bytes.length > 37) bytes.writeUInt8(code, 37);
      if (bytes.length >= 71) hash.copy(bytes, 39);
      return bytes;
    });
  const frame = fc.oneof(
    fc
      .tuple(mac, mac, anyEid, payload, length)
      .map(([to, from, id, body, claimed]) => frameOf(to, from, id, body, claimed)),
    fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array)),
  );
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 60 }), (frames) => {
      const { a, wire, clock, attempt, eid } = requestOverWire();
      a.layer.register(hash);
      for (const bytes of frames) {
        wire.send(bytes);
        clock.now += 7;
        a.layer.advance(clock.now);
      }
      // A reply for the id that was asked with opens the flow that was asked for; nothing opens another.
      const answers = frames.filter(
        (bytes) =>
          bytes.length >= 57 &&
          bytes.readUInt16BE(14) === 0 &&
          bytes[18 + 37] === messageCode.flowReply &&
          [eid, 0xffff].includes(bytes.readUInt16BE(20)),
      );
      if (answers.length === 0)
        expect(attempt.outcomes.filter(({ kind }) => kind !== 'unanswered')).toEqual([]);
      expect(attempt.outcomes.length).toBeLessThanOrEqual(1);
      const queued = attempt.inbox.messages.length;
      for (let other = 1; other < 200; other += 1) {
        if (other !== eid) wire.send(frameOf(macA, macB, other, Buffer.from('x')));
      }
      expect(attempt.inbox.messages).toHaveLength(queued);
      // Every frame was handled or counted as dropped, and the layer still works.
      expect(a.layer.counters.framesIn).toBe(frames.length + 1 + 198);
      expect(a.layer.counters.droppedUnknownEid).toBeGreaterThanOrEqual(198);
      wire.take();
      wire.send(messageFrame(broadcastMac, macB, { code: messageCode.nameQuery, hash }));
      expect(wire.messages()).toEqual([{ code: messageCode.nameReply, hash }]);
      for (const { handle } of a.requests) a.layer.refuse(handle, -1003);
      a.layer.close();
    }),
    { numRuns: 200 },
  );
});
