/**
 * What crashes, wedges or leaks in the reference prototype: each row of link-ipcps.md 9, and what these layers do with
 * it instead. After each the layer still serves.
 */
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  answer,
  EthernetRig,
  handshake,
  type LinkKind,
  linkKinds,
  LinkRig,
  type RigLimits,
  UdpRig,
} from '../../tests/support/link-rig.ts';
import { rawQos } from '../lib/qos.ts';
import { messageCode } from './eth/message.ts';
import { reversedBits } from './eth/llc.ts';
import type { FlowUser } from './shell/layer.ts';

const x = Buffer.from('x');
const nothing = Buffer.alloc(0);
const nobody: FlowUser = { deliver() {}, setUp() {}, released() {} };
const ethernetKinds = ['eth-dix', 'eth-llc'] as const;
const udpKinds = ['udp4', 'udp6'] as const;

/** That a layer still asks and serves, and that every request is answered. */
function stillWorks(rig: LinkRig): void {
  rig.sent();
  rig.requests.length = 0;
  const { flow, inbox, eid } = rig.connect(9);
  rig.bring(rig.dataBytes(9, eid, x));
  rig.write(flow, 'y');
  expect(rig.sent()).toMatchObject([{ to: 'b', kind: 'data', peerEid: 9, payload: 'y' }]);
  expect(inbox.messages).toEqual(['x']);
  const served = rig.serve(11);
  rig.bring(rig.dataBytes(11, served.eid, x));
  expect(served.inbox.messages).toEqual(['x']);
  flow.deallocate(rig.now);
  served.flow.deallocate(rig.now);
  expect(rig.sent().map(({ kind }) => kind)).toEqual(['release', 'release']);
}

function makeRig(kind: LinkKind, limits: RigLimits = {}, mtu = 1500): LinkRig {
  const rig = LinkRig.make(kind, limits, mtu);
  rig.layer.register(rig.hash);
  onTestFinished(({ task }) => {
    if (task.result?.state === 'fail') return;
    stillWorks(rig);
  });
  return rig;
}

function ethernetRig(kind: 'eth-dix' | 'eth-llc'): EthernetRig {
  const rig = makeRig(kind);
  if (!(rig instanceof EthernetRig)) throw new Error(kind);
  return rig;
}

describe('9.1 lost and misdirected replies', () => {
  test.each(ethernetKinds)('%s: a reply to nowhere is known by the id of its handshake', (kind) => {
    const rig = ethernetRig(kind);
    const { outcomes, flow } = rig.allocate();
    const lost = (piggyback: Buffer): void =>
      rig.bring(
        rig.messageBytes(
          {
            code: messageCode.flowReply,
            seid: 7,
            deid: rig.framing.lostEid,
            response: 0,
            piggyback,
          },
          'b',
          'nowhere',
        ),
      );
    lost(Buffer.alloc(84, 0x22));
    expect(outcomes).toEqual([]);
    lost(answer);
    expect(outcomes).toEqual([{ kind: 'accepted', piggyback: answer }]);
    expect([rig.counter('repliesMisdirected'), rig.counter('droppedUnexpectedReply')]).toEqual([1, 1]);
    rig.write(flow, 'x');
    expect(rig.sent()).toMatchObject([{ to: 'b', peerEid: 7 }]);
  });

  test.each(linkKinds)(
    '%s: without a reply the next attempt has another id; the late reply is undone',
    (kind) => {
      const rig = makeRig(kind);
      const first = rig.allocate();
      rig.now += 3000;
      rig.layer.advance(rig.now);
      first.flow.deallocate(rig.now);
      const second = rig.allocate();
      expect(second.eid).not.toBe(first.eid);
      rig.bring(rig.replyBytes(7, first.eid));
      rig.bring(rig.replyBytes(8, second.eid));
      expect(second.outcomes).toEqual([{ kind: 'accepted', piggyback: answer }]);
      expect(rig.sent()).toEqual([{ to: 'b', kind: 'release', eid: first.eid, peerEid: 7 }]);
    },
  );

  test.each(linkKinds)('%s: a request is answered to whoever sent it, from the first byte on', (kind) => {
    const rig = makeRig(kind);
    for (const [eid, from] of [
      [10, 'b'],
      [11, 'c'],
      [12, 'd'],
    ] as const) {
      rig.bring(rig.requestBytes(eid, handshake, rig.hash, from), from);
    }
    for (const { handle } of rig.requests.splice(0)) rig.layer.accept(handle, answer, nobody, rig.now);
    expect(rig.sent()).toMatchObject([
      { to: 'b', kind: 'reply', peerEid: 10 },
      { to: 'c', kind: 'reply', peerEid: 11 },
      { to: 'd', kind: 'reply', peerEid: 12 },
    ]);
  });
});

test.each(linkKinds)('9.2 %s: any number of refusals disables nothing', (kind) => {
  const rig = makeRig(kind);
  for (let round = 0; round < 300; round += 1) {
    rig.bring(rig.requestBytes(2 + (round % 60)));
    for (const { handle } of rig.requests.splice(0)) rig.layer.refuse(handle, -1009);
  }
  const sent = rig.sent();
  expect(sent).toHaveLength(300);
  expect(new Set(sent.map(({ response }) => response))).toEqual(new Set([-1009]));
});

describe('9.3 and 9.6 management while something waits', () => {
  test.each(ethernetKinds)(
    '%s: queries are answered, in order, while requests wait for an acceptor',
    (kind) => {
      const rig = ethernetRig(kind);
      for (const eid of [10, 11, 12]) rig.bring(rig.requestBytes(eid));
      rig.bring(rig.messageBytes({ code: messageCode.nameQuery, hash: rig.hash }, 'b', 'all'));
      rig.bring(rig.messageBytes({ code: messageCode.nameQuery, hash: rig.hash }, 'c', 'all'));
      expect(rig.sent()).toEqual([
        { to: 'b', kind: 'answer' },
        { to: 'c', kind: 'answer' },
      ]);
      for (const { handle } of rig.requests) rig.layer.accept(handle, answer, nobody, rig.now);
      expect(rig.sent().map(({ peerEid }) => peerEid)).toEqual([10, 11, 12]);
    },
  );

  test.each(ethernetKinds)('%s: an answer that takes 400 ms is taken by the query that asked', (kind) => {
    const rig = ethernetRig(kind);
    const known = rig.known();
    for (const passed of [200, 400]) rig.layer.advance(1000 + passed);
    expect(known).toEqual([]);
    rig.now = 1400;
    rig.learn();
    expect(known).toEqual([true]);
    expect(rig.sent().map(({ kind: sent }) => sent)).toEqual(['query', 'query', 'query']);
  });
});

test.each(ethernetKinds)('9.4 %s: frames for other stations are counted and go nowhere', (kind) => {
  const rig = ethernetRig(kind);
  const { inbox, eid } = rig.connect(7);
  rig.bring(rig.dataBytes(7, eid, x, 'b', 'c'));
  rig.bring(rig.messageBytes({ code: messageCode.nameQuery, hash: rig.hash }, 'b', 'd'));
  expect([inbox.messages, rig.sent()]).toEqual([[], []]);
  expect(rig.counter('droppedForeignDestination')).toBe(2);
});

test.each(linkKinds)('9.5 %s: late data of a closed flow reaches no other', (kind) => {
  const rig = makeRig(kind);
  const first = rig.connect(7);
  first.flow.deallocate(rig.now);
  const second = rig.connect(7);
  rig.bring(rig.dataBytes(7, first.eid, x));
  rig.bring(rig.dataBytes(7, second.eid, x, 'c'), 'c');
  expect([first.inbox.messages, second.inbox.messages]).toEqual([[], []]);
  expect([rig.counter('droppedUnknownEid'), rig.counter('droppedForeignSource')]).toEqual([1, 1]);
});

test.each(linkKinds)(
  '9.7 %s: a peer that starts anew, with the ids it had, ends the flows it had',
  (kind) => {
    const rig = makeRig(kind);
    const other = rig.serve(3);
    const before = rig.serve(60);
    const after = rig.serve(60);
    expect(after.eid).not.toBe(before.eid);
    expect(rig.counter('supersededByPeer')).toBe(1);
    rig.bring(rig.dataBytes(60, after.eid, x));
    // What was for the one that is gone reaches nobody, there or here.
    rig.write(before.flow, 'stale');
    rig.bring(rig.dataBytes(60, before.eid, x));
    expect([before.inbox.messages, after.inbox.messages]).toEqual([['(released)'], ['x']]);
    expect([other.inbox.messages, rig.sent()]).toEqual([[], []]);
  },
);

describe('9.8 inputs that crash', () => {
  test.each([
    ['eth-dix', [0, 1, 63, 4095, 10_239, 10_240, 10_241, 0x7fff, 0x8000, 0xfffe, 0xffff]],
    ['udp4', [1, 10_240, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]],
    ['udp6', [1, 10_240, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]],
  ] as const)('%s: data for ids that nobody has', (kind, eids) => {
    const rig = makeRig(kind);
    const known = rig.counter('droppedUnknownEid') + rig.counter('droppedShort');
    for (const eid of eids) rig.bring(rig.dataBytes(7, eid, x));
    expect(rig.counter('droppedUnknownEid') + rig.counter('droppedShort') - known).toBe(eids.length);
  });

  test.each([
    ['eth-dix', [0, 10_240, 0x8000, 0xfffe, 0xffff]],
    ['eth-llc', [0, 1, 64, 127, 128, 254, 255]],
    ['udp4', [0, 10_240, 0x8000_0000, 0xffff_ffff]],
    ['udp6', [0, 10_240, 0x8000_0000, 0xffff_ffff]],
  ] as const)('%s: replies, refusals and releases to ids that asked for nothing', (kind, eids) => {
    const rig = makeRig(kind);
    const { outcomes } = rig.allocate(Buffer.alloc(36, 0x33));
    for (const eid of eids) {
      rig.bring(rig.replyBytes(7, eid));
      rig.bring(rig.replyBytes(7, eid, -1009, nothing));
      rig.bring(rig.releaseBytes(7, eid));
    }
    expect(outcomes).toEqual([]);
    expect(rig.counter('droppedUnexpectedReply')).toBe(2 * eids.length);
    expect(rig.counter('droppedUnexpectedRelease')).toBe(eids.length);
  });

  test.each(ethernetKinds)('%s: requests, queries and answers without their whole hash', (kind) => {
    const rig = ethernetRig(kind);
    const head = kind === 'eth-dix' ? 18 : 17;
    const lengthAt = kind === 'eth-dix' ? 16 : 12;
    const { headerBytes } = rig.framing.layout;
    const known = rig.counter('droppedShort');
    let brought = 0;
    for (const message of [
      rig.requestBytes(7),
      rig.messageBytes({ code: messageCode.nameQuery, hash: rig.hash }),
      rig.messageBytes({ code: messageCode.nameReply, hash: rig.hash }),
    ]) {
      for (let length = 0; length < headerBytes + 32; length += 1) {
        const cut = Buffer.from(message.subarray(0, head + length));
        cut.writeUInt16BE(length + (kind === 'eth-dix' ? 0 : 3), lengthAt);
        rig.bring(cut);
        brought += 1;
      }
    }
    expect(rig.counter('droppedShort') - known).toBe(brought);
    expect([rig.requests, rig.sent()]).toEqual([[], []]);
  });

  test.each(udpKinds)('%s: requests of 47 to 62 bytes, and any shorter', (kind) => {
    const rig = makeRig(kind);
    for (let length = 0; length < 63; length += 1) rig.bring(rig.requestBytes(7).subarray(0, length));
    expect([rig.requests, rig.counter('droppedShort')]).toEqual([[], 63]);
  });

  test.each(udpKinds)('%s: messages of more than 2048 bytes are taken whole', (kind) => {
    const rig = makeRig(kind);
    for (const bytes of [2049, 2100, 8900]) {
      rig.bring(rig.requestBytes(7, Buffer.alloc(bytes - 63, 0x44)));
      const request = rig.requests.shift();
      expect(request?.piggyback).toHaveLength(bytes - 63);
      rig.layer.refuse(request?.handle ?? 0, -1009);
    }
    expect(rig.sent()).toHaveLength(3);
  });

  test('eth-llc: frames of all other protocols, every DSAP with every SSAP', () => {
    const rig = makeRig('eth-llc');
    const { inbox, outcomes } = rig.connect(7);
    const before = rig.sent().length + rig.counter('framesIn');
    let brought = 0;
    for (let dsap = 0; dsap < 256; dsap += 1) {
      for (let ssap = 0; ssap < 256; ssap += 1) {
        // What is the flow's own, or a message, is not foreign.
        if ((dsap === 2 && ssap === 7) || (dsap === 1 && ssap === 1)) continue;
        const frame = rig.dataBytes(7, 2, Buffer.alloc(43, dsap ^ ssap));
        frame.writeUInt8(reversedBits[dsap] ?? 0, 14);
        frame.writeUInt8(reversedBits[ssap] ?? 0, 15);
        rig.bring(frame);
        brought += 1;
      }
    }
    expect([inbox.messages, outcomes.length, rig.sent()]).toEqual([[], 1, []]);
    expect(rig.counter('framesIn') - before).toBe(brought);
    const drops = ['droppedUnknownEid', 'droppedForeignSource', 'droppedShort', 'droppedUnknownCode'];
    expect(drops.reduce((sum, name) => sum + rig.counter(name), 0)).toBe(brought);
  });

  test.each(ethernetKinds)('%s: data that claims to be longer than its frame', (kind) => {
    const rig = ethernetRig(kind);
    const { inbox, eid } = rig.connect(7);
    const lengthAt = kind === 'eth-dix' ? 16 : 12;
    const known = rig.counter('droppedShort');
    const claims = [2, 43, 1496, 1497, 1500, 9000, 0xffff].map(
      (claim) => claim + (kind === 'eth-dix' ? 0 : 3),
    );
    for (const claim of claims) {
      const frame = rig.dataBytes(7, eid, x);
      frame.writeUInt16BE(Math.min(claim, 0xffff), lengthAt);
      rig.bring(frame);
    }
    expect(inbox.messages).toEqual([]);
    expect(rig.counter('droppedShort') - known).toBe(claims.length);
    // Padding behind a right length is none of the payload.
    rig.bring(Buffer.concat([rig.dataBytes(7, eid, x), Buffer.alloc(45, 0x55)]));
    expect(inbox.messages).toEqual(['x']);
  });
});

test.each(linkKinds)('9.9 %s: what is too long is counted, never cut', (kind) => {
  const rig = makeRig(kind);
  const { flow } = rig.connect(7);
  const most = rig.layer.maxMessageBytes;
  for (const more of [1, 2, 3, 4, 5]) rig.write(flow, Buffer.alloc(most + more));
  expect([rig.sent(), rig.counter('droppedTooLong')]).toEqual([[], 5]);
  rig.write(flow, Buffer.alloc(most, 'z'));
  expect(rig.sent()).toMatchObject([{ payload: 'z'.repeat(most) }]);
});

describe('9.10 a service that moves', () => {
  test.each(ethernetKinds)('%s: news about a name that is in use is taken, back and forth', (kind) => {
    const rig = ethernetRig(kind);
    rig.known();
    rig.learn();
    for (const place of ['c', 'b', 'c', 'b'] as const) {
      rig.bring(rig.messageBytes({ code: messageCode.nameReply, hash: rig.hash }, place));
      rig.sent();
      rig.layer.allocate(rig.hash, rawQos, handshake, nobody, rig.now, () => {});
      expect(rig.sent()).toMatchObject([{ to: place, kind: 'request' }]);
    }
  });

  test.each(udpKinds)('%s: after its time, or without an answer, a name is looked up anew', (kind) => {
    const rig = new UdpRig(kind, {});
    const first = rig.allocate();
    rig.now += 3000;
    rig.layer.advance(rig.now);
    expect(first.outcomes).toEqual([{ kind: 'unanswered' }]);
    rig.known();
    rig.directory.answer('c');
    rig.layer.allocate(rig.hash, rawQos, handshake, nobody, rig.now, () => {});
    expect(rig.sent()).toMatchObject([{ to: 'c', kind: 'request' }]);
  });
});

test.each(linkKinds)('9.11 %s: allocations that fail cost no id for good', (kind) => {
  const rig = makeRig(kind);
  for (let round = 0; round < 200; round += 1) {
    const { flow, eid, outcomes } = rig.allocate();
    if (round % 2 === 0) rig.bring(rig.replyBytes(0, eid, -1009, nothing));
    else {
      rig.now += 3000;
      rig.layer.advance(rig.now);
    }
    expect(outcomes).toHaveLength(1);
    flow.deallocate(rig.now);
    // Nor do those of others that are refused here.
    rig.bring(rig.requestBytes(7));
    for (const { handle } of rig.requests.splice(0)) rig.layer.refuse(handle, -1009);
  }
  rig.now += 10_000;
  rig.sent();
  const flows = Array.from({ length: rig.eids.count }, (_, index) => rig.connect(2 + index).flow);
  expect(rig.tryAllocate().eid).toBe(-1);
  for (const flow of flows) flow.deallocate(rig.now);
  rig.now += 10_000;
});

test.each(linkKinds)('9.12 %s: a burst is taken whole, in order', (kind) => {
  const rig = makeRig(kind);
  const { inbox, eid } = rig.connect(7);
  for (let index = 0; index < 4500; index += 1) rig.bring(rig.dataBytes(7, eid, Buffer.from(String(index))));
  expect(inbox.messages).toEqual(Array.from({ length: 4500 }, (_, index) => String(index)));
});
