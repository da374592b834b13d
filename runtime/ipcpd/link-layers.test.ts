/** What all link layers do alike, each on its own wire; then what each does alone. */
import { describe, expect, test } from 'vitest';
import {
  answer,
  handshake,
  linkKinds,
  EthernetRig,
  LinkRig,
  type StationName,
  UdpRig,
} from '../../tests/support/link-rig.ts';
import { hashName } from '../lib/names.ts';
import { rawQos } from '../lib/qos.ts';
import { never } from '../lib/time/clock.ts';
import { messageCode } from './eth/message.ts';
import type { FlowUser } from './shell/layer.ts';

const nothing = Buffer.alloc(0);
const x = Buffer.from('x');
const nobody: FlowUser = { deliver() {}, setUp() {}, released() {} };
const most: Record<(typeof linkKinds)[number], number> = {
  'eth-dix': 1496,
  'eth-llc': 1497,
  udp4: 8976,
  udp6: 8948,
};
/** How long an id rests when nobody confirms, and when the other end does. */
const restMs = (kind: string): readonly [number, number] =>
  kind.startsWith('udp') ? [10_000, 1000] : [1000, 0];

describe.each(linkKinds)('%s', (kind) => {
  test('a flow asked for carries data both ways, to the ids of each end', () => {
    const rig = LinkRig.make(kind);
    const { flow, inbox, eid } = rig.connect(7);
    expect(eid).toBe(rig.eids.min);
    rig.write(flow, 'hello');
    expect(rig.sent()).toEqual([{ to: 'b', kind: 'data', peerEid: 7, payload: 'hello' }]);
    rig.bring(rig.dataBytes(7, eid, Buffer.from('world')));
    rig.bring(rig.dataBytes(7, eid, nothing));
    expect(inbox.messages).toEqual(['world', '']);
    expect(rig.counter('keepalivesIn')).toBe(1);
  });

  test('a flow served likewise; its request comes as it was asked', () => {
    const rig = LinkRig.make(kind);
    rig.layer.register(rig.hash);
    rig.bring(rig.requestBytes(7));
    expect(rig.requests).toMatchObject([{ hash: rig.hash, piggyback: handshake }]);
    rig.requests.shift();
    const { flow, inbox, eid } = rig.serve(7);
    rig.bring(rig.dataBytes(7, eid, x));
    rig.write(flow, 'y');
    expect(inbox.messages).toEqual(['x']);
    expect(rig.sent()).toEqual([{ to: 'b', kind: 'data', peerEid: 7, payload: 'y' }]);
  });

  test('data that comes before the reply is delivered unless it names both ends, and nothing is sent before it', () => {
    const rig = LinkRig.make(kind);
    const { flow, inbox, eid, outcomes } = rig.allocate();
    rig.bring(rig.dataBytes(7, eid, Buffer.from('early')));
    const early = kind === 'eth-llc' ? 0 : 1;
    expect(inbox.messages).toEqual(['early'].slice(0, early));
    expect(outcomes).toEqual([]);
    rig.write(flow, 'x');
    expect(rig.sent()).toEqual([]);
    expect(rig.counter('droppedNotOpen')).toBe(2 - early);
  });

  test('a release says which flow, and ends it at the other end', () => {
    const rig = LinkRig.make(kind);
    const first = rig.connect(7);
    const second = rig.connect(8);
    first.flow.deallocate(rig.now);
    first.flow.deallocate(rig.now);
    expect(rig.sent()).toEqual([{ to: 'b', kind: 'release', eid: first.eid, peerEid: 7 }]);
    rig.bring(rig.releaseBytes(8, second.eid));
    expect(second.inbox.messages).toEqual(['(released)']);
    expect(rig.counter('releasedByPeer')).toBe(1);
    // The other end is told that nothing more comes.
    expect(rig.sent()).toEqual([{ to: 'b', kind: 'release', eid: second.eid, peerEid: 8 }]);
    // It is over: nothing is delivered, nothing answered.
    rig.bring(rig.dataBytes(8, second.eid, x));
    rig.bring(rig.releaseBytes(8, second.eid));
    second.flow.deallocate(rig.now);
    expect(second.inbox.messages).toEqual(['(released)']);
    expect(rig.sent()).toEqual([]);
    expect([rig.counter('droppedUnknownEid'), rig.counter('droppedUnexpectedRelease')]).toEqual([1, 1]);
  });

  test('one that has not heard of a release and goes on sending is told again, now and then', () => {
    const rig = LinkRig.make(kind);
    const { flow, eid } = rig.connect(7);
    flow.deallocate(rig.now);
    const told = { to: 'b', kind: 'release', eid, peerEid: 7 };
    expect(rig.sent()).toEqual([told]);
    for (let ms = 0; ms < 100; ms += 10) {
      rig.bring(rig.dataBytes(7, eid, x));
      rig.now += 10;
    }
    expect(rig.sent()).toEqual([told]);
    // Others have nothing to do with it.
    rig.bring(rig.dataBytes(7, eid, x, 'c'), 'c');
    expect(rig.sent()).toEqual([]);
    // Nor has who has confirmed it.
    rig.bring(rig.releaseBytes(7, eid));
    rig.now += 100;
    rig.bring(rig.dataBytes(7, eid, x));
    expect(rig.sent()).toEqual([]);
  });

  test('a served flow is released both ways too', () => {
    const rig = LinkRig.make(kind);
    const first = rig.serve(7);
    const second = rig.serve(8);
    first.flow.deallocate(rig.now);
    expect(rig.sent()).toEqual([{ to: 'b', kind: 'release', eid: first.eid, peerEid: 7 }]);
    rig.bring(rig.releaseBytes(8, second.eid));
    expect(second.inbox.messages).toEqual(['(released)']);
  });

  test.each(['b2', 'c'] as const)('nothing of %s touches a flow with b', (other) => {
    const rig = LinkRig.make(kind);
    const { inbox, eid, flow } = rig.connect(7);
    rig.bring(rig.dataBytes(7, eid, x, other), other);
    rig.bring(rig.releaseBytes(7, eid, other), other);
    expect(inbox.messages).toEqual([]);
    expect([rig.counter('droppedForeignSource'), rig.counter('droppedUnexpectedRelease')]).toEqual([1, 1]);
    const waiting = rig.allocate();
    rig.bring(rig.replyBytes(9, waiting.eid, 0, answer, other), other);
    rig.bring(rig.replyBytes(9, waiting.eid, -1, nothing, other), other);
    expect(waiting.outcomes).toEqual([]);
    expect(rig.counter('droppedForeignSource')).toBe(3);
    // The right one is still taken.
    rig.bring(rig.replyBytes(9, waiting.eid));
    expect(waiting.outcomes).toEqual([{ kind: 'accepted', piggyback: answer }]);
    rig.write(flow, 'x');
    expect(rig.sent()).toHaveLength(1);
  });

  test('without a reply it ends at its time, once; what comes later finds nobody', () => {
    const rig = LinkRig.make(kind, { replyMs: 3000 });
    const { outcomes, eid, flow } = rig.allocate();
    expect(rig.layer.nextDeadline()).toBe(rig.now + 3000);
    rig.layer.advance(rig.now + 2999);
    expect(outcomes).toEqual([]);
    rig.now += 3000;
    rig.layer.advance(rig.now);
    expect(outcomes).toEqual([{ kind: 'unanswered' }]);
    expect(rig.layer.nextDeadline()).toBe(never);
    flow.deallocate(rig.now);
    rig.bring(rig.replyBytes(7, eid));
    // The other end holds a flow that nobody waits for: it is told.
    expect(rig.sent()).toEqual([{ to: 'b', kind: 'release', eid, peerEid: 7 }]);
    expect(outcomes).toHaveLength(1);
    expect(rig.counter('droppedUnexpectedReply')).toBe(1);
    // The next attempt asks anew where the name is, and takes another id.
    expect(rig.known()).toEqual([]);
    rig.learn();
    rig.sent();
    expect(rig.tryAllocate().eid).toBe(eid + 1);
  });

  test('who no longer has a name that was found there is left for whoever has it now', () => {
    const rig = LinkRig.make(kind);
    rig.known();
    rig.learn();
    rig.now += 5000;
    rig.sent();
    const { eid, outcomes } = rig.tryAllocate();
    rig.bring(rig.replyBytes(0, eid, -1007, nothing));
    expect(outcomes).toEqual([{ kind: 'unanswered' }]);
    // irmd asks once more, and this time the refusal is that of the name.
    expect(rig.known()).toEqual([]);
    rig.learn();
    rig.sent();
    const again = rig.tryAllocate();
    rig.bring(rig.replyBytes(0, again.eid, -1007, nothing));
    expect(again.outcomes).toEqual([{ kind: 'refused', response: -1007 }]);
  });

  test('an answer about a name is believed for its time', () => {
    const rig = LinkRig.make(kind, { cacheMs: 60_000 });
    expect(rig.known()).toEqual([]);
    rig.learn();
    rig.now += 59_999;
    expect(rig.known()).toEqual([true]);
    rig.now += 1;
    expect(rig.known()).toEqual([]);
    expect(rig.tryAllocate()).toMatchObject({ outcomes: [{ kind: 'unanswered' }], eid: -1 });
  });

  test('reserved ids open no flow, whoever names them', () => {
    const reserved = {
      'eth-dix': [0, 0xffff],
      'eth-llc': [0, 1, 128, 255],
      udp4: [0, 2 ** 31],
      udp6: [0, 2 ** 32 - 1],
    };
    const rig = LinkRig.make(kind);
    rig.layer.register(rig.hash);
    const { eid, outcomes } = rig.allocate();
    for (const id of reserved[kind]) {
      rig.bring(rig.requestBytes(id));
      rig.bring(rig.replyBytes(id, eid));
    }
    expect([rig.requests, outcomes, rig.sent()]).toEqual([[], [], []]);
    expect(rig.counter('droppedReservedEid')).toBe(2 * reserved[kind].length);
  });

  test('the longest payload passes, one byte more does not, sent or received', () => {
    const rig = LinkRig.make(kind);
    expect(rig.layer.maxMessageBytes).toBe(most[kind]);
    const { flow, inbox, eid } = rig.connect(7);
    rig.write(flow, Buffer.alloc(most[kind] + 1));
    expect(rig.sent()).toEqual([]);
    rig.write(flow, Buffer.alloc(most[kind], 'z'));
    expect(rig.sent()).toMatchObject([{ payload: 'z'.repeat(most[kind]) }]);
    expect(rig.counter('droppedTooLong')).toBe(1);
    rig.bring(rig.dataBytes(7, eid, Buffer.alloc(most[kind], 'z')));
    expect(inbox.messages.map(({ length }) => length)).toEqual([most[kind]]);
    rig.bring(rig.dataBytes(7, eid, Buffer.alloc(most[kind] + 5)));
    expect(inbox.messages).toHaveLength(1);
    expect(rig.counter('droppedTooLong')).toBe(2);
  });

  test('a handshake as long as a message may be is sent, a longer one is not', () => {
    const longest = {
      'eth-dix': [1425, 1457],
      'eth-llc': [1428, 1460],
      udp4: [1985, 2001],
      udp6: [1985, 2001],
    };
    const counter = kind.startsWith('udp') ? 'droppedMessageTooLong' : 'droppedTooLong';
    const [request = 0, reply = 0] = longest[kind];
    const rig = LinkRig.make(kind);
    rig.allocate(Buffer.alloc(request));
    expect(rig.tryAllocate(Buffer.alloc(request + 1)).eid).toBe(-1);
    expect(rig.counter(counter)).toBe(1);
    rig.layer.register(rig.hash);
    for (const [index, bytes] of [reply, reply + 1].entries()) {
      rig.bring(rig.requestBytes(7 + index));
      const { handle = 0 } = rig.requests.shift() ?? {};
      rig.layer.accept(handle, Buffer.alloc(bytes), nobody, rig.now);
    }
    expect(rig.sent()).toMatchObject([{ kind: 'reply' }]);
    expect(rig.counter(counter)).toBe(2);
  });

  test('all ids in use: nothing is asked, requests are refused; after their rest there are as many again', () => {
    const rig = LinkRig.make(kind, { requestsMax: 8192 });
    const attempts = Array.from({ length: rig.eids.count }, (_, index) => rig.connect(2 + index));
    expect(new Set(attempts.map(({ eid }) => eid)).size).toBe(rig.eids.count);
    expect(rig.tryAllocate()).toMatchObject({ eid: -1, outcomes: [{ kind: 'refused', response: -9 }] });
    rig.layer.register(rig.hash);
    rig.bring(rig.requestBytes(7));
    const { handle = 0 } = rig.requests.shift() ?? {};
    expect(rig.layer.accept(handle, answer, nobody, rig.now)).toBeUndefined();
    expect(rig.sent()).toEqual([{ to: 'b', kind: 'reply', eid: 0, peerEid: 7, response: -1003 }]);
    for (const { flow } of attempts) flow.deallocate(rig.now);
    rig.sent();
    const [rest, restReleased] = restMs(kind);
    rig.now += rest - 1;
    rig.learn();
    expect(rig.tryAllocate().eid).toBe(-1);
    rig.now += 1;
    rig.learn();
    const again = Array.from({ length: rig.eids.count }, (_, index) => rig.connect(2 + index));
    expect(rig.tryAllocate().eid).toBe(-1);
    // One of ours confirms that it sends no more.
    for (const { flow } of again) flow.deallocate(rig.now);
    rig.sent();
    for (const [index, { eid }] of again.entries()) rig.bring(rig.releaseBytes(2 + index, eid));
    expect([rig.sent(), rig.counter('droppedUnexpectedRelease')]).toEqual([[], 0]);
    if (restReleased > 0) {
      rig.now += restReleased - 1;
      expect(rig.tryAllocate().eid).toBe(-1);
      rig.now += 1;
    }
    for (let count = 0; count < rig.eids.count; count += 1) rig.connect(2 + count);
    expect(rig.tryAllocate().eid).toBe(-1);
  });

  test('a request that the link doubled is taken once', () => {
    const rig = LinkRig.make(kind);
    rig.layer.register(rig.hash);
    for (let copy = 0; copy < 3; copy += 1) rig.bring(rig.requestBytes(7));
    const [request, ...others] = rig.requests.splice(0);
    rig.layer.accept(request?.handle ?? 0, answer, nobody, rig.now);
    rig.bring(rig.requestBytes(7));
    expect([others, rig.requests]).toEqual([[], []]);
    expect(rig.sent()).toMatchObject([{ kind: 'reply', response: 0, peerEid: 7 }]);
    expect(rig.counter('droppedRepeatedRequest')).toBe(3);
  });

  test('unknown codes and what is short are dropped and counted', () => {
    const rig = LinkRig.make(kind);
    const request = rig.requestBytes(7);
    const codeAt = { 'eth-dix': 18 + 37, 'eth-llc': 17 + 2, udp4: 44, udp6: 44 }[kind];
    for (const code of [4, 5, 31, 33, 255]) {
      const other = Buffer.from(request);
      other.writeUInt8(code, codeAt);
      rig.bring(other);
    }
    expect(rig.counter('droppedUnknownCode')).toBe(5);
    const known = rig.counter('droppedShort');
    for (let length = 0; length < 4; length += 1) rig.bring(request.subarray(0, length));
    expect(rig.counter('droppedShort')).toBe(known + 4);
    expect([rig.requests, rig.sent()]).toEqual([[], []]);
  });

  test('requests that wait are limited, from one station and in all', () => {
    const rig = LinkRig.make(kind, { requestsMax: 3, requestsOfStationMax: 2 });
    rig.layer.register(rig.hash);
    const from = (name: StationName, eid: number): void =>
      rig.bring(rig.requestBytes(eid, handshake, rig.hash, name), name);
    for (const eid of [10, 11, 12]) from('b', eid);
    from('c', 13);
    from('d', 14);
    expect(rig.requests).toHaveLength(3);
    expect(rig.counter('droppedTooManyRequests')).toBe(2);
    for (const { handle } of rig.requests.splice(0)) rig.layer.refuse(handle, -1003);
    from('b', 12);
    expect(rig.requests).toHaveLength(1);
  });

  test('its flows hear that the device goes down and comes up', () => {
    const rig = LinkRig.make(kind);
    const { inbox, flow } = rig.connect(7);
    rig.deviceChanged(false);
    rig.deviceChanged(true);
    expect(inbox.messages).toEqual(['(down)', '(up)']);
    rig.write(flow, 'x');
    expect(rig.sent()).toHaveLength(1);
  });

  test('closing ends what is under way', () => {
    const rig = LinkRig.make(kind);
    const { outcomes } = rig.allocate();
    rig.layer.close();
    expect(outcomes).toEqual([{ kind: 'unanswered' }]);
    expect(rig.layer.nextDeadline()).toBe(never);
  });
});

describe('eth-llc alone', () => {
  test('data with another SAP of the same station is dropped', () => {
    const rig = LinkRig.make('eth-llc');
    const { inbox, eid } = rig.connect(7);
    for (const sap of [0, 1, 6, 8, 63, 128, 255]) rig.bring(rig.dataBytes(sap, eid, x));
    expect(inbox.messages).toEqual([]);
    expect(rig.counter('droppedForeignSource')).toBe(7);
    rig.bring(rig.dataBytes(7, eid, x));
    expect(inbox.messages).toEqual(['x']);
  });

  test('data carries both SAPs', () => {
    const rig = LinkRig.make('eth-llc');
    const { flow, eid } = rig.connect(7);
    rig.write(flow, 'x');
    expect(rig.raw[0]?.bytes.toString('hex', 12)).toBe('0004e0400378');
    expect(eid).toBe(2);
  });

  test('62 flows, SAPs 2 to 63', () => {
    expect(LinkRig.make('eth-llc').eids).toEqual({ min: 2, count: 62 });
  });

  test('a request says that it is of this runtime, in a field that a prototype sends as 0', () => {
    const rig = LinkRig.make('eth-llc');
    rig.allocate();
    rig.known();
    rig.layer.allocate(rig.hash, rawQos, handshake, nobody, rig.now, () => {});
    rig.flush();
    expect(rig.raw[0]?.bytes.toString('hex', 17 + 32, 17 + 36)).toBe('4f377300');
  });

  test('what it writes first to a prototype that asked for the flow waits 10 ms', () => {
    const rig = LinkRig.make('eth-llc');
    rig.ours = false;
    const { flow } = rig.serve(7);
    rig.write(flow, 'welcome');
    expect([rig.sent(), rig.layer.nextDeadline()]).toEqual([[], rig.now + 10]);
    rig.now += 10;
    rig.layer.advance(rig.now);
    expect(rig.sent()).toEqual([{ to: 'b', kind: 'data', peerEid: 7, payload: 'welcome' }]);
    rig.ours = true;
    rig.write(rig.serve(8).flow, 'welcome');
    expect(rig.sent()).toEqual([{ to: 'b', kind: 'data', peerEid: 8, payload: 'welcome' }]);
  });

  test('more flows in a second than there are SAPs, between nodes of this runtime', () => {
    const rig = LinkRig.make('eth-llc');
    for (let round = 0; round < 1000; round += 1) {
      const { flow, eid } = rig.connect(2 + (round % 62));
      flow.deallocate(rig.now);
      rig.bring(rig.releaseBytes(2 + (round % 62), eid));
    }
    rig.layer.register(rig.hash);
    for (let round = 0; round < 1000; round += 1) {
      const { eid } = rig.serve(2 + (round % 62));
      rig.bring(rig.releaseBytes(2 + (round % 62), eid));
      expect(rig.sent()).toMatchObject([{ kind: 'release' }]);
    }
    expect(rig.counter('droppedUnexpectedRelease')).toBe(0);
  });

  test('also on a jumbo link a payload ends at 1497 bytes, and a longer one cannot end a flow', () => {
    const rig = LinkRig.make('eth-llc', {}, 9000);
    expect(rig.layer.maxMessageBytes).toBe(1497);
    const { inbox, eid } = rig.connect(7);
    for (const bytes of [1498, 1532]) rig.bring(rig.dataBytes(7, eid, Buffer.alloc(bytes)));
    expect(inbox.messages).toEqual([]);
    expect(rig.counter('droppedTooLong')).toBe(2);
  });
});

test('eth-dix: no message but a release has what a prototype does not send', () => {
  const rig = LinkRig.make('eth-dix');
  rig.allocate();
  rig.layer.allocate(rig.hash, rawQos, handshake, nobody, rig.now, () => {});
  rig.flush();
  expect(rig.raw[0]?.bytes.toString('hex', 18 + 32, 18 + 36)).toBe('00000000');
});

describe.each(['eth-dix', 'eth-llc'] as const)('%s alone', (kind) => {
  test('who cannot be a station is not answered, and not believed', () => {
    const rig = new EthernetRig(kind, {}, 1500);
    rig.layer.register(rig.hash);
    const known = rig.known();
    rig.sent();
    const from = (bytes: Buffer): Buffer => {
      bytes.writeUInt8(0x01 | bytes.readUInt8(6), 6);
      return bytes;
    };
    rig.bring(from(rig.messageBytes({ code: messageCode.nameReply, hash: rig.hash })));
    rig.bring(from(rig.messageBytes({ code: messageCode.nameQuery, hash: rig.hash }, 'all')));
    rig.bring(from(rig.requestBytes(7)));
    expect([known, rig.requests, rig.sent()]).toEqual([[], [], []]);
    expect(rig.counter('droppedForeignSource')).toBe(3);
  });

  test('what is addressed to another station is not for us', () => {
    const rig = new EthernetRig(kind, {}, 1500);
    rig.layer.register(rig.hash);
    const { inbox, eid } = rig.connect(7);
    for (const to of ['c', 'nowhere'] as const) {
      rig.bring(rig.messageBytes({ code: messageCode.nameQuery, hash: rig.hash }, 'b', to));
      rig.bring(rig.dataBytes(7, eid, x, 'b', to));
    }
    rig.bring(rig.dataBytes(7, eid, x, 'b', 'all'));
    expect([inbox.messages, rig.sent()]).toEqual([[], []]);
    expect(rig.counter('droppedForeignDestination')).toBe(5);
    rig.bring(rig.messageBytes({ code: messageCode.nameQuery, hash: rig.hash }, 'b', 'all'));
    rig.bring(rig.messageBytes({ code: messageCode.nameQuery, hash: rig.hash }));
    expect(rig.sent()).toEqual(Array.from({ length: 2 }, () => ({ to: 'b', kind: 'answer' })));
  });

  test('a name that is not registered is refused at once', () => {
    const rig = new EthernetRig(kind, {}, 1500);
    rig.bring(rig.requestBytes(7));
    expect(rig.sent()).toEqual([{ to: 'b', kind: 'reply', eid: 0, peerEid: 7, response: -1007 }]);
    expect(rig.counter('droppedUnknownName')).toBe(1);
  });
});

describe.each(['udp4', 'udp6'] as const)('%s alone', (kind) => {
  const window = { udp4: [8977, 8980], udp6: [8949, 8952] }[kind];

  test.each(window)(
    'a payload of %i bytes, as a prototype sends it, arrives whole; the layer sends none',
    (bytes) => {
      const rig = new UdpRig(kind, {});
      const { flow, inbox, eid } = rig.connect(7);
      rig.bring(rig.dataBytes(7, eid, Buffer.alloc(bytes, 'z')));
      expect(inbox.messages).toEqual(['z'.repeat(bytes)]);
      rig.write(flow, Buffer.alloc(bytes));
      expect([rig.sent(), rig.counter('droppedTooLong')]).toEqual([[], 1]);
    },
  );

  test('any name may be asked for: whether the host knows it is its resource manager to say', () => {
    const rig = new UdpRig(kind, {});
    rig.bring(rig.requestBytes(7, handshake, hashName('other', 'MD5')));
    expect(rig.requests).toMatchObject([{ hash: hashName('other', 'MD5') }]);
    rig.layer.refuse(rig.requests[0]?.handle ?? 0, -1007);
    expect(rig.sent()).toEqual([{ to: 'b', kind: 'reply', eid: 0, peerEid: 7, response: -1007 }]);
  });

  test('a reply goes where the request came from, whatever its port', () => {
    const rig = new UdpRig(kind, {});
    rig.bring(rig.requestBytes(7), 'b2');
    const { handle = 0 } = rig.requests.shift() ?? {};
    const flow = rig.layer.accept(handle, answer, nobody, rig.now);
    if (flow !== undefined) rig.write(flow, 'x');
    expect(rig.sent()).toMatchObject([
      { to: 'b2', kind: 'reply' },
      { to: 'b2', kind: 'data', peerEid: 7 },
    ]);
  });

  test('names go to the directory, which is asked once and closed with the layer', () => {
    const rig = new UdpRig(kind, {});
    const { directory } = rig;
    rig.layer.register(rig.hash);
    expect(directory.registered).toEqual([rig.hash.toString('hex')]);
    rig.layer.unregister(rig.hash);
    expect(directory.registered).toEqual([]);
    const none = rig.known();
    directory.answer();
    expect(none).toEqual([false]);
    expect(rig.tryAllocate().eid).toBe(-1);
    const known = rig.known();
    directory.answer('c', 'b');
    expect([known, rig.known()]).toEqual([[true], [true]]);
    // Of several hosts the first is asked for the flow.
    rig.layer.allocate(rig.hash, rawQos, handshake, nobody, rig.now, () => {});
    expect(rig.sent()).toMatchObject([{ to: 'c', kind: 'request' }]);
    rig.layer.close();
    expect(directory.closed).toBe(true);
  });

  test('a directory that does not answer is waited for no longer than its time; its late answer is taken', () => {
    const rig = new UdpRig(kind, { queryMs: 3000 });
    const known = rig.known();
    expect(rig.layer.nextDeadline()).toBe(rig.now + 3000);
    rig.now += 3000;
    rig.layer.advance(rig.now);
    expect(known).toEqual([false]);
    rig.directory.answer('b');
    expect([known, rig.known()]).toEqual([[false], [true]]);
    const open = rig.known(hashName('other', 'MD5'));
    rig.layer.close();
    expect(open).toEqual([false]);
    rig.directory.answer('b');
    expect(open).toEqual([false]);
  });

  test('as many answers are remembered as there may be, the oldest go', () => {
    const rig = new UdpRig(kind, { cacheEntriesMax: 3 });
    const names = ['1', '2', '3', '4'].map((name) => hashName(name, 'MD5'));
    for (const name of names) {
      rig.known(name);
      rig.directory.answer('b');
    }
    expect(names.map((name) => rig.known(name))).toEqual([[], [true], [true], [true]]);
  });
});
