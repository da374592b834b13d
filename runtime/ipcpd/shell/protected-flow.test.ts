import { randomFillSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { FlowInbox, packetOf } from '../../../tests/support/flow-inbox.ts';
import { protectionFor } from '../../lib/flow/protection.ts';
import { rawQos } from '../../lib/qos.ts';
import type { FlowEncryption } from '../../lib/rpc/api.ts';
import { type Packet, packetHeadroom, PacketPool } from '../../lib/wire/packet.ts';
import type { LowerFlow } from './layer.ts';
import { ProtectedFlow } from './protected-flow.ts';

const encryption: FlowEncryption = { cipher: 'chacha20-poly1305', key: '0f'.repeat(32) };

class Lower implements LowerFlow {
  maxMessageBytes = 1496;
  readonly headerBytes = 20;
  readonly backlog = 3;
  readonly sent: Buffer[] = [];
  released = false;

  write(packet: Packet): void {
    // Layers below write their headers in front.
    expect(packet.start).toBeGreaterThanOrEqual(packetHeadroom);
    this.sent.push(Buffer.from(packet.bytes()));
  }

  deallocate(): void {
    this.released = true;
  }
}

interface End {
  readonly flow: ProtectedFlow;
  readonly lower: Lower;
  readonly inbox: FlowInbox;
  readonly counters: { droppedBadCrc: number; droppedNotOpened: number };
}

function end(ber: number, encrypted: FlowEncryption | undefined): End {
  const protection = protectionFor({ ...rawQos, ber }, encrypted, randomFillSync);
  if (protection === undefined) throw new Error('nothing protects this flow');
  const lower = new Lower();
  const inbox = new FlowInbox();
  const counters = { droppedBadCrc: 0, droppedNotOpened: 0 };
  const flow = new ProtectedFlow(protection, lower, new PacketPool(), counters);
  flow.user = inbox;
  return { flow, lower, inbox, counters };
}

describe.each([
  ['encrypted', 1, encryption, 28],
  ['with a CRC', 0, undefined, 4],
  ['both', 0, encryption, 32],
] as const)('%s', (_name, ber, encrypted, overhead) => {
  test('packets cross, longer on their way', () => {
    const [a, b] = [end(ber, encrypted), end(ber, encrypted)];
    expect(a.flow.maxMessageBytes).toBe(1496 - overhead);
    for (const text of ['x', 'a longer one', 'y'.repeat(a.flow.maxMessageBytes)]) {
      a.flow.write(packetOf(Buffer.from(text)));
      const sent = a.lower.sent.at(-1) ?? Buffer.alloc(0);
      expect(sent.length).toBe(text.length + overhead);
      b.flow.deliver(packetOf(sent));
      expect(b.inbox.messages.at(-1)).toBe(text);
    }
  });

  test('signs of life stay empty', () => {
    const [a, b] = [end(ber, encrypted), end(ber, encrypted)];
    a.flow.write(packetOf(Buffer.alloc(0)));
    expect(a.lower.sent).toEqual([Buffer.alloc(0)]);
    b.flow.deliver(packetOf(Buffer.alloc(0)));
    expect(b.inbox.messages).toEqual(['']);
  });

  test('what was altered is dropped and counted', () => {
    const [a, b] = [end(ber, encrypted), end(ber, encrypted)];
    a.flow.write(packetOf(Buffer.from('hello')));
    const sent = a.lower.sent[0] ?? Buffer.alloc(0);
    for (let at = 0; at < sent.length; at += 1) {
      const altered = Buffer.from(sent);
      altered[at] = (altered[at] ?? 0) ^ 4;
      b.flow.deliver(packetOf(altered));
      b.flow.deliver(packetOf(sent.subarray(0, at)));
    }
    expect(b.inbox.messages.filter((message) => message !== '')).toEqual([]);
    const drops = b.counters.droppedBadCrc + b.counters.droppedNotOpened;
    // Each that was altered, and each that was cut, but for the empty one.
    expect(drops).toBe(2 * sent.length - 1);
    expect(ber === 0 ? b.counters.droppedNotOpened : b.counters.droppedBadCrc).toBe(0);
  });

  test('it passes on what else happens to the flow', () => {
    const { flow, inbox, lower } = end(ber, encrypted);
    flow.setUp(false);
    flow.setUp(true);
    flow.released();
    flow.released();
    expect(inbox.messages).toEqual(['(down)', '(up)', '(released)']);
    expect([flow.headerBytes, flow.backlog]).toEqual([20, 3]);
    flow.deallocate(0);
    expect(lower.released).toBe(true);
  });

  test('a longest message that has changed is told of, and none is of less than nothing', () => {
    const { flow, lower } = end(ber, encrypted);
    let told = 0;
    flow.user = { deliver: () => {}, setUp: () => {}, released: () => {}, limitChanged: () => (told += 1) };
    lower.maxMessageBytes = overhead - 1;
    flow.limitChanged();
    expect([told, flow.maxMessageBytes]).toEqual([1, 0]);
  });
});
