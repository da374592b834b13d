/** Recorded exchanges of the prototype (end-to-end.md 11.5, 16), decoded, and replayed against this FRCT. */
import { describe, expect, test } from 'vitest';
import { FrctEnd, textOf } from '../../../tests/support/frct-end.ts';
import { readCapture } from '../../../tests/support/pcap.ts';
import { frctLimits } from './limits.ts';
import { Pci, pciBytes, writePci } from './pci.ts';

/** Ethernet-DIX (end-to-end.md 2.4). */
const headerBytes = 18;
const code = { flowRequest: 0, flowReply: 1 } as const;

type Side = 'client' | 'server';

interface Recorded {
  /** ms since the first packet of the capture. */
  readonly at: number;
  readonly from: Side;
  readonly packet: Buffer;
  readonly text: string;
}

/** The packets of the first flow of a capture, without keepalives. */
function recorded(name: string): Recorded[] {
  const { frames } = readCapture(name);
  const began = frames[0]!.time;
  let client = '';
  const eids: Partial<Record<Side, number>> = {};
  const packets: Recorded[] = [];
  for (const { time, bytes } of frames) {
    const source = bytes.toString('hex', 6, 12);
    const eid = bytes.readUInt16BE(14);
    const packet = bytes.subarray(headerBytes, headerBytes + bytes.readUInt16BE(16));
    if (eid === 0) {
      const [seid, kind] = [packet.readUInt16BE(0), packet[37]];
      if (kind === code.flowRequest && eids.client === undefined) {
        client = source;
        eids.client = seid;
      } else if (kind === code.flowReply && packet.readUInt16BE(2) === eids.client) {
        eids.server ??= seid;
      }
      continue;
    }
    const from: Side = source === client ? 'client' : 'server';
    if (packet.length === 0 || eid !== eids[from === 'client' ? 'server' : 'client']) continue;
    packets.push({ at: Number(time - began) / 1e6, from, packet, text: textOf(packet) });
  }
  return packets;
}

/** e2e-new-run has packets of later, encrypted flows to the same endpoint id. */
const cleartext = (packets: readonly Recorded[]): Recorded[] =>
  packets.filter(({ packet }) => [0x01, 0x03, 0x0c].includes(packet[0]!) && packet.length <= 24);

const firstSeqno = (packets: readonly Recorded[], from: Side): number =>
  packets.find((one) => one.from === from && (one.packet[0]! & 1) !== 0)!.packet.readUInt32BE(4);

/**
 * Puts our end in the place of one side: it gets what the other sent, when it was sent, and does what a test says when
 * the recording has its own side's packets. Everything it sent.
 */
function replay(
  end: FrctEnd,
  packets: readonly Recorded[],
  ours: Side,
  own: (packet: Recorded) => void = () => {},
): string[] {
  const sent: string[] = [];
  for (const one of packets) {
    end.pass(Math.max(0, one.at - end.now));
    if (one.from === ours) own(one);
    else end.bring(Buffer.from(one.packet));
    sent.push(...end.sent());
  }
  end.pass(50);
  return [...sent, ...end.sent()];
}

const isData = (text: string): boolean => (Number.parseInt(text.slice(0, 2), 16) & 1) !== 0;
const seqnoOf = (text: string): string => text.slice(10, 18);
const acknoOf = (text: string): string => text.slice(19, 27);

test.each([
  ['e2e-frct-data', 15],
  ['e2e-frct-loss', 32],
  ['e2e-frct-best-effort', 13],
  ['e2e-frct-receiver-probe', 37],
  ['e2e-best-effort-receiver-probe', 15],
  ['e2e-rendezvous', 134],
  ['e2e-rtimer', 7],
  ['e2e-zero-window-deadlock', 6],
  ['e2e-bare-ack-poison-c-c', 6],
  ['e2e-bare-ack-poison', 12],
  ['e2e-bare-ack-drf-workaround', 8],
  ['e2e-crc-frct', undefined],
])('%s: every header is decoded and encoded again, byte for byte', (name, count) => {
  const packets = recorded(name);
  if (count === undefined) expect(packets.length).toBeGreaterThan(3);
  else expect(packets).toHaveLength(count);
  for (const { packet } of packets) {
    const pci = new Pci();
    expect(pci.read(packet, 0, packet.length)).toBe(true);
    expect(pci.flags & ~0x1f).toBe(0);
    const again = Buffer.alloc(pciBytes);
    writePci(again, 0, pci.flags, pci.window, pci.seqno, pci.ackno);
    expect(again).toEqual(packet.subarray(0, pciBytes));
  }
});

describe('our end in the place of the server', () => {
  test('reliable pings: its answers are the ones of the prototype, byte for byte', () => {
    const packets = recorded('e2e-frct-data');
    const end = new FrctEnd({ initialSeqno: firstSeqno(packets, 'server') });
    const answers = new Map<string, string>();
    for (const { from, text } of packets) {
      if (from === 'server' && isData(text) && !answers.has(seqnoOf(text))) answers.set(seqnoOf(text), text);
    }
    const done = new Set<string>();
    const sent = replay(end, packets, 'server', ({ text }) => {
      // Of its retransmissions ours decides itself.
      if (!isData(text) || done.has(seqnoOf(text))) return;
      done.add(seqnoOf(text));
      expect(end.write('x'.repeat(64))).toBe(true);
    });
    expect([...new Set(sent.filter(isData))]).toEqual([...answers.values()]);
    expect(end.delivered).toHaveLength(4);
    // Each side sends one packet twice for nothing; the client's last acknowledgement took 39 ms.
    expect(end.frct.counters).toMatchObject({
      droppedDuplicate: 1,
      retransmissions: 1,
      messagesDelivered: 4,
    });
    expect(end.frct.outstanding).toBe(0);
  });

  test('best effort: the same', () => {
    const packets = recorded('e2e-frct-best-effort');
    const end = new FrctEnd({ reliable: false, initialSeqno: firstSeqno(packets, 'server') });
    const sent = replay(end, packets, 'server', ({ text }) => isData(text) && end.write('x'.repeat(64)));
    expect(sent.filter(isData)).toEqual(
      packets.filter(({ from, text }) => from === 'server' && isData(text)).map(({ text }) => text),
    );
    expect(end.delivered).toHaveLength(5);
  });

  test('a packet lost on the way: all eight messages once and in order, acknowledged when they are complete', () => {
    const packets = recorded('e2e-frct-loss');
    const lost = packets.find(({ text }) => seqnoOf(text) === '879a3c55')!;
    const end = new FrctEnd();
    const sent = replay(
      end,
      packets.filter((one) => one !== lost),
      'server',
    );
    expect(end.delivered.map((message) => message.charCodeAt(0))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(new Set(sent.map(acknoOf))).toEqual(new Set(['879a3c55', '879a3c5b']));
    expect(end.frct.counters.droppedDuplicate).toBe(20);
  });

  test('probes of a receiver: it delivers what the prototype delivered, and answers RDVS with the same window', () => {
    const packets = recorded('e2e-frct-receiver-probe');
    const end = new FrctEnd();
    const sent = replay(end, packets, 'server');
    const indices = end.delivered.map((message) => (message === '' ? 'empty' : message.charCodeAt(0)));
    const last = Array.from({ length: 20 }, (_, index) => 10 + index);
    // Not 1, which came without a run; not 98, DRF with other numbers; not 99, outside the window.
    expect(indices).toEqual([2, 3, 4, 5, 'empty', ...last]);
    expect(sent).toContain('0a 0000f3 0a0b0c0d 00000000');
    expect(packets.map(({ text }) => text)).toContain('08 0000f3 00000000 00000000');
    expect(sent.at(-1)).toBe('0e 000109 0a0b0c0d 01000009');
    expect(packets.at(-1)!.text).toBe('0c 000109 00000000 01000009');
  });

  test('probes of a best-effort receiver: the same', () => {
    const packets = recorded('e2e-best-effort-receiver-probe');
    const end = new FrctEnd({ reliable: false });
    replay(end, packets, 'server');
    expect(end.delivered.map((message) => message.charCodeAt(0))).toEqual([2, 4, 5, 6, 9]);
  });

  test('the workaround of 9.1: its packets are those of the peer that made the recording', () => {
    const packets = recorded('e2e-bare-ack-drf-workaround');
    const end = new FrctEnd({ initialSeqno: 0x0a0b_0c0d });
    const sent = replay(end, packets, 'server', ({ text }) => isData(text) && end.write('reply!!!'));
    expect(sent).toEqual(packets.filter(({ from }) => from === 'server').map(({ text }) => text));
    expect(end.frct.outstanding).toBe(0);
  });

  test("a client that has heard bare acknowledgements only: its window 0 does not stop the server's first write", () => {
    const packets = recorded('e2e-zero-window-deadlock');
    expect(packets.map(({ text }) => text)).toContain('0f 000000 c7ad1f16 00000000 +64');
    const end = new FrctEnd();
    replay(end, packets, 'server');
    expect(end.delivered).toHaveLength(3);
    expect(end.frct.counters.ignoredWindow).toBe(2);
    for (let count = 0; count < 64; count += 1) expect(end.write('reply')).toBe(true);
  });

  test('a new run after a silence of 131 s with keepalives is taken, what belongs to the old one is not', () => {
    const packets = cleartext(recorded('e2e-new-run'));
    const end = new FrctEnd();
    const sent = replay(end, packets, 'server');
    expect(end.delivered.map((message) => message.charCodeAt(0))).toEqual([1, 2]);
    expect(end.frct.counters.runs).toBe(2);
    expect(sent).toEqual(
      ['0e 001c59 0a0b0c0d 00001b59', '0e 550101 0a0b0c0d 55550001', '0e 550101 0a0b0c0d 55550001'].slice(
        0,
        sent.length,
      ),
    );
    expect(end.frct.counters.droppedDuplicate + end.frct.counters.droppedOutsideWindow).toBe(1);
  });
});

describe('our end in the place of the client', () => {
  test.each(['e2e-bare-ack-poison-c-c', 'e2e-bare-ack-poison'])(
    '%s: a bare acknowledgement that comes first does not keep the answer out',
    (name) => {
      const packets = recorded(name);
      const end = new FrctEnd({ initialSeqno: firstSeqno(packets, 'client') });
      replay(end, packets, 'client', ({ text }) => isData(text) && end.write('x'.repeat(64)));
      expect(end.delivered).toHaveLength(1);
      expect(end.frct.outstanding).toBe(0);
      expect(end.frct.counters.droppedDuplicate).toBeGreaterThan(2);
    },
  );

  test('a window that closes: 64 packets, then RDVS as the prototype sends it, and on when it opens', () => {
    const packets = recorded('e2e-rendezvous');
    const first = firstSeqno(packets, 'client');
    const end = new FrctEnd({ initialSeqno: first });
    let written = 0;
    const sent = replay(end, packets, 'client', ({ text }) => {
      if (isData(text) || text.startsWith('10')) written += end.write('x'.repeat(64)) ? 1 : 0;
    });
    expect(written).toBe(64);
    expect(end.frct.outstanding).toBe(0);
    const asked = sent.filter((text) => text.startsWith('10'));
    expect(asked.length).toBeGreaterThan(2);
    expect(new Set(asked)).toEqual(new Set(['10 000000 00000000 00000000']));
    expect(packets.map(({ text }) => text)).toContain('10 000000 00000000 00000000');
    end.bring({ flags: 0x08, window: first + 66 });
    expect(end.events).toContain('writable');
    expect([end.write('x'), end.write('x'), end.write('x')]).toEqual([true, true, false]);
  });

  test("no acknowledgement at all: with the prototype's limits, sent again when it did", () => {
    const packets = recorded('e2e-rtimer');
    const end = new FrctEnd({ limits: { ...frctLimits, rtoMaxMs: 68_719 } });
    end.write('x'.repeat(64));
    end.sent();
    for (const { at } of packets.slice(1)) {
      // Its timers are up to 268 ms coarse, and may be early by one step.
      const due = at - packets[0]!.at;
      end.pass(due + 300 - end.now);
      expect(end.sent()).toHaveLength(1);
    }
    end.pass(128_000 - end.now);
    expect(end.events).toEqual(['down EFLOWDOWN']);
  });
});
