/** FRCT towards the prototype, rule by rule of end-to-end.md 7 to 10. What our own ends do besides is in extensions.test.ts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesUpTo } from '../../../tests/support/any-message.ts';
import { FrctEnd, type Peers } from '../../../tests/support/frct-end.ts';
import { frctLimits } from './limits.ts';

const own = 0x0a0b_0c0d;
const peer = 0x3f67_8d5b;
/** Data of the prototype's, by how far it is from its first. */
const dataAt = (ahead: number, more: Partial<Peers> = {}): Peers => ({
  flags: ahead === 0 ? 0x03 : 0x01,
  seqno: peer + ahead,
  payload: `m${ahead}`,
  ...more,
});

/** An end whose peer has begun a run of data and so shown that it is a prototype. */
function heard(setup: ConstructorParameters<typeof FrctEnd>[0] = {}): FrctEnd {
  const end = new FrctEnd(setup);
  end.bring(dataAt(0));
  end.pass(20);
  end.sent();
  return end;
}

describe('7.5: data that is sent', () => {
  test('to a peer not heard yet: the mark of the extensions, DRF on the first, where the run began on the others', () => {
    const end = new FrctEnd();
    for (const message of ['a', 'b', 'c']) expect(end.write(message)).toBe(true);
    expect(end.sent()).toEqual([
      '83 000000 0a0b0c0d 00000000 +1',
      '81 000000 0a0b0c0e 0a0b0c0d +1',
      '81 000000 0a0b0c0f 0a0b0c0d +1',
    ]);
  });

  test('to a prototype: as the prototype sends it, DRF whenever nothing is outstanding', () => {
    const end = heard();
    end.write('a');
    end.write('b');
    expect(end.sent()).toEqual(['0f 678e5c 0a0b0c0d 3f678d5c +1', '0d 678e5c 0a0b0c0e 3f678d5c +1']);
    end.bring({ flags: 0x0c, window: own + 258, ackno: own + 2 });
    end.write('c');
    expect(end.sent()).toEqual(['0f 678e5c 0a0b0c0f 3f678d5c +1']);
  });

  test('9.2: neither ACK nor FC before a run of the peer exists, however many bare packets came', () => {
    const end = new FrctEnd();
    end.write('a');
    end.bring({ flags: 0x0c, window: own + 257, ackno: own + 1 });
    end.write('b');
    end.write('c');
    expect(end.sent()).toEqual([
      '83 000000 0a0b0c0d 00000000 +1',
      '03 000000 0a0b0c0e 00000000 +1',
      '01 000000 0a0b0c0f 00000000 +1',
    ]);
  });

  test('9.3: never renumbered, however long the silence', () => {
    const end = heard();
    end.write('a');
    end.bring({ flags: 0x0c, window: own + 257, ackno: own + 1 });
    end.pass(1_000_000);
    end.write('b');
    expect(end.sent().at(-1)).toBe('0f 678e5c 0a0b0c0e 3f678d5c +1');
  });

  test('64 packets outstanding, and as far as the window reaches', () => {
    const end = heard();
    let written = 0;
    while (end.write('x')) written += 1;
    expect(written).toBe(64);
    end.bring({ flags: 0x0c, window: own + 70, ackno: own + 10 });
    expect(end.events).toEqual(['writable']);
    while (end.write('x')) written += 1;
    expect(written).toBe(70);
    end.bring({ flags: 0x0c, window: own + 1000, ackno: own + 20 });
    while (end.write('x')) written += 1;
    // Whatever window is told, the socket of a prototype's IPCP has fewer places.
    expect(written).toBe(20 + 64);
  });
});

describe('9.1: what a prototype hears first', () => {
  test('until data was sent, bare packets carry DRF and the number that the first data will have', () => {
    const end = new FrctEnd();
    end.bring(dataAt(0));
    end.pass(10);
    expect(end.sent()).toEqual(['0e 678e5c 0a0b0c0d 3f678d5c']);
    end.bring({ flags: 0x10 });
    expect(end.sent()).toEqual(['0a 678e5c 0a0b0c0d 00000000']);
    end.write('reply');
    expect(end.sent()).toEqual(['0f 678e5c 0a0b0c0d 3f678d5c +5']);
  });

  test('until something is acknowledged they do so too: the first data may be lost', () => {
    const end = heard();
    end.write('a');
    end.write('b');
    end.sent();
    end.bring(dataAt(1), dataAt(2));
    expect(end.sent()).toEqual(['0e 678e5e 0a0b0c0d 3f678d5e']);
    end.bring({ flags: 0x0c, window: own + 257, ackno: own + 1 }, dataAt(3), dataAt(4));
    expect(end.sent()).toEqual(['0c 678e60 00000000 3f678d60']);
  });
});

describe('9.2: what is believed', () => {
  test.each([
    ['an acknowledgement of what was never sent', { flags: 0x04, ackno: own + 3 }, 'ignoredAck'],
    ['one from before', { flags: 0x04, ackno: own - 1 }, 'ignoredAck'],
    ['a window that ends before the oldest packet', { flags: 0x08, window: own - 1 }, 'ignoredWindow'],
  ] as const)('%s is ignored', (_name, packet, counter) => {
    const end = heard();
    end.write('a');
    end.write('b');
    end.bring(packet);
    expect(end.frct.outstanding).toBe(2);
    expect(end.frct.counters[counter]).toBe(1);
    let written = 2;
    while (end.write('x')) written += 1;
    expect(written).toBe(64);
  });

  test('a window before data was sent is ignored', () => {
    const end = heard();
    end.bring({ flags: 0x08, window: own + 5 });
    expect(end.frct.counters.ignoredWindow).toBe(1);
    let written = 0;
    while (end.write('x')) written += 1;
    expect(written).toBe(64);
  });

  test('a window never shrinks', () => {
    const end = heard();
    end.write('a');
    end.bring({ flags: 0x08, window: own + 110 });
    end.bring({ flags: 0x08, window: own + 100 });
    let written = 1;
    while (end.write('x')) written += 1;
    end.bring({ flags: 0x04, ackno: own + 64 });
    while (end.write('x')) written += 1;
    expect(written).toBe(110);
  });

  test("the prototype's bogus window 0 and ackno 0 do no harm, whatever the own number", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (initialSeqno) => {
        const end = heard({ initialSeqno });
        end.write('a');
        end.bring({ flags: 0x0d, seqno: peer + 1, payload: 'x' });
        let written = 1;
        while (end.write('x')) written += 1;
        expect(written).toBeLessThanOrEqual(256);
        expect(written).toBeGreaterThanOrEqual(1);
        expect(end.frct.outstanding).toBeGreaterThan(0);
      }),
      { numRuns: 50 },
    );
  });
});

describe('7.6: data that comes', () => {
  test('without a run, only a packet with DRF is taken, with or without data', () => {
    const end = new FrctEnd();
    end.bring(dataAt(5));
    expect(end.frct.counters.droppedNoRun).toBe(1);
    expect(end.sent()).toEqual([]);
    end.bring({ flags: 0x0e, seqno: peer });
    expect(end.frct.counters.runs).toBe(1);
    end.bring(dataAt(0, { flags: 0x01 }));
    expect(end.delivered).toEqual(['m0']);
  });

  test('in order; what is ahead waits; one that is there already, or outside the window, is dropped', () => {
    const end = heard();
    end.bring(dataAt(2), dataAt(3));
    expect(end.delivered).toEqual(['m0']);
    // A prototype has no use for news of a hole.
    expect(end.sent()).toEqual([]);
    end.bring(dataAt(3));
    expect(end.sent()).toEqual(['0e 678e5c 0a0b0c0d 3f678d5c']);
    end.bring(dataAt(1 + 256));
    end.bring(dataAt(-5));
    end.bring(dataAt(1));
    expect(end.delivered).toEqual(['m0', 'm1', 'm2', 'm3']);
    expect(end.sent().at(-1)).toBe('0e 678e5f 0a0b0c0d 3f678d5f');
    expect(end.frct.counters).toMatchObject({
      droppedDuplicate: 2,
      droppedOutsideWindow: 1,
      messagesDelivered: 4,
    });
  });

  test('DRF within a live run with other numbers is dropped', () => {
    const end = heard();
    end.bring({ flags: 0x03, seqno: 0x1234_5678, payload: 'other' });
    end.bring(dataAt(1));
    expect(end.delivered).toEqual(['m0', 'm1']);
  });

  test('an empty payload is a message of no bytes', () => {
    const end = heard();
    end.bring(dataAt(1, { payload: '' }));
    expect(end.delivered).toEqual(['m0', '']);
  });

  test('flags nobody knows are ignored, the packet is used', () => {
    const end = heard();
    end.bring(dataAt(1, { flags: 0x61 }));
    end.bring(dataAt(2, { flags: 0x81 }));
    expect(end.delivered).toEqual(['m0', 'm1', 'm2']);
    // Who has sent a packet without the mark does not become one of ours.
    expect(end.frct.peerExtended).toBe(false);
  });

  test('packets shorter than a header are dropped', () => {
    const end = heard();
    for (let length = 0; length < 12; length += 1) end.bring(Buffer.alloc(length, 0xff));
    expect(end.frct.counters.droppedShort).toBe(12);
    expect(end.sent()).toEqual([]);
  });

  test('numbers cross 2^24 and 2^32', () => {
    for (const start of [0x00ff_fff0, 0xffff_fff0]) {
      const end = new FrctEnd();
      for (let count = 0; count < 40; count += 1) {
        end.bring({ flags: count === 0 ? 3 : 1, seqno: (start + count) >>> 0, payload: `${count}` });
      }
      expect(end.delivered).toHaveLength(40);
      end.pass(10);
      const edge = ((start + 40 + 256) & 0xff_ffff).toString(16).padStart(6, '0');
      expect(end.sent().at(-1)).toContain(`0e ${edge} `);
    }
  });
});

describe('acknowledgements', () => {
  test('one packet: after 10 ms, unless data travels before; two: at the end of the turn', () => {
    const end = heard();
    end.bring(dataAt(1));
    end.pass(9.9);
    expect(end.sent()).toEqual([]);
    end.pass(0.1);
    expect(end.sent()).toEqual(['0e 678e5d 0a0b0c0d 3f678d5d']);
    end.bring(dataAt(2));
    end.write('reply');
    end.pass(50);
    expect(end.sent()).toEqual(['0f 678e5e 0a0b0c0d 3f678d5e +5']);
    end.bring(dataAt(3), dataAt(4), dataAt(5));
    expect(end.sent()).toEqual(['0e 678e61 0a0b0c0d 3f678d61']);
    end.pass(50);
    expect(end.sent()).toEqual([]);
  });

  test('a duplicate is answered at once, a burst of them with one packet', () => {
    const end = heard();
    end.bring(dataAt(0));
    expect(end.sent()).toEqual(['0e 678e5c 0a0b0c0d 3f678d5c']);
    end.bring(dataAt(0), dataAt(0), dataAt(0));
    expect(end.sent()).toHaveLength(1);
  });

  test('7.8: RDVS is answered with the window; without a run there is none', () => {
    const end = new FrctEnd();
    end.bring({ flags: 0x10 });
    expect(end.sent()).toEqual([]);
    end.bring(dataAt(0));
    end.pass(20);
    end.write('a');
    end.bring({ flags: 0x04, ackno: own + 1 });
    end.sent();
    end.bring({ flags: 0x10 });
    expect(end.sent()).toEqual(['08 678e5c 00000000 00000000']);
    expect(end.frct.counters.rendezvousReceived).toBe(2);
  });
});

describe('the window that is given', () => {
  const fill = (end: FrctEnd, from: number, count: number): void => {
    for (let ahead = from; ahead < from + count; ahead += 1) end.bring(dataAt(ahead));
  };

  test('moves when the application takes a message, not when one comes, and is acknowledged all the same', () => {
    const end = heard();
    end.reads = false;
    fill(end, 1, 10);
    expect(end.sent().at(-1)).toBe('0e 678e5c 0a0b0c0d 3f678d66');
    end.take(10);
    end.bring(dataAt(11), dataAt(12));
    expect(end.sent().at(-1)).toBe('0e 678e66 0a0b0c0d 3f678d68');
  });

  test('closes, is opened when the application reads again, and told until data comes', () => {
    const end = heard();
    end.reads = false;
    fill(end, 1, 256);
    expect(end.delivered).toHaveLength(257);
    expect(end.sent().at(-1)).toBe('0e 678e5c 0a0b0c0d 3f678e5c');
    fill(end, 257, 3);
    expect(end.delivered).toHaveLength(257);
    expect(end.frct.counters.droppedOutsideWindow).toBe(3);
    end.sent();
    // Little is not worth a packet.
    end.take(63);
    expect(end.sent()).toEqual([]);
    end.take(1);
    const update = '0e 678e9c 0a0b0c0d 3f678e5c';
    expect(end.sent()).toEqual([update]);
    // A prototype that waits for a window does not ask for it: it is told again, ever more rarely, not for ever.
    end.pass(100);
    expect(end.sent()).toEqual([update]);
    end.pass(199.9);
    expect(end.sent()).toEqual([]);
    end.pass(0.1);
    expect(end.sent()).toEqual([update]);
    end.pass(1e6);
    expect(end.sent()).toHaveLength(frctLimits.windowRepeats - 2);
    expect(end.frct.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  test('data ends the telling', () => {
    const end = heard();
    end.reads = false;
    fill(end, 1, 256);
    end.take(100);
    end.pass(150);
    end.sent();
    fill(end, 257, 1);
    end.pass(10);
    expect(end.sent()).toHaveLength(1);
    end.pass(1e6);
    expect(end.sent()).toEqual([]);
  });
});

describe('9.3: new runs', () => {
  const begun = 0x5555_0000;
  const newRun: Peers = { flags: 0x03, seqno: begun, payload: 'new' };

  test('are taken when no data came for 3 MPL + A + R, though acknowledgements did', () => {
    const end = heard();
    const last = end.now - 20;
    end.write('a');
    for (let count = 0; count < 13; count += 1) {
      end.pass(10_000);
      end.bring({ flags: 0x0c, window: own + 257, ackno: own + 1 });
    }
    end.now = last + 130_300;
    end.bring(newRun);
    expect(end.delivered).toEqual(['m0']);
    // What was refused is not data of the run.
    end.now = last + 130_301;
    end.sent();
    end.bring(newRun);
    expect(end.delivered).toEqual(['m0', 'new']);
    end.pass(10);
    expect(end.sent()).toEqual(['0c 550101 00000000 55550001']);
    expect(end.frct.counters.runs).toBe(2);
  });

  test('DRF without data, or data without DRF, begins none', () => {
    const end = heard();
    end.now += 200_000;
    end.bring({ ...newRun, flags: 0x0e });
    end.bring({ ...newRun, flags: 0x01 });
    expect(end.delivered).toEqual(['m0']);
    expect(end.frct.counters.runs).toBe(1);
  });

  test('the old run continued is no new one', () => {
    const end = heard();
    end.now += 200_000;
    end.bring(dataAt(1, { flags: 0x03 }));
    expect(end.delivered).toEqual(['m0', 'm1']);
    expect(end.frct.counters.runs).toBe(1);
  });

  test('what was ahead of a hole in the old run is forgotten', () => {
    const end = heard();
    end.bring(dataAt(2));
    end.now += 131_000;
    end.bring(newRun);
    expect(end.delivered).toEqual(['m0', 'new']);
    expect(end.frct.bytesHeld).toBe(0);
  });
});

describe('7.7: retransmission', () => {
  const times = (end: FrctEnd, ms: number): number[] => {
    const at: number[] = [];
    const until = end.now + ms;
    const start = end.now;
    while (end.now < until && end.frct.nextDeadline() < Number.POSITIVE_INFINITY) {
      end.pass(Math.min(until, end.frct.nextDeadline()) - end.now);
      if (end.sent().length > 0) at.push(end.now - start);
    }
    return at;
  };

  test("with the prototype's limits: after 1, 3, 7, 15, 31, 63 s, and down at the next", () => {
    const end = new FrctEnd({ limits: { ...frctLimits, rtoMaxMs: 68_719.476736 } });
    end.write('a');
    expect(end.sent()).toHaveLength(1);
    expect(times(end, 126_999)).toEqual([1000, 3000, 7000, 15_000, 31_000, 63_000]);
    expect(end.events).toEqual([]);
    end.pass(1);
    expect(end.events).toEqual(['down EFLOWDOWN']);
  });

  test('with our limits: never more than 4 s apart, and down after 120 s', () => {
    const end = new FrctEnd();
    end.write('a');
    end.sent();
    const at = times(end, 119_999);
    expect(at.slice(0, 4)).toEqual([1000, 3000, 7000, 11_000]);
    expect(end.events).toEqual([]);
    end.pass(4000);
    expect(end.events).toEqual(['down EFLOWDOWN']);
    expect(end.sent()).toEqual([]);
    expect(end.frct.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    // Nothing wakes it again.
    expect(end.write('b')).toBe(false);
    end.bring({ flags: 0x0c, window: own + 257, ackno: own + 1 }, dataAt(0));
    expect(end.frct.counters.droppedDown).toBe(2);
    end.frct.close(end.now);
    end.frct.taken(0);
    expect([end.sent(), end.events]).toEqual([[], ['down EFLOWDOWN']]);
  });

  test('the same flags and number, the acknowledgement and the window of now', () => {
    const end = heard();
    end.write('a');
    end.write('b');
    expect(end.sent()).toEqual(['0f 678e5c 0a0b0c0d 3f678d5c +1', '0d 678e5c 0a0b0c0e 3f678d5c +1']);
    end.bring(dataAt(1));
    end.pass(500);
    end.sent();
    end.pass(600);
    expect(end.sent()).toEqual(['0f 678e5d 0a0b0c0d 3f678d5d +1']);
  });

  test('what is resent first is the oldest alone; what an acknowledgement shows missing follows at once', () => {
    const end = heard();
    end.write('a');
    end.bring({ flags: 0x0c, window: own + 257, ackno: own + 1 });
    for (let count = 0; count < 5; count += 1) end.write('x');
    end.sent();
    end.pass(25);
    const first = end.sent();
    expect(first).toEqual(['0f 678e5c 0a0b0c0e 3f678d5c +1']);
    end.bring({ flags: 0x0c, window: own + 257, ackno: own + 4 });
    expect(end.sent().map((text) => text.slice(10, 18))).toEqual(['0a0b0c11', '0a0b0c12']);
  });

  test('new data is not held back by what is missing: a reader may wait for the next packet to see the last one', () => {
    const end = heard();
    end.write('a');
    end.sent();
    end.pass(3500);
    expect(end.sent().length).toBeGreaterThan(1);
    for (let count = 0; count < 63; count += 1) expect(end.write('b')).toBe(true);
  });

  test('a hole that an acknowledgement shows long after everything was sent is filled at once', () => {
    const end = heard();
    for (let count = 0; count < 10; count += 1) end.write('x');
    end.bring({ flags: 0x0c, window: own + 257, ackno: own + 3 });
    end.sent();
    // A quarter of a second later, none of the rest is to be expected any more.
    end.now += 250;
    end.bring({ flags: 0x0c, window: own + 257, ackno: own + 5 });
    expect(end.sent().map((text) => text.slice(10, 18))).toEqual([
      '0a0b0c12',
      '0a0b0c13',
      '0a0b0c14',
      '0a0b0c15',
      '0a0b0c16',
    ]);
  });

  test('waits longer than a prototype holds its acknowledgement back', () => {
    const end = heard();
    for (let count = 0; count < 30; count += 1) {
      end.write('x');
      // Delayed by 10 to 16 ms, or at once with an answer.
      end.pass(count % 3 === 0 ? 0.3 : 10 + (count % 7));
      end.bring({ flags: 0x0c, window: own + 400, ackno: own + count + 1 });
    }
    expect(end.frct.counters.retransmissions).toBe(0);
  });

  test('9.4: a reader that missed its wake-up is woken in time', () => {
    const end = heard();
    for (let count = 0; count < 10; count += 1) {
      end.write('x');
      end.pass(12);
      end.bring({ flags: 0x0c, window: own + 400, ackno: own + count + 1 });
    }
    end.write('x');
    end.sent();
    end.pass(100);
    expect(end.sent().length).toBeGreaterThan(0);
  });
});

describe('7.8: rendezvous', () => {
  test('asks for a window while a write waits: after 100, 200, 400 ms and so on, a second apart at last', () => {
    const end = heard();
    while (end.write('x'));
    expect(end.frct.closedSince).toBe(end.now);
    const asked: number[] = [];
    const start = end.now;
    for (let step = 0; step < 5000; step += 1) {
      end.pass(1);
      for (const text of end.sent())
        if (text.startsWith('12 000000 0a0b0c0d 00000000')) asked.push(end.now - start);
    }
    expect(asked).toEqual([100, 200, 400, 800, 1600, 2600, 3600, 4600]);
    end.bring({ flags: 0x0c, window: own + 300, ackno: own + 64 });
    expect(end.events).toEqual(['writable']);
    expect(end.frct.closedSince).toBeUndefined();
    end.pass(5000);
    expect(end.sent()).toEqual([]);
  });

  test('does not when nobody writes', () => {
    const end = heard();
    for (let count = 0; count < 64; count += 1) end.write('x');
    end.pass(500);
    expect(end.frct.counters.rendezvousSent).toBe(0);
  });
});

describe('7.9: best effort', () => {
  const setup = { reliable: false } as const;

  test('every packet has DRF; FC once there is a run, and never ACK; nothing is sent again', () => {
    const end = new FrctEnd(setup);
    end.write('a');
    end.bring(dataAt(0, { flags: 0x03 }));
    end.write('b');
    end.write('c');
    end.pass(1e6);
    const sent = end.sent();
    // With the mark, `ackno` tells where the run began.
    expect(sent.filter((text) => text.includes('+'))).toEqual([
      '83 000000 0a0b0c0d 0a0b0c0d +1',
      '0b 678e5c 0a0b0c0e 00000000 +1',
      '0b 678e5c 0a0b0c0f 00000000 +1',
    ]);
    expect(end.frct.outstanding).toBe(0);
  });

  test('gaps are skipped at once, what comes late is dropped', () => {
    const end = new FrctEnd(setup);
    for (const ahead of [0, 2, 1, 2, 10, 3, 11]) end.bring(dataAt(ahead, { flags: 0x03 }));
    expect(end.delivered).toEqual(['m0', 'm2', 'm10', 'm11']);
    expect(end.frct.counters).toMatchObject({ skipped: 8, droppedLate: 3 });
  });

  test('the window moves over gaps, and is told at least every 32 packets, with DRF and the own number', () => {
    const end = new FrctEnd(setup);
    let told = 0;
    for (let ahead = 0; ahead < 640; ahead += 2) {
      end.bring(dataAt(ahead, { flags: 0x03 }));
      for (const text of end.sent()) {
        told += 1;
        const edge = ((peer + ahead + 1 + 256) & 0xff_ffff).toString(16).padStart(6, '0');
        expect(text).toBe(`0a ${edge} 0a0b0c0d 00000000`);
      }
    }
    expect(told).toBe(20);
  });

  test('when the peer pauses it is told some times more: it may wait, and does not ask', () => {
    const end = new FrctEnd(setup);
    for (let ahead = 0; ahead < 50; ahead += 1) end.bring(dataAt(ahead, { flags: 0x03 }));
    end.sent();
    end.pass(1e6);
    expect(end.sent().length).toBeGreaterThan(3);
    expect(end.frct.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  test('who does not read loses messages, and closes the window', () => {
    const end = new FrctEnd(setup);
    end.reads = false;
    for (let ahead = 0; ahead < 300; ahead += 1) end.bring(dataAt(ahead, { flags: 0x03 }));
    expect(end.delivered).toHaveLength(256);
    expect(end.frct.counters.droppedNoRoom).toBe(44);
  });

  test("a prototype's window falls behind by what is lost; asked, and still closed, it is taken for open", () => {
    const end = new FrctEnd(setup);
    end.bring(dataAt(0, { flags: 0x03 }));
    let written = 0;
    const write = (): void => {
      while (end.write('x')) written += 1;
    };
    write();
    expect(written).toBe(64);
    end.bring({ flags: 0x08, window: own + 256 });
    write();
    expect(written).toBe(256);
    // 56 of them were lost: the prototype delivered 200, and all that it will ever tell is 456.
    end.bring({ flags: 0x08, window: own + 456 });
    write();
    expect(written).toBe(456);
    end.bring({ flags: 0x08, window: own + 456 + 200 - 56 });
    write();
    end.bring({ flags: 0x08, window: own + 600 });
    write();
    expect(written).toBe(600);
    end.sent();
    end.pass(0);
    expect(end.sent().at(-1)).toBe('12 000000 0a0b0e65 00000000');
    end.events.length = 0;
    end.pass(99);
    expect(end.events).toEqual([]);
    end.bring({ flags: 0x08, window: own + 600 });
    end.pass(1);
    expect(end.events).toEqual(['writable']);
    write();
    // All of its 256 places are taken for free again.
    expect(written).toBe(856);
    expect(end.frct.counters.windowsAssumed).toBe(1);
  });
});

describe('7.10: the end of a flow with a prototype', () => {
  test('what is not acknowledged yet is, at once; then what comes is acknowledged and thrown away', () => {
    const end = heard();
    end.write('a');
    end.sent();
    end.bring(dataAt(1));
    end.frct.close(end.now);
    expect(end.sent()).toEqual(['0e 678e5d 0a0b0c0d 3f678d5d']);
    expect(end.events).toEqual([]);
    expect(end.frct.isSettled).toBe(false);
    end.bring(dataAt(2), dataAt(3));
    expect(end.delivered).toEqual(['m0', 'm1']);
    expect(end.sent()).toEqual(['0e 678e5f 0a0b0c0d 3f678d5f']);
    end.bring({ flags: 0x0c, window: own + 257, ackno: own + 1 });
    expect(end.events).toEqual(['settled']);
    expect(end.write('b')).toBe(false);
  });

  test('messages that nobody took make room', () => {
    const end = heard();
    end.reads = false;
    for (let ahead = 1; ahead <= 256; ahead += 1) end.bring(dataAt(ahead));
    end.sent();
    end.frct.close(end.now);
    expect(end.sent()).toEqual(['0e 678f5c 0a0b0c0d 3f678e5c']);
    expect(end.frct.bytesHeld).toBe(0);
  });

  test('late packets may come for 131 s after the last', () => {
    const end = heard();
    end.write('a');
    const sentAt = end.now;
    end.pass(5000);
    end.bring({ flags: 0x0c, window: own + 257, ackno: own + 1 });
    end.frct.close(end.now);
    expect(end.frct.lateUntil).toBe(sentAt + 5000 + 131_000);
  });

  test('nothing sent, nothing to wait for', () => {
    const end = new FrctEnd();
    end.frct.close(0);
    expect(end.events).toEqual(['settled']);
  });
});

describe('the port', () => {
  test('without room refuses a write, and what is due waits until it has', () => {
    const end = heard();
    end.hasRoom = false;
    expect(end.write('a')).toBe(false);
    expect(end.frct.outstanding).toBe(0);
    end.bring(dataAt(1), dataAt(2));
    end.pass(100);
    expect(end.sent()).toEqual([]);
    end.hasRoom = true;
    end.events.length = 0;
    end.frct.resume(end.now);
    expect(end.sent()).toEqual(['0e 678e5e 0a0b0c0d 3f678d5e']);
    expect(end.write('a')).toBe(true);
    end.sent();
    end.hasRoom = false;
    end.pass(1000);
    expect(end.frct.counters.refusedByPort).toBeGreaterThan(1);
    end.hasRoom = true;
    end.frct.resume(end.now);
    expect(end.sent()).toEqual(['0f 678e5e 0a0b0c0d 3f678d5e +1']);
  });

  test('a turn that was not ended is ended by the deadline', () => {
    const end = heard();
    for (const ahead of [1, 2]) {
      const packet = dataAt(ahead);
      const memory = Buffer.concat([Buffer.alloc(12), Buffer.from('x')]);
      memory.writeUInt8(packet.flags);
      memory.writeUInt32BE(peer + ahead, 4);
      end.frct.receive(memory, 0, memory.length, end.now);
    }
    expect(end.frct.nextDeadline()).toBeLessThanOrEqual(end.now);
    end.frct.advance(end.now);
    expect(end.frct.nextDeadline()).toBeGreaterThan(end.now);
    expect(end.sent()).toHaveLength(1);
  });
});

test('random bytes, in any state: nothing throws, deadlines move on, what is sent can be read', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ bytes: bytesUpTo(60) }) },
    {
      weight: 5,
      arbitrary: fc.record({
        flags: fc.integer({ min: 0, max: 255 }),
        window: fc.oneof(fc.integer({ min: -300, max: 300 }), fc.integer()),
        seqno: fc.integer({ min: -5, max: 300 }),
        ackno: fc.oneof(fc.integer({ min: -5, max: 20 }), fc.integer()),
        payload: bytesUpTo(40),
      }),
    },
    { weight: 2, arbitrary: fc.record({ write: bytesUpTo(30) }) },
    { weight: 1, arbitrary: fc.record({ pass: fc.constantFrom(1, 10, 1000, 20_000) }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constantFrom('finish', 'close', 'take') }) },
  );
  fc.assert(
    fc.property(fc.boolean(), fc.boolean(), fc.array(step, { maxLength: 80 }), (reliable, reads, steps) => {
      const end = new FrctEnd({ reliable });
      end.reads = reads;
      for (const one of steps) {
        if ('bytes' in one) end.bring(one.bytes);
        else if ('flags' in one) {
          const { flags, window, seqno, ackno, payload } = one;
          end.bring({ flags, window: own + window, seqno: peer + seqno, ackno: own + ackno, payload });
        } else if ('write' in one) end.write(one.write.toString('latin1'));
        else if ('pass' in one) end.pass(one.pass);
        else if (one.act === 'take') end.take(3);
        else end.frct[one.act](end.now);
        for (const packet of end.packets()) expect(packet.length).toBeGreaterThanOrEqual(12);
      }
      end.pass(200_000);
      expect(end.events.filter((event) => event !== 'writable').length).toBeLessThanOrEqual(3);
    }),
    { numRuns: 400 },
  );
});
